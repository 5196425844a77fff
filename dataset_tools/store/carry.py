"""Stored samples taken out of a shard to be written again: as records, and as the very bytes they are stored in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..format.codecs import CODECS
from ..format.optional import fields_with
from ..format.schema import SAMPLE_FIELDS, SHARD_FIELDS, Field
from .encode import Chunk, EncodedSample, encode_sample
from .shard_file import ShardFile

Record = dict[str, Any]
STORED = {name: field for name, field in SAMPLE_FIELDS.items() if field.stored}
IMAGES = {name: field for name, field in STORED.items() if field.codec != "plain"}


def record_of(shard: ShardFile, row: int) -> Record:
    """A stored sample as the record that `encode_sample` takes. Raises ShardError for damaged data."""
    return shard.read(row, stored_fields(shard))


def stored_fields(shard: ShardFile) -> dict[str, Field]:
    """The stored fields of a sample of the shard that the schema knows, by name."""
    return {name: field for name, field in fields_with(shard.fields()).items() if field.stored}


def shard_record_of(shard: ShardFile) -> Record:
    """The shard's own fields, as `write_shard` takes them."""
    return {name: shard.array(field.path) if field.shape else shard.attrs[name] for name, field in SHARD_FIELDS.items()}


def encoded_of(shard: ShardFile, row: int) -> EncodedSample:
    """A stored sample as it lies in the file: no image is decoded, so writing it again changes no byte of it.

    Of version 1 of the schema only the pictures are taken as they lie; the rest is encoded as it is now.
    """
    if int(shard.attrs["schema_version"]) == 1:
        return replace(encode_sample(record_of(shard, row)), jpeg=shard.streams(row))
    stored = stored_fields(shard)
    plain = shard.read(row, [name for name, field in stored.items() if field.codec == "plain"])
    chunks: dict[str, tuple[Chunk, ...]] = {}
    dtypes: dict[str, tuple[str, tuple[int, ...]]] = {}
    values: dict[str, np.ndarray | str] = {}
    for name, field in stored.items():  # in the order of `encode_sample`: it is that of the file
        if name in plain:
            values[field.path] = plain[name] if field.dtype == "str" else np.asarray(plain[name])
        for part in CODECS[field.codec].parts if name not in plain else ():
            path = f"{field.path}/{part}"
            if part == "code":
                chunks[path], dtypes[path] = shard.chunks(path, row), shard.chunk_type(path)
            elif part not in ("jpeg", "offsets"):
                values[path] = np.asarray(shard.array(path)[row])
    return EncodedSample(_sizes(shard), shard.streams(row), chunks, dtypes, values)


def _sizes(shard: ShardFile) -> dict[str, int]:
    letters = {letter for field in stored_fields(shard).values() for letter in field.shape if isinstance(letter, str)}
    return {letter: size for letter, size in shard.sizes.items() if letter in letters}


def recoded(record: Mapping[str, Any], kept: Sequence[tuple[Mapping[str, Any], EncodedSample]]) -> EncodedSample:
    """`record` encoded, but with the stored bytes of whatever is as in one of the `kept` (record, its encoding).

    So a sample of which one view's depth has changed keeps every other chunk, and no picture is compressed twice.
    """
    fresh = encode_sample(record)
    sources = [encoded for _, encoded in kept] + [fresh]
    chunks, values, jpeg = dict(fresh.chunks), dict(fresh.values), list(fresh.jpeg)
    for name, field in IMAGES.items():
        origin = [sources[_same(record[name][v], [old[name][v] for old, _ in kept])] for v in range(len(jpeg))]
        if field.codec == "jpeg":
            jpeg = [source.jpeg[v] for v, source in enumerate(origin)]
        for path in _parts(field, chunks):
            chunks[path] = tuple(source.chunks[path][v] for v, source in enumerate(origin))
        for path in _parts(field, values):
            values[path] = np.stack([source.values[path][v] for v, source in enumerate(origin)])
    return EncodedSample(fresh.sizes, tuple(jpeg), chunks, fresh.dtypes, values)


def _same(value: np.ndarray, others: Sequence[np.ndarray]) -> int:
    """Index of the first of `others` that equals `value`, or their number."""
    return next((i for i, other in enumerate(others) if other is value or np.array_equal(other, value)), len(others))


def _parts(field: Field, table: Mapping[str, Any]) -> list[str]:
    return [path for path in table if path.startswith(f"{field.path}/")]
