"""Whatever lies in the folder is passed over or named, and nothing is ever written there."""

import dataclasses
import shutil
import time

import pytest
from status_folder import NOW, SHARDS, SIZE, VIEWS, add, plan, work, write

from render_farm.report.status import read_extent, read_status
from render_farm.report.status_text import table
from render_farm.shard.events import Finish
from rigging.command_line import main


def test_a_folder_tells_its_own_size_where_there_is_a_plan(folder, release):
    work(folder, 0, NOW - 100, 3)
    unknown = read_status(folder, now=NOW)
    assert (unknown.shards, unknown.states["waiting"], unknown.images.planned) == (None, None, None)
    assert unknown.images.done == 3 * VIEWS
    assert "unknown" in table(unknown)
    plan(folder, release)
    planned, problems = read_extent(folder, None, None)
    assert (planned, problems) == (release, [])


def test_a_plan_that_is_damaged_of_another_release_or_short_of_poses_is_named(folder, release):
    def said():
        return [problem.what for problem in read_extent(folder, release, "hanco:/b")[1]]

    plan(folder, dataclasses.replace(release, seed=6).with_poses("nyu:/a"), pairs=3)
    short, other = said()
    assert "poses for the first 6 of 80 samples" in short
    assert "poses.source 'nyu:PATH', now 'hanco:PATH'; seed 6, now 5" in other
    (folder / "plan.npz").write_bytes(b"PK\x03\x04 half a file")
    assert "not a whole plan" in said()[0]


def test_foreign_files_and_shards_that_should_not_be_there_or_are_gone_are_named(folder, release):
    write(folder, 0)
    write(folder, 1)
    write(folder, 2, samples=4, configuration="c2")
    write(folder, 12)
    add(work(folder, 3, NOW - 900, SIZE), NOW - 800, Finish(1, "0"))
    shutil.rmtree(folder / ".staging")
    (folder / "notes.txt").touch()
    (folder / ".shard-00004.h5.17-3.tmp").touch()
    status = read_status(folder, release, now=NOW)
    assert status.other_files == ("notes.txt",)
    assert {(problem.file, problem.what) for problem in status.problems} == {
        ("shard-00002.h5", "of another configuration than most, with 4 samples"),
        ("shard-00003.h5", "was written, and is gone"),
        ("shard-00012", "the release has shards 0 to 9"),
    }
    assert status.states["done"] == 3


def test_a_shard_that_is_being_written_or_published_is_not_foreign(folder, release):
    for name in ("shard-00003.h5.1a2b3c4d.part", "manifest.json", "README.md", "shard-00003.png"):
        (folder / name).touch()
    assert read_status(folder, release, now=NOW).other_files == ()


def tree(folder):
    return {
        path.relative_to(folder): (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else None)
        for path in folder.rglob("*")
    }


GARBAGE = [b"", b"{", b"\xff\xfe\x00", b"null", b"[1, 2]", b'{"samples": "x", "lacking": [3], "bytes": [], "pid": {}}']


@pytest.mark.parametrize("garbage", GARBAGE)
def test_whatever_is_half_written_or_foreign_is_passed_over(night, release, garbage):
    for path in [path for path in night.rglob("*") if path.is_file()]:
        path.write_bytes(garbage)
    for name in ("plan.npz", "shard-00008.incomplete.json", "shard-00009.h5.1a2b3c4d.part", ".locks/plan.lock"):
        (night / name).write_bytes(garbage)
    (night / "shard-00009.h5").mkdir()
    before = tree(night)
    status = read_status(night, *read_extent(night, release, None), now=time.time())
    assert sum(status.states.values()) == SHARDS
    assert status.states["done"] == 0
    assert table(status)
    assert tree(night) == before


def test_nothing_is_written_into_the_folder(night, release, toml, tmp_path, capsys):
    plan(night, release)
    before = tree(night.parent)
    for more in ([], ["--json"], ["--prometheus", str(tmp_path / "farm.prom")], ["--verify"]):
        main(["status", "--release", str(toml), "--out", str(night.parent), *more])
    assert tree(night.parent) == before
