"""What comes with the project: every preset can train what its gate.toml names."""

from __future__ import annotations

from pathlib import Path

import pytest

from baselines.config import PRESETS
from baselines.gate.runs import Runs
from baselines.gate.settings import read_settings
from baselines.registry import ESTIMATORS

LISTS = ("comparisons", "hamuco", "hamuco_more", "hamr")
NAMES = ("nano", "gate-short", "gate", "full", "paper")


@pytest.mark.parametrize("preset", NAMES)
def test_every_preset_has_what_its_gate_trains(preset):
    settings = read_settings(PRESETS / preset)
    runs = Runs(None, Path(), PRESETS / preset)
    for extra in settings.extras:
        assert runs.config(extra.estimator, 1, extra.preset, extra.sets).estimator in ESTIMATORS
    for overfit in settings.overfits:
        assert overfit.stage in {stage.name for stage in runs.config(overfit.estimator).stages}


MUST = {"meshes help", "learning beats RANSAC"}  # from gate-short on
MUST_LATER = {
    "fusion beats interaction", "interaction beats single", "distillation helps single views",
    "single views miss distillation most", "extrinsics help", "RANSAC beats DLT on pseudo labels", "HAMR's mesh helps",
}  # fmt: skip


@pytest.mark.parametrize(
    ("preset", "musts"),
    [("nano", set()), ("gate-short", MUST), *((name, MUST | MUST_LATER) for name in ("gate", "full", "paper"))],
)
def test_what_must_hold_is_more_in_larger_presets(preset, musts):
    claims = read_settings(PRESETS / preset).own_claims
    assert {claim.name for claim in claims if claim.must} == musts
    assert MUST | {"fusion beats interaction"} <= {claim.name for claim in claims}


@pytest.mark.parametrize("name", LISTS)
def test_nano_can_train_every_list(name):
    before = ["hamuco"] if name == "hamuco_more" else []
    settings = read_settings(PRESETS / "nano", [*before, name])
    runs = Runs(None, Path(), PRESETS / "nano")
    for extra in settings.extras:
        assert runs.config(extra.estimator, 1, extra.preset, extra.sets).estimator in ESTIMATORS
    assert {one.title for one in read_settings(PRESETS / "nano").tables} < {one.title for one in settings.tables}


def test_nano_trains_five_variants_of_hamuco_with_three_seeds():
    settings = read_settings(PRESETS / "nano", ["hamuco"])
    trained = [one for one in settings.extras if one.estimator == "hamuco" and not one.of]
    assert len(trained) == 5 and {settings.seeds_of(one) for one in trained} == {3}
    assert {one.labels for one in trained} == {"noise"}
