"""Faults of files, apart from what opens them: they are named where HDF5 is not needed."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

from rigging.errors import InputError

TOO_MANY = (errno.EMFILE, errno.ENFILE)
FORBIDDEN = (errno.EACCES, errno.EPERM)
LOCKED = (errno.EAGAIN, errno.EWOULDBLOCK)


class ShardError(InputError):
    """A file that is not a whole, readable shard."""


class UnreadableError(ShardError):
    """A file that the system does not let us read: it says nothing of what is in it."""


class TooManyFilesError(UnreadableError):
    """This process may open no more files."""


class DamageError(ValueError):
    """Bytes that are not those that were written; what reads them says of which file."""


def error_number(error: BaseException) -> int | None:
    """The errno of an error; HDF5 gives it in its text only."""
    if isinstance(error, OSError) and error.errno:
        return error.errno
    match = re.search(r"errno = (\d+)", str(error))
    return int(match[1]) if match else None


def system_fault(path: Path, error: BaseException) -> UnreadableError | None:
    """Why the system cannot open or read a file that is there; None if it is not the system that complains."""
    number = error_number(error)
    if number is None:
        return None
    if number in TOO_MANY:
        return TooManyFilesError(f"{path}: too many open files: close some, or allow more with `ulimit -n`")
    if number in FORBIDDEN:
        return UnreadableError(f"{path}: no permission to read it")
    unreadable = UnreadableError(f"{path}: cannot be read ({os.strerror(number)})")
    return being_written(path) if number in LOCKED else unreadable


def being_written(path: Path) -> UnreadableError:
    """A file that may change while it is read."""
    return UnreadableError(f"{path}: open for writing elsewhere, or its writer died: wait for it, or fetch it again")
