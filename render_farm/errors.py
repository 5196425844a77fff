"""Faults of rendering, by what a farm's wrapper should do about them (beside those of `rigging.errors`)."""

from __future__ import annotations

from rigging.errors import DiskFullError, InputError, MvhmError, PassingError

__all__ = [
    "DisagreementError", "DiskFullError", "IncompleteError", "InputError", "LockedError", "MvhmError", "PassingError",
    "ReleaseError", "RenderError",
]  # fmt: skip


class ReleaseError(InputError):
    """A release file that cannot be used; the message names file, key, what was got and what is allowed."""


class LockedError(PassingError):
    """The work is being done by a live process."""


class RenderError(MvhmError):
    """Samples that could not be rendered, or labels that disagree with the render."""


class IncompleteError(RenderError):
    """All samples of a shard are rendered but those set aside: trying again needs the user's word (`--retry`)."""


class DisagreementError(RenderError):
    """The labels of a sample are not what Cycles sees."""
