"""Where a site is written: a hidden folder beside its place, gone on with after an interruption, renamed at the end."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

from rigging.errors import InputError
from rigging.files import write_atomic

from ..store.layout import ReleaseFolder

SITE_VERSION = 1
KEY = "key.txt"  # in a site: what it was made from


def key_of(folder: ReleaseFolder) -> str:
    """What tells the shards from changed ones: sha256 of their names, sizes and times, and of how sites are made."""
    paths = [folder.shard(number) for number in folder.shards()]
    stats = [(path.name, stat.st_size, stat.st_mtime_ns) for path in paths for stat in (os.stat(path),)]
    return hashlib.sha256(json.dumps([SITE_VERSION, stats]).encode()).hexdigest()


def begin(final: Path, key: str) -> Path:
    """The folder to write in: what an interrupted run left of the same data, the finished site of it, or a new one.

    Raises InputError where `final` holds something else, or nothing can be written.
    """
    if final.exists() and not final.is_dir():
        raise InputError(f"{final}: is a file; a site is a folder")
    if final.is_dir() and any(final.iterdir()) and not (final / KEY).is_file():
        raise InputError(f"{final}: holds something else; give a new folder, or one with an earlier site")
    part = final.with_name(f".{final.name}.part")
    if _key_in(part) != key:
        shutil.rmtree(part, ignore_errors=True)
    try:
        part.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{final}: a site cannot be written there ({error.strerror}); see --out FOLDER") from None
    write_atomic(part / KEY, key.encode())
    return part


def finish(part: Path, final: Path) -> None:
    """Put the whole site in its place; an earlier one is removed."""
    old = part.with_suffix(".old")
    shutil.rmtree(old, ignore_errors=True)
    if final.exists():
        final.rename(old)
    part.rename(final)
    shutil.rmtree(old, ignore_errors=True)


def _key_in(folder: Path) -> str:
    try:
        return (folder / KEY).read_text(encoding="ascii")
    except (OSError, ValueError):
        return ""
