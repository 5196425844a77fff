"""Samples read by threads and kept decoded while there is room."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from .source import PER_SAMPLE, Arrays, Source

Raw = dict[str, Tensor]  # whole pictures with their labels; those of PER_SAMPLE once a sample, `owner` says whose


class SampleCache:
    """A source that keeps what it has read up to `limit` bytes; after that, only what is asked for is read."""

    def __init__(self, source: Source, limit: int) -> None:
        self.source, self.limit, self.bytes = source, limit, 0
        self._samples: dict[int, Arrays] = {}
        self._lock = threading.Lock()

    def read(self, row: int, views: Sequence[int]) -> Arrays:
        """Those views of sample `row`, as Source.read; arrays may be shared: they are not to be changed."""
        kept = self._samples.get(row)
        if kept is None:
            if self.bytes >= self.limit:
                return self.source.read(row, views)
            kept = self._keep(row, self.source.read(row))
        return _of_views(kept, views)

    def _keep(self, row: int, arrays: Arrays) -> Arrays:
        arrays = {name: value for name, value in arrays.items() if isinstance(value, np.ndarray)}
        with self._lock:
            if row not in self._samples:
                self._samples[row] = arrays
                self.bytes += sum(value.nbytes for value in arrays.values())
        return arrays


def _of_views(arrays: Arrays, views: Sequence[int]) -> Arrays:
    chosen = slice(views[0], views[0] + 1) if len(views) == 1 else list(views)
    return {name: value if name in PER_SAMPLE else value[chosen] for name, value in arrays.items()}


def read_crops(cache: SampleCache, crops: np.ndarray) -> Raw:
    """Whole pictures and labels of `crops` (B, 2): row of the sample and view; views of a sample in a row.

    Tensors as the source gives them, with B as first axis; those of PER_SAMPLE have a row for every run of views of
    one sample, and `owner` (B,) says which. `sample`, `subject` and `view` (B,) int64.
    """
    starts = np.flatnonzero(np.diff(crops[:, 0], prepend=-1))
    groups = np.split(crops, starts[1:])
    parts = [cache.read(int(group[0, 0]), group[:, 1].tolist()) for group in groups]
    raw = {name: _stacked([part[name] for part in parts], name) for name in parts[0] if name != "meta"}
    rows, source = crops[:, 0], cache.source
    raw["owner"] = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    raw |= {"sample": source.numbers[rows], "subject": source.subjects[rows], "view": crops[:, 1]}
    return {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in raw.items()}


def _stacked(parts: list[np.ndarray], name: str) -> np.ndarray:
    return np.stack(parts) if name in PER_SAMPLE else np.concatenate(parts)
