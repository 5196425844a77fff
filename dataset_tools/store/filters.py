"""The filters of a code's chunk undone without HDF5, which would read the chunk again and take twice the time."""

from __future__ import annotations

import threading

import cv2
import h5py
import numpy as np
import zstandard

ZSTD = 32015  # as registered with the HDF Group
FILTERS = (h5py.h5z.FILTER_SHUFFLE, ZSTD, h5py.h5z.FILTER_FLETCHER32)  # as `store.encode` writes them
SHUFFLE_SKIPPED, ZSTD_SKIPPED, SUM_SKIPPED = 1, 2, 4  # of a chunk, in HDF5's mask
SUM_BYTES = 4


def are_known(dataset: h5py.Dataset) -> bool:
    """Whether the chunks of a dataset are single views, through the filters that `Unfilter` undoes."""
    if dataset.chunks != (1, 1, *dataset.shape[2:]):
        return False
    plist = dataset.id.get_create_plist()
    return tuple(plist.get_filter(i)[0] for i in range(plist.get_nfilters())) == FILTERS


class Unfilter(threading.local):
    """A callable for any thread: each has a decompressor of its own, which takes longer to make than to use."""

    def __init__(self) -> None:
        self._zstd = zstandard.ZstdDecompressor()

    def __call__(self, data: bytes, skipped: int, out: np.ndarray) -> None:
        """Fill `out` (...), contiguous, with the values of a chunk as stored; `skipped` is HDF5's mask of filters.

        HDF5's own sum, which comes last, is passed over: `Checksums` covers the same bytes. Raises ValueError.
        """
        body = memoryview(data)[: len(data) if skipped & SUM_SKIPPED else -SUM_BYTES]
        if not skipped & ZSTD_SKIPPED:
            body = self._decompressed(body, out.nbytes)
        values = np.frombuffer(body, np.uint8)
        if len(values) != out.nbytes:
            raise ValueError(f"a chunk of {len(values)} bytes instead of {out.nbytes}")
        size, flat = out.dtype.itemsize, out.reshape(-1).view(np.uint8)
        if size == 1 or skipped & SHUFFLE_SKIPPED:
            flat[...] = values
        else:  # first bytes of all values, then second ones: several times faster than a strided copy
            cv2.merge(list(values.reshape(size, -1, 1)), dst=flat.reshape(-1, 1, size))

    def _decompressed(self, body: memoryview, size: int) -> bytes:
        try:
            told = zstandard.frame_content_size(body)
            if told != size:  # before memory is taken for it
                raise ValueError(f"a chunk of {told} bytes instead of {size}")
            return self._zstd.decompress(body)
        except zstandard.ZstdError as error:
            raise ValueError(str(error)) from None
