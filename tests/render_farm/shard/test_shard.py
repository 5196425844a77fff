"""A tiny shard, really rendered: the same bytes whatever happens on the way, and nothing lost or overwritten."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import h5py
import psutil
import pytest
from shard_commands import ROOT, all_gone, assert_same_shard, command, complaint, render, sha256, shard_of, staged

from dataset_tools.store.shard_file import ShardFile
from render_farm.lock import Lock
from render_farm.planning import configuration, refusals
from rigging.command_line import main
from tests.small_disks import small_disk


@pytest.fixture
def copy(undisturbed, tmp_path):
    """A copy of the finished OUT to spoil."""
    shutil.copytree(undisturbed, tmp_path / "out")
    return tmp_path / "out"


def in_process(capsys, tiny, cache, out, *more):
    """Exit code and last line of stderr of a command that does not get as far as rendering."""
    code = main(command(tiny, cache, out, *more)[3:])
    return code, capsys.readouterr().err.strip().rpartition("\n")[2]


def test_a_shard_comes_with_manifest_and_contact_sheet_and_leaves_no_staging(undisturbed):
    path = shard_of(undisturbed)
    with ShardFile(path) as shard:
        assert len(shard) == 8
        assert shard.attrs["release"] == "tiny"
        pairs = [int(shard.read(row, ["pair"])["pair"]) for row in range(8)]
    assert pairs == [0, 0, 1, 1, 2, 2, 3, 3]
    assert json.loads(path.with_suffix(".json").read_text())["sha256"] == sha256(path)
    assert path.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    assert not staged(undisturbed)
    assert (undisturbed / "tiny" / "rejects.csv").read_text().startswith("source,clip,frame,reason,detail")


def test_a_finished_shard_is_left_alone(tiny, cache, copy, capsys):
    before = shard_of(copy).stat().st_mtime_ns
    assert in_process(capsys, tiny, cache, copy)[0] == 0
    assert shard_of(copy).stat().st_mtime_ns == before


def test_a_manifest_or_sheet_lost_on_the_way_is_made_again(tiny, cache, copy, capsys):
    manifest, sheet = shard_of(copy).with_suffix(".json"), shard_of(copy).with_suffix(".png")
    expected = manifest.read_text()
    manifest.unlink()
    sheet.unlink()
    assert in_process(capsys, tiny, cache, copy)[0] == 0
    assert manifest.read_text() == expected
    assert sheet.exists()


def interrupt(arguments, out, samples, number):
    """Start a render, send it signal `number` once `samples` samples are staged; its exit code, and its children."""
    process = subprocess.Popen(command(*arguments), cwd=ROOT, stderr=subprocess.PIPE, text=True)
    while len(staged(out)) < samples and process.poll() is None:
        time.sleep(0.002)
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(number)
    error = process.communicate(timeout=60)[1]
    return process.returncode, error, children


def test_the_bytes_are_the_same_however_often_it_was_interrupted(tiny, cache, undisturbed, tmp_path):
    arguments = (tiny, cache, tmp_path)
    code, error, children = interrupt(arguments, tmp_path, 1, signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert all_gone(children)  # no worker outlives its parent
    assert 1 <= len(staged(tmp_path)) < 8

    code, error, children = interrupt(arguments, tmp_path, len(staged(tmp_path)) + 1, signal.SIGINT)
    assert code == 130
    assert error.splitlines()[-1].startswith("interrupted: finished samples are kept")
    assert "Traceback" not in error
    assert "taken over" in error  # the lock of the process that was killed
    assert all_gone(children)

    kept = {path.name: path.stat().st_mtime_ns for path in staged(tmp_path)}
    staged(tmp_path)[0].write_bytes(staged(tmp_path)[0].read_bytes()[:-5])  # damaged: rendered again
    result = render(*arguments, "--workers", "2")
    assert result.returncode == 0, result.stderr
    assert f"{len(kept) - 1} of 8 samples are there" in result.stderr
    assert "damaged" in result.stderr
    assert_same_shard(shard_of(tmp_path), shard_of(undisturbed))


def test_told_to_end_means_try_later_and_keeps_what_is_finished(tiny, cache, tmp_path):
    code, error, children = interrupt((tiny, cache, tmp_path), tmp_path, 1, signal.SIGTERM)
    assert code == 75
    assert "told to end (SIGTERM)" in error.splitlines()[-1]
    assert "Traceback" not in error
    assert all_gone(children)
    assert staged(tmp_path)
    assert not shard_of(tmp_path).exists()


BACKWARDS = """
import sys
from pathlib import Path
from render_farm.planning.configuration import Configuration
from render_farm.shard.job import SampleJob
from render_farm.planning.plan import load_plan
from render_farm.planning.release import load_release
from render_farm.shard.staging import Staging

tiny, cache, folder = map(Path, sys.argv[1:])
staging = Staging(folder / ".staging" / "shard-00000")
staging.open(Configuration.of(load_plan(folder / "plan.npz"), None).sample_hash)
job = SampleJob(folder / "plan.npz", load_release(str(tiny)), staging, cache)
for sample in reversed(range(8)):
    job(sample)
