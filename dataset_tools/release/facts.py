"""All that is said of a release, gathered once; manifest, card, datasheet and Croissant only put it into words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..check.report import Report
from ..load.index import SampleIndex
from ..store.quoted import Quoted
from .gate import Gate
from .licences import Licence

SPLIT_ORDER = ("train", "val", "test", "test_subject", "test_pose", "test_background", "test_camera", "test_all")
NO_GATE = "estimators: not run"


@dataclass(frozen=True)
class PublishedFile:
    """A file of the release: its path in the folder, with `/`."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class SplitCount:
    """What a split holds."""

    samples: int
    pairs: int
    subjects: int


@dataclass(frozen=True)
class Facts:
    """A release that is about to be published; nothing in it is a path of this machine."""

    version: str
    date: str | None  # YYYY-MM-DD, as the maintainer gives it
    homepage: str | None
    name: str
    schema_version: int
    configuration: dict[str, Any]
    configuration_hash: str
    device: str
    package_versions: dict[str, str]
    sizes: dict[str, int]  # V, H, W, N, ...
    retarget: str
    index: SampleIndex
    licences: tuple[Licence, ...]
    report: Report
    gate: Gate | None
    quoted: tuple[Quoted, ...]  # reports that lie in the folder
    shards: tuple[PublishedFile, ...]
    data_hash: str
    changes: str  # of this version, Markdown

    @property
    def settings(self) -> dict[str, Any]:
        """The release file's settings."""
        return self.configuration.get("release", {})

    @property
    def samples(self) -> int:
        return len(self.index)

    @property
    def images(self) -> int:
        return self.samples * self.sizes["V"]

    @property
    def bytes(self) -> int:
        """Size of all shards."""
        return sum(file.bytes for file in self.shards)

    @property
    def splits(self) -> dict[str, SplitCount]:
        """Split -> counts, in a reader's order."""
        return split_counts(self.index)

    @property
    def estimators(self) -> str:
        """What the gate says, in words."""
        return NO_GATE if self.gate is None else f"estimators: {self.gate.verdict}"

    @property
    def poses(self) -> int:
        """Poses of a pair (2) or of a clip, at most."""
        return int(self.index["pair_role"].max()) + 1

    @property
    def unit(self) -> str:
        """What poses come in."""
        return "clip" if self.poses > 2 else "pair"

    def counts(self, column: str) -> dict[str, int]:
        """Value -> samples of a column of the index, most frequent first."""
        counted = Counter(self.index[column].tolist())
        return {str(value): n for value, n in sorted(counted.items(), key=lambda item: (-item[1], str(item[0])))}

    def span(self, column: str) -> tuple[float, float]:
        """Smallest and largest value of a column of the index."""
        return float(np.min(self.index[column])), float(np.max(self.index[column]))


def split_counts(index: SampleIndex) -> dict[str, SplitCount]:
    """Split -> counts, in a reader's order; unknown names last."""
    names = sorted(set(index["split"].tolist()), key=lambda name: (_place(name), name))
    return {name: _count(index.take(index["split"] == name)) for name in names}


def _place(split: str) -> int:
    return SPLIT_ORDER.index(split) if split in SPLIT_ORDER else len(SPLIT_ORDER)


def _count(rows: SampleIndex) -> SplitCount:
    return SplitCount(len(rows), len(np.unique(rows["pair"])), len(np.unique(rows["subject"])))
