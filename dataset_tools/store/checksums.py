"""CRC-32 sums of all that a shard holds: made by the writer, kept in the file, compared at every read.

HDF5 checks its own structures, but nothing of a contiguous dataset, and the Fletcher sum of a chunk is blind to a
chunk that took another's place. `checksums/samples` (S, C) holds the sums of each sample's bytes as stored; its
attribute `columns` says where those of a dataset begin and how many there are. `checksums/shard` (K,) holds those of
what is there once: `names` are a dataset of the group `shard` (the text of its attribute `encoding`, then its bytes),
any other element (that text alone), and ATTRIBUTES, the attributes of the file but `checksums`. That one is the sum
of both tables, so that neither can be replaced by another shard's without the other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from zlib_ng.zlib_ng import crc32

from .errors import DamageError

ATTRIBUTES = "attributes"
ROOT = "checksums"  # the group, and the attribute of the file


class Checksums:
    """The sums of one shard: `columns` (dataset to its first column and how many) of `samples` (S, C) uint32."""

    def __init__(self, columns: Mapping[str, tuple[int, int]], samples: np.ndarray, shard: Mapping[str, int]) -> None:
        self.columns, self.shard, self._samples = columns, shard, samples
        self._row, self._sums = -1, []  # of the sample that was read last: as Python's numbers, which compare faster

    def require(self, path: str, row: int, parts: Sequence[Any], views: Sequence[int] = (0,)) -> None:
        """Compare the bytes of a row of the dataset `path`: of all of it, or of some views. Raises DamageError."""
        sums = self.of(path, row)
        for view, part in zip(views, parts):
            if crc32(part) != sums[view]:
                raise DamageError(f"checksum of view {view}" if len(sums) > 1 else "checksum")

    def of(self, path: str, row: int) -> list[int]:
        """The sums of a row of the dataset `path`, one a view where it has views. Raises DamageError."""
        if row != self._row:
            self._row, self._sums = row, self._samples[row].tolist()
        if path not in self.columns:
            raise DamageError(f"no checksum of {path}")
        first, width = self.columns[path]
        return self._sums[first : first + width]

    def require_once(self, data: Any, name: str, start: int = 0) -> None:
        """Compare the bytes of what is there once; `start` is the sum of what precedes. Raises DamageError."""
        if crc32(data, start) != self.shard.get(name):
            raise DamageError("checksum" if name in self.shard else f"no checksum of {name}")


def parse(columns: bytes, samples: np.ndarray, names: bytes, shard: np.ndarray, total: int, count: int) -> Checksums:
    """The sums as stored, of `count` samples, once their own sum is `total`. Raises DamageError.

    samples (N, C) uint32, a row a sample; shard (n,) uint32 of what is there once; `columns` and `names` explain them.
    """
    if total_of(columns, samples, names, shard) != total:
        raise DamageError("checksum of the checksums")
    places = _places(columns)
    if samples.ndim != 2 or len(samples) != count or any(a + n > samples.shape[1] for a, n in places.values()):
        raise DamageError(f"checksums of {samples.shape} for {count} samples")
    return Checksums(places, samples, dict(zip(json.loads(names), shard.tolist())))


@lru_cache(maxsize=64)  # one for all shards of a release
def _places(columns: bytes) -> dict[str, tuple[int, int]]:
    return {path: (int(first), int(width)) for path, (first, width) in json.loads(columns).items()}


def total_of(columns: bytes, samples: np.ndarray, names: bytes, shard: np.ndarray) -> int:
    """The sum of both tables, samples (N, C) and shard (n,), and of what explains them."""
    total = 0
    for part in (columns, samples, names, shard):
        total = crc32(part, total)
    return total


def attributes_text(attributes: Mapping[str, int | str]) -> bytes:
    """The attributes of a file as they are summed: JSON, by name, without `checksums`."""
    return json.dumps({name: attributes[name] for name in sorted(attributes) if name != ROOT}).encode()


@dataclass
class Collected:
    """Sums while a shard is written."""

    samples: dict[str, list[list[int]]] = field(default_factory=dict)  # path to sums of each row
    shard: dict[str, int] = field(default_factory=dict)

    def add(self, path: str, parts: list[Any]) -> None:
        """The next row of the dataset `path`: its bytes, or those of each view."""
        self.samples.setdefault(path, []).append([crc32(part) for part in parts])

    def add_once(self, data: Any, name: str, start: int = 0) -> None:
        """Something that is there once."""
        self.shard[name] = crc32(data, start)

    def tables(self) -> tuple[bytes, np.ndarray, bytes, np.ndarray]:
        """`columns` as JSON, sums of the samples (S, C) uint32, `names` as JSON, sums of the shard (K,) uint32."""
        columns, first = {}, 0
        for path, rows in self.samples.items():
            columns[path] = (first, len(rows[0]))
            first += len(rows[0])
        samples = np.concatenate([np.array(rows, "<u4") for rows in self.samples.values()], axis=1)
        shard = np.array(list(self.shard.values()), "<u4")
        return json.dumps(columns).encode(), samples, json.dumps(list(self.shard)).encode(), shard
