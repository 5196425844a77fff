"""Faults by what a farm's wrapper should do about them; each class carries its exit code."""

from __future__ import annotations

from rigging.errors import DiskFullError, InputError, MvhmError, PassingError

__all__ = [
    "DisagreementError", "DiskFullError", "FarmError", "IncompleteError", "InputError", "LockedError", "PassingError",
    "ReleaseError", "RenderError",
]  # fmt: skip


FarmError = MvhmError


class ReleaseError(InputError):
    """A release file that cannot be used; the message names file, key, what was got and what is allowed."""


class LockedError(PassingError):
    """The work is being done by a live process."""


class RenderError(FarmError):
    """Samples that could not be rendered, or labels that disagree with the render."""


class IncompleteError(RenderError):
    """All samples of a shard are rendered but those set aside: trying again needs the user's word (`--retry`)."""


class DisagreementError(RenderError):
    """The labels of a sample are not what Cycles sees."""
