"""Chunks undone without HDF5 are what HDF5 makes of them, whichever filters were skipped; anything else is an error."""

from __future__ import annotations

import struct

import h5py
import hdf5plugin
import numpy as np
import pytest
import zstandard

from dataset_tools.store.encode import LIBVER, chunked
from dataset_tools.store.filters import Unfilter, are_known

SHAPE = (24, 18)


def stored(values: np.ndarray) -> tuple[bytes, int]:
    """A view as the writer's filters leave it, and the mask of those that were skipped."""
    with h5py.File.in_memory(libver=LIBVER) as file:
        dataset = chunked(file, "code", values.dtype, values.shape, (1,))
        dataset.resize(1, 0)
        dataset[0, 0] = values
        assert are_known(dataset)
        mask, data = dataset.id.read_direct_chunk((0,) * dataset.ndim)
        return data, mask


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32, np.float64, bool])
@pytest.mark.parametrize("kind", ["flat", "noise"])
def test_what_hdf5_stores_comes_back(dtype, kind):
    """Also what does not compress."""
    noise = np.random.default_rng(1).integers(0, 256, (*SHAPE, np.dtype(dtype).itemsize), dtype=np.uint8)
    values = (noise % 2 if dtype is bool else noise * (kind == "noise")).view(dtype)[..., 0]
    data, mask = stored(values)
    out = np.full(SHAPE, 1, dtype)
    Unfilter()(data, mask, out)
    assert out.tobytes() == values.tobytes()


def test_bytes_are_put_together_by_hand():
    """Shuffled bytes 1 2 3 4 5 6 of three values are low bytes 1 2 3 and high bytes 4 5 6."""
    planes, out = bytes([1, 2, 3, 4, 5, 6]), np.zeros(3, "<u2")
    for body, mask in ((zstandard.compress(planes) + b"sum!", 0), (planes + b"sum!", 2), (planes, 6)):
        Unfilter()(body, mask, out)
        assert out.tolist() == [0x0401, 0x0502, 0x0603]
    Unfilter()(planes, 7, out)
    assert out.tolist() == [0x0201, 0x0403, 0x0605]


def test_a_chunk_that_says_it_is_larger_takes_no_memory():
    frame = bytearray(zstandard.compress(bytes(300)))  # 2 bytes of size behind magic number and descriptor
    assert frame[4] == 0x60
    huge = bytes(frame[:4]) + bytes([0xE0]) + struct.pack("<Q", 1 << 50) + bytes(frame[7:])
    for data in (huge, bytes(frame), zstandard.compress(bytes(863)), b"", bytes(40)):
        with pytest.raises(ValueError):
            Unfilter()(data + b"sum!", 0, np.empty(SHAPE, np.uint16))
    with pytest.raises(ValueError, match="3 bytes instead of 4"):
        Unfilter()(b"abc", 7, np.empty(2, np.uint16))


@pytest.mark.parametrize("options", [
    {"shuffle": True, **hdf5plugin.Zstd(clevel=3)}, {"fletcher32": True, **hdf5plugin.Zstd()},
    {"compression": "gzip", "shuffle": True, "fletcher32": True}, {},
])  # fmt: skip
def test_other_filters_are_left_to_hdf5(options):
    with h5py.File.in_memory() as file:
        assert not are_known(file.create_dataset("code", (2, 3, 8, 8), "u2", chunks=(1, 1, 8, 8), **options))
        assert not are_known(file.create_dataset("whole", (2, 3, 8, 8), "u2"))
