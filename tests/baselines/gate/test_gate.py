"""The whole gate, with estimators that take no time: what passes, what fails, what is written and what is reused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from quick_estimators import Hands, write_preset

from baselines.gate import run as gate_run
from baselines.gate import runs, tier0
from baselines.gate.publish import write_all
from baselines.gate.report import About, read_previous
from baselines.gate.run import Gated, Request, gate, trainings_at_a_time
from baselines.train.ranks import cores
from dataset_tools.release.gate import read_gate
from rigging.errors import InputError

COUNTS = {"train": 8, "val": 4, "test_all": 2, "test_subject": 40}
ABOUT = About("hands", "0" * 64, "a" * 64, COUNTS, "quick", "0", "0", "CPU")
GOOD = tier0.Tier0("pass: 1 of 1 shards", True, (), 4, True, (), (), 1e-5)
HELD = ("several views are better than one", "8 views are better than 2", "RANSAC is better than DLT where")


@pytest.fixture(scope="module")
def hands(quick_names) -> None:
    """Hands in memory in the place of a release whose labels are right."""
    splits = {split: Hands({split: count}) for split, count in COUNTS.items()} | {"": Hands(COUNTS)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "open_source", lambda data, split, fields: splits[split])
        patch.setattr(gate_run, "tier0", lambda *_: GOOD)
        patch.setattr(gate_run, "look_at", lambda request: ABOUT)
        yield


@pytest.fixture(scope="module")
def done(hands, tmp_path_factory) -> tuple[Request, Gated]:
    """A gate that was run. Its folder may be added to."""
    folder = tmp_path_factory.mktemp("gate")
    preset = write_preset(folder / "quick")
    request = Request(folder / "data", str(preset), folder / "out", device="cpu", workers=1)
    return request, gate(request)


@pytest.fixture(scope="module")
def written(done, tmp_path_factory) -> Path:
    """The folder of its report."""
    folder = tmp_path_factory.mktemp("report")
    write_all(folder, done[1], None)
    return folder


def changed(request: Request, tmp_path: Path, estimator: str, model: str) -> Request:
    """The same with another setting of an estimator's model; what is not of it is reused."""
    preset = write_preset(tmp_path / "other")
    with open(preset / f"{estimator}.toml", "a") as file:
        file.write(f"[model]\n{model}\n")
    return replace(request, preset=str(preset))


def test_a_release_from_which_estimators_learn_passes(done):
    report = done[1].report
    assert report.verdict == "pass" and report.problems == ()
    findings = {one.claim.says: one for one in report.tier2.findings}
    for says in HELD:
        assert next(one for name, one in findings.items() if name.startswith(says)).holds
    assert (report.tier2.subjects, report.tier2.samples, report.tier2.seeds) == (20, 40, 3)
    assert [(one.estimator, one.views) for one in report.tier1] == [("mvhm_sv", 16), ("mvhm_mv", 16)]


def test_errors_of_independent_views_fall_with_the_root_of_their_number(done):
    means = done[1].report.tier2.means
    for views in (2, 4, 8):
        assert means[f"mvhm_mv, {views} views"] == pytest.approx(means["mvhm_sv"] / views**0.5, rel=0.05)
    assert means["mvhm_mv, 8 views"] == pytest.approx(means["mean of views"], rel=1e-3)  # it is the mean


def test_the_json_is_what_a_release_takes(written):
    assert read_gate(written / "gate.json", ABOUT.data_hash).verdict == "pass"
    with pytest.raises(InputError, match="other data"):
        read_gate(written / "gate.json", "b" * 64)


def test_the_page_has_table_2_with_cells_that_nobody_ran(written, done):
    page = (written / "report.md").read_text()
    assert page.startswith("# Gate: hands, preset quick: **pass**")
    paper = "0.604 / 0.802 / 22.13", "0.660 / 0.857 / 18.09", "0.832 / 0.985 / 8.43", "0.895 / 0.990 / 5.20"
    for figures in (*paper, "0.820 / 0.987 / 8.95", "0.832 / 0.991 / 8.38"):
        assert page.count(f"| {figures} | (not run: needs ") == 1
    drawn = {path.name for path in written.glob("*.png")}
    assert drawn == {"claims.png", "pck.png", "splits.png", "predictions.png"}
    assert all(f"]({name})" in page for name in drawn)
    assert str(done[0].out.parent) not in (written / "gate.json").read_text() + page  # no path of this machine


