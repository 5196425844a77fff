"""What comes with the project: every preset can train what its gate.toml names."""

from __future__ import annotations

from pathlib import Path

import pytest

from baselines.config import PRESETS
from baselines.gate.runs import Runs
from baselines.gate.settings import read_settings
from baselines.registry import ESTIMATORS

NAMES = ("nano", "gate-short", "gate", "full", "paper")


@pytest.mark.parametrize("preset", NAMES)
def test_every_preset_has_what_its_gate_trains(preset):
    settings = read_settings(PRESETS / preset)
    runs = Runs(None, Path(), PRESETS / preset)
    for extra in settings.extras:
        assert runs.config(extra.estimator, 1, extra.preset, extra.sets).estimator in ESTIMATORS
    for overfit in settings.overfits:
        assert overfit.stage in {stage.name for stage in runs.config(overfit.estimator).stages}


@pytest.mark.parametrize("preset", NAMES)
def test_claims_of_meshes_and_of_triangulation_must_hold_but_in_nano(preset):
    claims = read_settings(PRESETS / preset).claims
    must = {claim.name for claim in claims if claim.must}
    assert must == (set() if preset == "nano" else {"meshes help", "learning beats RANSAC"})
    assert {"meshes help", "learning beats RANSAC"} <= {claim.name for claim in claims}
