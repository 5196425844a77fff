"""The index of a release: a row for every sample, so that samples are chosen without opening shards."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rigging.errors import InputError
from rigging.files import write_atomic
from rigging.npz import read_npz

from ..format.schema import SAMPLE_FIELDS
from ..store.layout import ReleaseFolder
from ..store.names import shard_number
from ..store.shard_file import ShardError, ShardFile

INDEX_VERSION = 1
FORMAT = "mvhm-index"
COLUMNS = {  # name: dtype, "str" for text
    "shard": "int64", "row": "int64", "sample": "int64", "split": "str", "subject": "int64", "pair": "int64",
    "pair_role": "uint8", "clip": "str", "hand": "str", "hand_length": "float32", "ita": "float32",
    "monk_bin": "uint8", "pose_source": "str", "source_frame": "str", "arm_style": "str", "background": "str",
    "light": "str", "verdict": "str",
}  # fmt: skip
KINDS = {"background": "kind", "light": "hdri"}  # of these JSON texts the index holds this entry
FROM_FILE = tuple(name for name in COLUMNS if name in SAMPLE_FIELDS)
SHOW_PROGRESS = 50  # shards; a shorter build is over before a bar is read


@dataclass(frozen=True)
class SampleIndex:
    """Columns of equal length n, one row a sample, ordered by shard and row: see COLUMNS.

    `background` and `light` are the kind of background and the panorama's name; `verdict` is the validation's: "pass",
    "fail", or "" for none.
    """

    columns: Mapping[str, np.ndarray]  # each (n,)

    def __len__(self) -> int:
        return len(self.columns["shard"])

    def __getitem__(self, name: str) -> np.ndarray:
        """Column `name` (n,). Raises InputError for an unknown one."""
        if name not in self.columns:
            raise InputError(f"index: no column {name!r}; there are: {', '.join(self.columns)}")
        return self.columns[name]

    def take(self, rows: np.ndarray) -> SampleIndex:
        """The rows chosen by indices (n,) or by a mask (N,)."""
        return SampleIndex({name: column[rows] for name, column in self.columns.items()})

    def with_column(self, name: str, values: np.ndarray) -> SampleIndex:
        """The same with column `name` replaced by `values` (n,); verdicts, say."""
        if len(values) != len(self):
            raise InputError(f"index: column {name!r} has {len(values)} values, the index {len(self)} rows")
        return SampleIndex({**self.columns, name: _typed(name, values)})


Progress = Callable[[Iterable[Path]], Iterable[Path]]


def build_index(paths: Iterable[Path | str], progress: Progress | None = None) -> SampleIndex:
    """The index of shards, read from the small columns of their metadata; verdicts are empty.

    `progress` wraps the paths as tqdm does; by default there is a bar on a terminal for many shards. A shard's number
    is that of its name; that in the file if the name has none. Raises FileNotFoundError, ShardError.
    """
    paths = [Path(path) for path in paths]
    tables = [_shard_columns(path) for path in (progress or _bar)(paths)]
    return SampleIndex({name: _joined(name, [table[name] for table in tables]) for name in COLUMNS})


def _bar(paths: list[Path]) -> Iterable[Path]:
    if len(paths) < SHOW_PROGRESS:
        return paths
    from tqdm import tqdm

    return tqdm(paths, desc="index", unit="shard", disable=None)


def _shard_columns(path: Path) -> dict[str, np.ndarray]:
    with ShardFile(path) as shard:
        count = len(shard)
        columns = {name: _read_column(shard, name) for name in FROM_FILE}
        number = shard_number(path)
        number = int(shard.attrs["shard"]) if number is None else number
    columns |= {"shard": np.full(count, number), "row": np.arange(count), "verdict": np.full(count, "")}
    if wrong := [name for name, column in columns.items() if column.shape != (count,)]:
        raise ShardError(f"{path}: metadata/{wrong[0]} is not one value for each of the {count} samples")
    return columns


def _read_column(shard: ShardFile, name: str) -> np.ndarray:
    """Column `name` (n,) of an open shard. Raises ShardError where it is damaged or missing."""
    try:
        values = shard.array(SAMPLE_FIELDS[name].path)
        if COLUMNS[name] != "str":
            return values.astype(COLUMNS[name])
        texts = [bytes(value).decode() for value in values]
    except ShardError:
        raise
    except (KeyError, ValueError, TypeError) as error:
        cause = str(error).splitlines()[0]
        raise ShardError(f"{shard.path}: metadata/{name} is damaged or missing ({cause})") from None
    return np.array([str(entries_of(text).get(KINDS[name], "")) for text in texts] if name in KINDS else texts, np.str_)


def entries_of(text: str) -> dict[str, Any]:
    """What a JSON text of the metadata says, such as that of `light`; nothing if it is no JSON object."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _joined(name: str, columns: list[np.ndarray]) -> np.ndarray:
    return _typed(name, np.concatenate(columns) if columns else np.empty(0))


