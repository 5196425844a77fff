"""One shard, open for reading: rows of chosen fields and views."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin  # noqa: F401  registers the Zstandard filter
import numpy as np

from ..format.codecs import CODECS
from ..format.schema import FORMAT, SAMPLE_FIELDS, SCHEMA_VERSION, Field
from .errors import ShardError

SMALL_ROW = 64  # bytes; columns of smaller rows are read once and kept


class ShardFile:
    """A shard by its path. Raises FileNotFoundError or ShardError (one line: foreign, truncated, newer schema)."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._file = _open(self.path)
        try:
            self.attrs = _header(self._file, self.path)
        except BaseException:
            self._file.close()
            raise
        self.sizes: dict[str, int] = self.attrs["sizes"]
        self._datasets: dict[str, h5py.Dataset] = {}
        self._columns: dict[str, np.ndarray] = {}

    def __len__(self) -> int:
        return int(self.attrs["samples"])

    def __enter__(self) -> ShardFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._datasets.clear()
        self._file.close()

    def names(self) -> tuple[str, ...]:
        """Names of the stored fields of a sample."""
        return tuple(name for name, field in SAMPLE_FIELDS.items() if field.stored)

    def array(self, path: str) -> np.ndarray:
        """A whole dataset, by its path in the file."""
        return self._dataset(path)[()]

    def read(self, row: int, names: Iterable[str], views: Sequence[int] | None = None) -> dict[str, Any]:
        """Stored fields of one sample; of the chosen views only (None: all). Raises ShardError for damaged data."""
        out = {}
        for name in names:
            try:
                out[name] = self._field(row, SAMPLE_FIELDS[name], views)
            except (OSError, KeyError, ValueError) as error:
                cause = str(error).splitlines()[0]
                raise ShardError(f"{self.path}: {name} of sample {row} is damaged or missing ({cause})") from None
        return out

    def check_streams(self, row: int) -> None:
        """Compare the colour streams of a sample with their CRC-32. Raises ShardError."""
        for view, (stream, crc) in enumerate(zip(self._streams(row, None), self.array("images/rgb/crc32")[row])):
            if zlib.crc32(stream) != crc:
                raise ShardError(f"{self.path}: rgb of sample {row}, view {view} is damaged (checksum)")

    def _field(self, row: int, field: Field, views: Sequence[int] | None) -> Any:
        if field.codec == "plain":
            value = self._row(field.path, row)
            if field.dtype == "str":
                return bytes(value).decode()
            return value if views is None or field.per != "view" else value[list(views)]
        parts: dict[str, Any] = {}
        for part in CODECS[field.codec].parts:
            if part == "jpeg":
                parts[part] = self._streams(row, views)
            elif part == "code":
                parts[part] = self._codes(f"{field.path}/code", row, views)
            elif part not in ("offsets", "crc32"):
                value = self._row(f"{field.path}/{part}", row)
                parts[part] = value if views is None else value[list(views)]
        return CODECS[field.codec].decode(parts, (self.sizes["H"], self.sizes["W"]))

    def _dataset(self, path: str) -> h5py.Dataset:
        if path not in self._datasets:
            self._datasets[path] = self._file[path]
        return self._datasets[path]

    def _row(self, path: str, row: int) -> Any:
        if path in self._columns:
            return self._columns[path][row].copy()
        dataset = self._dataset(path)
        if dataset.dtype.itemsize * int(np.prod(dataset.shape[1:])) <= SMALL_ROW:
            self._columns[path] = dataset[()]
            return self._columns[path][row].copy()
        return dataset[row]

    def _codes(self, path: str, row: int, views: Sequence[int] | None) -> np.ndarray:
        dataset = self._dataset(path)
        if views is None:
            return dataset[row]
        out = np.empty((len(views), *dataset.shape[2:]), dataset.dtype)
        for code, view in zip(out, views):
            dataset.read_direct(code, np.s_[row, view])
        return out

    def _streams(self, row: int, views: Sequence[int] | None) -> list[np.ndarray]:
        blob, count = self._dataset("images/rgb/jpeg"), self.sizes["V"]
        if "offsets" not in self._columns:
            self._columns["offsets"] = self.array("images/rgb/offsets")
        offsets = self._columns["offsets"][row * count : (row + 1) * count + 1]
        if views is None:
            data = blob[offsets[0] : offsets[-1]]
            return np.split(data, offsets[1:-1] - offsets[0])
        return [blob[offsets[view] : offsets[view + 1]] for view in views]


def _open(path: Path) -> h5py.File:
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such shard")
    try:
        return h5py.File(path, "r", rdcc_nbytes=0)  # every chunk is read once: a cache would only cost a copy
    except OSError as error:
        if "truncated" in str(error):
            raise ShardError(f"{path}: the file is truncated ({path.stat().st_size} bytes); fetch it again") from None
        raise ShardError(f"{path}: not an HDF5 file, or its head is damaged") from None


def _header(file: h5py.File, path: Path) -> dict[str, Any]:
    attrs = dict(file.attrs)
    if attrs.get("format") != FORMAT:
        raise ShardError(f"{path}: an HDF5 file, but not a shard of this project (attribute format: {FORMAT!r})")
    version = int(attrs["schema_version"])
    if version > SCHEMA_VERSION:
        raise ShardError(
            f"{path}: written with schema version {version}, this mvhm reads up to {SCHEMA_VERSION}; "
            "upgrade the mvhm package"
        )
    for name in ("sizes", "joint_names", "joint_parents", "part_names"):
        attrs[name] = json.loads(attrs[name])
    return attrs
