"""What a preset trains besides MVHM's estimators: its arms, its claims, its tables, and data of another look."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from quick_estimators import Hands, write_preset

from baselines.gate import run as gate_run
from baselines.gate import runs, tier0
from baselines.gate.page import page
from baselines.gate.report import About
from baselines.gate.run import Gated, Request, gate
from baselines.gate.settings import read_settings
from rigging.errors import InputError

COUNTS = {"train": 4, "val": 2, "test_subject": 40}
ABOUT = About("hands", "0" * 64, "a" * 64, COUNTS, "quick", "0", "0", "CPU")
GOOD = tier0.Tier0("pass: 1 of 1 shards", True, (), 4, True, (), (), 1e-5)
MORE = """
[[extras]]
name = "first"
estimator = "mvhm_sv"
sets = ["model.error=0.004"]

[[extras]]
name = "first, a tenth"
estimator = "mvhm_sv"
of = "first"
sets = ["model.error=0.0004"]

[[extras]]
name = "better"
estimator = "mvhm_sv"
sets = ["model.error=0.001"]
init = "first"
made = "half the error"

[[extras]]
name = "tuned"
estimator = "mvhm_sv"
sets = ["model.error=0.0005"]
init = "better"
on = "other"

[[claims]]
name = "less error"
better = "better"
worse = "first"
says = "less error is better than more"
must = true

[[claims]]
name = "more error"
better = "first"
worse = "mvhm_sv"
says = "more error is better"
must = true

[[tables]]
title = "Errors"
rows = ["better", "first", "mvhm_mv", "first, a tenth"]
measures = ["joints, mm"]
paper = {first = "9.09 / 9.06"}

