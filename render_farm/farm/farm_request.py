"""What a farm is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from dataset_tools.store.layout import ReleaseFolder

from ..planning.release import Release
from ..shard.pool import PoolSettings


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
    retry: bool = False  # samples that were set aside
    limits: PoolSettings = field(default_factory=PoolSettings)  # of the renderers of every worker

    @property
    def files(self) -> ReleaseFolder:
        """The release's folder here, which names its files."""
        return ReleaseFolder(self.folder)

    @property
    def folder(self) -> Path:
        """Where the release lies here."""
        return self.out / self.release.name

    @property
    def node_out(self) -> Path:
        """OUT as the nodes have it."""
        return self.collect or self.out

    @property
    def node_folder(self) -> Path:
        """Where the release lies on the nodes."""
        return self.node_out / self.release.name