def test_what_is_done_is_not_done_again(done, monkeypatch):
    monkeypatch.setattr(runs, "train", None)
    monkeypatch.setattr(runs, "predict", None)
    assert gate(done[0]).report == done[1].report


def test_an_interrupted_gate_goes_on(hands, quick, tmp_path, monkeypatch):
    trained, train = [], runs.train

    def interrupted(config, source, out, **options):
        trained.append(out.name)
        if len(trained) == 4:
            raise KeyboardInterrupt
        return train(config, source, out, **options)

    monkeypatch.setattr(runs, "train", interrupted)
    request = Request(tmp_path, str(quick), tmp_path / "out", device="cpu", workers=1)
    with pytest.raises(KeyboardInterrupt):
        gate(request)
    assert gate(request).report.verdict == "pass"
    assert trained[3] == trained[4] and len(trained) == 9 and len(set(trained)) == 8  # two by heart, three seeds of two


def test_an_estimator_that_does_not_learn_by_heart_fails(done, tmp_path):
    report = gate(changed(done[0], tmp_path, "mvhm_sv", "error = 0.02")).report
    assert report.verdict == "fail" and report.tier1[1].problem == ""
    assert report.problems[0].startswith("tier 1: mvhm_sv does not overfit 16 views")


def test_a_fusion_of_a_fixed_number_of_views_is_trained_for_each_number(done, tmp_path):
    gated = gate(changed(done[0], tmp_path, "mvhm_mv", 'fusion = "concat"'))
    assert len({run for of in gated.trained.fusions.values() for run in of}) == 9
    assert gated.report.tier2.made["mvhm_mv, 2 views"] == "all 2 views"


def test_a_quarter_of_the_data_is_asked_for_where_the_preset_says_so(done, tmp_path):
    report = gate(replace(done[0], preset=str(write_preset(tmp_path / "more", quarter=True)))).report
    assert report.tier2.findings[-1].verdict != "not run" and done[1].report.tier2.findings[-1].verdict == "not run"
    assert report.tier2.findings[:-1] == done[1].report.tier2.findings[:-1]


def test_wrong_labels_end_it_unless_it_is_to_go_on(done, monkeypatch, tmp_path):
    monkeypatch.setattr(gate_run, "labels_of", lambda *_: replace(GOOD, valid=False, wrong=("depth is off",)))
    gated = gate(done[0])
    assert gated.report.verdict == "fail" and gated.trained is None and gated.report.tier2 is None
    assert gated.report.problems[-1] == "tiers 1 to 3: not run"
    write_all(tmp_path, gated, None)
    assert "depth is off" in (tmp_path / "report.md").read_text() and not list(tmp_path.glob("*.png"))
    went_on = gate(replace(done[0], keep_going=True)).report
    assert went_on.verdict == "fail" and went_on.tier2 is not None


def test_the_report_before_stands_beside(done, written, tmp_path):
    before = read_previous(written / "gate.json")
    before["about"]["preset"], before["tier2"]["means"]["mvhm_sv"] = "full", 9.25
    write_all(tmp_path, done[1], before)
    page = (tmp_path / "report.md").read_text()
    assert "another preset (full, now quick)" in page and "| test_subject: mvhm_sv, mm | 9.25 |" in page
    assert (tmp_path / "gate.json").read_bytes() == (written / "gate.json").read_bytes()
    assert read_previous(written)["verdict"] == "pass"  # the folder of a release has its gate.json


@pytest.mark.parametrize("text", ["no json", "[]", '{"format": "mvhm-gate", "version": 2}'])
def test_what_is_no_report_is_refused(tmp_path, text):
    (tmp_path / "gate.json").write_text(text)
    with pytest.raises(InputError, match="--previous"):
        read_previous(tmp_path / "gate.json")


@pytest.mark.parametrize(
    ("device", "asked", "many"), [("cpu", 0, cores()), ("cpu", 3, 3), ("cuda", 0, 1), ("cuda", 3, 3)]
)
def test_a_gpu_trains_one_after_another_unless_asked_for_more(monkeypatch, tmp_path, device, asked, many):
    monkeypatch.setattr(gate_run, "choose_device", lambda name: torch.device(name))
    assert trainings_at_a_time(Request(tmp_path, device=device, workers=asked)) == many
