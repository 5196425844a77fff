"""Encoded samples that wait for their shard, one file each."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from rigging.files import write_atomic

from .encode import EncodedSample
from .shard_file import ShardError

STAGED = b"mvhm-staged-1\n"


def write_staged(path: Path, encoded: EncodedSample) -> None:
    """Stage one sample in a file of its own: atomic, with a checksum."""
    blobs: list[bytes] = list(encoded.jpeg)
    header: dict[str, Any] = {"sizes": encoded.sizes, "jpeg": list(map(len, blobs)), "chunks": {}, "values": {}}
    for name, chunks in encoded.chunks.items():
        dtype, shape = encoded.dtypes[name]
        header["chunks"][name] = [dtype, shape, [[mask, len(data)] for mask, data in chunks]]
        blobs += [data for _, data in chunks]
    for name, value in encoded.values.items():
        if isinstance(value, str):
            header["values"][name] = value
        else:
            header["values"][name] = [value.dtype.str, value.shape]
            blobs.append(value.tobytes())
    head = json.dumps(header).encode()
    payload = b"".join([len(head).to_bytes(8, "little"), head, *blobs])
    write_atomic(path, STAGED + hashlib.sha256(payload).digest() + payload)


def read_staged(path: Path) -> EncodedSample:
    """Read a staged sample. Raises FileNotFoundError, or ShardError where the file is not whole."""
    data = Path(path).read_bytes()
    payload = memoryview(data)[len(STAGED) + 32 :]
    if not data.startswith(STAGED) or hashlib.sha256(payload).digest() != data[len(STAGED) : len(STAGED) + 32]:
        raise ShardError(f"{path}: the staged sample is damaged; delete it and render the sample again")
    start = 8 + int.from_bytes(payload[:8], "little")
    header, rest = json.loads(bytes(payload[8:start])), _Reader(payload[start:])
    jpeg = tuple(rest.take(size) for size in header["jpeg"])
    chunks, dtypes, values = {}, {}, {}
    for name, (dtype, shape, sizes) in header["chunks"].items():
        dtypes[name] = (dtype, tuple(shape))
        chunks[name] = tuple((mask, rest.take(size)) for mask, size in sizes)
    for name, value in header["values"].items():
        values[name] = value if isinstance(value, str) else rest.array(*value)
    return EncodedSample(header["sizes"], jpeg, chunks, dtypes, values)


class _Reader:
    """Takes bytes off the front of a buffer."""

    def __init__(self, data: memoryview) -> None:
        self.data, self.at = data, 0

    def take(self, size: int) -> bytes:
        self.at += size
        return bytes(self.data[self.at - size : self.at])

    def array(self, dtype: str, shape: list[int]) -> np.ndarray:
        size = np.dtype(dtype).itemsize * int(np.prod(shape))
        return np.frombuffer(self.take(size), dtype).reshape(shape)
