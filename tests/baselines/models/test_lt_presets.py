"""Presets of learnable triangulation: complete, their stages name what there is, and the paper's is the paper's."""

from __future__ import annotations

from pathlib import Path

import model_cases
import pytest

import baselines
from baselines import create_estimator
from baselines.config import Config, list_presets, load_config
from baselines.models.learnable_triangulation import VolumeConfig
from baselines.registry import estimator_class
from rigging.settings import from_table

FILES = sorted((Path(baselines.__file__).parent / "presets").glob("*/lt_*.toml"))


def read(preset: str, name: str) -> tuple[Config, VolumeConfig]:
    """The settings of a training, and those of its estimator."""
    config = load_config(preset, name)
    return config, from_table(estimator_class(name).Config, config.model, name)


@pytest.mark.parametrize("name", model_cases.LT)
def test_both_estimators_have_every_preset(name):
    assert list_presets(name) == list_presets("mvhm_mv") == ("full", "gate", "gate-short", "nano", "paper")


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_preset_names_what_there_is(path):
    config, model = read(path.parent.name, path.stem)
    estimator, batch = create_estimator(path.stem, **model_cases.LT[path.stem]), model_cases.batch(1, views=2)
    parts = {name for name, _ in estimator.named_children()}
    losses = set(estimator.losses(estimator(batch), batch))
    learnt = {part for stage in config.stages for part in stage.learns}
    for stage in config.stages:
        assert set(stage.learns) <= parts and set(stage.losses) <= losses, stage.name
        assert not stage.cached or stage.learns == ("features", "volume"), "what is computed before does not learn"
    assert learnt == parts, "every part learns in some stage"
    assert model.size == config.data.size


def test_the_papers_presets_are_the_papers():
    (algebraic, alg), (volumetric, vol) = (read("paper", name) for name in model_cases.LT)
    for config, model in ((algebraic, alg), (volumetric, vol)):
        assert (model.depth, model.size, model.deconv, model.sharpness, model.solver) == (152, 384, 256, 100.0, "svd")
        assert {stage.optimiser for stage in config.stages} == {"adam"} and model.threshold == 0.2
    assert (vol.resolution, vol.features, vol.aggregation, vol.first) == (64, 32, "softmax", 7)
    assert algebraic.stages[-1].lr == 1e-5 and algebraic.data.batch == 8 * algebraic.data.views
    assert volumetric.stages[-1].losses == {"volume_joints": 1.0, "volume": 0.01} and volumetric.stages[-1].lr == 1e-4
