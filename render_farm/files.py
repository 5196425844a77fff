"""Hashes of texts, and copies that are read back."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from pathlib import Path

from rigging.files import file_sha256, part_path, sync_folder


def digest(*parts: str | bytes) -> str:
    """sha256 over `parts`, each preceded by its length so that none can run into the next."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "little") + data)
    return total.hexdigest()


def copy_checked(source: Path, target: Path, sha256: str) -> None:
    """Copy a file in one sequential stream to a .part file, flush it, read it back, and rename it.

    Raises OSError if what is read back is not `sha256`.
    """
    part = part_path(target)
    try:
        with open(source, "rb") as whole, open(part, "wb") as copy:
            shutil.copyfileobj(whole, copy, 16 << 20)
            copy.flush()
            os.fsync(copy.fileno())
            os.posix_fadvise(copy.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)  # read back from the disk, not from memory
        if file_sha256(part) != sha256:
            raise OSError(errno.EIO, "what was written does not read back the same", str(part))
        os.replace(part, target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)
