"""From encoded samples to a shard with its manifest: packed, read back, renamed."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from zlib_ng.zlib_ng import crc32

from rigging.files import part_path, sync_folder, write_atomic
from rigging.joints import JOINT_NAMES, JOINT_PARENTS, PART_NAMES

from ..format.elements import ATTRIBUTE, Element
from ..format.optional import OPTIONAL_FIELDS, fields_with, version_with
from ..format.schema import FORMAT, SHARD_FIELDS, SchemaError, check_record, sizes_of
from .checksums import ATTRIBUTES, ROOT, Collected, attributes_text, total_of
from .encode import LIBVER, EncodedSample, chunked
from .names import manifest_path
from .shard_file import ShardFile

MOST_ATTRIBUTE = 2048  # bytes; HDF5 has no checksum for an attribute of more than 4096 among many


def write_shard(path: Path, encoded: Iterable[EncodedSample], shard_record: Mapping[str, Any]) -> str:
    """Pack samples into `path` and return the file's sha256 (hex).

    `encoded` is consumed once and one at a time (a generator over `read_staged` will do); `shard_record` holds the
    schema's "shard" fields. The file is written to a .part beside it, flushed, read back in full, then renamed.
    The same samples give the same bytes. Raises SchemaError, ShardError, and OSError for a full disk.
    """
    path, shard_values = Path(path), check_record(shard_record, SHARD_FIELDS)
    part = part_path(path)
    try:
        # without HDF5's lock: nobody else knows the name, and not every file system has locks
        with h5py.File(part, "w", libver=LIBVER, track_order=True, locking=False) as file:
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


def write_manifest(shard: Path, sha256: str) -> Path:
    """Write the manifest of a finished shard: what a release says of the file without opening it."""
    with ShardFile(shard) as opened:
        manifest = {
            "file": Path(shard).name, "sha256": sha256, "bytes": Path(shard).stat().st_size,
            "samples": len(opened), "schema_version": int(opened.attrs["schema_version"]),
            "release": opened.attrs["release"],
            "shard": int(opened.attrs["shard"]), "configuration_hash": opened.attrs["configuration_hash"],
            "device": opened.attrs["device"], "package_versions": json.loads(opened.attrs["package_versions"]),
        }  # fmt: skip
    write_atomic(manifest_path(shard), (json.dumps(manifest, indent=2, sort_keys=True) + "\n").encode())
    return manifest_path(shard)


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
    sums = Collected()
    with tempfile.TemporaryFile(dir=folder) as streams:  # colour waits here: a contiguous blob needs its size first
        for row, sample in enumerate(encoded):
            sizes = sizes or sample.sizes
            if sample.sizes != sizes:
                raise SchemaError(f"sample {row} of the shard has sizes {sample.sizes}, the first one {sizes}")
            if row and sample.values.keys() != columns.keys():
                other = sorted(sample.values.keys() ^ columns.keys())
                raise SchemaError(f"sample {row} of the shard and the first one are not alike: {', '.join(other)}")
            _append_chunks(file, sample, row, sums)
            for name, value in sample.values.items():
                columns.setdefault(name, []).append(value)
            streams.write(b"".join(sample.jpeg))
            sums.add("images/rgb/jpeg", list(sample.jpeg))
            lengths += [len(stream) for stream in sample.jpeg]
        if not lengths:
            raise SchemaError("a shard needs at least one sample")
        _write_blob(file, streams, lengths, sizes["V"], sums)
    for name, column in columns.items():
        _write_column(file, name, column, sums)
    _write_shard_values(file, shard_values, sums)
    _describe(file, sums)
    _write_head(file, shard_values, sizes, row + 1, sums)


def _append_chunks(file: h5py.File, sample: EncodedSample, row: int, sums: Collected) -> None:
    for path, chunks in sample.chunks.items():
        dtype, view = sample.dtypes[path]
        dataset = file[path] if path in file else chunked(file, path, dtype, view, (len(chunks),))
        dataset.resize(row + 1, 0)
        for v, (mask, data) in enumerate(chunks):
            dataset.id.write_direct_chunk((row, v) + (0,) * len(view), data, mask)
        sums.add(path, [data for _, data in chunks])


def _write_blob(
    file: h5py.File, streams: Any, lengths: list[int], views: int, sums: Collected, block: int = 1 << 24
) -> None:
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    file.create_dataset("images/rgb/offsets", data=offsets, track_times=False)
    for start in range(0, len(lengths), views):
        sums.add("images/rgb/offsets", [offsets[start : start + views + 1]])
    blob = file.create_dataset("images/rgb/jpeg", (int(offsets[-1]),), np.uint8, track_times=False)
    streams.seek(0)
    for start in range(0, len(blob), block):
        data = np.frombuffer(streams.read(block), np.uint8)
        blob[start : start + len(data)] = data


def _write_column(file: h5py.File, path: str, column: list[np.ndarray | str], sums: Collected) -> None:
    if isinstance(column[0], str):  # fixed length: the fastest to read, and no heap whose bytes nothing guards
        encoded = [value.encode() for value in column]
        dtype = h5py.string_dtype("utf-8", max(1, max(map(len, encoded))))
        data = np.array(encoded, dtype)
    else:
        data = np.stack(column)
        dtype = data.dtype
    file.create_dataset(path, data=data, dtype=dtype, track_times=False)
    for row in range(len(data)):
        sums.add(path, [data[row : row + 1]])


def _write_shard_values(file: h5py.File, values: Mapping[str, Any], sums: Collected) -> None:
    for name, value in values.items():
        field = SHARD_FIELDS[name]
        if not field.attribute:
            data = _text(value) if isinstance(value, str) else value
            file.create_dataset(field.path, data=data, dtype=data.dtype, track_times=False)
            sums.add_once(data, field.path, crc32(Element.of(field).text.encode()))


def _describe(file: h5py.File, sums: Collected) -> None:
    """Say beside every element how it is stored, for the loader, and what it is, for people."""
    for field in (*fields_with(OPTIONAL_FIELDS).values(), *SHARD_FIELDS.values()):
        if field.stored and not field.attribute and field.path in file:
            text = Element.of(field).text
            about = {ATTRIBUTE: text, "unit": field.unit, "frame": field.frame, "description": field.description}
            for name, value in about.items():
                _write_attribute(file[field.path], name, value)
            if field.per != "shard":
                sums.add_once(text.encode(), field.path)


def _write_head(
    file: h5py.File, values: Mapping[str, Any], sizes: dict[str, int], samples: int, sums: Collected
) -> None:
    """The attributes of the file and the tables of checksums, each of which holds the sum of the other."""
    attributes: dict[str, int | str] = {
        "format": FORMAT, "schema_version": version_with(file["geometry"]), "samples": samples,
        "sizes": json.dumps(sizes | sizes_of(values, SHARD_FIELDS), sort_keys=True),
        "units": "metres, radians, pixels", "joint_names": json.dumps(JOINT_NAMES),
        "joint_parents": json.dumps(JOINT_PARENTS), "part_names": json.dumps(PART_NAMES),
    }  # fmt: skip
    for name, value in values.items():
        if SHARD_FIELDS[name].attribute:
            attributes[name] = value if isinstance(value, str) else int(value)
    sums.add_once(attributes_text(attributes), ATTRIBUTES)
    columns, by_sample, names, by_shard = sums.tables()
    for name, table, about, text in (("samples", by_sample, "columns", columns), ("shard", by_shard, "names", names)):
        dataset = file.create_dataset(f"{ROOT}/{name}", data=table, track_times=False)
        _write_attribute(dataset, about, text.decode())
    for name, value in attributes.items():
        _write_attribute(file, name, value)
    _write_attribute(file, ROOT, total_of(columns, by_sample, names, by_shard))


def _write_attribute(node: h5py.HLObject, name: str, value: int | str) -> None:
    """An attribute of fixed length: HDF5 keeps others in a heap that has no checksum, as it does long ones of many."""
    data = _text(value) if isinstance(value, str) else np.array(value, np.int64)
    if data.nbytes > MOST_ATTRIBUTE and node.name == "/":
        raise SchemaError(f"{name}: a text of at most {MOST_ATTRIBUTE} bytes is wanted, got {data.nbytes}")
    node.attrs.create(name, data, dtype=data.dtype)


def _text(text: str) -> np.ndarray:
    data = text.encode()
    return np.array(data, h5py.string_dtype("utf-8", max(1, len(data))))


def verify(path: Path) -> None:
    """Read and decode every stored field of every sample. Raises ShardError naming the first that is damaged."""
    with ShardFile(path) as shard:
        names = [name for name, field in fields_with(shard.fields()).items() if field.stored]
        for row in range(len(shard)):
            shard.read(row, names)
