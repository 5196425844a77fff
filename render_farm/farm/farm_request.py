"""What a farm is asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from dataset_tools.store.layout import ReleaseFolder

from ..planning.release import Release
from ..shard.request import Request


@dataclass(frozen=True)
class FarmRequest:
    """What to render, and with what. A worker has `cpus` cores and `gpus` GPUs. Paths are absolute."""

    each: Request  # as of one shard, but for its number and its worker's cores
    shards: tuple[int, ...]
    cpus: float = 1.0
    gpus: float = 0.0
    collect: Path | None = None  # a folder of the nodes' own to render in; shards are sent to OUT

    @property
    def release(self) -> Release:
        """What is rendered."""
        return self.each.release

    @property
    def files(self) -> ReleaseFolder:
        """The release's folder here."""
        return self.each.files

    @property
    def node_files(self) -> ReleaseFolder:
        """The release's folder as the nodes have it."""
        return ReleaseFolder((self.collect or self.each.out) / self.release.name)

    def shard(self, shard: int, cores: tuple[int, ...]) -> Request:
        """What a worker with these cores is asked for."""
        pool = replace(self.each.pool, workers=1 if self.gpus else 0, cores=cores)
        return replace(self.each, shard=shard, out=self.node_files.path.parent, pool=pool)
