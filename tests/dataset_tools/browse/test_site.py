"""What a site holds, that it is what the shards hold, and that it is whole or not there."""

from __future__ import annotations

import base64
import errno
import json
import shutil

import cv2
import numpy as np
import pytest

from dataset_tools import HandDataset
from dataset_tools.browse import blocks, site_folder
from dataset_tools.browse import site as site_module
from dataset_tools.browse.layers import tiled
from dataset_tools.browse.scripts import quantised, sample_script
from dataset_tools.browse.site import write_site
from dataset_tools.load.index import index_of
from dataset_tools.pictures.drawing import part_colours
from dataset_tools.store.layout import ReleaseFolder
from rigging.command_line import main
from rigging.errors import InputError

TEXTS = (".js", ".css", ".html")


def in_script(path, before: str) -> dict:
    """The JSON in a script, after `before`."""
    return json.loads(path.read_text(encoding="ascii").split(before, 1)[1].rstrip(";)\n"))


def sheet_of(site, name: str, kind: str = "webp") -> np.ndarray:
    return cv2.imread(str(site / "samples" / "shard-00000" / f"0001-{name}.{kind}"), cv2.IMREAD_UNCHANGED)


def untiled(sheet: np.ndarray, count: int, side: int) -> np.ndarray:
    """The views of a sheet, cut out one by one."""
    out = []
    for view in range(count):
        y, x = view // 4 * side, view % 4 * side
        out.append(sheet[y : y + side, x : x + side])
    return np.stack(out)


@pytest.mark.parametrize("views", [1, 3, 4, 8, 9])
def test_sheets_hold_the_views_in_rows_of_four(views):
    pictures = np.random.default_rng(views).integers(1, 255, (views, 5, 5, 3)).astype(np.uint8)
    assert np.array_equal(untiled(tiled(pictures), views, 5), pictures)


def test_overlays_are_the_labels(site, release):
    sample = HandDataset(release)[1]
    parts = untiled(sheet_of(site, "parts"), 8, 64)
    assert np.array_equal(parts[..., 3] > 0, sample["parts"] > 0)
    assert np.array_equal(parts[..., 2::-1][sample["parts"] > 0], part_colours()[sample["parts"]][sample["parts"] > 0])
    for name, cover in (("mask", sample["mask"]), ("depth", sample["depth"] > 0), ("alpha", sample["alpha"] > 0)):
        assert np.array_equal(untiled(sheet_of(site, name), 8, 64)[..., 3] > 0, cover), name
    photo = untiled(sheet_of(site, "rgb", "jpg"), 8, 64)[..., ::-1].astype(int)
    assert np.abs(photo - sample["rgb"]).mean() < 4


def test_scripts_hold_joints_cameras_and_mesh(site, release):
    sample = HandDataset(release)[1]
    told = in_script(site / "samples" / "shard-00000" / "0001.js", 'mvhm.receive("shard-00000/0001", ')
    for name in ("joints_2d", "joints_world", "joint_visible", "K"):
        assert np.allclose(told[name], sample[name], atol=6e-4 if name == "joints_2d" else 1e-4)
    assert np.allclose(told["world_to_cam"], sample["world_to_cam"][:, :3], atol=1e-7)
    assert told["meta"]["subject"] == sample["meta"]["subject"]
    packed = told["vertices"]
    steps = np.frombuffer(base64.b64decode(packed["steps"]), "<u2").reshape(-1, 3) / 65535
    low, high = np.array(packed["low"]), np.array(packed["high"])
    assert np.abs(low + steps * (high - low) - sample["vertices_world"]).max() < 5e-6


def test_points_are_kept_to_half_a_step():
    points = np.random.default_rng(0).uniform(-0.3, 0.3, (500, 3))
    packed = quantised(points)
    steps = np.frombuffer(base64.b64decode(packed["steps"]), "<u2").reshape(-1, 3)
    found = np.array(packed["low"]) + steps / 65535 * (np.array(packed["high"]) - packed["low"])
    assert np.abs(found - points).max() < 0.5 * 0.6 / 65535 + 2e-7


def test_the_index_is_that_of_the_release(site, release):
    told, index = in_script(site / "data" / "index.js", "mvhm.index = "), index_of(release)
    assert told["count"] == len(index) == 4
    for name, column in told["columns"].items():
        values = column if isinstance(column, list) else [column["values"][code] for code in column["codes"]]
        if name != "gesture":
            assert values == index[name].tolist()


