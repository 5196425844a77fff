"""Whole files or none, and telling a full disk from other faults."""

from __future__ import annotations

import errno
import hashlib
import os
import threading
from pathlib import Path


def write_atomic(path: Path, data: bytes) -> None:
    """Write `data` to a temporary file beside `path`, flush it and rename it to `path`."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def file_sha256(path: Path) -> str:
    """sha256 of a file's bytes, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def tree_sha256(path: Path) -> str:
    """sha256 of a file, or of a folder's files: their relative names, sizes and bytes in sorted order."""
    if path.is_file():
        return file_sha256(path)
    total = hashlib.sha256()
    for item in sorted(item for item in path.rglob("*") if item.is_file()):
        total.update(f"{item.relative_to(path).as_posix()}\0{file_sha256(item)}\n".encode())
    return total.hexdigest()


def digest(*parts: str | bytes) -> str:
    """sha256 over `parts`, each preceded by its length so that none can run into the next."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "little") + data)
    return total.hexdigest()


def is_disk_full(error: BaseException) -> bool:
    """Whether `error` says that a disk or quota is full (HDF5 gives the number only in its text)."""
    full = (errno.ENOSPC, errno.EDQUOT)
    if isinstance(error, OSError) and error.errno in full:
        return True
    text = str(error)
    return any(f"errno = {number}," in text or os.strerror(number) in text for number in full)
