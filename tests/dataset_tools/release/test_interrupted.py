"""Interrupted at any moment, nothing looks finished; run again, the release is what it would have been."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from publishing import contents, copy_of, published, run

from dataset_tools.release.publish import Request, publish
from tests.small_disks import small_disk

ROOT = Path(__file__).resolve().parents[3]


def renames(action, stop_at=None):
    """Run `action`; Ctrl-C comes at the rename number `stop_at`, just before it. Returns how many there were."""
    count, replace = 0, os.replace

    def counting(*arguments, **options):
        nonlocal count
        count += 1
        if count == stop_at:
            raise KeyboardInterrupt
        replace(*arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "replace", counting)
        action()
    return count


def interrupted(folder, version, moment):
    with pytest.raises(KeyboardInterrupt):
        renames(lambda: publish(Request(folder, version)), stop_at=moment)


@pytest.fixture(scope="module")
def upgraded(whole, tmp_path_factory):
    """The release as 1.1.0, never interrupted, and the number of renames that took."""
    folder = copy_of(whole, tmp_path_factory.mktemp("upgraded") / "data")
    return folder, renames(lambda: publish(Request(folder, "1.1.0")))


def test_a_first_release_leaves_nothing_that_looks_finished(ready, whole, tmp_path):
    for moment in range(1, 9):
        folder = copy_of(ready, tmp_path / str(moment))
        interrupted(folder, "1.0.0", moment)
        assert not (folder / "manifest.json").exists()
        ran = run("verify", folder)
        assert ran.code == 2 and "publishing was interrupted" in ran.err
        assert not [path for path in folder.rglob("*") if path.suffix == ".tmp"]
    assert contents(published(folder)) == contents(whole)


def test_a_next_release_is_interrupted_at_every_moment(whole, upgraded, tmp_path):
    wanted, moments = upgraded
    assert moments >= 10  # manifest and index aside, eight files, the manifest
    for moment in range(2, moments + 1):
        folder = copy_of(whole, tmp_path / str(moment))
        interrupted(folder, "1.1.0", moment)
        assert not (folder / "manifest.json").exists(), moment
        assert "a version higher than 1.0.0 is wanted" in run("release", folder, "--version", "1.0.0").err
        published(folder, "1.1.0")
        assert contents(folder) == contents(wanted), moment
        shutil.rmtree(folder)


def test_before_the_first_rename_the_old_release_stands(whole, tmp_path):
    folder = copy_of(whole, tmp_path / "data")
    interrupted(folder, "1.1.0", 1)
    assert run("verify", folder).code == 0


def test_interrupted_twice_the_old_version_is_still_known(whole, upgraded, tmp_path):
    folder = copy_of(whole, tmp_path / "data")
    for moment in (5, 3, 7):
        interrupted(folder, "1.1.0", moment)
    assert contents(published(folder, "1.1.0")) == contents(upgraded[0])


def test_a_real_ctrl_c(data):
    """The process is told to end while it writes: it does, at once, and leaves no manifest."""
    code = (
        "import os, signal, dataset_tools.release.publish as p\n"
        "p.write_parquet = lambda *_: os.kill(os.getpid(), signal.SIGINT)\n"
        f"p.publish(p.Request(p.Path({str(data)!r}), '1.0.0'))"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False, timeout=60)
    assert ended.returncode in (-signal.SIGINT, 128 + signal.SIGINT)
    assert (data / "index.npz").exists() and not (data / "manifest.json").exists()


def test_a_full_disk(ready, whole, tmp_path):
    disk = tmp_path / "disk"
    with small_disk(disk, "size=16m"):
        shutil.copytree(ready, disk / "data")
        (disk / "ballast").write_bytes(bytes(shutil.disk_usage(disk).free - (24 << 10)))
        with pytest.raises(OSError, match="No space left"):
            publish(Request(disk / "data", "1.0.0"))
        assert (disk / "data" / "index.npz").exists() and not (disk / "data" / "manifest.json").exists()
        assert not list((disk / "data").glob(".*.tmp"))
        (disk / "ballast").unlink()
        assert contents(published(disk / "data")) == contents(whole)


def test_a_read_only_folder(whole, tmp_path):
    folder = tmp_path / "disk"
    with small_disk(folder, "size=64m"):
        shutil.copytree(whole, folder / "data")
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        with pytest.raises(OSError, match="Read-only file system"):
            publish(Request(folder / "data", "1.1.0"))
        assert run("verify", folder / "data").code == 0
