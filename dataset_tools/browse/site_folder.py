"""Where a site is written: a hidden folder beside its place, gone on with after an interruption, renamed at the end."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rigging.errors import InputError, is_disk_full
from rigging.files import NO_LOCKS, write_atomic

from ..store.layout import ReleaseFolder

SITE_VERSION = 1
KEY = "key.txt"  # in a site: what it was made from
LOCK = ".lock"  # in a site that is being written


def key_of(folder: ReleaseFolder) -> str:
    """What tells the shards from changed ones: sha256 of their names, sizes and times, and of how sites are made."""
    paths = [folder.shard(number) for number in folder.shards()]
    stats = [(path.name, stat.st_size, stat.st_mtime_ns) for path in paths for stat in (os.stat(path),)]
    return hashlib.sha256(json.dumps([SITE_VERSION, stats]).encode()).hexdigest()


@contextmanager
def site_folder(final: Path, key: str) -> Iterator[Path]:
    """The folder to write in: what an interrupted run left of the same data, or a new one; in the end it is `final`.

    After an exception it stays, to be gone on with, and so does an earlier site. Raises InputError where `final` holds
    something else, nothing can be written, or another run is at it.
    """
    _check_place(final)
    part = final.with_name(f".{final.name}.part")
    try:
        part.mkdir(parents=True, exist_ok=True)
        lock = os.open(part / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        if is_disk_full(error):
            raise
        raise InputError(f"{final}: a site cannot be written there ({error.strerror}); see --out FOLDER") from None
    try:
        _hold(lock, final)
        if _key_in(part) != key:
            _empty(part)
            write_atomic(part / KEY, key.encode())
        yield part
        _exchange(part, final)
    finally:
        os.close(lock)


def _check_place(final: Path) -> None:
    if final.exists() and not final.is_dir():
        raise InputError(f"{final}: is a file; a site is a folder")
    if final.is_dir() and any(final.iterdir()) and not (final / KEY).is_file():
        raise InputError(f"{final}: holds something else; give a new folder, or one with an earlier site")


def _hold(lock: int, final: Path) -> None:
    """Keep other runs away until the file is closed, where the file system can. Raises InputError."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise InputError(f"{final}: another run is writing it; wait for that one") from None
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
    if os.fstat(lock).st_nlink == 0:
        raise InputError(f"{final}: another run has just written it; run again if it is to be made anew")


def _empty(part: Path) -> None:
    """Remove what was made from other data."""
    for path in part.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != LOCK:
            path.unlink()


def _exchange(part: Path, final: Path) -> None:
    """Put the whole site in its place; an earlier one is removed."""
    old = part.with_suffix(".old")
    shutil.rmtree(old, ignore_errors=True)
    if final.exists():
        final.rename(old)
    part.rename(final)
    (final / LOCK).unlink()  # only now: who comes before the renaming finds it held
    shutil.rmtree(old, ignore_errors=True)


def _key_in(folder: Path) -> str:
    try:
        return (folder / KEY).read_text(encoding="ascii")
    except (OSError, ValueError):
        return ""
