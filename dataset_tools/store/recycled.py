"""Memory of arrays that nobody holds any more, for the arrays that are read next.

Fresh memory costs a fault of the processor every 4 KiB: with all fields of 256 px that is a third of the time of
reading, and 3 % with colour alone.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

MOST_KEPT = 64 << 20  # bytes of free memory that wait for the next array
SMALLEST = 32 << 10  # bytes; the C library keeps smaller pieces by itself
VECTOR = 32  # bytes


class Block(NamedTuple):
    """Memory of `size` bytes from address `start` on, which lie in `memory`."""

    start: int
    size: int
    memory: np.ndarray


class Recycled:
    """`empty` makes arrays as np.empty does, of memory that earlier ones had; it is never taken from a living array."""

    def __init__(self) -> None:
        self._free: dict[int, list[Block]] = {}  # by size in bytes

    def empty(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """An array of `shape` and `dtype`, contiguous and writable, that holds anything."""
        dtype = np.dtype(dtype)
        size = dtype.itemsize * math.prod(shape)
        if size < SMALLEST:
            return np.empty(shape, dtype)
        step = 1 << size.bit_length() - 3  # so that sizes that hardly differ share their memory
        size = -(-size // step) * step
        try:
            block = self._free[size].pop()
        except (KeyError, IndexError):  # not asked before: another thread may take the last one
            block = _block(size)
        return np.asarray(_Lent(self, block, shape, dtype.str))

    def give_back(self, block: Block) -> None:
        """Keep a block for the next array, if there is room for it."""
        kept = sum(size * len(blocks) for size, blocks in list(self._free.items()))
        if kept + block.size <= MOST_KEPT:
            self._free.setdefault(block.size, []).append(block)

    def __getstate__(self) -> dict[str, Any]:
        return {"_free": {}}


def _block(size: int) -> Block:
    """A block that begins between vectors: where one begins, libjpeg-turbo writes past the processor's cache.

    Decoding would take a tenth longer, and what reads the picture next would find it in memory only.
    """
    memory = np.empty(size + 2 * VECTOR, np.uint8)
    start = memory.ctypes.data
    return Block(start + -start % VECTOR + VECTOR // 2, size, memory)


class _Lent:
    """The base of an array and so of all its views: the memory goes back when the last of them is gone."""

    __slots__ = ("__array_interface__", "_block", "_owner")

    def __init__(self, owner: Recycled, block: Block, shape: tuple[int, ...], typestr: str) -> None:
        self._owner, self._block = owner, block
        # By its address: given the memory itself, numpy would hold that and not this object.
        self.__array_interface__ = {"data": (block.start, False), "shape": shape, "typestr": typestr, "version": 3}

    def __del__(self) -> None:
        self._owner.give_back(self._block)
