"""What rendering asks of the file system that holds OUT, besides bytes: counted from the code, tested with strace.

A shared file system has one server for names, which a large farm wears out first. Counted are the calls that change
it: files `created` (temporary ones too), `renamed`, `removed`; `folders` made or removed; files and folders `flushed`
(fsync); times `touched` (heartbeats and guards of locks); lines `appended` to event logs, each an open and a write.
"""

from __future__ import annotations

from collections import Counter

from ..lock import HEARTBEAT_SECONDS

ATOMIC = Counter(created=1, renamed=1, flushed=2)  # a file written whole: rigging.files.write_atomic


def shard_operations(samples: int, workers: int, seconds: float, scratch: bool = False) -> Counter[str]:
    """Of one shard of a planned release, without skins; `scratch`: finished samples wait on a local disk."""
    whole = 4 if scratch else 5 + samples  # lock, shard, manifest, sheet; staged samples and their configuration
    operations = Counter(
        created=whole + 2,  # and the lock's guard, which stays, and the event log
        renamed=whole,
        flushed=2 * whole + samples,  # and each line that says that a sample begins
        removed=1,  # the lock
        touched=2 + int(seconds / HEARTBEAT_SECONDS),
        appended=2 * samples + 2,
    )
    if not scratch:  # the staging folder's; colour streams wait in a file without a name, so that nothing removes it
        operations += Counter(created=workers + 1, removed=samples + workers + 1, folders=2)
    return operations
