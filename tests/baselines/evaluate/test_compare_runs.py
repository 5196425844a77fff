"""Runs side by side: paired differences to the first, and the command."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from standing_in import Memory, a_config

from baselines.commands.compare import named
from baselines.data import opening
from baselines.evaluate.compare import compare, comparison_text
from baselines.evaluate.measures import JOINTS, Measured
from baselines.train.log import seconds_trained
from baselines.train.loop import train
from rigging.command_line import main
from rigging.errors import InputError

SUBJECTS = np.repeat(np.arange(24), 2)


def one(errors: np.ndarray) -> Measured:
    return Measured(np.arange(len(errors)), SUBJECTS[: len(errors)], np.zeros(51), {JOINTS: errors})


def test_a_difference_is_paired_though_samples_differ_by_far_more(rng):
    hard = 10 + 30 * rng.random(48)
    found = compare({"first": [one(hard)], "second": [one(hard - 0.5 + 0.1 * rng.normal(size=48))]}, draws=500)
    first, second = found.rows
    assert first.differences == {} and (found.samples, found.subjects) == (48, 24)
    assert first.figures[JOINTS].mean == pytest.approx(hard.mean())
    difference = second.differences[JOINTS]
    assert difference.mean == pytest.approx(second.figures[JOINTS].mean - hard.mean())
    assert difference.separable and difference.high < 0 < second.figures[JOINTS].high - hard.mean()


def test_seeds_are_paired_as_far_as_both_have_them(rng):
    errors = 10 + rng.random((3, 48))
    found = compare({"a": [one(row) for row in errors], "b": [one(errors[0] + 1)]}, draws=200).rows[1]
    assert found.differences[JOINTS].mean == pytest.approx(1)


def test_a_separable_difference_is_bold_and_few_subjects_are_told(rng):
    errors = 10 + rng.random(48)
    text = comparison_text(compare({"a": [one(errors)], "b": [one(errors + 1)], "c": [one(errors[::-1])]}, draws=200))
    assert "| b | **+1.00** (+1.00 to +1.00) |" in text and "| less a | joints, mm |" in text
    assert "| c | +0.00 (" in text and "too small" not in text
    few = comparison_text(compare({"a": [one(errors[:30])], "b": [one(errors[:30] + 1)]}, draws=200))
    assert "| b | +1.00 (+1.00 to +1.00) |" in few and "too small" in few


def test_other_samples_are_refused(rng):
    moved = dataclasses.replace(one(np.ones(48)), sample=np.arange(48) + 1)
    with pytest.raises(InputError, match="b: was not measured on the samples that a was"):
        compare({"a": [one(np.ones(48))], "b": [moved]})


def test_time_is_steps_by_their_rate(tmp_path):
    lines = [("first", 0, 49, 100.0), ("first", 0, 59, 50.0), ("first", 1, 49, 100.0), ("second", 0, 0, 4.0)]
    keys = ("stage", "epoch", "step", "images_per_second")
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(dict(zip(keys, line))) + "\n" for line in lines))
    crops = [50 * 8 / 100, 10 * 8 / 50, 50 * 8 / 100, 1 * 8 / 4]
    assert seconds_trained(tmp_path / "log.jsonl", batch=8) == pytest.approx(sum(crops))
    assert seconds_trained(tmp_path / "none.jsonl", batch=8) is None
    (tmp_path / "log.jsonl").write_text("no json\n")
    with pytest.raises(InputError, match=r"log\.jsonl: no log of a training"):
        seconds_trained(tmp_path / "log.jsonl", batch=8)


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setattr(opening, "open_source", lambda *_: Memory())
    return train(a_config(), Memory(), tmp_path / "run", device="cpu")


def test_the_command_tells_and_writes_the_table(run, tmp_path, capsys):
    words = ["compare", str(run), f"again={run},{run / 'weights.safetensors'}", "--data", "DATA", "--device", "cpu"]
    assert main([*words, "--threads", "1", "--out", str(tmp_path / "out")], ("baselines",)) == 0
    told = capsys.readouterr().out
    kept = json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert kept["runs"] == {"run": [str(run)], "again": [str(run), str(run / "weights.safetensors")]}
    assert [row["seeds"] for row in kept["rows"]] == [1, 2] and kept["rows"][0]["seconds"] > 0
    assert kept["rows"][1]["differences"][JOINTS]["mean"] == 0
    assert (tmp_path / "out" / "comparison.md").read_text() == told.rstrip("\n")
    assert told.startswith("|  | seeds | trained | joints, mm |")
    assert f" s | {kept['rows'][0]['figures'][JOINTS]['mean']:.2f} (" in told


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["nowhere"], "nowhere: no folder of a run"),
        (["a=RUN,nowhere"], "nowhere: no folder of a run"),
        (["RUN", "RUN"], "there is a row 'run' before; NAME=RUN gives it another name"),
        (["a="], "a=: a run is wanted, or NAME=RUN,RUN,..."),
        (["RUN", "--out", "RUN/run.json"], "run.json: is a file; a folder is wanted"),
    ],
)
def test_what_is_wrong_is_one_line(words, line, run, capsys):
    words = [word.replace("RUN", str(run)) for word in words]
    assert main(["compare", *words, "--data", "DATA", "--threads", "1"], ("baselines",)) == 2
    told = capsys.readouterr().err
    assert line in told and told.count("\n") == 1


def test_a_name_may_be_a_path_with_an_equals_sign(tmp_path):
    (tmp_path / "lr=1").mkdir()
    assert named([str(tmp_path / "lr=1")]) == {"lr=1": [tmp_path / "lr=1"]}
