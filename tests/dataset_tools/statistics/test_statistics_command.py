"""`mvhm statistics`: one pass over a release, a table and plots; quoted where the release is."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from dataset_tools import HandDataset
from dataset_tools.load.index import SampleIndex
from dataset_tools.statistics.collect import collect
from dataset_tools.statistics.picture_measures import MEASURES, measure
from dataset_tools.statistics.poses import read_reference
from dataset_tools.statistics.table import statistics_table
from dataset_tools.store.layout import ReleaseFolder
from dataset_tools.store.quoted import STATISTICS, find_quoted, shards_hash
from rigging.command_line import main
from rigging.errors import InputError

FEW = "procedural?count=20,seed=9"


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    folder, rng = tmp_path_factory.mktemp("photos"), np.random.default_rng(2)
    for i in range(3):
        cv2.imwrite(str(folder / f"{i}.png"), rng.integers(0, 255, (300, 280, 3), np.uint8))
    return folder


def copied(folder: Path, to: Path) -> Path:
    return Path(shutil.copytree(folder, to, ignore=shutil.ignore_patterns(".*")))


@pytest.fixture
def data(release, tmp_path) -> Path:
    """A copy of the small release."""
    return copied(release, tmp_path / "data")


@pytest.fixture(scope="module")
def counted(release, photos, tmp_path_factory) -> Path:
    """The small release with its statistics. Not to be changed."""
    folder = copied(release, tmp_path_factory.mktemp("counted") / "data")
    assert statistics(folder, "--reference", photos) == 0
    return folder


def statistics(*words: object) -> int:
    return main(["statistics", *map(str, words), "--poses", FEW])


def test_a_folder_gets_its_table_and_plots(counted, photos):
    folder = ReleaseFolder(counted)
    assert {path.name for path in folder.statistics.iterdir()} == {
        "statistics.json", *(f"{name}.png" for name in STATISTICS.plots)
    }  # fmt: skip
    assert all(cv2.imread(str(folder.statistics / f"{name}.png")) is not None for name in STATISTICS.plots)
    table = json.loads(folder.statistics_table.read_text())
    assert (table["format"], table["version"], table["samples"], table["views"]) == ("mvhm-statistics", 1, 4, 8)
    assert table["pictures"]["release"]["pictures"] == 32 and table["pictures"]["reference"]["pictures"] == 3
    assert str(photos) not in folder.statistics_table.read_text(), "no path of this machine"
    assert find_quoted(STATISTICS, folder, shards_hash(folder)).summary == table["summary"]


def test_the_same_data_gives_the_same_bytes_and_the_summary_is_told(counted, photos, tmp_path, capsys):
    assert statistics(counted, "--reference", photos, "--out", tmp_path / "again") == 0
    folder = ReleaseFolder(counted)
    for path in folder.statistics.iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes(), path.name
    told, table = capsys.readouterr().out, json.loads(folder.statistics_table.read_text())
    assert all(f"{name}: {text}" in told for name, text in table["summary"].items())


def test_columns_are_what_a_literal_reading_of_the_samples_gives(release):
    found = collect(release, most_pictures=16)
    for i, sample in enumerate(HandDataset(release)):
        for v in range(8):
            y, x = np.nonzero(sample["mask"][v])
            assert found.hand_size[i, v] == max(np.ptp(y), np.ptp(x)) + 1
            assert found.hand_share[i, v] == pytest.approx(len(y) / 64**2)
            camera = -sample["world_to_cam"][v, :3, :3].T @ sample["world_to_cam"][v, :3, 3]
            towards = camera - (sample["joints_world"][0] + sample["joints_world"][[5, 9, 13, 17]].mean(0)) / 2
            assert found.world_directions[i, v] == pytest.approx(towards / np.linalg.norm(towards), abs=1e-6)
            if i % 2 == 0:  # 16 of 32 pictures: every other sample's
                picture = found.pictures.measures[8 * (i // 2) + v]
                assert picture == pytest.approx(measure(sample["rgb"][v]))
    assert found.pictures.measures.shape == (16, len(MEASURES))
    assert found.measured.tolist() == [0, 2]


def test_a_camera_before_the_palm_sees_it_whichever_hand_it_is(release):
    """The back of the hand is where the fingers do not bend to; the mirrored hand's cameras are mirrored."""
    from dataset_tools.statistics.collect import _labels

    sample = HandDataset(release)[0]
    sample["meta"]["hand"] = "right"
    mirrored = {**sample, "meta": sample["meta"] | {"hand": "left"}}
    flip = np.diag([-1.0, 1, 1])
    mirrored["joints_world"] = sample["joints_world"] @ flip
    mirrored["world_to_cam"] = sample["world_to_cam"] @ np.diag([-1.0, 1, 1, 1])
    right, left = _labels(sample), _labels(mirrored)
    assert left["palm_directions"] == pytest.approx(right["palm_directions"], abs=1e-6)
    assert left["joints"] == pytest.approx(right["joints"], abs=1e-6)


