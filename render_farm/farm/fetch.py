"""Brings a shard from a node's own disk to the driver's OUT, through Ray."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import ray
from ray.actor import ActorHandle

from dataset_tools.store.layout import ReleaseFolder
from rigging.files import write_atomic

from .child import Result
from .delivery import Parcel, add_events, store


def fetch(actor: ActorHandle, source: Path, shard: int, folder: Path, result: Result) -> Result:
    """Store in `folder` what the node's call left in its `source` folder: the shard, or a note of what it lacks.

    The node's copy of a shard is removed afterwards. Returns `result`. Raises what `delivery.store` does, and
    ray.exceptions.RayError if the node is lost.
    """
    if result.kind == "done":
        parcel: Parcel = ray.get(actor.parcel.remote(source, shard))
        store(parcel, _chunks(actor, ReleaseFolder(source).shard(shard), int(parcel.manifest["bytes"])), folder)
        ray.get(actor.remove.remote(source, shard))
        return result
    report = ray.get(actor.chunk.remote(ReleaseFolder(source).incomplete(shard), 0))
    write_atomic(ReleaseFolder(folder).incomplete(shard), report)
    add_events(folder, *ray.get(actor.events.remote(source, shard)))
    return result


def _chunks(actor: ActorHandle, path: Path, size: int) -> Iterator[bytes]:
    start = 0
    while start < size:
        data: bytes = ray.get(actor.chunk.remote(path, start))
        if not data:
            return  # shorter than it was: its sha256 will tell
        start += len(data)
        yield data