def test_a_broken_sample_is_shown_too(release):
    sample = HandDataset(release, fields=blocks.FIELDS)[0]
    sample["joints_2d"][2, 3], sample["vertices_world"][7] = np.nan, np.inf
    sample["meta"]["ita"] = float("nan")
    told = json.loads(sample_script("shard", sample, []).decode().split(", ", 1)[1].rstrip(";)\n"))
    assert told["joints_2d"][2][3] == [0, 0]
    assert told["meta"]["ita"] == "nan"


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of one sample; which were written is noted."""
    written, write = [], blocks.write_block

    def noted(block):
        write(block)
        written.append(block.number)

    monkeypatch.setattr(blocks, "BLOCK", 1)
    monkeypatch.setattr(site_module, "write_block", noted)
    monkeypatch.setattr(blocks, "overlays", lambda sample: {})  # they take most of the time
    return written


def failing_after(monkeypatch, count: int, error: BaseException) -> None:
    """The disk, or the user, stops the run after that many samples."""
    write, done = blocks.write_sample, []

    def fails(*words):
        if len(done) == count:
            raise error
        done.append(1)
        write(*words)

    monkeypatch.setattr(blocks, "write_sample", fails)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left on device")])
def test_an_interrupted_run_leaves_no_site_and_is_gone_on_with(small_blocks, release, tmp_path, monkeypatch, error):
    out = tmp_path / "site"
    with monkeypatch.context() as patch:
        failing_after(patch, 2, error)
        with pytest.raises(type(error)):
            write_site(release, out)
    assert not out.exists()
    assert not list(tmp_path.rglob("index.html"))
    assert small_blocks == [0, 1]
    write_site(release, out)
    assert small_blocks == [0, 1, 2, 3]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["site"]
    assert not (out / "marks").exists()


def test_what_is_left_of_other_data_is_begun_anew(small_blocks, release, tmp_path, monkeypatch):
    data = shutil.copytree(release, tmp_path / "data")
    with monkeypatch.context() as patch:
        failing_after(patch, 3, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            write_site(data)
    (data / "shard-00000.h5").touch()
    write_site(data)
    assert small_blocks == [0, 1, 2, 0, 1, 2, 3]


def test_an_earlier_site_stays_until_the_new_one_is_whole(small_blocks, release, tmp_path, monkeypatch):
    data = shutil.copytree(release, tmp_path / "data")
    page = write_site(data)
    assert page == data / "browse" / "index.html"
    with monkeypatch.context() as patch:
        failing_after(patch, 0, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            write_site(data)
    assert page.is_file()
    write_site(data)
    assert page.is_file()
    assert not [path for path in data.iterdir() if path.name.startswith(".browse")]


def test_a_sample_is_the_same_in_whatever_block_it_is_written(monkeypatch, release, site, tmp_path):
    monkeypatch.setattr(blocks, "BLOCK", 3)
    write_site(release, tmp_path / "again")
    assert len(list((tmp_path / "again" / "sheets").iterdir())) == 2
    for path in (site / "samples").rglob("*.*"):
        assert (tmp_path / "again" / path.relative_to(site)).read_bytes() == path.read_bytes()


def test_two_runs_do_not_write_one_site(small_blocks, release, tmp_path, monkeypatch):
    out, write = tmp_path / "site", blocks.write_sample

    def runs_again(*words):
        with pytest.raises(InputError, match="another run is writing it"):
            write_site(release, out)
        write(*words)

    monkeypatch.setattr(blocks, "write_sample", runs_again)
    write_site(release, out)
    assert len(list(out.rglob("*.js"))) == 4 + 2 + sum(name.endswith(".js") for name in site_module.ASSETS)
    assert not list(tmp_path.rglob(".*"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere"], "no such folder"),
        (["empty"], "no shards"),
        (["data", "--out", "full"], "holds something else"),
        (["data", "--out", "file"], "is a file"),
        (["data", "--workers", "0"], "a number from 1"),
    ],
)
def test_bad_input_is_one_line(release, tmp_path, monkeypatch, capsys, words, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").symlink_to(release)
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    assert main(["browse", *words]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not list(tmp_path.glob(".*"))


def test_the_key_tells_changed_shards(release, tmp_path):
    data = shutil.copytree(release, tmp_path / "data")
    folder = ReleaseFolder(data)
    before = site_folder.key_of(folder)
    assert site_folder.key_of(folder) == before
    (data / "shard-00001.h5").touch()
    assert site_folder.key_of(folder) != before
