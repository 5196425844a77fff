"""What rendering asks of the file system that holds OUT, besides bytes: counted from the code, tested with strace.

A shared file system has one server for names, and it is what a large farm wears out first.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from ..lock import HEARTBEAT_SECONDS


@dataclass(frozen=True)
class Operations:
    """Numbers of calls in OUT that change it. Reading and looking things up is not counted."""

    created: int = 0  # files, temporary ones too
    renamed: int = 0
    removed: int = 0
    folders: int = 0  # made or removed
    flushed: int = 0  # files and folders (fsync)
    touched: int = 0  # times set: heartbeats and guards of locks
    appended: int = 0  # lines of event logs, each an open and a write

    def __add__(self, other: Operations) -> Operations:
        return Operations(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def __mul__(self, times: int) -> Operations:
        return Operations(*(getattr(self, f.name) * times for f in fields(self)))

    @property
    def total(self) -> int:
        """All of them."""
        return sum(getattr(self, f.name) for f in fields(self))


ATOMIC = Operations(created=1, renamed=1, flushed=2)  # a file written whole: rigging.files.write_atomic
LOCK = ATOMIC + Operations(removed=1, touched=2)  # taken and given back


def shard_operations(samples: int, workers: int, seconds: float, scratch: bool = False) -> Operations:
    """Of one shard of a planned release, without skins; `scratch`: finished samples wait on a local disk."""
    guard = Operations(created=1)  # stays
    lock = guard + LOCK + Operations(touched=int(seconds / HEARTBEAT_SECONDS))
    events = Operations(created=1, appended=2 * samples + 2, flushed=samples)  # what is begun is flushed
    results = ATOMIC * 3  # shard, manifest, sheet
    return lock + events + results + (Operations() if scratch else _staging(samples, workers))


def _staging(samples: int, workers: int) -> Operations:
    """The folder with the configuration, the samples and the workers' output; colour streams wait beside the shard."""
    streams = Operations(created=1)  # a file without a name, so that nothing removes it
    outputs = Operations(created=workers)
    return ATOMIC * (samples + 1) + outputs + streams + Operations(folders=2, removed=samples + workers + 1)
