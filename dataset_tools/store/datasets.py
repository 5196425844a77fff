"""The arrays of an open shard: bounded before they are read, compared with their checksums after."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import h5py
import numpy as np
from zlib_ng.zlib_ng import crc32

from .checksums import Checksums
from .errors import DamageError
from .filters import Unfilter, are_known
from .recycled import Recycled

SMALL_ROW, SMALL_COLUMN = 64, 128 << 10  # bytes; smaller columns, or of smaller rows, are read once and kept
PIXEL_BYTES = 32  # at most, of a code


class Opened(NamedTuple):
    """A dataset with what h5py would find out anew each time."""

    data: h5py.Dataset
    shape: tuple[int, ...]
    dtype: np.dtype
    filters: bool  # a code in chunks that `Unfilter` reads
    place: int | None  # of bytes that lie in one piece: where in the file

    @property
    def row_bytes(self) -> int:
        return self.dtype.itemsize * math.prod(self.shape[1:])


class Streams:
    """Colour streams, one a view: each is read just before it is wanted, and so decoded from the processor's cache."""

    def __init__(self, streams: Iterator[bytes], count: int) -> None:
        self._streams, self._count = streams, count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[bytes]:
        return self._streams


def _place(dataset: h5py.Dataset, dtype: np.dtype) -> int | None:
    """Where in the file the dataset lies, for `os.pread`; None if it is not one piece of bytes, or not on Unix."""
    readable = dtype == np.uint8 and dataset.ndim == 1 and hasattr(os, "pread")
    return dataset.id.get_offset() if readable else None


def _unchecked(path: str, row: int, parts: Sequence[Any], views: Sequence[int] = (0,)) -> None:
    """In place of `Checksums.require`."""