def test_the_table_says_what_the_columns_hold(release):
    found = collect(release, 8)
    table = statistics_table(dataclasses.replace(found, hand_size=0 * found.hand_size), read_reference(FEW), None)
    assert table["hands"]["subjects"] == 1
    assert table["size"] == {"picture_px": 64, "empty_views": 1.0}
    assert "reference" not in table["pictures"]
    assert table["pictures"]["release"]["resolved"] == [True] * 4 + [False] * 3
    assert table["poses"]["reference"]["poses"] == 40


def test_brightness_is_told_by_the_tone_of_the_very_samples_that_were_measured(release):
    found = collect(release, most_pictures=16)
    tones = np.array([60.0, -50, 20, -50], np.float32)  # samples 0 and 2 are measured
    ours = dataclasses.replace(found, index=SampleIndex({**found.index.columns, "ita": tones}))
    told = statistics_table(ours, read_reference(FEW), None)["brightness"]
    assert set(told["hand_by_tone"]) == {"very light", "tan"}
    assert told["hand_by_tone"]["tan"] == pytest.approx(np.nanmean(found.brightness[8:, 0]), rel=1e-4)


def test_what_is_wrong_is_one_line_and_nothing_is_written(data, photos, tmp_path, capsys):
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "a.jpg").write_bytes(b"<html>")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.txt").write_bytes(b"x")
    wrong = (
        ([tmp_path / "nowhere"], "no such folder"),
        ([data, "--reference", tmp_path / "page"], "a.jpg: not a photograph"),
        ([data, "--out", tmp_path / "other"], "holds something else"),
        ([data, "--pictures", "0"], "positive whole number"),
    )
    for words, line in wrong:
        assert statistics(*words) == 2
        told = capsys.readouterr().err
        assert line in told and told.splitlines()[-1].startswith("error: ")
    assert not ReleaseFolder(data).statistics.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "other", "page"]


def test_a_run_that_breaks_off_leaves_what_was_there(counted, tmp_path, monkeypatch):
    data = copied(counted, tmp_path / "data")
    folder = ReleaseFolder(data)
    before = folder.statistics_table.read_bytes()
    monkeypatch.setattr("dataset_tools.statistics.run.collect", _interrupted)
    assert statistics(data) == 130
    assert folder.statistics_table.read_bytes() == before
    assert not [path for path in data.iterdir() if path.name.startswith(".statistics")]


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def test_statistics_of_other_data_are_not_quoted(counted, tmp_path):
    folder = ReleaseFolder(copied(counted, tmp_path / "data"))
    with pytest.raises(InputError, match="of other data than these shards"):
        find_quoted(STATISTICS, folder, "0" * 64)
    folder.statistics_table.write_text("[]")
    with pytest.raises(InputError, match="not a report of mvhm statistics"):
        find_quoted(STATISTICS, folder, shards_hash(folder))
    folder.manifest(1).unlink()
    with pytest.raises(InputError, match="such reports are of whole shards"):
        shards_hash(folder)
