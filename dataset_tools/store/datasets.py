"""The arrays of an open shard: bounded before they are read, compared with their checksums after."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import h5py
import numpy as np

from .checksums import Checksums

SMALL_ROW = 64  # bytes; columns of smaller rows are read once and kept
PIXEL_BYTES = 32  # at most, of a code


class Datasets:
    """Datasets by their path in the file. Everything raises what h5py raises, or ValueError for what does not fit.

    `limit` is the file's size in bytes; without `sums` nothing is compared.
    """

    def __init__(
        self, file: h5py.File, samples: int, sizes: Mapping[str, int], limit: int, sums: Checksums | None
    ) -> None:
        self._file, self._samples, self._views, self._sums = file, samples, sizes["V"], sums
        self._limit, self._row_limit = limit, max(limit, PIXEL_BYTES * math.prod(sizes[letter] for letter in "VHW"))
        self._open: dict[str, h5py.Dataset] = {}
        self._columns: dict[str, np.ndarray] = {}

    def close(self) -> None:
        """Let go of all datasets."""
        self._open.clear()
        self._columns.clear()

    def open(self, path: str) -> h5py.Dataset:
        """A dataset, once it is sure that reading it (a row of it, if it is in chunks) takes no more than it may."""
        if path not in self._open:
            dataset = self._file[path]
            if not isinstance(dataset, h5py.Dataset) or dataset.dtype.hasobject:
                raise ValueError("not an array of values of fixed size")
            shape, limit = (dataset.shape[1:], self._row_limit) if dataset.chunks else (dataset.shape, self._limit)
            if dataset.dtype.itemsize * math.prod(shape) > limit:
                raise ValueError(f"{dataset.dtype} {dataset.shape} in a file of {self._limit} bytes")
            self._open[path] = dataset
        return self._open[path]

    def once(self, path: str, text: bytes) -> np.ndarray:
        """A dataset that is there once for the shard; its sum continues that of `text`, which describes it."""
        dataset = self.open(path)
        data = np.asarray(dataset[()], dataset.dtype)
        if self._sums is not None:
            self._sums.require_once(data, path, zlib.crc32(text))
        return data

    def column(self, path: str) -> np.ndarray:
        """The rows of all samples, of a dataset of any kind."""
        rows = range(self._samples)
        if path.endswith("/code"):
            return np.stack([self.codes(path, row, None) for row in rows])
        if path.endswith("/jpeg"):
            return np.concatenate([stream for row in rows for stream in self.streams(path, row, None)])
        data = self.open(path)[()]
        for row in rows:
            self._require(self._window(path, data, row), path, row)
        return data

    def row(self, path: str, row: int) -> Any:
        """A row of a plain dataset."""
        if path not in self._columns:
            dataset = self.open(path)
            if dataset.dtype.itemsize * math.prod(dataset.shape[1:]) > SMALL_ROW:
                data = dataset[row : row + 1]  # not [row]: a single text would lose its padding
                self._require(data, path, row)
                return data[0]
            self._columns[path] = dataset[()]
        data = self._columns[path][row : row + 1]
        self._require(data, path, row)
        return data[0].copy()

    def chunk(self, path: str, row: int, view: int) -> tuple[int, bytes]:
        """The chunk of one view of a code: HDF5's mask of skipped filters, and the bytes as stored."""
        dataset = self.open(path)
        mask, data = dataset.id.read_direct_chunk((row, view) + (0,) * (len(dataset.shape) - 2))
        self._require(data, path, row, view)
        return mask, data

    def codes(self, path: str, row: int, views: Sequence[int] | None) -> np.ndarray:
        """A code of one sample, of the chosen views (None: all)."""
        import hdf5plugin  # noqa: F401  registers the Zstandard filter; nobody needs it who reads no images

        dataset = self.open(path)
        if dataset.shape[:2] != (self._samples, self._views):
            raise ValueError(f"{dataset.shape} for {self._samples} samples of {self._views} views")
        if self._sums is not None:
            for view in range(self._views) if views is None else views:
                self.chunk(path, row, view)
        if views is None:
            return dataset[row]
        out = np.empty((len(views), *dataset.shape[2:]), dataset.dtype)
        for code, view in zip(out, views):
            dataset.read_direct(code, np.s_[row, view])
        return out

    def streams(self, path: str, row: int, views: Sequence[int] | None) -> list[np.ndarray]:
        """The colour streams of one sample, uint8 arrays, of the chosen views (None: all)."""
        blob, places = self.open(path), path.removesuffix("jpeg") + "offsets"
        if places not in self._columns:
            self._columns[places] = self.open(places)[()]
        offsets = self._window(places, self._columns[places], row)
        self._require(offsets, places, row)
        if len(offsets) != self._views + 1 or offsets[0] < 0 or (offsets[1:] < offsets[:-1]).any():
            raise ValueError("offsets of the streams")
        if views is None:
            streams = np.split(blob[offsets[0] : offsets[-1]], offsets[1:-1] - offsets[0])
        else:
            streams = [blob[offsets[view] : offsets[view + 1]] for view in views]
        for view, stream in zip(range(self._views) if views is None else views, streams):
            self._require(stream, path, row, view)
        return streams

    def _window(self, path: str, data: np.ndarray, row: int) -> np.ndarray:
        """What belongs to a row of a dataset of rows, or of the offsets of streams."""
        if path.endswith("/offsets"):
            return data[row * self._views : (row + 1) * self._views + 1]
        return data[row : row + 1]

    def _require(self, data: Any, path: str, row: int, view: int = 0) -> None:
        if self._sums is not None:
            self._sums.require(data, path, row, view)