class Datasets:
    """Datasets by their path in the file. Everything raises what h5py raises, or ValueError for what does not fit.

    `limit` is the file's size in bytes; without `sums` nothing is compared. Codes are put into memory of `recycled`.
    """

    def __init__(
        self,
        file: h5py.File,
        samples: int,
        sizes: Mapping[str, int],
        limit: int,
        sums: Checksums | None,
        recycled: Recycled,
    ) -> None:
        self._file, self._samples, self._views, self._sums = file, samples, sizes["V"], sums
        self._require = _unchecked if sums is None else sums.require
        self._limit, self._row_limit = limit, max(limit, PIXEL_BYTES * math.prod(sizes[letter] for letter in "VHW"))
        self._open: dict[str, Opened] = {}
        self._columns: dict[str, np.ndarray] = {}
        self._empty, self._unfilter = recycled.empty, Unfilter()
        self._handle = file.id.get_vfd_handle()

    def close(self) -> None:
        """Let go of all datasets."""
        self._open.clear()
        self._columns.clear()

    def open(self, path: str) -> Opened:
        """A dataset, once it is sure that reading it (one row of a code) takes no more memory than it may."""
        if path not in self._open:
            dataset = self._file[path]
            if not isinstance(dataset, h5py.Dataset) or (dtype := dataset.dtype).hasobject:
                raise ValueError("not an array of values of fixed size")
            is_code = path.endswith("/code")
            opened = Opened(dataset, dataset.shape, dtype, is_code and are_known(dataset), _place(dataset, dtype))
            whole = dtype.itemsize * math.prod(opened.shape)
            if opened.row_bytes > self._row_limit if is_code else whole > self._limit:
                raise ValueError(f"{dtype} {opened.shape} in a file of {self._limit} bytes")
            self._open[path] = opened
        return self._open[path]

    def once(self, path: str, text: bytes) -> np.ndarray:
        """A dataset (...) that is there once for the shard; its sum continues that of `text`, which describes it."""
        opened = self.open(path)
        data = np.asarray(opened.data[()], opened.dtype)
        if self._sums is not None:
            self._sums.require_once(data, path, crc32(text))
        return data

    def column(self, path: str) -> np.ndarray:
        """The rows (N, ...) of all samples, of a dataset of any kind."""
        rows = range(self._samples)
        if path.endswith("/code"):
            return np.stack([self.codes(path, row, None) for row in rows])
        if path.endswith("/jpeg"):
            return np.frombuffer(b"".join(stream for row in rows for stream in self.streams(path, row, None)), np.uint8)
        data = self.open(path).data[()]
        for row in rows:
            self._require(path, row, (self._window(path, data, row),))
        return data

    def row(self, path: str, row: int) -> Any:
        """A row of a plain dataset."""
        if path in self._columns:
            data = self._columns[path][row : row + 1]
        else:
            opened = self.open(path)
            if opened.row_bytes <= SMALL_ROW or opened.row_bytes * self._samples <= SMALL_COLUMN:
                self._columns[path] = opened.data[()]
                return self.row(path, row)
            data = opened.data[row : row + 1]  # not [row]: a single text would lose its padding
        self._require(path, row, (data,))
        return data[0].copy() if path in self._columns else data[0]

    def chunks(self, path: str, row: int, views: Sequence[int]) -> list[tuple[int, bytes]]:
        """The chunks of a code of one sample: HDF5's mask of skipped filters, and the bytes as stored."""
        opened = self.open(path)
        if opened.shape[:2] != (self._samples, self._views):
            raise ValueError(f"{opened.shape} for {self._samples} samples of {self._views} views")
        read, rest = opened.data.id.read_direct_chunk, (0,) * (len(opened.shape) - 2)
        chunks = [read((row, view, *rest)) for view in views]
        self._require(path, row, [data for _, data in chunks], views)
        return chunks

    def codes(self, path: str, row: int, views: Sequence[int] | None) -> np.ndarray:
        """A code (v, ...) of one sample, of the chosen views (None: all)."""
        opened, views = self.open(path), range(self._views) if views is None else views
        out = self._empty((len(views), *opened.shape[2:]), opened.dtype)
        if opened.filters:
            for code, (skipped, data) in zip(out, self.chunks(path, row, views)):
                self._unfilter(data, skipped, code)
            return out
        import hdf5plugin  # noqa: F401  registers Zstandard among HDF5's filters

        if self._sums is not None:
            self.chunks(path, row, views)
        for code, view in zip(out, views):
            opened.data.read_direct(code, np.s_[row, view])
        return out

    def streams(self, path: str, row: int, views: Sequence[int] | None) -> Streams:
        """The colour streams of one sample, of the chosen views (None: all); each is read when it is asked for."""
        self.open(path)
        places = path.removesuffix("jpeg") + "offsets"
        if places not in self._columns:
            self._columns[places] = self.open(places).data[()]
        offsets = self._window(places, self._columns[places], row)
        self._require(places, row, [offsets])
        at = offsets.tolist()
        if len(at) != self._views + 1 or at[0] < 0 or sorted(at) != at:
            raise ValueError("offsets of the streams")
        views = range(self._views) if views is None else views
        return Streams(self._each_stream(path, row, at, views), len(views))

    def _each_stream(self, path: str, row: int, at: list[int], views: Sequence[int]) -> Iterator[bytes]:
        """The stream of each view, from byte at[view] to at[view + 1]. Nothing else is done here for every view."""
        blob, handle = self._open[path], self._handle
        sums = None if self._sums is None else self._sums.of(path, row)
        in_place = blob.place is not None and at[-1] <= blob.shape[0]
        for view in views:
            start, end = at[view], at[view + 1]
            stream = os.pread(handle, end - start, blob.place + start) if in_place else blob.data[start:end].tobytes()
            if sums is not None and crc32(stream) != sums[view]:
                raise DamageError(f"checksum of view {view}")
            yield stream

    def _window(self, path: str, data: np.ndarray, row: int) -> np.ndarray:
        """What belongs to a row of a dataset of rows, or of the offsets of streams."""
        if path.endswith("/offsets"):
            return data[row * self._views : (row + 1) * self._views + 1]
        return data[row : row + 1]
