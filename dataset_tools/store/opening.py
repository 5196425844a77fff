"""Opening HDF5 files for reading, and the true reason where one cannot be opened or read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import h5py

from rigging.files import NO_LOCKS

from .errors import DamageError, ShardError, being_written, error_number, system_fault

POINTERS = {  # how files begin that stand for another
    b"version https://git-lfs": "a Git LFS pointer, not the file itself: run `git lfs pull`",
    b"/annex/objects/": "a git-annex pointer, not the file itself: run `git annex get`",
}


def open_hdf5(path: Path) -> h5py.File:
    """An HDF5 file, open for reading; without a lock where the file system has none.

    Raises FileNotFoundError, or ShardError: one line that names the file and the reason.
    """
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(f"{path}: no such shard") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise _fault(path, error) from None
    if not stat.S_ISREG(mode):
        raise ShardError(f"{path}: {'a folder' if stat.S_ISDIR(mode) else 'not a regular file'}; a shard is a file")
    try:
        return _open(path)
    except (OSError, RuntimeError) as error:
        raise _fault(path, error) from None


def _open(path: Path) -> h5py.File:
    options = {"mode": "r", "rdcc_nbytes": 0}  # every chunk is read once: a cache would only cost a copy
    try:
        return h5py.File(path, **options)
    except OSError as error:
        if error_number(error) not in NO_LOCKS and "locking flag" not in str(error):  # open in this process, unlocked
            raise
        return h5py.File(path, locking=False, **options)


def cause_of(error: BaseException) -> str:
    """What went wrong, in a part of a line: the system's reason if it gave one, else that the data are damaged."""
    if (number := error_number(error)) is not None:
        return f"cannot be read ({os.strerror(number)})"
    if isinstance(error, MemoryError):
        return "cannot be read (not enough memory)"
    if isinstance(error, DamageError):
        return f"is damaged ({error})"
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    lines = text.splitlines() or [type(error).__name__]
    return f"is damaged or missing ({lines[0]})"


def _fault(path: Path, error: BaseException) -> ShardError:
    """Why an existing file cannot be opened."""
    if "already open for" in str(error):
        return being_written(path)
    return system_fault(path, error) or _damage(path, str(error))


def _damage(path: Path, text: str) -> ShardError:
    """What is wrong with a file that can be read but is not HDF5."""
    try:
        with open(path, "rb") as file:
            head, size = file.read(64), os.fstat(file.fileno()).st_size
    except OSError as error:
        return _fault(path, error)
    if not head:
        return ShardError(f"{path}: not an HDF5 file: it is empty; fetch it again")
    for start, told in POINTERS.items():
        if head.startswith(start):
            return ShardError(f"{path}: {told}")
    if "truncated" in text:
        return ShardError(f"{path}: the file is truncated ({size} bytes); fetch it again")
    if "signature" in text:
        return ShardError(f"{path}: not an HDF5 file, or its first bytes are damaged")
    return ShardError(f"{path}: its head is damaged ({text.splitlines()[0] if text else 'unreadable'})")
