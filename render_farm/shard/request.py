"""One shard to render, and where everything of it lies."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from dataset_tools.store.layout import ReleaseFolder

from ..errors import InputError
from ..planning.release import Release
from .pool import PoolSettings


@dataclass(frozen=True)
class Request:
    """One shard to render."""

    release: Release
    shard: int
    out: Path
    samples: int | None = None  # only the first so many samples of the shard
    cache: Path | None = None  # of baked skins; default OUT/.cache
    pool: PoolSettings = field(default_factory=PoolSettings)
    scratch: Path | None = None  # folder on a local disk to stage and pack in; default OUT
    retry: bool = False  # try quarantined samples again

    @property
    def files(self) -> ReleaseFolder:
        """The release's folder, which names its files."""
        return ReleaseFolder(self.folder)

    @property
    def folder(self) -> Path:
        """Where the release lies."""
        return self.out / self.release.name

    @property
    def path(self) -> Path:
        """The shard's file."""
        return self.files.shard(self.shard)

    @property
    def staging(self) -> Path:
        """Where finished samples wait for the shard to be written, and the workers' output lies."""
        return ReleaseFolder((self.scratch or self.out) / self.release.name).staging(self.shard)

    @property
    def skins(self) -> Path:
        """Where baked skins are kept."""
        return self.cache or self.out / ".cache"

    @property
    def indices(self) -> range:
        """Samples to render. Raises InputError for a shard or number of samples that cannot be."""
        whole = self.release.shard_samples(self.shard)
        if self.samples is not None and not 1 <= self.samples <= len(whole):
            raise InputError(f"--samples {self.samples}: shard {self.shard} has samples 1..{len(whole)}")
        return whole[: self.samples]
