"""Brings a shard from a node's own disk to the driver's OUT, through Ray."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dataset_tools.store.layout import ReleaseFolder
from rigging.files import write_atomic

from ..outcome import Result
from .remote import Remote
from .transfer import Package, add_events, store


def fetch(
    remote: Remote, actor: Any, source: ReleaseFolder, shard: int, target: ReleaseFolder, result: Result
) -> Result:
    """Store in `target` what the node's call left in its `source`: the shard, or a note of what it lacks.

    The node's copy of a shard is removed afterwards. Returns `result`. Raises what `transfer.store` does, and
    ray.exceptions.RayError if the node is lost.
    """
    if result.cause is None:
        package: Package = remote.get(actor, "package", source.path, shard)
        size = int(package.manifest["bytes"])
        store(package, _chunks(remote, actor, source.shard(shard), size), target.path)
        remote.get(actor, "remove", source.path, shard)
        return result
    write_atomic(target.incomplete(shard), remote.get(actor, "chunk", source.incomplete(shard), 0))
    add_events(target.path, *remote.get(actor, "events", source.path, shard))
    return result


def _chunks(remote: Remote, actor: Any, path: Path, size: int) -> Iterator[bytes]:
    start = 0
    while start < size:
        data: bytes = remote.get(actor, "chunk", path, start)
        if not data:
            return  # shorter than it was: its sha256 will tell
        start += len(data)
        yield data
