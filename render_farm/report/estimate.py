"""How much work a release is, without planning or rendering it."""

from __future__ import annotations

from dataclasses import dataclass

from dataset_tools.pictures.sheet import ROWS
from dataset_tools.progress import duration

from ..planning.release import Release
from .costs import CANDIDATE_SECONDS, REFERENCE_PIXELS, SAMPLE_BYTES, SHEET_VIEW_BYTES, VIEW_BYTES, Costs


@dataclass(frozen=True)
class Estimate:
    """Figures of a release, whoever renders it."""

    release: Release
    costs: Costs

    @property
    def pairs(self) -> int:
        """Pairs of neighbouring poses, or clips of more; 0 if there are none."""
        length = self.release.pairs.length
        return self.release.samples // length if length > 1 else 0

    @property
    def runs(self) -> int:
        """Runs of pairs (or poses) that share a subject."""
        return -(-(self.pairs or self.release.samples) // self.release.subjects.run)

    @property
    def subjects(self) -> int:
        """Distinct subjects, at most: their skins are baked."""
        return min(self.release.subjects.count, self.runs)

    @property
    def sample_bytes(self) -> int:
        """Of one sample, staged or in a shard."""
        cameras = self.release.cameras
        return int(SAMPLE_BYTES + cameras.views * VIEW_BYTES * cameras.image_size**2 / REFERENCE_PIXELS)

    @property
    def sheet_bytes(self) -> int:
        """Of a contact sheet."""
        return SHEET_VIEW_BYTES * min(self.release.shard_size, ROWS) * self.release.cameras.views

    @property
    def size(self) -> int:
        """Bytes of the finished release: shards and contact sheets."""
        return self.release.samples * self.sample_bytes + self.release.shards * self.sheet_bytes

    @property
    def planning_seconds(self) -> float:
        """Before the first sample, once."""
        return self.release.poses.candidates * CANDIDATE_SECONDS

    @property
    def seconds(self) -> float:
        """Of one core, for samples and skins."""
        return self.release.samples * self.costs.sample + self.subjects * self.costs.bake

    def table(self) -> str:
        """The figures as lines for a person."""
        release, samples = self.release, f"{self.release.samples:,}"
        views = release.cameras.views
        rows = [
            ("release", release.name),
            ("poses from", release.poses.source),
            ("shards", f"{release.shards:,} of {release.shard_size} samples"),
            ("poses (samples)", f"{samples} in {self.pairs:,} {release.pairs.word}s" if self.pairs else samples),
            ("images", f"{release.samples * views:,} ({views} views)"),
            ("subjects", f"at most {self.subjects:,}"),
            ("disk", f"about {self.size / 1e9:.1f} GB"),
            ("a sample", f"{self.costs.sample:.2f} s of one core, {self.costs.basis}"),
            ("one core", f"about {self.seconds / 3600:,.1f} h, {duration(self.seconds / release.shards)} per shard"),
        ]
        return "\n".join(f"{label:<16} {value}" for label, value in rows)
