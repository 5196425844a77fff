"""Memory of arrays that nobody holds any more, for the arrays that are read next.

Fresh memory costs a fault of the processor every 4 KiB: with all fields of 256 px that is a third of the time of
reading, and 3 % with colour alone.
"""

from __future__ import annotations

import math
import weakref
from typing import Any

import numpy as np

MOST_KEPT = 64 << 20  # bytes of free memory that wait for the next array
SMALLEST = 32 << 10  # bytes; the C library keeps smaller pieces by itself
VECTOR = 32  # bytes


Block = tuple[bytearray, int]  # memory, and where in it an array begins


class Recycled:
    """`empty` makes arrays as np.empty does, of memory that earlier ones had; it is never taken from a living array."""

    def __init__(self) -> None:
        self._free: dict[int, list[Block]] = {}  # by size in bytes
        self._lent: dict[int, _Lent] = {}

    def empty(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """An array (...) of `shape` and `dtype`, contiguous and writable, that holds anything."""
        dtype = np.dtype(dtype)
        size = dtype.itemsize * math.prod(shape)
        if size < SMALLEST:
            return np.empty(shape, dtype)
        try:
            block = self._free[size].pop()
        except (KeyError, IndexError):  # not asked before: another thread may take the last one
            block = _block(size)
        array = np.ndarray(shape, dtype, *block)  # the base of all its views: it lives as long as any of them
        lent = _Lent(array, self._give_back)
        lent.block = block
        self._lent[id(lent)] = lent
        return array

    def _give_back(self, lent: _Lent) -> None:
        """Keep the memory of an array that is gone for the next one, if there is room for it."""
        del self._lent[id(lent)]
        size = len(lent.block[0]) - 2 * VECTOR
        if self.kept() + size <= MOST_KEPT:
            self._free.setdefault(size, []).append(lent.block)

    def kept(self) -> int:
        """Bytes that wait for the next array."""
        return sum(size * len(blocks) for size, blocks in list(self._free.items()))

    def __getstate__(self) -> dict[str, Any]:
        return {"_free": {}, "_lent": {}}


class _Lent(weakref.ref):
    """A reference to an array that was given away, which remembers its memory."""

    __slots__ = ("block",)


def _block(size: int) -> Block:
    """Memory that begins between vectors: where one begins, libjpeg-turbo writes past the processor's cache.

    Decoding would take a tenth longer, and what reads the picture next would find it in memory only.
    """
    memory = bytearray(size + 2 * VECTOR)  # no array: of one, all views would be views, and none of what is lent
    return memory, -np.frombuffer(memory, np.uint8).ctypes.data % VECTOR + VECTOR // 2
