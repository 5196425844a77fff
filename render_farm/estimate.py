"""How much work a release is, without planning or rendering it."""

from __future__ import annotations

from dataclasses import dataclass

from .progress import duration
from .release import Release

# Measured: a shard of the demo (24 samples, 12 skins, 256 px, 8 samples per pixel) took 215 s of two busy cores' time.
VIEW_SECONDS = 0.25  # per view, whatever the number of samples per pixel
PIXEL_SAMPLE_SECONDS = 1.25e-6  # per pixel and sample per pixel
BAKE_SECONDS = 3.0  # per skin
VIEW_BYTES = 114_000  # per view of 256 x 256
SAMPLE_BYTES = 45_000  # per sample: mesh, arm, joints, metadata
REFERENCE_PIXELS = 256 * 256


@dataclass(frozen=True)
class Estimate:
    """Figures of a release; seconds are of one core."""

    name: str
    source: str
    samples: int
    views: int
    pairs: int
    shards: int
    shard_size: int
    subjects: int
    bakes: int
    size: int
    seconds: float

    def table(self) -> str:
        """The figures as lines for a person."""
        rows = [
            ("release", self.name),
            ("poses from", self.source),
            ("shards", f"{self.shards:,} of {self.shard_size} samples"),
            ("poses (samples)", f"{self.samples:,} in {self.pairs:,} pairs" if self.pairs else f"{self.samples:,}"),
            ("images", f"{self.samples * self.views:,} ({self.views} views)"),
            ("subjects", f"at most {self.subjects:,}"),
            ("disk", f"about {self.size / 1e9:.1f} GB"),
            ("one core", f"about {self.seconds / 3600:,.1f} h, {duration(self.seconds / self.shards)} per shard"),
        ]
        rows += [
            (f"{cores} cores", f"about {duration(self.seconds / cores)}") for cores in (16, 256) if self.seconds > 3600
        ]
        return "\n".join(f"{label:<16} {value}" for label, value in rows)


def estimate(release: Release, sample_seconds: float | None = None, bake_seconds: float | None = None) -> Estimate:
    """Figures of `release`; `sample_seconds` and `bake_seconds` (of one core) replace the measured ones."""
    views, pixels = release.cameras.views, release.cameras.image_size**2
    if sample_seconds is None:
        sample_seconds = views * (VIEW_SECONDS + PIXEL_SAMPLE_SECONDS * pixels * release.render.samples_per_pixel)
    pairs = release.samples // 2 if release.pairs.length == 2 else 0
    groups = pairs or release.samples
    bakes = -(-groups // release.subjects.run)  # one per run, as if no two shards shared a cache
    skin = bake_seconds if bake_seconds is not None else BAKE_SECONDS
    return Estimate(
        name=release.name,
        source=release.poses.source,
        samples=release.samples,
        views=views,
        pairs=pairs,
        shards=release.shards,
        shard_size=release.shard_size,
        subjects=min(release.subjects.count, bakes),
        bakes=bakes,
        size=release.samples * int(SAMPLE_BYTES + views * VIEW_BYTES * pixels / REFERENCE_PIXELS),
        seconds=release.samples * sample_seconds + bakes * skin,
    )
