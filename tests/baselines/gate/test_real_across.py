"""Figures across the user's real data sets, in the form of HAMR's Figures 6 and 7."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import cv2
import pytest
from quick_estimators import Hands

from baselines.evaluate.across import Across
from baselines.evaluate.plots import draw_pck
from baselines.gate.across import CROPS, across_sets, on_the_pair, validating
from baselines.gate.page import page
from baselines.gate.real import RealSet, real_sets
from baselines.gate.report import plain
from baselines.gate.runs import Training
from baselines.registry import ESTIMATORS
from rigging.errors import InputError

TESTS = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def copies(tmp_path_factory) -> dict[str, Path]:
    """A user's folders of RHD, STB and Dexter+Object."""
    sys.path[:0] = [str(TESTS / "dataset_tools"), str(TESTS / "baselines" / "adapters")]
    from freiburg_layouts import write_dexter, write_rhd
    from real_layouts import write_stb
    from records import make_record

    from dataset_tools.load.derive import derive

    sample = make_record(0, views=4, size=64)
    sample |= {name: derive(name, sample) for name in ("mask", "joints_cam", "joints_2d")}
    root = tmp_path_factory.mktemp("real")
    write_stb(root / "stb", {"B1Counting": [sample], "B4Random": [sample] * 2})
    write_rhd(root / "rhd", {"training": [sample] * 3, "evaluation": [sample] * 2})
    write_dexter(root / "dexter", {"Grasp1": [sample] * 2})
    return {name: root / name for name in ("stb", "rhd", "dexter")}


@pytest.fixture
def folders(quick_runs) -> dict[str, list[Path]]:
    """Of the gate's single-view estimator, trained on the release."""
    return {
        "mvhm_sv": [quick_runs.train(Training("mvhm_sv", quick_runs.config("mvhm_sv"), quick_runs.release("train")))]
    }


def test_every_set_is_scored_by_what_was_trained_on_the_release(quick_runs, folders, copies):
    rows = across_sets(quick_runs, real_sets(copies), folders)
    assert [(row.data, row.estimator, row.trained_on) for row in rows] == [
        (name, "mvhm_sv", "the release") for name in ("STB", "RHD", "Dexter+Object")
    ]
    assert [(row.crops, row.joints, row.protocol) for row in rows] == [
        (1, 21, "root_relative"), (2, 21, "root_relative"), (2, 5, "centred")
    ]  # fmt: skip
    for row in rows:  # the labels, and 2 mm of noise
        assert row.auc_20_50 == 1 and 0.94 < row.auc_0_100 < 0.99 and row.curve[20] == row.image_curve[30] == 1
    assert across_sets(quick_runs, (), folders) == ()


def test_hamr_is_trained_on_rhd_and_stb_where_both_are_given(quick_runs, folders, copies, monkeypatch):
    monkeypatch.setitem(ESTIMATORS, "hamr", ("quick_estimators", "QuickHamr"))
    text = (quick_runs.presets / "mvhm_sv.toml").read_text().replace('"mvhm_sv"', '"hamr"')
    (quick_runs.presets / "hamr.toml").write_text(text)
    rows = across_sets(quick_runs, real_sets(copies), folders)
    assert [(row.data, row.estimator) for row in rows if row.trained_on == "RHD and STB"] == [
        ("STB", "hamr"), ("RHD", "hamr"), ("Dexter+Object", "hamr")
    ]  # fmt: skip
    assert len(rows) == 6
    alone = across_sets(quick_runs, real_sets({"rhd": copies["rhd"]}), folders)
    assert [row.trained_on for row in alone] == ["the release"]
    sets = {one.name: one for one in real_sets(copies)}
    training = on_the_pair(quick_runs, [sets["RHD"], sets["STB"]])
    assert [(source.samples, share) for source, share in training.on.source] == [(3, 0.5), (2, 0.5)]


def test_large_sets_are_scored_on_samples_spread_over_them(monkeypatch, copies):
    assert validating(RealSet("RHD", copies["rhd"])).name == "RHD val"
    monkeypatch.setattr(RealSet, "open", lambda self, split: Hands({"val": 600}))
    spread = validating(RealSet("HanCo", Path("anywhere")))
    assert spread.source.samples * spread.source.views == CROPS and spread.name == "HanCo val, 512 spread"


def test_what_cannot_be_opened_is_told_before_any_work(copies, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none: no such folder; the one that holds RHD's"):
        real_sets({"rhd": tmp_path / "none"})
    with pytest.raises(InputError, match="the folder of HanCo holds"):
        real_sets({"hanco": copies["stb"]})


def test_the_report_has_a_table_and_curves(tmp_path):
    row = Across("RHD", "hamr", "the release", 9, 21, "root_relative", 0.9, 0.8, 0.7, (0.5,) * 101, (0.6,) * 31)
    rows = [plain(dataclasses.asdict(one)) for one in (row, dataclasses.replace(row, data="STB"))]
    draw_pck(tmp_path / "across.png", {"RHD": row.curves}, reach=100.0)
    assert cv2.imread(str(tmp_path / "across.png")).shape[1] > 800
    empty = {"scores": [], "table2": [], "across": rows}
    about = dict.fromkeys(
        ("release", "preset", "other", "data_hash", "configuration_hash", "mvhm", "torch", "device"), ""
    )
    tier0 = {"state": "", "wrong": [], "triangulated": None, "mutated": 0}
    report = {"about": about | {"splits": {}}, "verdict": "pass", "summary": "", "problems": [], "tables": []}
    report |= {"tier0": tier0, "tier1": None, "tier2": None, "tier3": empty, "seconds": {}}
    text = page(report, (), (), ["across.png"])
    assert "### Across real data sets" in text and "(across.png)" in text
    assert "| STB | hamr | the release | 9 | 21 | root_relative | 0.900 | 0.800 | 0.700 |" in text
    empty["across"] = []
    assert "Across" not in page(report, (), (), [])
    del empty["across"]  # an earlier report
    assert "Across" not in page(report, (), (), [])
