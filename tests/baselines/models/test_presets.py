"""Presets: complete, and their stages name parts and losses that the estimators have."""

from __future__ import annotations

import dataclasses
import tomllib
from functools import cache
from pathlib import Path

import model_cases
import pytest

import baselines
from baselines import create_estimator, list_estimators
from baselines.config import Config
from baselines.registry import estimator_class
from rigging.settings import from_table

FOLDER = Path(baselines.__file__).parent / "presets"
PRESETS = ("nano", "gate-short", "gate", "full", "paper")
FILES = sorted(path for path in FOLDER.glob("*/*.toml") if path.stem != "gate")


def read(path: Path) -> Config:
    return from_table(Config, tomllib.loads(path.read_text(encoding="utf-8")), path.name)


@cache
def parts_and_losses(name: str, **settings: object) -> tuple[set[str], set[str]]:
    """Names of an estimator's parts, and of its losses when all labels are there."""
    estimator = create_estimator(name, **(model_cases.settings(name) | settings))
    batch = model_cases.batch(1, views=2)
    parts = {part for part, _ in estimator.named_children()}
    return parts, set(estimator.losses(estimator(batch), batch))


def test_every_estimator_has_every_preset():
    assert {(path.parent.name, path.stem) for path in FILES} >= {(p, e) for p in PRESETS for e in list_estimators()}


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_preset_names_what_there_is(path):
    config = read(path)
    assert path.stem == config.estimator or path.stem.startswith(f"{config.estimator}_")  # another way of training it
    mesh = {"mesh": True} if config.model.get("mesh") else {}
    parts, losses = parts_and_losses(config.estimator, **mesh)
    for stage in config.stages:
        assert set(stage.learns) <= parts and set(stage.losses) <= losses, stage.name
        assert not stage.cached or stage.learns in (("fusion",), ("features", "volume"))
    model = from_table(estimator_class(config.estimator).Config, config.model, path.name)
    assert getattr(model, "single", model).size == config.data.size
    if estimator_class(config.estimator).multi_view:
        assert config.data.batch % config.data.views == 0
    if config.estimator == "mvhm_mv":
        assert model.fusion == "set" or model.views == config.data.views


def test_the_stages_are_the_papers():
    single, multi = (read(FOLDER / "paper" / f"{name}.toml") for name in ("mvhm_sv", "mvhm_mv"))
    assert [stage.name for stage in single.stages] == ["heatmap", "mesh", "depth", "all"]
    assert [stage.learns for stage in single.stages[:3]] == [("hourglass",), ("mesh",), ("depth",)]
    assert [set(stage.losses.values()) for stage in single.stages] == [{1.0}] * 4
    assert [stage.learns for stage in multi.stages] == [("fusion",), ("single", "fusion")]
    assert {stage.lr for stage in single.stages} == {0.01} and single.data.batch * 4 == 32


def test_learnable_triangulation_is_trained_as_published():
    algebraic, volumetric = (read(FOLDER / "paper" / f"{name}.toml") for name in ("lt_alg", "lt_vol"))
    for config in (algebraic, volumetric):
        model = from_table(estimator_class(config.estimator).Config, config.model, "model")
        assert (model.depth, model.size, model.deconv, model.sharpness, model.solver) == (152, 384, 256, 100.0, "svd")
        assert {stage.optimiser for stage in config.stages} == {"adam"} and model.threshold == 0.2
    assert (model.resolution, model.features, model.aggregation) == (64, 32, "softmax")
    assert algebraic.stages[-1].lr == 1e-5 and algebraic.data.batch == 8 * algebraic.data.views
    assert volumetric.stages[-1].losses == {"volume_joints": 1.0, "volume": 0.01} and volumetric.stages[-1].lr == 1e-4


@pytest.mark.parametrize("name", [name for name in list_estimators() if not name.startswith(("lt_", "hamr"))])
def test_full_and_paper_are_the_same_network_but_for_the_matching(name):
    full, paper = ((FOLDER / preset / f"{name}.toml") for preset in ("full", "paper"))
    cls = estimator_class(name).Config
    models = [from_table(cls, read(path).model, path.name) for path in (full, paper)]
    of_single = [dataclasses.asdict(getattr(model, "single", model)) for model in models]
    ges = set() if name.startswith("mvhm_") else {"sigma", "reduction", "shortcut"}
    differ = {key for key in of_single[0] if of_single[0][key] != of_single[1][key]}
    assert differ == ({"matching"} | ges) & set(of_single[0])