def _typed(name: str, values: Any) -> np.ndarray:
    """Values (n,) as the column's dtype; text as wide as its longest."""
    if COLUMNS[name] != "str":
        return np.asarray(values).astype(COLUMNS[name])
    return np.array(np.asarray(values).tolist(), np.str_) if len(values) else np.empty(0, "U1")


def _is_typed(name: str, column: np.ndarray) -> bool:
    return column.dtype.kind == "U" if COLUMNS[name] == "str" else column.dtype == COLUMNS[name]


def write_index(path: Path, index: SampleIndex, key: str = "") -> None:
    """Write an index as npz, in full or not at all; the same index gives the same bytes.

    `key` says what it was made from, for `index_of`.
    """
    buffer = io.BytesIO()
    columns = {name: _typed(name, index.columns[name]) for name in COLUMNS}
    np.savez_compressed(buffer, format=np.array(FORMAT), version=np.int64(INDEX_VERSION), key=np.array(key), **columns)
    write_atomic(path, buffer.getvalue())


def read_index(path: Path) -> SampleIndex:
    """The index that `write_index` wrote. Raises OSError; InputError for a damaged, foreign or newer one."""
    return _read(path)[0]


def _read(path: Path) -> tuple[SampleIndex, str]:
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path}: no such index")
    try:
        arrays = read_npz(path)
        version = int(arrays["version"]) if str(arrays.get("format")) == FORMAT else 0
    except (ValueError, TypeError) as error:
        raise InputError(f"{path}: not an index, or damaged ({error})") from None
    if version > INDEX_VERSION:
        raise InputError(
            f"{path}: an index of version {version}, this mvhm reads up to {INDEX_VERSION}; upgrade the mvhm package"
        )
    if version < 1 or (missing := [name for name in COLUMNS if name not in arrays]):
        raise InputError(f"{path}: not an index of samples" + (f" (lacks {missing[0]})" if version else ""))
    columns = {name: arrays[name] for name in COLUMNS}
    if len({column.shape for column in columns.values()}) != 1 or columns["shard"].ndim != 1:
        raise InputError(f"{path}: the columns of this index are not equally long")
    if wrong := [name for name, column in columns.items() if not _is_typed(name, column)]:
        raise InputError(f"{path}: column {wrong[0]} is {columns[wrong[0]].dtype}, {COLUMNS[wrong[0]]} is wanted")
    return SampleIndex(columns), str(arrays.get("key", ""))


def index_of(folder: Path | str) -> SampleIndex:
    """The index of a folder of shards.

    That of the release, if it is published; else built on first use and kept beside the shards in a hidden file, which
    holds while names, sizes and times of the shards do; in memory only where that file cannot be written.
    Raises FileNotFoundError for a folder without shards, ShardError, InputError.
    """
    release = ReleaseFolder(Path(folder))
    if release.index.is_file():
        return read_index(release.index)
    paths = [release.shard(number) for number in release.shards()]
    if not paths:
        raise FileNotFoundError(f"{folder}: no shards in this folder")
    key = _key(paths)
    index = _kept(release.built_index, key)
    if index is None:
        index = build_index(paths)
        try:
            write_index(release.built_index, index, key)
        except OSError:  # read-only, or full: the next use builds it again
            return index
    return index


def _kept(path: Path, key: str) -> SampleIndex | None:
    """The index built before, if it is of the same shards."""
    try:
        index, made_from = _read(path)
    except (OSError, InputError):  # none yet, or not whole: it is only a copy
        return None
    return index if made_from == key else None


def _key(paths: Iterable[Path]) -> str:
    """What tells shards from changed ones without opening them: sha256 of names, sizes and times."""
    stats = [(path.name, stat.st_size, stat.st_mtime_ns) for path in paths for stat in (os.stat(path),)]
    return hashlib.sha256(json.dumps([INDEX_VERSION, stats]).encode()).hexdigest()
