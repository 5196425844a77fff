"""Learnable triangulation through the loop: stages, what is frozen and computed once, the same bytes every time."""

from __future__ import annotations

import json

import pytest
import torch
from standing_in import Memory

from baselines.config import Config, Data, Stage, as_table, complete
from baselines.train.loop import train
from baselines.train.run_folder import load_run

ALGEBRAIC = ("backbone", "deconvolutions", "heatmap", "confidence")
STAGES = (
    Stage("heatmap", ALGEBRAIC[:3], {"heatmap": 1.0}, 1, 1e-3),
    Stage("joints", ALGEBRAIC, {"heatmap": 0.1, "joints": 1.0}, 1, 1e-3),
    Stage("volume", ("features", "volume"), {"volume_joints": 1.0, "volume": 0.01}, 2, 1e-3, cached=True),
)
MODEL = {"size": 32, "depth": 18, "width": 4, "deconv": 8, "side": 0.3, "resolution": 4, "levels": 1, "features": 2}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two trainings alike, under bf16, and one without the volume's stage."""
    folder = tmp_path_factory.mktemp("runs")
    table = as_table(Config("lt_vol", STAGES, MODEL | {"volume_width": 4, "first": 3}, Data(32, 4, 2, workers=0)))
    for name in ("once", "again", "algebraic"):
        table["stages"][2]["epochs"] = 0 if name == "algebraic" else 2
        config = complete(table | {"train": {"precision": "bf16"}}, name)
        train(config, Memory(size=32), folder / name)
    return {name: folder / name for name in ("once", "again", "algebraic")}


def test_every_stage_gives_numbers(runs):
    rows = [json.loads(line) for line in (runs["once"] / "log.jsonl").read_text().splitlines()]
    assert {row["stage"] for row in rows} == {"heatmap", "joints", "volume"}
    assert all(row["loss"] == row["loss"] < float("inf") for row in rows)


def test_the_same_seed_gives_the_same_bytes(runs):
    weights = [(runs[name] / "weights.safetensors").read_bytes() for name in ("once", "again")]
    assert weights[0] == weights[1]


def test_the_volume_learns_on_what_the_frozen_views_say(runs):
    (with_volume, _), (without, _) = load_run(runs["once"]), load_run(runs["algebraic"])
    other = without.state_dict()
    changed = {
        name.split(".")[0] for name, one in with_volume.state_dict().items() if not torch.equal(one, other[name])
    }
    assert changed == {"features", "volume"}
