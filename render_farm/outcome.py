"""Why a sample or a shard is not done: the one vocabulary from an exception to exit code, log, report, status and farm.

`Cause` is what event logs, reports and `make status` say; `MEANINGS` is what each cause means to whom.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any

from rigging.errors import is_disk_full

from .errors import (
    DisagreementError,
    DiskFullError,
    IncompleteError,
    InputError,
    LockedError,
    MvhmError,
    PassingError,
    RenderError,
)

log = logging.getLogger(__name__)


class FarmDoes(Enum):
    """What `make farm` does with a shard that was not done."""

    TRY_AGAIN = "another worker tries again, three times in all"
    PASS_ON = "another worker goes on at once, until five were lost"
    GIVE_UP = "gives it up: another try would end the same way"
    WAIT = "tries again later, as often as it takes"
    LOOK_AGAIN = "looks again later; gives it up ten minutes after all else is done"


class Cause(StrEnum):
    """Why a sample failed, or the process of a shard ended before it was done."""

    ERROR = "error"
    CRASH = "crash"
    KILLED = "killed"
    MEMORY = "memory"
    HANG = "hang"
    DISAGREEMENT = "disagreement"
    LOST = "lost"
    DISK_FULL = "disk full"
    INTERRUPTED = "interrupted"
    LOCKED = "locked"
    INPUT = "input"
    INCOMPLETE = "incomplete"

    @property
    def meaning(self) -> Meaning:
        """What it means."""
        return MEANINGS[self]


@dataclass(frozen=True)
class Meaning:
    """What a cause means: in words, as the exception that a command ends with (so its exit code), and to a farm."""

    words: str
    error: type[MvhmError] = RenderError
    farm: FarmDoes = FarmDoes.TRY_AGAIN
    label: str = "failed"  # of shards, where a farm's end is told


MEANINGS = {
    Cause.ERROR: Meaning("an error in the worker"),
    Cause.CRASH: Meaning("a crash of native code (SIGSEGV, SIGBUS, SIGABRT, ...) or an unexpected exit of the worker"),
    Cause.KILLED: Meaning("the worker was killed from outside (SIGKILL, SIGTERM)"),
    Cause.MEMORY: Meaning("the worker was over its memory limit, or the kernel's out-of-memory killer took it"),
    Cause.HANG: Meaning("no answer within the time limit"),
    Cause.DISAGREEMENT: Meaning("labels and Cycles disagree", DisagreementError),
    Cause.LOST: Meaning(
        "its shard's process ended suddenly (node lost, kill -9) while it was being rendered", farm=FarmDoes.PASS_ON
    ),
    Cause.DISK_FULL: Meaning("no space left", DiskFullError, FarmDoes.WAIT),
    Cause.INTERRUPTED: Meaning("Ctrl-C, SIGTERM, or the farm's end", PassingError, FarmDoes.WAIT),
    Cause.LOCKED: Meaning("a live process is at the shard", LockedError, FarmDoes.LOOK_AGAIN, "locked by others"),
    Cause.INPUT: Meaning("wrong configuration or input", InputError, FarmDoes.GIVE_UP, "refused"),
    Cause.INCOMPLETE: Meaning("samples are quarantined", IncompleteError, FarmDoes.GIVE_UP, "incomplete"),
}
# The first that fits names the cause.
CAUSE_OF: tuple[tuple[type[BaseException], Cause], ...] = (
    (LockedError, Cause.LOCKED),
    (PassingError, Cause.INTERRUPTED),
    (InputError, Cause.INPUT),
    (IncompleteError, Cause.INCOMPLETE),
    (DisagreementError, Cause.DISAGREEMENT),
    (MemoryError, Cause.MEMORY),
    (Exception, Cause.ERROR),
)


@dataclass(frozen=True)
class Result:
    """How a call ended: with a value; or not done for a cause, with a reason of one line."""

    value: Any = None
    cause: Cause | None = None
    reason: str = ""


def cause_of(error: BaseException) -> Cause:
    """The cause that an exception is; those that are no errors (Ctrl-C) interrupt."""
    if isinstance(error, DiskFullError) or is_disk_full(error):
        return Cause.DISK_FULL
    return next((cause for kind, cause in CAUSE_OF if isinstance(error, kind)), Cause.INTERRUPTED)


def reason_of(error: BaseException) -> str:
    """What an exception says, in one line: after its name, if it is none of ours, which say enough."""
    text, name = " ".join(str(error).split()), type(error).__name__
    return (text or name) if isinstance(error, MvhmError) else f"{name}: {text}" if text else name


def attempt(function: Callable[..., Any], *arguments: Any) -> Result:
    """Call a function and turn whatever error comes of it into a Result; the log has the traceback of a bug."""
    try:
        return Result(function(*arguments))
    except MvhmError as error:
        log.error("%s", error)
        return Result(cause=cause_of(error), reason=reason_of(error))
    except Exception as error:  # the farm goes on whatever happens at one shard
        log.exception("failed")
        return Result(cause=cause_of(error), reason=reason_of(error))
