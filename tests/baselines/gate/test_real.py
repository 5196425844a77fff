"""Table 2 of MVHM on the user's own data sets, in the layouts that these are published in."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from baselines.config import Config, Data, Stage
from baselines.gate.real import RealSet, real_config, real_rows, real_sets
from baselines.gate.table2 import PAPER, Figures

TESTS = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def copies(tmp_path_factory) -> dict[str, Path]:
    """A user's folders of MHP and STB, with a sequence to train on and one that validates."""
    sys.path[:0] = [str(TESTS / "dataset_tools"), str(TESTS / "baselines" / "adapters")]
    from real_layouts import write_mhp, write_stb
    from records import make_record

    from dataset_tools.load.derive import derive

    sample = make_record(0, views=4, size=64)
    sample |= {name: derive(name, sample) for name in ("joints_cam", "joints_2d")}
    sample["K"] = np.asarray(sample["K"], float)
    root = tmp_path_factory.mktemp("real")
    write_stb(root / "stb", {"B1Counting": [sample], "B4Random": [sample] * 2})
    write_mhp(root / "mhp", {2: [sample], 3: [sample] * 2})
    return {"MHP": root / "mhp", "STB": root / "stb"}


def test_without_real_data_every_cell_says_what_it_needs(quick_runs):
    rows = real_rows(quick_runs, ())
    assert [(row.data, row.estimator, row.release) for row in rows] == [
        ("MHP", "mvhm_sv", False), ("MHP", "mvhm_sv", True), ("MHP", "mvhm_mv", False), ("MHP", "mvhm_mv", True),
        ("STB", "mvhm_sv", False), ("STB", "mvhm_sv", True),
    ]  # fmt: skip
    assert all(row.ours is None and row.why == f"not run: needs {row.data}" for row in rows)
    assert rows[3].paper == Figures(0.895, 0.990, 5.20) and len(rows) == len(PAPER)


def test_rows_whose_data_are_there_are_run(quick_runs, copies):
    rows = real_rows(quick_runs, [RealSet("MHP", copies["MHP"])])
    mhp, stb = rows[:4], rows[4:]
    assert all(0.9 < row.ours.auc_0_50 <= 1 and row.ours.epe < 6 and row.why == "" for row in mhp)
    assert mhp[2].ours.epe < mhp[0].ours.epe  # four views, a quarter of the variance
    assert all(row.ours is None for row in stb)
    trained = {path.name.rpartition("-")[0] for path in quick_runs.kept.folder.glob("train-*") if path.is_dir()}
    assert trained == {
        f"train-{name}-on-MHP-{more}" for name in ("mvhm_sv", "mvhm_mv") for more in ("alone", "and-the-release")
    }


def test_one_view_is_enough_for_stb(quick_runs, copies):
    rows = real_rows(quick_runs, real_sets({"stb": copies["STB"], "mhp": None}))
    assert [row.ours is not None for row in rows] == [False] * 4 + [True] * 2


def test_without_the_release_there_are_no_meshes_to_learn_from():
    stages = (
        Stage("mesh", ("mesh",), {"mesh": 1.0}, 1, 1e-3),
        Stage("all", ("mesh", "depth"), {"mesh": 1.0, "depth": 0.5}, 1, 1e-3),
    )
    config = Config("mvhm_sv", stages, data=Data(samples=7))
    alone, both = (real_config(config, row) for row in PAPER[:2])
    assert both.stages == config.stages
    assert [(stage.name, stage.losses) for stage in alone.stages] == [("all", {"depth": 0.5})]
    assert alone.data.samples == both.data.samples == 0
