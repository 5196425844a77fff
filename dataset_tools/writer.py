"""From sample records to a shard: encode, stage (one file per sample), pack, verify, manifest."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np

from rigging.files import part_path, sync_folder, write_atomic
from rigging.joints import JOINT_NAMES, JOINT_PARENTS, PART_NAMES

from .codecs import CODECS
from .schema import FORMAT, SAMPLE_FIELDS, SCHEMA_VERSION, SHARD_FIELDS, SchemaError, check_record, sizes_of
from .shard_file import ShardError, ShardFile

LIBVER = ("v110", "v110")  # fixed, so that bytes do not depend on the library's newest format
STAGED = b"mvhm-staged-1\n"
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
    values = check_record(record, SAMPLE_FIELDS)
    sizes = sizes_of(values, {name: field for name, field in SAMPLE_FIELDS.items() if field.stored})
    plain: dict[str, np.ndarray | str] = {}
    codes: dict[str, np.ndarray] = {}
    jpeg: tuple[bytes, ...] = ()
    for name, value in values.items():
        field = SAMPLE_FIELDS[name]
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
            dataset = _chunked(file, path, code.dtype, code.shape[1:], ())
            dataset.resize(len(code), 0)
            dataset[...] = code
            zeros = (0,) * (code.ndim - 1)
            out[path] = tuple(dataset.id.read_direct_chunk((v, *zeros)) for v in range(len(code)))
    return out


def _chunked(file: h5py.Group, path: str, dtype: Any, view: tuple[int, ...], views: tuple[int, ...]) -> h5py.Dataset:
    """An empty dataset (0, *views, *view) that grows along the first axis, in chunks of one view."""
    shape = (*views, *view)
    return file.create_dataset(
        path, (0, *shape), dtype, maxshape=(None, *shape), chunks=(1, *(1 for _ in views), *view),
        shuffle=True, fletcher32=True, track_times=False, **hdf5plugin.Zstd(clevel=3),
    )  # fmt: skip


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


def write_shard(path: Path, encoded: Iterable[EncodedSample], shard_record: Mapping[str, Any]) -> str:
    """Pack samples into `path` and return the file's sha256 (hex).

    `encoded` is consumed once and one at a time (a generator over `read_staged` will do); `shard_record` holds the
    schema's "shard" fields. The file is written to a .part beside it, flushed, read back in full, then renamed.
    The same samples give the same bytes. Raises SchemaError, ShardError, and OSError for a full disk.
    """
    path, shard_values = Path(path), check_record(shard_record, SHARD_FIELDS)
    part = part_path(path)
    try:
        with h5py.File(part, "w", libver=LIBVER, track_order=True) as file:
            _fill(file, encoded, shard_values, part.parent)
        with open(part, "rb") as handle:
            os.fsync(handle.fileno())
            digest = hashlib.file_digest(handle, "sha256").hexdigest()
        verify(part)
        os.replace(part, path)
    except BaseException as error:
        part.unlink(missing_ok=True)
        if isinstance(error, (OSError, RuntimeError)):
            raise _write_error(error, path) from error
        raise
    sync_folder(path.parent)
    return digest


def _write_error(error: BaseException, path: Path) -> BaseException:
    """One line for a failed write: HDF5 reports a full disk in many, and again, as RuntimeError, when it closes."""
    cause: BaseException | None = error
    while cause is not None and not (isinstance(cause, OSError) and cause.errno):
        cause = cause.__context__
    return error if cause is None else OSError(cause.errno, os.strerror(cause.errno), str(path))


def _fill(file: h5py.File, encoded: Iterable[EncodedSample], shard_values: Mapping[str, Any], folder: Path) -> None:
    columns: dict[str, list] = {}
    lengths: list[int] = []
    sizes: dict[str, int] = {}
    with tempfile.TemporaryFile(dir=folder) as streams:  # colour waits here: a contiguous blob needs its size first
        for row, sample in enumerate(encoded):
            sizes = sizes or sample.sizes
            if sample.sizes != sizes:
                raise SchemaError(f"sample {row} of the shard has sizes {sample.sizes}, the first one {sizes}")
            _append_chunks(file, sample, row)
            for name, value in sample.values.items():
                columns.setdefault(name, []).append(value)
            streams.write(b"".join(sample.jpeg))
            lengths += [len(stream) for stream in sample.jpeg]
        if not lengths:
            raise SchemaError("a shard needs at least one sample")
        _write_blob(file, streams, lengths)
    for name, column in columns.items():
        _write_column(file, name, column)
    _write_shard_values(file, shard_values, sizes, row + 1)


def _append_chunks(file: h5py.File, sample: EncodedSample, row: int) -> None:
    for path, chunks in sample.chunks.items():
        dtype, view = sample.dtypes[path]
        dataset = file[path] if path in file else _chunked(file, path, dtype, view, (len(chunks),))
        dataset.resize(row + 1, 0)
        for v, (mask, data) in enumerate(chunks):
            dataset.id.write_direct_chunk((row, v) + (0,) * len(view), data, mask)


def _write_blob(file: h5py.File, streams: Any, lengths: list[int], block: int = 1 << 24) -> None:
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    file.create_dataset("images/rgb/offsets", data=offsets, track_times=False)
    blob = file.create_dataset("images/rgb/jpeg", (int(offsets[-1]),), np.uint8, track_times=False)
    streams.seek(0)
    for start in range(0, len(blob), block):
        data = np.frombuffer(streams.read(block), np.uint8)
        blob[start : start + len(data)] = data


def _write_column(file: h5py.File, path: str, column: list[np.ndarray | str]) -> None:
    if isinstance(column[0], str):  # fixed length: the fastest to read, and no heap whose bytes could vary
        data = [value.encode() for value in column]
        dtype = h5py.string_dtype("utf-8", max(1, max(map(len, data))))
        file.create_dataset(path, data=np.array(data, dtype), dtype=dtype, track_times=False)
    else:
        file.create_dataset(path, data=np.stack(column), track_times=False)


def _write_shard_values(file: h5py.File, values: Mapping[str, Any], sizes: dict[str, int], samples: int) -> None:
    sizes = sizes | sizes_of(values, SHARD_FIELDS)
    attrs = {
        "format": FORMAT, "schema_version": SCHEMA_VERSION, "samples": samples,
        "sizes": json.dumps(sizes, sort_keys=True), "units": "metres, radians, pixels",
        "joint_names": json.dumps(JOINT_NAMES), "joint_parents": json.dumps(JOINT_PARENTS),
        "part_names": json.dumps(PART_NAMES),
    }  # fmt: skip
    for name, value in values.items():
        if isinstance(value, str) or value.ndim == 0:
            attrs[name] = value if isinstance(value, str) else int(value)
        else:
            file.create_dataset(SHARD_FIELDS[name].path, data=value, track_times=False)
    for name, value in attrs.items():
        file.attrs[name] = value
    _describe(file)


def _describe(file: h5py.File) -> None:
    """Say beside every dataset what it is, for those who open the file without this package."""
    for field in (*SAMPLE_FIELDS.values(), *SHARD_FIELDS.values()):
        if field.stored and field.path in file:
            about = {"unit": field.unit, "frame": field.frame, "codec": field.codec, "description": field.description}
            for name, text in about.items():
                file[field.path].attrs[name] = text


def verify(path: Path) -> None:
    """Read and decode every stored field of every sample. Raises ShardError naming the first that is damaged."""
    names = [name for name, field in SAMPLE_FIELDS.items() if field.stored]
    with ShardFile(path) as shard:
        for row in range(len(shard)):
            shard.read(row, names)
            shard.check_streams(row)


def manifest_path(shard: Path) -> Path:
    """Where the manifest of a shard lies: beside it, `.json` for `.h5`."""
    return Path(shard).with_suffix(".json")


def write_manifest(shard: Path, sha256: str) -> Path:
    """Write the manifest of a finished shard: what a release says of the file without opening it."""
    with ShardFile(shard) as opened:
        manifest = {
            "file": Path(shard).name, "sha256": sha256, "bytes": Path(shard).stat().st_size,
            "samples": len(opened), "schema_version": SCHEMA_VERSION, "release": opened.attrs["release"],
            "shard": int(opened.attrs["shard"]), "configuration_hash": opened.attrs["configuration_hash"],
            "device": opened.attrs["device"], "package_versions": json.loads(opened.attrs["package_versions"]),
        }  # fmt: skip
    write_atomic(manifest_path(shard), (json.dumps(manifest, indent=2, sort_keys=True) + "\n").encode())
    return manifest_path(shard)


def read_manifest(shard: Path) -> dict[str, Any]:
    """The manifest of a shard. Raises FileNotFoundError, or ShardError where it is not a manifest."""
    path = manifest_path(shard)
    try:
        manifest = json.loads(path.read_text())
        return {"sha256": manifest["sha256"], **manifest}
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError):
        raise ShardError(f"{path}: not a manifest of a shard") from None
