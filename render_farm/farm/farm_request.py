"""What a farm is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from dataset_tools.store.layout import ReleaseFolder

from ..planning.release import Release
from ..shard.pool import PoolSettings
from ..shard.request import Request


@dataclass(frozen=True)
class FarmRequest:
    """What to render, and with what. A worker has `cpus` cores and `gpus` GPUs. Paths are absolute."""

    release: Release
    shards: tuple[int, ...]
    out: Path
    samples: int | None = None  # only the first so many samples of a shard
    cpus: float = 1.0
    gpus: float = 0.0
    scratch: Path | None = None  # on the nodes' own disks, for unfinished samples
    collect: Path | None = None  # a folder of the nodes' own to render in; shards are sent to `out`
    retry: bool = False  # quarantined samples
    limits: PoolSettings = field(default_factory=PoolSettings)  # of the renderers of every worker

    @property
    def files(self) -> ReleaseFolder:
        """The release's folder here."""
        return ReleaseFolder(self.out / self.release.name)

    @property
    def node_files(self) -> ReleaseFolder:
        """The release's folder as the nodes have it."""
        return ReleaseFolder(self.node_out / self.release.name)

    @property
    def node_out(self) -> Path:
        """OUT as the nodes have it."""
        return self.collect or self.out

    def shard(self, shard: int, cores: tuple[int, ...]) -> Request:
        """What a worker with these cores is asked for."""
        pool = replace(self.limits, workers=1 if self.gpus else 0, cores=cores)
        return Request(
            self.release, shard, self.node_out, self.samples, pool=pool, scratch=self.scratch, retry=self.retry
        )
