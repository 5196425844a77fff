"""`mvhm judge` around a detector that is made up: what it writes, refuses and leaves."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from dataset_tools.judge import detector
from dataset_tools.store.layout import ReleaseFolder
from dataset_tools.store.quoted import JUDGE, find_quoted, shards_hash
from rigging.command_line import main


class Brightest:
    """Finds a hand where the picture's mean is even, all joints in its middle."""

    def __call__(self, picture: np.ndarray) -> detector.Hand | None:
        height, width = picture.shape[:2]
        middle = np.full((21, 2), (width / 2, height / 2))
        return detector.Hand(middle, 0.75, "right") if int(picture.mean()) % 2 == 0 else None

    def close(self) -> None:
        """Nothing to close."""


@pytest.fixture(autouse=True)
def _made_up(monkeypatch):
    monkeypatch.setattr("dataset_tools.judge.detector.need_mediapipe", lambda: None)
    monkeypatch.setattr("dataset_tools.judge.look.Detector", Brightest)


@pytest.fixture
def data(release, tmp_path) -> Path:
    """A copy of the small release."""
    return Path(shutil.copytree(release, tmp_path / "data", ignore=shutil.ignore_patterns(".*")))


@pytest.fixture
def photos(tmp_path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, grey in (("even.png", 100), ("odd.png", 101)):
        cv2.imwrite(str(folder / name), np.full((90, 60, 3), grey, np.uint8))
    return folder


def judge(*words: object) -> int:
    return main(["judge", *map(str, words), "--workers", "1"])


def test_a_folder_gets_table_page_pictures_and_what_was_found(data, photos, capsys):
    assert judge(data, "--photographs", photos) == 0
    folder = ReleaseFolder(data)
    names = {path.name for path in folder.judge.iterdir()}
    assert names == {"judge.json", "judge.md", "views.npz", "groups.png", "missed.png", "worst.png"}
    assert all(cv2.imread(str(folder.judge / f"{name}.png")) is not None for name in JUDGE.plots)
    table = json.loads(folder.judge_table.read_text())
    assert table["photographs"] == {"photographs": 2, "found": 1}
    assert str(photos) not in folder.judge_table.read_text(), "no path of this machine"
    assert find_quoted(JUDGE, folder, shards_hash(folder)).summary == table["summary"]
    told = capsys.readouterr().out
    assert all(f"{name}: {text}" in told for name, text in table["summary"].items())
    views = np.load(folder.judge / "views.npz")
    assert views["points"].shape == (4, 8, 21, 2)
    assert (views["side"] != "").mean() == pytest.approx(table["all"]["found"]["mean"], rel=1e-4)
    assert judge(data, "--photographs", photos, "--out", data.parent / "again") == 0
    for path in folder.judge.iterdir():
        assert path.read_bytes() == (data.parent / "again" / path.name).read_bytes(), f"{path.name} is another"


def test_what_is_wrong_is_one_line_and_nothing_is_written(data, tmp_path, capsys):
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "a.jpg").write_bytes(b"<html>")
    wrong = (
        ([tmp_path / "nowhere"], "no such folder"),
        ([data, "--photographs", tmp_path / "none"], "--photographs"),
        ([data, "--photographs", tmp_path / "page"], "a.jpg: not a photograph"),
    )
    for words, line in wrong:
        assert judge(*words) == 2
        told = capsys.readouterr().err
        assert line in told and told.splitlines()[-1].startswith("error: ")
    assert not ReleaseFolder(data).judge.exists()


def test_a_run_that_breaks_off_leaves_what_was_there(data, monkeypatch):
    table = ReleaseFolder(data).judge_table
    table.parent.mkdir()
    table.write_bytes(b"an earlier one")
    monkeypatch.setattr("dataset_tools.judge.run.collect", _interrupted)
    assert judge(data) == 130
    assert table.read_bytes() == b"an earlier one"
    assert not [path for path in data.iterdir() if path.name.startswith(".judge")]


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def test_without_mediapipe_the_line_says_how_to_get_it(data, monkeypatch, capsys):
    monkeypatch.undo()
    monkeypatch.setattr("dataset_tools.judge.detector.version", _absent)
    assert judge(data) == 2
    assert "make judge DATA=path makes an environment" in capsys.readouterr().err
    monkeypatch.setattr("dataset_tools.judge.detector.version", lambda name: "0.10.35")
    assert judge(data) == 2
    assert "MediaPipe 0.10.35 is installed, 0.10.14 is wanted" in capsys.readouterr().err


def _absent(name: str) -> str:
    raise detector.PackageNotFoundError(name)


def test_its_left_is_our_right():
    """MediaPipe takes every picture for a mirrored one."""
    assert detector.OUR_SIDE == {"Left": "right", "Right": "left"}