"""


def test_the_bytes_do_not_depend_on_the_order_of_samples(tiny, cache, undisturbed, tmp_path):
    folder = tmp_path / "tiny"
    folder.mkdir()
    shutil.copy(undisturbed / "tiny" / "plan.npz", folder)
    subprocess.run([sys.executable, "-c", BACKWARDS, tiny, cache, folder], cwd=ROOT, check=True)
    result = render(tiny, cache, tmp_path)
    assert result.returncode == 0, result.stderr
    assert_same_shard(shard_of(tmp_path), shard_of(undisturbed))


def test_a_truncated_shard_holds_the_first_samples_and_is_another_configuration(
    tiny, cache, undisturbed, raced, capsys
):
    with ShardFile(shard_of(raced.out)) as few, ShardFile(shard_of(undisturbed)) as whole:
        assert len(few) == 2
        for row in range(2):
            one, other = few.read(row, ["rgb", "vertices_world"]), whole.read(row, ["rgb", "vertices_world"])
            assert (one["rgb"] == other["rgb"]).all()
            assert (one["vertices_world"] == other["vertices_world"]).all()
    before = sha256(shard_of(raced.out))
    code, line = in_process(capsys, tiny, cache, raced.out)
    assert code == 2
    assert "another configuration (samples 2, now None)" in line
    assert sha256(shard_of(raced.out)) == before


def test_a_live_process_at_the_shard_means_try_later(tiny, cache, copy, capsys):
    with Lock(copy / "tiny" / ".locks" / "shard-00000.lock"):
        code, line = in_process(capsys, tiny, cache, copy)
    assert code == 75
    assert f"locked by process {os.getpid()}" in line


def test_an_edited_release_does_not_touch_shards_of_the_old_one(tiny, cache, copy, capsys, tmp_path):
    edited = tmp_path / "tiny.toml"
    edited.write_text(tiny.read_text().replace("seed = 5", "seed = 6"))
    before = sha256(shard_of(copy))
    code, line = in_process(capsys, edited, cache, copy)
    assert code == 2
    assert "1 shard(s) of another configuration (seed 5, now 6)" in line
    assert sha256(shard_of(copy)) == before


def test_another_processor_or_other_packages_are_refused_with_what_differs(tiny, cache, copy, capsys, monkeypatch):
    before = sha256(shard_of(copy))
    with monkeypatch.context() as other:
        other.setattr(configuration, "package_version", lambda name: "0.1")
        code, line = in_process(capsys, tiny, cache, copy)
    assert (code, "bpy '4.5.15', now '0.1'; " in line) == (2, True), line
    monkeypatch.setattr(refusals, "device_kind", lambda settings: "cpu x86_64 v1")
    assert in_process(capsys, tiny, cache, copy)[0] == 0  # it is finished: no other bytes can come
    assert sha256(shard_of(copy)) == before
    for path in copy.glob("tiny/shard-*"):
        path.unlink()
    code, line = in_process(capsys, tiny, cache, copy)
    assert (code, "this host is 'cpu x86_64 v1'" in line) == (2, True), line
    assert not shard_of(copy).exists()


@pytest.mark.parametrize("spoil", ["foreign", "truncated", "other hdf5", "flipped", "manifest"])
def test_a_file_that_is_not_our_whole_shard_is_named_and_kept(tiny, cache, copy, capsys, spoil):
    path = shard_of(copy)
    data = bytearray(path.read_bytes())
    if spoil == "other hdf5":
        with h5py.File(path, "w") as file:
            file["x"] = 1
    elif spoil == "manifest":
        path.with_suffix(".json").write_text("{")
    elif spoil == "flipped":
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    else:
        path.write_bytes(b"mine" if spoil == "foreign" else data[: len(data) // 2])
    before = sha256(path)
    code, line = in_process(capsys, tiny, cache, copy)
    assert code == 2
    assert str(path.with_suffix("")) in line
    assert "move" in line
    assert sha256(path) == before


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--shard", "2"), "--shard 2: release 'tiny' has shards 0..1"),
        (("--shard", "-1"), "--shard -1: release 'tiny' has shards 0..1"),
        (("--shard", "one"), "invalid int value: 'one'"),
        (("--samples", "9"), "--samples 9: shard 0 has samples 1..8"),
        (("--samples", "0"), "positive whole number"),
        (("--workers", "-2"), "positive whole number"),
        (("--sample", "1"), "unknown option '--sample'; did you mean '--samples'?"),
        (("--release", "dmo"), "did you mean 'demo'"),
        (("--poses", "nyu"), "nyu needs a path"),
        (("--poses", "nyu:/nowhere"), "/nowhere"),
        (("--poses", "kinect:/"), "'kinect' is unknown"),
        (("--poses", "procedural?sed=1"), "no option 'sed'"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(tiny, cache, tmp_path, capsys, more, words):
    code, line = in_process(capsys, tiny, cache, tmp_path, *more)
    assert (code, line[:7]) == (2, "error: ")
    assert words in line
    assert not list(tmp_path.rglob("*.h5"))


def test_a_place_that_cannot_be_written_to_is_exit_code_2(tiny, cache, tmp_path, capsys):
    (tmp_path / "file").touch()
    code, line = in_process(capsys, tiny, cache, tmp_path / "file" / "out")
    assert code == 2
    assert "cannot be written to" in line


def test_a_full_disk_means_try_later_and_loses_nothing(tiny, cache, undisturbed, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    with small_disk(disk, "size=300k"):
        result = render(tiny, cache, disk)
        assert result.returncode == 75, result.stderr
        assert "the disk is full" in complaint(result)
        assert not shard_of(disk).exists()
        kept = len(staged(disk))
        assert 1 <= kept < 8
        subprocess.run(["mount", "-o", "remount,size=16m", str(disk)], check=True)
        result = render(tiny, cache, disk)
        assert result.returncode == 0, result.stderr
        assert f"{kept} of 8 samples are there" in result.stderr
        assert_same_shard(shard_of(disk), shard_of(undisturbed))
