"""Which stored fields differ between the shards of two releases, in how many samples and by how much."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from ..format.schema import SAMPLE_FIELDS
from ..store.shard_file import ShardFile

Rows = tuple[tuple[int, int, int], ...]  # (sample, row in the old shard, row in the new one)
Job = tuple[Path, Path, Rows]


@dataclass(frozen=True)
class FieldChange:
    """A stored field that differs in some samples: by how much over the elements that differ, in the field's unit."""

    name: str
    samples: int
    unit: str
    largest: float | None  # None for texts, shapes and dtypes that differ
    mean: float | None
    elements: float  # share of the elements that differ, over those samples
    example: str  # of one sample, in words


@dataclass
class Tally:
    """Sums over samples of one field."""

    samples: int = 0
    largest: float = 0.0
    total: float = 0.0
    differing: int = 0
    elements: int = 0
    example: str = ""
    numeric: bool = True

    def add(self, sample: int, old: Any, new: Any) -> None:
        """Count a sample in which the field differs."""
        self.samples += 1
        if not comparable(old, new):
            self.numeric = False
            self.example = self.example or f"sample {sample}: {_short(old)} -> {_short(new)}"
            return
        apart = np.abs(np.asarray(new, np.float64) - np.asarray(old, np.float64))
        self.largest = max(self.largest, float(apart.max()))
        self.total += float(apart.sum())
        self.differing += int(np.count_nonzero(apart))
        self.elements += apart.size
        self.example = self.example or f"sample {sample}: {_where(apart, old, new)}"

    def join(self, other: Tally) -> None:
        """Take in the sums of other samples."""
        self.samples += other.samples
        self.largest = max(self.largest, other.largest)
        self.total += other.total
        self.differing += other.differing
        self.elements += other.elements
        self.example = self.example or other.example
        self.numeric &= other.numeric

    def change(self, name: str) -> FieldChange:
        """The sums as figures."""
        mean = self.total / self.differing if self.differing else None
        largest = self.largest if self.numeric else None
        share = self.differing / self.elements if self.elements else 1.0
        unit = SAMPLE_FIELDS[name].unit if name in SAMPLE_FIELDS else "-"
        return FieldChange(name, self.samples, unit, largest, mean, share, self.example)


@dataclass
class Comparison:
    """What comparing pairs of shards came to."""

    compared: int = 0
    changed: list[int] = field(default_factory=list)
    tallies: dict[str, Tally] = field(default_factory=dict)
    only_old: set[str] = field(default_factory=set)  # stored fields that the new shards do not have
    only_new: set[str] = field(default_factory=set)

    def join(self, other: Comparison) -> None:
        """Take in another pair of shards."""
        self.compared += other.compared
        self.changed += other.changed
        self.only_old |= other.only_old
        self.only_new |= other.only_new
        for name, tally in other.tallies.items():
            self.tallies.setdefault(name, Tally()).join(tally)

    @property
    def fields(self) -> tuple[FieldChange, ...]:
        """Fields that differ, in the schema's order."""
        order = {name: place for place, name in enumerate(SAMPLE_FIELDS)}
        names = sorted(self.tallies, key=lambda name: (order.get(name, len(order)), name))
        return tuple(self.tallies[name].change(name) for name in names)


def compare_shards(jobs: Iterable[Job], advance: Callable[[int], object] = lambda _: None) -> Comparison:
    """Compare the rows of pairs of shards, in processes; `advance` is told how many samples are done.

    Raises ShardError naming a shard that cannot be read.
    """
    jobs, whole = list(jobs), Comparison()
    if len(jobs) < 2:
        for job in jobs:
            whole.join(compare_pair(job))
        return whole
    with ProcessPoolExecutor(min(len(jobs), os.cpu_count() or 1), get_context("spawn")) as pool:
        try:
            for part in pool.map(compare_pair, jobs):
                whole.join(part)
                advance(part.compared)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return whole


def compare_pair(job: Job) -> Comparison:
    """Compare the rows of one pair of shards."""
    old_path, new_path, rows = job
    out = Comparison()
    with ShardFile(old_path) as old, ShardFile(new_path) as new:
        here, there = tuple(old.fields()), tuple(new.fields())
        out.only_old, out.only_new = set(here) - set(there), set(there) - set(here)
        both = [name for name in here if name in there]
        for sample, old_row, new_row in rows:
            one, other = old.read(old_row, both), new.read(new_row, both)
            differing = [name for name in both if not same(one[name], other[name])]
            for name in differing:
                out.tallies.setdefault(name, Tally()).add(sample, one[name], other[name])
            out.compared += 1
            out.changed += [sample] if differing else []
    return out


def same(old: Any, new: Any) -> bool:
    """Whether two values of a field are the same, dtype and shape included."""
    if isinstance(old, str) or isinstance(new, str):
        return old == new
    old, new = np.asarray(old), np.asarray(new)
    return old.dtype == new.dtype and old.shape == new.shape and old.tobytes() == new.tobytes()


def comparable(old: Any, new: Any) -> bool:
    """Whether a difference of two values is defined."""
    return not (isinstance(old, str) or isinstance(new, str)) and np.shape(old) == np.shape(new)


def _where(apart: np.ndarray, old: Any, new: Any) -> str:
    """The largest difference and where it is."""
    if not apart.ndim:
        return f"{_number(old)} -> {_number(new)}"
    place = tuple(int(i) for i in np.unravel_index(int(apart.argmax()), apart.shape))
    return f"at {list(place)} {_number(old[place])} -> {_number(new[place])}"


def _number(value: Any) -> str:
    """A number as it is, one with a fraction to 6 digits."""
    return f"{value:.6g}" if np.asarray(value).dtype.kind == "f" else str(value)


def _short(value: Any) -> str:
    if isinstance(value, str):
        return repr(value if len(value) <= 60 else f"{value[:57]}...")
    array = np.asarray(value)
    return f"{array.dtype} {array.shape}"


def pair_rows(old: Mapping[str, np.ndarray], new: Mapping[str, np.ndarray]) -> dict[tuple[int, int], Rows]:
    """(old shard, new shard) -> rows of the samples that both indices (columns sample, shard, row) have."""
    samples, here, there = np.intersect1d(old["sample"], new["sample"], return_indices=True)
    pairs: dict[tuple[int, int], list] = {}
    for sample, i, j in zip(samples.tolist(), here.tolist(), there.tolist()):
        key = int(old["shard"][i]), int(new["shard"][j])
        pairs.setdefault(key, []).append((sample, int(old["row"][i]), int(new["row"][j])))
    return {key: tuple(rows) for key, rows in sorted(pairs.items())}
