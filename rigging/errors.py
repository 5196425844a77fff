"""Faults whose message is one line for the user, by what to do about them; each class carries its exit code."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

# Faults of a machine or its network, not of what the user said: another try may do.
MACHINE = {
    errno.EIO, errno.EPIPE, errno.ESTALE, errno.ETIMEDOUT, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.EAGAIN,
    errno.EBUSY, errno.ECONNRESET, errno.ECONNREFUSED, errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTDOWN,
    errno.EHOSTUNREACH,
}  # fmt: skip


class MvhmError(Exception):
    """A fault whose message is one line: what, where, what is allowed."""

    exit_code = 1


class InputError(MvhmError, ValueError):
    """Wrong configuration or input: trying again is useless."""

    exit_code = 2


class PassingError(MvhmError):
    """Something that may pass by itself: try again later."""

    exit_code = 75


class DiskFullError(PassingError):
    """No space left; what is finished is kept."""


class Terminated(PassingError):
    """The process was told to end (SIGTERM), as when a farm takes a node back."""


@contextmanager
def input_errors(where: str = "") -> Iterator[None]:
    """Turn a ValueError into InputError, around library code that judges nothing but what the user gave.

    `where` comes before the message, such as the file. Elsewhere a ValueError is a bug and keeps its traceback.
    """
    try:
        yield
    except MvhmError:
        raise
    except ValueError as error:
        raise InputError(f"{where}: {error}" if where else str(error)) from error


def is_disk_full(error: BaseException) -> bool:
    """Whether `error` says that a disk or quota is full (HDF5 gives the number only in its text)."""
    full = (errno.ENOSPC, errno.EDQUOT)
    if isinstance(error, OSError) and error.errno in full:
        return True
    text = str(error)
    return any(f"errno = {number}," in text or os.strerror(number) in text for number in full)
