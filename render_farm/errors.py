"""Faults by what a farm's wrapper should do about them; each class carries its exit code."""

from __future__ import annotations


class FarmError(Exception):
    """A fault whose message is one line for the user."""

    exit_code = 1


class InputError(FarmError, ValueError):
    """Wrong configuration or input: trying again is useless."""

    exit_code = 2


class ReleaseError(InputError):
    """A release file that cannot be used; the message names file, key, what was got and what is allowed."""


class PassingError(FarmError):
    """Something that may pass by itself, such as a full disk: try again later."""

    exit_code = 75


class DiskFullError(PassingError):
    """No space left; what is finished is kept."""


class LockedError(PassingError):
    """The work is being done by a live process."""


class RenderError(FarmError):
    """Samples that could not be rendered, or labels that disagree with the render."""

    exit_code = 1


class IncompleteError(RenderError):
    """All samples of a shard are rendered but those set aside: trying again needs the user's word (`--retry`)."""


class DisagreementError(RenderError):
    """The labels of a sample are not what Cycles sees."""
