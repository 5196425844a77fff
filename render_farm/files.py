"""Hashes of texts, and files that are read back when they are written."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from rigging.files import file_sha256, part_path, sync_folder

from .errors import DamagedError

CHUNK = 8 << 20  # bytes


def digest(*parts: str | bytes) -> str:
    """sha256 over `parts`, each preceded by its length so that none can run into the next."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "little") + data)
    return total.hexdigest()


def read_chunk(path: Path, start: int) -> bytes:
    """Some megabytes of a file from byte `start` on; none at its end. Raises DamagedError if it cannot be read."""
    try:
        with open(path, "rb") as file:
            file.seek(start)
            return file.read(CHUNK)
    except OSError as error:
        raise DamagedError(f"{path}: cannot be read: {error.strerror or error}") from error


def chunks(path: Path, read: Callable[[Path, int], bytes] = read_chunk) -> Iterator[bytes]:
    """The bytes of a file, some megabytes at a time."""
    start = 0
    while data := read(path, start):
        start += len(data)
        yield data


def write_checked(path: Path, data: Iterable[bytes], sha256: str) -> None:
    """Write chunks in one sequential stream to a .part file, flush it, read it back, and rename it.

    Raises DamagedError if what is read back is not `sha256`.
    """
    part = part_path(path)
    try:
        with open(part, "wb") as file:
            for chunk in data:
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)  # read back from the disk, not from memory
        if (found := file_sha256(part)) != sha256:
            raise DamagedError(f"{path}: sha256 {found[:12]} of what was written is not {sha256[:12]}")
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