def test_ges_stages_are_the_papers():
    """Section 4.3: L = 0.5 L_H + L_M + L_J, lambdas 1, 1, 1, 50; the pose regressor does not learn then."""
    config = read(FOLDER / "paper" / "ge_gcn.toml")
    assert [stage.learns for stage in config.stages[:2]] == [("hourglass",), ("regressor",)]
    assert config.stages[2].learns == ("hourglass", "encoder", "mesh")
    terms = {"vertex": 1, "normal": 1, "edge": 1, "laplacian": 50}
    assert config.stages[2].losses == {"heatmap": 0.5, "pose": 1} | terms
    assert {(stage.optimiser, stage.lr) for stage in config.stages} == {("rmsprop", 1e-3)} and config.data.batch == 32


def test_hamr_is_trained_as_published():
    """Its weights of the losses, optimiser and augmentation; `full` regresses another rotation and more of the pose."""
    full, paper = (read(FOLDER / preset / "hamr.toml") for preset in ("full", "paper"))
    weights = {"joints": 1000, "image": 1, "geometry": 1, "camera": 0.1, "heatmap": 100, "silhouette": 10}
    assert paper.stages[-1].losses == full.stages[-1].losses == weights
    assert {(stage.optimiser, stage.lr) for stage in paper.stages} == {("rmsprop", 2e-4)}
    wide = paper.augment
    assert (wide.rotate, wide.brightness, wide.contrast, wide.saturation, wide.noise) == (60, 0.8, 0.7, 0.6, 0.01)
    assert set(full.model.items()) - set(paper.model.items()) == {("turn", "6d"), ("pose", 20)}
    model = from_table(estimator_class("hamr").Config, paper.model, "model")
    assert (model.stacks, model.width, model.growth, model.levels, model.maps) == (2, 256, 128, 4, 64)
    assert (model.feature, model.hidden, model.dropout, model.iterations) == (2048, 2048, 0.4, 3)


@pytest.mark.parametrize("preset", PRESETS)
def test_ges_comparisons_are_trained_as_long_as_what_they_are_compared_with(preset):
    graph, joints, both = (read(FOLDER / preset / f"{name}.toml") for name in ("ge_gcn", "ge_joints", "ge_joints_mesh"))
    assert (joints.data, joints.augment, joints.train) == (graph.data, graph.augment, graph.train)
    epochs = [{stage.name: stage.epochs for stage in one.stages} for one in (graph, joints, both)]
    assert epochs[1] == epochs[2] == {name: count for name, count in epochs[0].items() if name != "regressor"}
    transfer = read(FOLDER / preset / "ge_joints_transfer.toml").stages
    assert [stage.name for stage in transfer] == ["joints"] and "encoder" not in transfer[0].learns


def test_hamucos_stages_are_the_papers():
    """Section 4: AdamW, 3e-4, 8 time steps of 8 views in random order; L_c and L_d come in after 10 of 40 epochs."""
    config = read(FOLDER / "paper" / "hamuco.toml")
    assert config.data.batch == 8 * config.data.views == 64 and config.data.shuffle_views
    assert [(one.epochs, one.optimiser, one.lr, one.schedule) for one in config.stages] == [
        (10, "adamw", 3e-4, "cosine"),
        (30, "adamw", 3e-4, "cosine"),
    ]
    first, second = (set(one.losses) for one in config.stages)
    assert second - first == {"consistency_2d", "consistency_fused", "distillation"} and first < second
    assert all(set(one.losses.values()) == {1.0} for one in config.stages)


@pytest.mark.parametrize("preset", PRESETS)
def test_hamuco_is_tuned_for_any_number_of_views_with_its_own_network(preset):
    whole, masked = (read(FOLDER / preset / f"{name}.toml") for name in ("hamuco", "hamuco_masked"))
    assert masked.model == whole.model | {"masks": True} and masked.data == whole.data
    assert [one.losses for one in masked.stages] == [whole.stages[1].losses]
