"""Where a report on a release goes: its folder is written beside its place and exchanged at the end."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rigging.errors import InputError, is_disk_full

from .layout import ReleaseFolder


@contextmanager
def report_folder(folder: ReleaseFolder, out: Path | None, main: Path) -> Iterator[Path]:
    """A new folder to write a report to; it takes the place of `out` (default: that of the file `main`) at the end.

    After an exception it is removed, and an earlier report stays. Raises InputError at once where nothing can be
    written, or where `out` is a folder of something else.
    """
    final = out or main.parent
    part = final.with_name(f".{final.name}.{secrets.token_hex(4)}.part")
    _check_place(final, folder, main.name, named=out is not None)
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        part.mkdir()
    except OSError as error:
        if is_disk_full(error):
            raise
        hint = "" if out else "; give another folder with --out FOLDER"
        raise InputError(f"{final}: the report cannot be written there ({error.strerror}){hint}") from None
    try:
        yield part
        _exchange(part, final)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def _check_place(final: Path, folder: ReleaseFolder, main: str, named: bool) -> None:
    if not folder.path.is_dir():
        raise InputError(f"{folder.path}: no such folder; a folder of shards is wanted")
    if final.exists() and not final.is_dir():
        raise InputError(f"{final}: is a file; the report is a folder")
    taken = final.is_dir() and any(final.iterdir()) and not (final / main).is_file()
    if taken and named:
        raise InputError(f"{final}: holds something else; give a new folder, or one with an earlier report")


def _exchange(part: Path, final: Path) -> None:
    """Put `part` in the place of `final`."""
    old = part.with_suffix(".old")
    if final.exists():
        final.rename(old)
    part.rename(final)
    shutil.rmtree(old, ignore_errors=True)
