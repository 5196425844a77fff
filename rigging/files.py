"""Files that are there in full or not at all, and their hashes."""

from __future__ import annotations

import errno
import glob
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePath
from typing import BinaryIO

NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)  # what flock says where the file system has no locks
LEFT_BY_SYSTEMS = ("__MACOSX", "@eaDir", "#recycle", "$RECYCLE.BIN", "System Volume Information", "lost+found")


@contextmanager
def atomic_file(path: Path | str, flush: bool = True) -> Iterator[BinaryIO]:
    """A binary file beside `path` to write to: flushed and renamed to `path` at the end, removed after an exception.

    `flush=False` is for who writes many files and flushes them together (os.sync) before any is relied on.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")  # hosts share folders, and process numbers
    try:
        with open(temporary, "wb") as file:
            yield file
            if flush:
                file.flush()
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno and str(error.filename or temporary) == str(temporary):
            error.filename = str(path)  # the name that the caller knows; a full disk tells none
        raise
    if flush:
        sync_folder(path.parent)


@contextmanager
def new_folder(path: Path | str) -> Iterator[Path]:
    """A folder to write into, made if it is not there; after an exception it is gone again, if it is new and empty."""
    path = Path(path)
    made = [folder for folder in (path, *path.parents) if not folder.exists()]
    path.mkdir(parents=True, exist_ok=True)
    try:
        yield path
    except BaseException:
        for folder in made:
            with suppress(OSError):  # not empty
                folder.rmdir()
        raise


def write_atomic(path: Path | str, data: bytes) -> None:
    """Write `data` to `path`, which then holds all of it or is as it was."""
    with atomic_file(path) as file:
        file.write(data)


def part_path(path: Path) -> Path:
    """A name beside `path` to write it to before it is renamed, used by nobody else; what died writers left is removed.

    A writer that was taken for dead and comes back finds its own gone: its rename fails, the successor's file is whole.
    """
    for leftover in path.parent.glob(f"{glob.escape(path.name)}.*.part"):
        leftover.unlink(missing_ok=True)
    return path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")


def sync_folder(folder: Path) -> None:
    """Flush a folder, so that a rename in it survives a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def is_hidden(path: PurePath) -> bool:
    """Whether a path, seen from the folder that was named, is what file managers and file systems leave for themselves.

    Such as `.DS_Store`, `._photo.jpg`, `.Trash/...`, `__MACOSX/...`, `@eaDir/...`: never a user's data.
    """
    return any(part.startswith(".") or part in LEFT_BY_SYSTEMS for part in path.parts)


def is_plain(path: Path) -> bool:
    """Whether a path is a file, or a link to nothing, which its reader names; no folder, pipe or device."""
    return not path.is_dir() and (path.is_file() or path.is_symlink())


def walk_files(folder: Path | str) -> Iterator[Path]:
    """The files in `folder` and below that are not hidden, through links too, but not back to a folder they lie in.

    Pipes and devices are no files; a link to nothing is one, for its reader to name. Raises OSError for a folder that
    cannot be listed.
    """
    yield from _walk(Path(folder), ())


def _walk(folder: Path, above: tuple[str, ...]) -> Iterator[Path]:
    above = (*above, os.path.realpath(folder))
    inside = [item for item in sorted(folder.iterdir()) if not is_hidden(PurePath(item.name))]
    yield from filter(is_plain, inside)
    for item in inside:
        if item.is_dir() and os.path.realpath(item) not in above:
            yield from _walk(item, above)


def sharing_hint(path: Path) -> str:
    """What helps where another user's file or folder may not be written to: the end of a line, "" for one's own."""
    path = Path(path)
    there = path if os.path.lexists(path) and not os.access(path, os.W_OK) else path.parent
    try:
        owner = there.stat().st_uid
    except OSError:
        return ""
    if owner in (0, os.geteuid()):
        return ""
    return (
        f": {there} belongs to another user ({owner}); who share a folder in a group need `umask 002` from the start, "
        "and `chmod -R g+rwX` by its owner now"
    )


def file_sha256(path: Path | str) -> str:
    """sha256 of a file's bytes, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
