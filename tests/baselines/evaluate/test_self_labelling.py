"""Iterations of self-labelling: which labels train which run, and that what was done is not done again."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from tests.benchmarks import self_labelling


@pytest.fixture
def told(monkeypatch):
    """The commands that were given; labels they name are there afterwards."""
    words: list[list[str]] = []

    def do(given):
        words.append(given)
        if given[0] == "label":
            Path(given[given.index("--out") + 1]).touch()

    figures = {"auc_2d": dict.fromkeys(("labels", "single", "interact"), 0.5), "views": {1: [3.0, 2.0]}}
    figures |= {who: [2.5, 1.25] for who in self_labelling.WHO}
    monkeypatch.setattr(self_labelling, "do", do)
    monkeypatch.setattr(self_labelling, "measured", lambda *_: figures)
    return words


def options(**given: object) -> argparse.Namespace:
    defaults = {"iterations": 3, "seed": 4, "preset": "nano", "split": "val", "train_split": "train", "quick": False}
    return argparse.Namespace(**(defaults | given))


def after(words: list[str], name: str) -> str:
    return words[words.index(name) + 1]


def test_each_run_makes_the_labels_of_the_next_one(told, tmp_path):
    rows = self_labelling.iterate("DATA", tmp_path, options())
    assert [words[0] for words in told] == ["label", "train"] * 3 and [row["iteration"] for row in rows] == [1, 2, 3]
    labels, trainings = told[::2], told[1::2]
    assert "--noise" in labels[0] and after(labels[0], "--seed") == "4" and "--checkpoint" not in labels[0]
    for number, (words, training) in enumerate(zip(labels, trainings), 1):
        assert after(words, "--out") == after(training, "--labels") == str(tmp_path / f"labels-{number}.npz")
        assert after(training, "--out") == str(tmp_path / f"run-{number}") and "--resume" in training
        assert after(words, "--split") == "train" and "data.split=train" in training and "--init" not in training
    for number, words in enumerate(labels[1:], 1):
        assert after(words, "--checkpoint") == str(tmp_path / f"run-{number}") and "--noise" not in words
        assert after(words, "--labels") == str(tmp_path / f"labels-{number}.npz")  # about which crops lie


def test_labels_that_are_there_are_not_made_again(told, tmp_path):
    self_labelling.iterate("DATA", tmp_path, options(iterations=1))
    self_labelling.iterate("DATA", tmp_path, options(iterations=2))
    assert [words[0] for words in told] == ["label", "train", "train", "label", "train"]


def test_the_tables_stand_in_a_file(told, tmp_path):
    self_labelling.iterate("DATA", tmp_path, options())
    text = (tmp_path / "table.md").read_text()
    assert "| 1 | 0.500 | 0.500 | 0.500 | 2.50 / 1.25 | 2.50 / 1.25 | 2.50 / 1.25 | 7.75 |" in text
    assert "| 3 | 3.00 / 2.00 |" in text
