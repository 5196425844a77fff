"""Memory of arrays that nobody holds any more, for the arrays that are read next.

Fresh memory costs a fault of the processor every 4 KiB: with all fields of 256 px that is a third of the time of
reading, and 3 % with colour alone.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

MOST_KEPT = 64 << 20  # bytes of free memory that wait for the next array
SMALLEST = 32 << 10  # bytes; the C library keeps smaller pieces by itself
LINE = 32  # bytes that the processor's vector instructions take at a time


class Recycled:
    """`empty` makes arrays as np.empty does, of memory that earlier ones had; it is never taken from a living array."""

    def __init__(self) -> None:
        self._free: dict[int, list[np.ndarray]] = {}  # by size in bytes

    def empty(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """An array of `shape` and `dtype`, contiguous and writable, that holds anything."""
        dtype = np.dtype(dtype)
        size = dtype.itemsize * math.prod(shape)
        if size < SMALLEST:
            return np.empty(shape, dtype)
        try:
            block = self._free[size].pop()
        except (KeyError, IndexError):  # not asked before: another thread may take the last one
            block = np.empty(size + 2 * LINE, np.uint8)
        return np.asarray(_Lent(self, block, shape, dtype))

    def give_back(self, size: int, block: np.ndarray) -> None:
        """Keep a block of `size` usable bytes for the next array, if there is room for it."""
        kept = sum(each * len(blocks) for each, blocks in list(self._free.items()))
        if kept + size <= MOST_KEPT:
            self._free.setdefault(size, []).append(block)

    def __getstate__(self) -> dict[str, Any]:
        return {"_free": {}}


class _Lent:
    """The base of an array and of all views of it: its memory goes back when the last of them is gone."""

    __slots__ = ("__array_interface__", "_block", "_owner", "_size")

    def __init__(self, owner: Recycled, block: np.ndarray, shape: tuple[int, ...], dtype: np.dtype) -> None:
        self._owner, self._block, self._size = owner, block, len(block) - 2 * LINE
        # Not where vectors begin: there libjpeg-turbo writes past the cache, and decoding takes a tenth longer.
        start = block.ctypes.data
        start += -start % LINE + LINE // 2
        self.__array_interface__ = {"data": (start, False), "shape": shape, "typestr": dtype.str, "version": 3}

    def __del__(self) -> None:
        self._owner.give_back(self._size, self._block)
