"""What is exported, part by part: the samples of one split in one shard, with their photographs as they are stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rigging.errors import InputError
from rigging.files import file_sha256

from ..load.dataset import HandDataset, outward
from ..store.manifest import read_manifest
from ..store.shard_file import ShardFile


@dataclass(frozen=True)
class Part:
    """Samples of one split in one shard."""

    split: str
    path: Path  # the shard
    number: int  # of the shard in the release
    rows: tuple[int, ...]  # in the shard
    first: int  # how many samples of the split come before

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def name(self) -> str:
        """SPLIT-NNNNN, after which its files are called."""
        return f"{self.split}-{self.number:05d}"


@dataclass(frozen=True)
class Source:
    """A shard or a folder of shards to be exported."""

    path: Path
    parts: tuple[Part, ...]
    sizes: Mapping[str, int]
    attrs: Mapping[str, Any]
    shards: Mapping[str, str]  # name -> sha256
    lenses: bool = False  # whether cameras have lenses that distort

    @property
    def splits(self) -> dict[str, int]:
        """Samples of each split, in the order they come in."""
        counts: dict[str, int] = {}
        for part in self.parts:
            counts[part.split] = counts.get(part.split, 0) + len(part)
        return counts

    def __len__(self) -> int:
        return sum(map(len, self.parts))


@dataclass(frozen=True)
class Sample:
    """One sample: `values` are fields as the loader gives them, `meta` among them."""

    number: int  # in the release
    position: int  # in its split
    values: Mapping[str, Any]
    pictures: tuple[bytes, ...]  # V JPEG streams
    faces: np.ndarray  # (F, 3) counter-clockwise from outside

    @property
    def left(self) -> bool:
        """Whether it shows a left hand."""
        return self.values["meta"]["hand"] == "left"

    def key(self, view: int) -> str:
        """The name of a view's photograph, without its ending."""
        return f"{self.number:07d}-{view}"


def open_source(path: Path) -> Source:
    """The parts of a shard or folder of shards, in its order. Raises FileNotFoundError, ShardError, InputError."""
    dataset = HandDataset(path, fields=["meta"])
    splits, numbers = dataset.index["split"], dataset.index["shard"]
    require_distinct(path, dataset.index["sample"])
    require_names(path, np.unique(splits).tolist())
    rows: dict[tuple[str, Path, int], list[int]] = {}
    for item, (split, number) in enumerate(zip(splits.tolist(), numbers.tolist())):
        shard, row = dataset.locate(item)
        rows.setdefault((split, shard, number), []).append(row)
    parts, before = [], dict.fromkeys(splits.tolist(), 0)
    for (split, shard, number), chosen in rows.items():
        parts.append(Part(split, shard, number, tuple(chosen), before[split]))
        before[split] += len(chosen)
    dataset.close()
    shards = {p.name: _sha256(p) for p in dataset.paths}
    return Source(path, tuple(parts), dataset.sizes, dataset.attrs, shards, dataset.lenses)


def require_distinct(path: Path, samples: np.ndarray) -> None:
    """Raise InputError where two samples have one number (n,): their files would have one name."""
    numbers, counts = np.unique(samples, return_counts=True)
    if (counts > 1).any():
        raise InputError(
            f"{path}: {counts.max()} samples have the number {numbers[counts.argmax()]}; export each apart"
        )


def require_names(path: Path, splits: Sequence[str]) -> None:
    """Raise InputError for splits whose names are no names of files."""
    if odd := [name for name in splits if not name.isidentifier()]:
        raise InputError(f"{path}: split {odd[0]!r}: letters, digits and _ are allowed in the name of a split")


def read_part(part: Part, fields: Sequence[str]) -> Iterator[Sample]:
    """The samples of a part with these fields and their metadata, checked as they are read. Raises ShardError."""
    dataset = HandDataset(part.path, fields=[*fields, "meta"])
    with ShardFile(part.path) as shard:
        for count, row in enumerate(part.rows):
            values = dataset[row]
            meta = values["meta"]
            faces = outward(dataset.faces, meta["hand"])
            yield Sample(meta["sample"], part.first + count, values, shard.streams(row), faces)
    dataset.close()


def _sha256(path: Path) -> str:
    try:
        return read_manifest(path)["sha256"]
    except FileNotFoundError:
        return file_sha256(path)