[[tables]]
title = "Before and after"
says = "Of another look."
rows = ["better", "tuned"]
measures = ["joints, mm"]
on = "other"
"""


@pytest.fixture(scope="module")
def hands(quick_names) -> None:
    """Hands in memory in the place of a release whose labels are right, and of one of another look."""
    release = {split: Hands({split: count}) for split, count in COUNTS.items()} | {"": Hands(COUNTS)}
    other = {split: Hands({split: 44 if "test" in split else 6}) for split in ("train", "test_subject")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            runs, "open_source", lambda data, split, fields: (other if "other" in data.name else release)[split]
        )
        patch.setattr(gate_run, "open_source", lambda data, split, fields: other[split])
        patch.setattr(gate_run, "hash_of", lambda files: "b" * 64)
        patch.setattr(gate_run, "tier0", lambda *_: GOOD)
        patch.setattr(gate_run, "look_at", lambda request: ABOUT)
        yield


def preset_with(folder: Path, more: str, **settings: object) -> Path:
    preset = write_preset(folder, seeds=2, **settings)
    (folder.parent / "more.toml").write_text(more)
    text = (preset / "gate.toml").read_text()
    (preset / "gate.toml").write_text(f'more = "../more.toml"\n{text}')
    return preset


@pytest.fixture(scope="module")
def request_of(hands, tmp_path_factory) -> Request:
    folder = tmp_path_factory.mktemp("extras")
    preset = preset_with(folder / "quick", MORE)
    return Request(folder / "data", str(preset), folder / "out", device="cpu", workers=1)


@pytest.fixture(scope="module")
def done(request_of) -> Gated:
    """A gate without data of another look."""
    return gate(request_of)


@pytest.fixture(scope="module")
def both(done, request_of) -> Gated:
    """The same with them: what was done is reused."""
    return gate(replace(request_of, other=request_of.data.with_name("other")))


def test_a_preset_s_own_claim_fails_the_gate_where_it_must_hold(done):
    own = {one.claim.name: one for one in done.report.tier2.findings[-2:]}
    assert own["less error"].holds and own["more error"].verdict == "opposite"
    assert done.report.problems[-1] == "tier 2: more error is better: opposite"
    means = done.report.tier2.means
    assert means["first"] / means["better"] == pytest.approx(4, rel=0.05) and "tuned" not in means
    assert done.report.tier2.made["better"] == "half the error"


def test_what_begins_with_another_begins_with_its_run_of_the_same_seed(done):
    folder = done.runs.kept.folder
    for seed in (0, 1):
        (first,) = (path for path in folder.glob(f"train-first-seed-{seed}-*") if path.is_dir())
        (better,) = (path for path in folder.glob(f"train-better-seed-{seed}-*") if path.is_dir())
        assert Path(json.loads((better / "run.json").read_text())["init"]) == first


def test_a_table_compares_its_rows_with_the_first(done):
    errors, before = done.report.tables
    first, second, third, _ = errors.comparison.rows
    assert [row.name for row in errors.comparison.rows][:3] == ["better", "first", "mvhm_mv"]
    assert first.differences == {}
    means = done.report.tier2.means
    assert second.figures["joints, mm"].mean == pytest.approx(means["first"])
    assert second.differences["joints, mm"].mean == pytest.approx(means["first"] - means["better"])
    assert third.figures["joints, mm"].mean == pytest.approx(means["mvhm_mv, 8 views"])
    assert before.comparison is None and before.why.startswith("not run: needs")


def test_the_page_shows_tables_and_what_papers_have(done, both):
    text = page(done.report.table(), (), (), ())
    assert "## Errors" in text and "|  | seeds | paper | joints, mm | difference, joints, mm |" in text
    assert "| better | 2 | - | " in text and "| first | 2 | 9.09 / 9.06 | " in text and " | **+" in text
    assert "## Before and after\n\nOf another look.\n\nnot run: needs data of another look (--other)." in text
    text = page(both.report.table(), (), (), ())
    assert "Data of another look: other bbbbbbbbbbbb." in text
    assert "of the other data: 44 samples of 22 subjects" in text


def test_an_extra_of_another_is_its_run_tested_anew(done):
    first, tenth = done.report.tables[0].comparison.rows[1], done.report.tables[0].comparison.rows[3]
    assert tenth.name == "first, a tenth" and tenth.seeds == 2
    assert tenth.figures["joints, mm"].mean == pytest.approx(first.figures["joints, mm"].mean / 10, rel=1e-3)
    assert not [path for path in done.runs.kept.folder.glob("train-*tenth*")]


def test_data_of_another_look_are_trained_and_tested_on(both, done):
    before, after = both.report.tables[1].comparison.rows
    assert (before.name, after.name) == ("better", "tuned") and after.differences["joints, mm"].high < 0
    assert both.report.tier2 == done.report.tier2 and both.report.tables[0] == done.report.tables[0]
    trained = [path.name for path in both.runs.kept.folder.glob("train-tuned-*") if path.is_dir()]
    assert len(trained) == 2
    assert [path for path in both.runs.kept.folder.glob("*tuned*") if "on-other-bbbbbbbbbbbb-test_subject" in path.name]


def test_data_of_another_look_that_lack_a_label_are_refused_before_any_work(hands, request_of, tmp_path, monkeypatch):
    monkeypatch.setattr(gate_run, "open_source", lambda data, split, fields: Hands({split: 2}, without=("joints_cam",)))
    with pytest.raises(InputError, match="hands: training needs joints_cam, which the data do not have"):
        gate(replace(request_of, other=tmp_path / "other", out=tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_extras_may_have_fewer_seeds(hands, request_of, tmp_path):
    report = gate(replace(request_of, preset=str(preset_with(tmp_path / "one", MORE, extra_seeds=1)))).report
    assert [row.seeds for row in report.tables[0].comparison.rows] == [1, 1, 2, 1]
    assert report.tier2.made["better"] == "half the error; one seed" and report.tier2.findings[-2].interval.seeds == 1


def test_an_extra_may_have_seeds_of_its_own(tmp_path):
    own = read_settings(
        preset_with(tmp_path / "own", MORE.replace('on = "other"\n\n[[claims', "seeds = 1\n\n[[claims"))
    )
    assert [own.seeds_of(one) for one in own.extras] == [2, 2, 2, 1]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ('init = "better"', 'init = "beter"', "extras: 'tuned': there is no 'beter'; did you mean 'better'?"),
        ('init = "first"', 'init = "tuned"', "extras: 'better': there is no 'tuned'"),
        ('made = "half', 'seeds = 1\nmade = "half', "extras: 'tuned': seeds = 0, where 1 to 1 can be begun with"),
        ('of = "first"', 'of = "frist"', "extras: 'first, a tenth': there is no 'frist'; did you mean 'first'?"),
        ('of = "first"', 'of = "first"\ninit = "first"', "'first, a tenth': with `of` nothing is trained"),
        ('name = "tuned"', 'name = "noise"', "'noise' is what labels with simulated errors are called"),
        ('[[extras]]\nname = "first"\n', 'musts = []\n[[extras]]\nname = "first"\n', "more.toml: 'musts': only [[over"),
        ('name = "better"', 'name = "first"', "extras: there is another 'first' before"),
        ('worse = "first"', 'worse = "last"', "claims: there is no 'last'"),
        ('"better", "tuned"]', '"better", "tund"]', "tables: there is no 'tund'; did you mean 'tuned'?"),
        ('measures = ["joints, mm"]', 'measures = ["joints"]', "measures: there is no 'joints'"),
        ("[[claims]]", "[[claim]]", "more.toml: 'claim': only [[overfits]], [[extras]], [[claims]], [[tables]]"),
        ('on = "other"', 'on = "another"', "on = 'another': must be one of 'release', 'other'"),
        ("[[extras]]", "[[extras", "not TOML"),
    ],
)
def test_a_preset_that_makes_no_sense_is_one_line(tmp_path, old, new, line):
    with pytest.raises(InputError) as error:
        read_settings(preset_with(tmp_path / "wrong", MORE.replace(old, new)))
    assert line in str(error.value) and "\n" not in str(error.value)


def test_a_preset_without_the_file_it_names_is_one_line(tmp_path):
    preset = preset_with(tmp_path / "quick", MORE)
    (tmp_path / "more.toml").unlink()
    with pytest.raises(InputError, match=r"more\.toml: no such file"):
        read_settings(preset)
