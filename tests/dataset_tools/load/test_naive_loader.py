"""The loader's naive twin: HDF5's own filters, OpenCV's JPEG decoder, and every pixel by docs/format.md in Python."""

from __future__ import annotations

import math
import shutil

import cv2
import h5py
import hdf5plugin  # noqa: F401  registers Zstandard
import numpy as np
import pytest

from dataset_tools import HandDataset
from dataset_tools.format.codecs import CODECS
from dataset_tools.format.schema import SAMPLE_FIELDS

ROW, VIEW, SIZE = 1, 5, 64
IMAGES = [name for name, field in SAMPLE_FIELDS.items() if field.stored and field.codec != "plain"]
PLAIN = [name for name, field in SAMPLE_FIELDS.items() if field.stored and field.codec == "plain"]


def naive(file: h5py.File, name: str) -> np.ndarray:
    """One view of an image, a pixel at a time, each step rounded to float32 as the format says."""
    codec, group = SAMPLE_FIELDS[name].codec, file[SAMPLE_FIELDS[name].path]
    if codec == "jpeg":
        start, end = group["offsets"][ROW * 8 + VIEW : ROW * 8 + VIEW + 2]
        return cv2.imdecode(group["jpeg"][start:end], cv2.IMREAD_COLOR)[..., ::-1]
    code = group["code"][ROW, VIEW]
    if codec == "zstd":
        return code
    pixel = {"depth": depth, "octahedral": normal, "flow": flow, "bits": bit}[codec]
    return np.array([[pixel(group, code, i, j) for j in range(SIZE)] for i in range(SIZE)])


def depth(group: h5py.Group, code: np.ndarray, i: int, j: int) -> np.float32:
    near, step = group["near"][ROW, VIEW], group["step"][ROW, VIEW]
    if code[i, j] == 0:
        return np.float32(0)
    return np.float32(code[i, j]) * np.float32(step) + np.float32(near - step)


def normal(group: h5py.Group, code: np.ndarray, i: int, j: int) -> tuple[np.float32, ...]:
    if code[i, j, 0] == 0:
        return (np.float32(0),) * 3
    x, y = ((np.float32(value) - np.float32(8192)) / np.float32(8191) for value in code[i, j])
    z = np.float32(1) - abs(x) - abs(y)
    t = max(-z, np.float32(0))
    x, y = x - t * np.float32(math.copysign(1, x)), y - t * np.float32(math.copysign(1, y))
    length = np.sqrt(x * x + y * y + z * z)
    return x / length, y / length, z / length


def flow(group: h5py.Group, code: np.ndarray, i: int, j: int) -> tuple[np.float32, np.float32]:
    step = np.float32(group["step"][ROW, VIEW])
    return np.float32(code[0, i, j]) * step, np.float32(code[1, i, j]) * step


def bit(group: h5py.Group, code: np.ndarray, i: int, j: int) -> bool:
    number = i * SIZE + j
    return bool(code[number // 8] >> (7 - number % 8) & 1)


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_is_bit_by_bit_what_the_format_says(shard, name):
    with h5py.File(shard) as file:
        expected = naive(file, name)
    for dataset, view in ((HandDataset(shard, fields=[name]), VIEW), (HandDataset(shard, [name], views=[VIEW]), 0)):
        value = dataset[ROW][name][view]
        assert value.dtype == SAMPLE_FIELDS[name].dtype
        assert value.tobytes() == expected.astype(value.dtype).tobytes()
    assert len(np.unique(expected)) > 1


@pytest.mark.parametrize("name", PLAIN)
def test_other_values_are_those_in_the_file(shard, name):
    sample = HandDataset(shard, fields=[name])[ROW]
    value = (sample | sample.pop("meta", {}))[name]
    with h5py.File(shard) as file:
        stored = file[SAMPLE_FIELDS[name].path][ROW]
    assert value == stored.decode() if isinstance(value, str) else np.array_equal(value, stored)


def test_a_file_stored_another_way_is_read_by_hdf5(shard, tmp_path):
    """Other filters for the codes, and pieces for the streams: the stored bytes change, so without comparing them."""
    copy = tmp_path / "shard-00000.h5"
    shutil.copy(shard, copy)
    with h5py.File(copy, "r+") as file:
        others = {"parts/code": {"compression": "gzip", "chunks": (1, 8, 64, 64)}, "rgb/jpeg": {"chunks": (999,)}}
        for path, options in others.items():
            data = file[f"images/{path}"][()]
            del file[f"images/{path}"]
            file.create_dataset(f"images/{path}", data=data, **options)
    fields = ["rgb", "parts"]
    for views in (None, (6, 1)):
        one, other = HandDataset(copy, fields, views, verify=False)[ROW], HandDataset(shard, fields, views)[ROW]
        assert all(np.array_equal(one[name], other[name]) for name in fields)


def test_a_picture_of_another_size_is_refused():
    small = cv2.imencode(".jpg", np.zeros((16, 24, 3), np.uint8))[1].tobytes()
    assert CODECS["jpeg"].decode({"jpeg": [small]}, (16, 24), {}).shape == (1, 16, 24, 3)
    for size in ((32, 24), (24, 16), (8, 8)):  # larger, of as many pixels, smaller
        with pytest.raises(ValueError, match="broken JPEG"):
            CODECS["jpeg"].decode({"jpeg": [small]}, size, {})
