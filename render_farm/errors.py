"""Faults of rendering, by what a farm's wrapper should do about them (beside those of `rigging.errors`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rigging.errors import DiskFullError, InputError, MvhmError, PassingError, is_disk_full

__all__ = [
    "DamagedError", "DisagreementError", "DiskFullError", "IncompleteError", "InputError", "LockedError", "MvhmError",
    "PassingError", "RenderError", "full_disk_is_told", "writing",
]  # fmt: skip


class DamagedError(MvhmError):
    """Bytes that are not what their manifest says."""


class LockedError(PassingError):
    """The work is being done by a live process."""


class RenderError(MvhmError):
    """Samples that could not be rendered, or labels that disagree with the render."""


class IncompleteError(RenderError):
    """All samples of a shard are rendered but those set aside: trying again needs the user's word (`--retry`)."""


class DisagreementError(RenderError):
    """The labels of a sample are not what Cycles sees."""


@contextmanager
def full_disk_is_told(folder: Path) -> Iterator[None]:
    """Make DiskFullError of an OSError that says so, in one line."""
    try:
        yield
    except OSError as error:
        if is_disk_full(error):
            raise DiskFullError(f"{folder}: the disk is full; what is finished is kept, run again") from error
        raise


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Say in one line why `folder` cannot be written to: DiskFullError for a full disk, else InputError."""
    try:
        with full_disk_is_told(folder):
            yield
    except OSError as error:
        raise InputError(f"{folder}: cannot be written to: {error.strerror or error}") from error
