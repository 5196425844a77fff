"""Why a shard cannot be read is told as it is: a file is called damaged only if it is."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import pytest

from dataset_tools.store.shard_file import ShardError, ShardFile
from rigging.files import NO_LOCKS

REAL = h5py.File


def told(path) -> str:
    """What reading a shard says, once it is one line that begins with the file."""
    with pytest.raises(ShardError) as error:
        ShardFile(path)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)
    return str(error.value).removeprefix(f"{path}: ")


def refusing(number: int, unless_unlocked: bool = False):
    """h5py.File on a file system that answers `number`."""

    def open_file(path, *arguments, **options):
        if unless_unlocked and options.get("locking") is False:
            return REAL(path, *arguments, **options)
        told = f"unable to open file: name = '{path}', errno = {number}, error message = '{os.strerror(number)}'"
        raise OSError(f"Unable to synchronously open file ({told})")

    return open_file


FEW = """
import os, resource, sys
from dataset_tools import HandDataset
from dataset_tools.load.shard_set import open_limit
resource.setrlimit(resource.RLIMIT_NOFILE, (40, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))

def hold(left):
    "Take all files that may be opened, but `left`."
    held = []
    try:
        while True:
            held.append(os.open(sys.argv[1], os.O_RDONLY))
    except OSError:
        for _ in range(left):
            os.close(held.pop())

"""


def with_few_files(code: str, path: Path) -> str:
    """What a process that may open 40 files prints."""
    done = subprocess.run([sys.executable, "-c", FEW + code, path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_many_shards_are_read_with_few_open_files(shard, tmp_path):
    for i in range(60):
        shutil.copy(shard, tmp_path / f"shard-{i:05d}.h5")
    code = (
        "data = HandDataset(sys.argv[1], fields=['sample'])\n"
        "print([data[i]['meta']['sample'] for i in (0, 179, 91)], len(data), len(data._shards._files), open_limit())"
    )
    assert with_few_files(code, tmp_path) == "[0, 2, 1] 180 10 10"


def test_a_dataset_does_with_one_open_file_where_others_hold_the_rest(release):
    code = (
        "import h5py; hold(1); data = HandDataset(sys.argv[1], fields=['sample'])\n"
        "print([sample['meta']['sample'] for sample in data], len(data._shards._files))"
    )
    assert with_few_files(code, release) == "[0, 1, 2, 3] 1"


def test_too_many_open_files_are_told(shard):
    code = (
        "import h5py; hold(0)\ntry:\n    HandDataset(sys.argv[1])\n"
        "except Exception as error:\n    print(type(error).__name__, error)"
    )
    told = with_few_files(code, shard)
    assert told.startswith(f"TooManyFilesError {shard}: too many open files: ")
    assert "ulimit -n" in told


@pytest.mark.parametrize("number", NO_LOCKS)
def test_a_file_system_without_locks_is_read_without_them(shard, tmp_path, monkeypatch, number):
    path = tmp_path / "a.h5"
    shutil.copy(shard, path)
    monkeypatch.setattr(h5py, "File", refusing(number, unless_unlocked=True))
    first = ShardFile(path)
    assert len(first) == len(ShardFile(path)) == 3
    monkeypatch.undo()  # found open, HDF5 asks for no lock, but complains that the first one went without
    assert len(ShardFile(path)) == len(first)


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.EACCES, "no permission to read it"),
        (errno.EPERM, "no permission to read it"),
        (errno.ENFILE, "too many open files"),
        (errno.EIO, r"cannot be read (Input/output error)"),
        (errno.ESTALE, "cannot be read ("),
    ],
)
def test_what_the_system_says_is_told(shard, monkeypatch, number, reason):
    monkeypatch.setattr(h5py, "File", refusing(number))
    assert told(shard).startswith(reason)


def test_a_shard_that_is_being_written_elsewhere_is_told(shard, tmp_path):
    path = tmp_path / "a.h5"
    shutil.copy(shard, path)
    with open(path, "rb+") as writer:
        fcntl.flock(writer, fcntl.LOCK_EX)
        assert told(path).startswith("open for writing elsewhere")
    assert len(ShardFile(path)) == 3


def test_a_shard_whose_writer_died_is_told(shard, tmp_path):
    path = tmp_path / "a.h5"
    shutil.copy(shard, path)
    code = "import h5py, os, sys; f = h5py.File(sys.argv[1], 'r+', libver='latest'); f.flush(); os._exit(0)"
    subprocess.run([sys.executable, "-c", code, path], check=True)
    assert told(path).startswith("open for writing elsewhere, or its writer died")


def test_a_failing_disk_is_not_called_damage(shard, monkeypatch):
    opened = ShardFile(shard)

    def fail(*_):
        raise OSError(
            "Can't synchronously read data (file read failed: errno = 5, error message = 'Input/output error')"
        )

    monkeypatch.setattr(opened._datasets, "row", fail)
    with pytest.raises(ShardError, match=r"K of sample 0 cannot be read \(Input/output error\)"):
        opened.read(0, ["K"])


def test_what_is_no_shard_is_told(tmp_path):
    (tmp_path / "folder.h5").mkdir()
    os.mkfifo(tmp_path / "pipe.h5")
    (tmp_path / "lfs.h5").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n")
    (tmp_path / "annex.h5").write_text("/annex/objects/SHA256E-s12345--4d7a.h5\n")
    (tmp_path / "empty.h5").touch()
    (tmp_path / "text.h5").write_text("hello" * 1000)
    assert told(tmp_path / "folder.h5").startswith("a folder")
    assert told(tmp_path / "pipe.h5").startswith("not a regular file")
    assert told(tmp_path / "lfs.h5") == "a Git LFS pointer, not the file itself: run `git lfs pull`"
    assert told(tmp_path / "annex.h5").endswith("run `git annex get`")
    assert told(tmp_path / "empty.h5") == "not an HDF5 file: it is empty; fetch it again"
    assert told(tmp_path / "text.h5") == "not an HDF5 file, or its first bytes are damaged"
    for name in ("none.h5", "text.h5/none.h5"):
        with pytest.raises(FileNotFoundError, match=f"{name}: no such shard"):
            ShardFile(tmp_path / name)


def test_a_row_that_is_not_there_is_no_damage(shard):
    with ShardFile(shard) as opened:
        for row in (3, -1):
            with pytest.raises(IndexError, match=f"row {row} of a shard of 3 samples"):
                opened.read(row, ["K"])
