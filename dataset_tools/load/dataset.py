"""The loader: shards as a sequence of dicts of numpy arrays."""

from __future__ import annotations

import json
import operator
import os
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np

from rigging.geometry.projection import project, to_camera

from ..format.schema import METADATA, SAMPLE_FIELDS, Field
from ..store.layout import ReleaseFolder
from ..store.shard_file import ShardError, ShardFile
from ..store.shard_state import readable_shards

OPEN_SHARDS = 64  # files a process keeps open
META = frozenset(field.name for field in METADATA)
HAND_PARTS = (1, 17)
JSON_ATTRS = ("configuration", "package_versions")

Paths = str | Path | Iterable[str | Path]


class HandDataset:
    """Samples of one or more shards: `HandDataset(path)[i]` is a dict of arrays (all of them in docs/format.md).

    `path` is a shard, a folder of shards, or a list of shards. `fields` are names of the schema, "meta" for all
    metadata (default: everything); `views` are indices of cameras (default: all): only what is chosen is read and
    decoded. Metadata comes as the dict `sample["meta"]`; index -1 is the last sample, a slice gives a list. `attrs`
    (release, configuration, licence, ...), faces and names are those of the first shard.

    Files open when first read, once per process, so a dataset can be pickled and used after fork or spawn.
    Raises FileNotFoundError; ShardError for a foreign, damaged or newer file; ValueError for unknown fields or views.
    """

    def __init__(self, path: Paths, fields: Iterable[str] | None = None, views: Iterable[int] | None = None) -> None:
        self.paths = find_shards(path)
        self._files: OrderedDict[Path, ShardFile] = OrderedDict()
        self._pid = os.getpid()
        first, counts = self._scan()
        self._ends = list(accumulate(counts))
        self.fields = _choose_fields(fields)
        self.views = _choose_views(views, first.sizes["V"])
        self._stored = _stored_names(self.fields)
        self.sizes: dict[str, int] = first.sizes
        self.faces: np.ndarray = first.array("shard/faces")  # (F, 3) int32
        self.face_part: np.ndarray = first.array("shard/face_part")  # (F,) uint8, index into part_names
        self.arm_faces: np.ndarray = first.array("shard/arm_faces")  # (B, 3) int32
        self.attrs = {k: json.loads(v) if k in JSON_ATTRS else v for k, v in first.attrs.items()}
        self.joint_names = tuple(self.attrs["joint_names"])
        self.joint_parents = tuple(self.attrs["joint_parents"])
        self.part_names = tuple(self.attrs["part_names"])

    def _scan(self) -> tuple[ShardFile, list[int]]:
        """The first shard and the number of samples of each. Raises ShardError where shards do not fit together."""
        first, counts = self._open(self.paths[0]), []
        for path in self.paths:
            shard = self._open(path)
            if shard.sizes != first.sizes:
                raise ShardError(f"{path}: sizes {shard.sizes} differ from those of {first.path}: {first.sizes}")
            counts.append(len(shard))
        return self._open(self.paths[0]), counts

    def __len__(self) -> int:
        return self._ends[-1]

    def __getitem__(self, index: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        """Sample `index`, a dict of arrays. Raises IndexError outside the data set."""
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        path, row = self.locate(index)
        values = self._open(path).read(row, self._stored, self.views)
        sample = {name: _derive(name, values) for name in self.fields if name not in META}
        meta = {name: _python(values[name]) for name in self.fields if name in META}
        return sample | ({"meta": meta} if meta else {})

    def locate(self, index: int) -> tuple[Path, int]:
        """The shard that holds sample `index`, and the sample's row in it."""
        number = operator.index(index)
        if not -len(self) <= number < len(self):
            raise IndexError(f"sample {number} of a data set of {len(self)}")
        number %= len(self)
        shard = bisect_right(self._ends, number)
        return self.paths[shard], number - (self._ends[shard - 1] if shard else 0)

    def _open(self, path: Path) -> ShardFile:
        if self._pid != os.getpid():  # after a fork: the parent's handles are the parent's
            self._files, self._pid = OrderedDict(), os.getpid()
        if path not in self._files:
            self._files[path] = ShardFile(path)
            if len(self._files) > OPEN_SHARDS:
                self._files.popitem(last=False)[1].close()
        self._files.move_to_end(path)
        return self._files[path]

    def close(self) -> None:
        """Close all files; the next read opens them again."""
        while self._files:
            self._files.popitem()[1].close()

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_files": OrderedDict(), "_pid": -1}


def find_shards(path: Paths) -> tuple[Path, ...]:
    """Shards named by a path, a folder (those in it, by number) or a list.

    Raises FileNotFoundError for none, ShardError where a folder's shard does not fit its manifest.
    """
    if not isinstance(path, (str, Path)):
        found = tuple(Path(p) for p in path)
        where = "an empty list"
    elif Path(path).is_dir():
        found = readable_shards(ReleaseFolder(Path(path)))
        where = f"{path}: no shard-*.h5 in this folder"
    else:
        return (Path(path),)
    if not found:
        raise FileNotFoundError(where if isinstance(path, (str, Path)) else f"no shards: {where}")
    return found


def _choose_fields(names: Iterable[str] | None) -> tuple[str, ...]:
    if names is None:
        return tuple(SAMPLE_FIELDS)
    if isinstance(names, str):
        raise ValueError(f"fields: a list of names is wanted, got {names!r}")
    chosen = set(names)
    if "meta" in chosen:
        chosen = (chosen - {"meta"}) | META
    if unknown := sorted(chosen - set(SAMPLE_FIELDS)):
        raise ValueError(f"fields: no {', '.join(unknown)}; there are: meta, {', '.join(SAMPLE_FIELDS)}")
    return tuple(name for name in SAMPLE_FIELDS if name in chosen)


def _choose_views(views: Iterable[int] | None, count: int) -> tuple[int, ...] | None:
    if views is None:
        return None
    chosen = tuple(operator.index(view) for view in views)
    if not chosen or any(not 0 <= view < count for view in chosen):
        raise ValueError(f"views: some of 0 to {count - 1} are wanted, got {list(chosen)}")
    return chosen


def _stored_names(names: Sequence[str]) -> tuple[str, ...]:
    """What has to be read for `names`."""
    wanted: dict[str, Field] = {}
    for name in names:
        for source in SAMPLE_FIELDS[name].derived_from or (name,):
            wanted[source] = SAMPLE_FIELDS[source]
    return tuple(wanted)


def _derive(name: str, values: dict[str, Any]) -> Any:
    """Field `name` from the stored values of a sample; computed in float64 from the values as stored."""
    if name == "mask":
        return (values["parts"] - np.uint8(HAND_PARTS[0])) < HAND_PARTS[1]  # 0 wraps to 255
    if name == "joints_cam":
        return to_camera(values["joints_world"], values["world_to_cam"]).astype(np.float32)
    if name == "joints_2d":
        return project(values["joints_world"], values["K"], values["world_to_cam"]).astype(np.float32)
    return values[name]


def outward(faces: np.ndarray, hand: str) -> np.ndarray:
    """Faces (F, 3) in the order that is counter-clockwise from outside, for a "right" or a (mirrored) "left" hand."""
    return faces if hand == "right" else np.ascontiguousarray(faces[:, ::-1])


def _python(value: Any) -> Any:
    """Numbers of the metadata as Python's own."""
    return value.item() if isinstance(value, (np.ndarray, np.generic)) and value.ndim == 0 else value
