"""One file of named arrays in the layout of safetensors, read with numpy alone and without loading all of it.

Eight bytes (little-endian) say how long the header is, a JSON object: for each array its dtype, shape and place in the
bytes that follow, and under `__metadata__` texts. Ours hold a CRC-32 of those bytes.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rigging.errors import InputError
from rigging.files import atomic_file

DTYPES = {"F64": "<f8", "I64": "<i8", "F32": "<f4", "F16": "<f2", "U8": "u1", "BOOL": "?"}
NAMES = {np.dtype(dtype): name for name, dtype in DTYPES.items()}
LONGEST = 100 * 2**20  # bytes of a header
ALIGNED = 8


@dataclass(frozen=True)
class ArrayFile:
    """Arrays that lie in a file, not in memory, and texts."""

    arrays: Mapping[str, np.ndarray]
    texts: Mapping[str, str]


def encoded(arrays: Mapping[str, np.ndarray], texts: Mapping[str, str]) -> list[bytes]:
    """The file's bytes, in pieces; wide dtypes first, so that all lie aligned."""
    order = sorted(arrays, key=lambda name: (-arrays[name].dtype.itemsize, name))
    pieces = [np.ascontiguousarray(arrays[name]).tobytes() for name in order]
    ends = np.cumsum([0, *map(len, pieces)]).tolist()
    header = {
        name: {"dtype": NAMES[arrays[name].dtype], "shape": list(arrays[name].shape), "data_offsets": [start, end]}
        for name, start, end in zip(order, ends, ends[1:])
    }
    header["__metadata__"] = dict(texts) | {"crc32": f"{_crc(pieces):08x}"}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % ALIGNED)
    return [len(text).to_bytes(8, "little"), text, *pieces]


def write_pieces(path: Path | str, pieces: list[bytes]) -> int:
    """Write the pieces of `encoded` to a file, whole or not at all; returns its bytes."""
    with atomic_file(path) as file:
        file.writelines(pieces)
    return sum(map(len, pieces))


def read_arrays(path: Path | str) -> ArrayFile:
    """Open the file; arrays are views into it. Raises OSError, and InputError for a foreign or damaged one."""
    path = Path(path)
    size = path.stat().st_size
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > min(size, LONGEST):
            raise InputError(f"{path}: not a pack (`mvhm pack` makes one of a release)")
        header = _header(path, file.read(length))
    texts = header.pop("__metadata__", {})
    end = max((entry["data_offsets"][1] for entry in header.values()), default=0)
    if size != 8 + length + end:
        raise InputError(f"{path}: damaged: {size} bytes, {8 + length + end} are wanted; fetch it again")
    data = np.memmap(path, np.uint8, "r", offset=8 + length) if end else np.zeros(0, np.uint8)
    if "crc32" in texts and f"{_crc([data]):08x}" != texts["crc32"]:
        raise InputError(f"{path}: damaged: its bytes are not those that were written; fetch it again")
    return ArrayFile({name: _array(data, entry) for name, entry in header.items()}, texts)


def _header(path: Path, text: bytes) -> dict:
    """The header, if every entry of it is one. Raises InputError."""
    try:
        header = json.loads(text)
        fits = all(_fits(entry) for name, entry in header.items() if name != "__metadata__")
    except (ValueError, KeyError, TypeError, AttributeError):
        fits = False
    if not fits:
        raise InputError(f"{path}: not a pack (`mvhm pack` makes one of a release)")
    return header


def _fits(entry: Mapping) -> bool:
    start, end = entry["data_offsets"]
    return start >= 0 and end - start == math.prod(entry["shape"]) * _dtype(entry).itemsize


def _dtype(entry: Mapping) -> np.dtype:
    return np.dtype(DTYPES[entry["dtype"]])


def _array(data: np.ndarray, entry: Mapping) -> np.ndarray:
    start, end = entry["data_offsets"]
    return data[start:end].view(_dtype(entry)).reshape(entry["shape"])


def _crc(pieces: list) -> int:
    crc = 0
    for piece in pieces:
        crc = zlib.crc32(piece, crc)
    return crc
