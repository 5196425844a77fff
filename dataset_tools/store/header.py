"""The head of a shard: its attributes and its checksums, read without trusting them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ..format.optional import WITH_OPTIONAL
from ..format.schema import FORMAT
from .checksums import ATTRIBUTES, ROOT, Checksums, attributes_text, parse
from .errors import ShardError

MOST_TEXT = 1 << 16  # bytes of an attribute
JSON_ATTRS = ("sizes", "joint_names", "joint_parents", "part_names")


def require_version(file: h5py.File, path: Path) -> int:
    """The schema version of a file. Raises ShardError where it is none of ours or newer than this package."""
    version = attribute(file, "schema_version")
    name = attribute(file, "format") if version != 1 else FORMAT  # version 1 kept texts where nothing guards them
    if not isinstance(version, int) or name != FORMAT:
        raise ShardError(f"{path}: an HDF5 file, but not a shard of this project (attribute format: {FORMAT!r})")
    if not 1 <= version <= WITH_OPTIONAL:
        raise ShardError(
            f"{path}: written with schema version {version}, this mvhm reads versions 1 to {WITH_OPTIONAL}; "
            f"upgrade the mvhm package to one that reads version {version}"
        )
    return version


def attribute(file: h5py.File, name: str, path: str = ".") -> int | str | None:
    """An attribute of what lies at `path` that is a number or a text of fixed length; None if it is anything else."""
    if not h5py.h5a.exists(file.id, name.encode(), obj_name=path.encode()):
        return None
    return _value(h5py.h5a.open(file.id, name.encode(), obj_name=path.encode()))


def _value(stored: h5py.h5a.AttrID) -> int | str | None:
    dtype = stored.dtype
    if stored.shape != () or dtype.kind not in "iuS" or dtype.itemsize > MOST_TEXT:
        return None
    value = np.empty((), dtype)
    stored.read(value)
    return value.item().decode() if dtype.kind == "S" else int(value)


def read_attributes(file: h5py.File) -> dict[str, int | str]:
    """All attributes of a file of version 2. Raises ValueError for one that is no number or text of fixed length."""
    count = h5py.h5a.get_num_attrs(file.id)
    stored = [h5py.h5a.open(file.id, index=index) for index in range(count)]
    found = {one.name.decode(): _value(one) for one in stored}
    if odd := [name for name, value in found.items() if value is None]:
        raise ValueError(f"attribute {odd[0]!r} is neither a number nor a text of fixed length")
    return found


def read_checksums(file: h5py.File, attributes: dict[str, int | str], limit: int) -> Checksums:
    """The checksums of a file of version 2, once they agree with its attributes and these with them.

    `limit` is the file's size. Raises ValueError, or what h5py raises.
    """
    tables, texts = [], []
    for name, text in ((f"{ROOT}/samples", "columns"), (f"{ROOT}/shard", "names")):
        dataset = file[name]
        if dataset.dtype != np.dtype("<u4") or dataset.nbytes > limit:
            raise ValueError(f"{name} is {dataset.dtype} {dataset.shape}")
        tables.append(dataset[()])
        texts.append(str(attribute(file, text, name)).encode())
    sums = parse(texts[0], tables[0], texts[1], tables[1], int(attributes[ROOT]), int(attributes["samples"]))
    sums.require_once(attributes_text(attributes), ATTRIBUTES)
    return sums


def explained(attributes: dict[str, Any]) -> dict[str, Any]:
    """The attributes with JSON parsed. Raises KeyError or ValueError where they are not those of a shard."""
    out = attributes | {name: json.loads(attributes[name]) for name in JSON_ATTRS}
    sizes = out["sizes"]
    if not isinstance(sizes, dict) or not all(type(size) is int and 0 <= size < 1 << 24 for size in sizes.values()):
        raise ValueError(f"sizes are {str(sizes)[:80]}")
    if not all(letter in sizes for letter in "VHW") or sizes["V"] * sizes["H"] * sizes["W"] >= 1 << 31:
        raise ValueError(f"sizes are {str(sizes)[:80]}")
    if int(out["samples"]) < 1:
        raise ValueError(f"{out['samples']} samples")
    return out
