"""From the record of one sample to bytes: checked against the schema, encoded, compressed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import h5py
import hdf5plugin
import numpy as np

from ..format.codecs import CODECS
from ..format.optional import fields_with
from ..format.schema import check_record, sizes_of

LIBVER = ("v110", "v110")  # fixed, so that bytes do not depend on the library's newest format
Chunk = tuple[int, bytes]  # HDF5's mask of skipped filters, bytes after the filters


@dataclass(frozen=True)
class EncodedSample:
    """A record that fits the schema, encoded and compressed; about 110 KiB a view of 256 px.

    `chunks` holds, for every part `code`, one compressed chunk a view, and `dtypes` its dtype and shape of a view;
    `jpeg` the colour streams; `values` everything else, keyed by the path in the file.
    """

    sizes: dict[str, int]
    jpeg: tuple[bytes, ...]
    chunks: dict[str, tuple[Chunk, ...]]
    dtypes: dict[str, tuple[str, tuple[int, ...]]]
    values: dict[str, np.ndarray | str]


def encode_sample(record: Mapping[str, Any]) -> EncodedSample:
    """Encode the record of one sample (see `schema`). Raises SchemaError naming what does not fit."""
    fields = fields_with(record)
    values = check_record(record, fields)
    sizes = sizes_of(values, {name: field for name, field in fields.items() if field.stored})
    plain: dict[str, np.ndarray | str] = {}
    codes: dict[str, np.ndarray] = {}
    jpeg: tuple[bytes, ...] = ()
    for name, value in values.items():
        field = fields[name]
        if field.codec == "plain":
            plain[field.path] = value
            continue
        for part, array in CODECS[field.codec].encode(value).items():
            if part == "jpeg":
                jpeg = tuple(array)
            else:
                (codes if part == "code" else plain)[f"{field.path}/{part}"] = array
    dtypes = {path: (code.dtype.str, code.shape[1:]) for path, code in codes.items()}
    return EncodedSample(sizes, jpeg, _compress(codes), dtypes, plain)


def _compress(codes: Mapping[str, np.ndarray]) -> dict[str, tuple[Chunk, ...]]:
    """Chunks of one view each, through the very filters of the shard (a file in memory, never on disk)."""
    out = {}
    with h5py.File.in_memory(libver=LIBVER) as file:
        for path, code in codes.items():
            dataset = chunked(file, path, code.dtype, code.shape[1:], ())
            dataset.resize(len(code), 0)
            dataset[...] = code
            zeros = (0,) * (code.ndim - 1)
            out[path] = tuple(dataset.id.read_direct_chunk((v, *zeros)) for v in range(len(code)))
    return out


def chunked(file: h5py.Group, path: str, dtype: Any, view: tuple[int, ...], views: tuple[int, ...]) -> h5py.Dataset:
    """An empty dataset (0, *views, *view) that grows along the first axis, in chunks of one view."""
    shape = (*views, *view)
    return file.create_dataset(
        path, (0, *shape), dtype, maxshape=(None, *shape), chunks=(1, *(1 for _ in views), *view),
        shuffle=True, fletcher32=True, track_times=False, **hdf5plugin.Zstd(clevel=3),
    )  # fmt: skip
