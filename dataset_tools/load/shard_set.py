"""Shards that make one sequence: how many samples each holds, and few of them open at a time."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np

from rigging.errors import InputError

from ..format.optional import OPTIONAL_FIELDS
from ..format.schema import SAMPLE_FIELDS
from ..store.errors import ShardError, TooManyFilesError
from ..store.layout import ReleaseFolder
from ..store.manifest import read_manifest
from ..store.recycled import Recycled
from ..store.shard_file import ShardFile
from ..store.shard_state import readable_shards, require_fit
from ..store.whole_file import Stamp

OPEN_SHARDS = 64  # files a process keeps open at most
SHARED = ("shard/faces", "shard/face_part", "shard/arm_faces")  # what all shards have alike
SHARED_ATTRS = ("joint_names", "joint_parents", "part_names")

Paths = str | Path | Iterable[str | Path]


class ShardSet:
    """Shards by their paths; of a shard with a manifest the number of samples is known without opening it.

    Files open when first read, once per process, so a set can be pickled and used after fork or spawn. Only the first
    one opens at once: it says what sizes, triangles and names the others must have, which is checked as they open.
    `verify` compares what is read with its checksums: see ShardFile.
    Raises FileNotFoundError for a missing shard; ShardError for a foreign or damaged one or a lying manifest.
    """

    def __init__(self, path: Paths, verify: bool = True) -> None:
        self.paths, self.verify = find_shards(path), verify
        self._known: set[Stamp] = set()
        self._recycled = Recycled()
        self.folder = Path(path) if isinstance(path, (str, Path)) and Path(path).is_dir() else None
        self._files: OrderedDict[Path, ShardFile] = OrderedDict()
        self._last: tuple[Path | None, ShardFile | None] = None, None  # opened, so that it is found at once
        self._fitting: set[Path] = {self.paths[0]}
        self._pid, self._limit = os.getpid(), open_limit()
        first = self._open(self.paths[0])
        self.sizes: dict[str, int] = first.sizes
        self.attrs: dict[str, Any] = dict(first.attrs)
        self.strange = {name: place for name, place in first.fields().items() if name not in SAMPLE_FIELDS}
        self.shared = {name: first.array(name) for name in SHARED}
        self.counts = tuple(self._count(path) for path in self.paths)
        self._ends = list(accumulate(self.counts))
        self._expected = dict(zip(self.paths, self.counts))
        self.open(self.paths[0])

    def __len__(self) -> int:
        return self._ends[-1]

    def per_view(self, name: str) -> bool:
        """Whether a field of the files has an axis of views, by what the first one says of it. Raises ShardError."""
        if name in self.strange:
            return self._open(self.paths[0]).element(name)[1].per_view
        return SAMPLE_FIELDS[name].per == "view"

    def locate(self, position: int) -> tuple[Path, int]:
        """The shard that holds sample `position`, and the sample's row in it."""
        shard = bisect_right(self._ends, position)
        return self.paths[shard], position - (self._ends[shard - 1] if shard else 0)

    def open(self, path: Path) -> ShardFile:
        """The shard, open, and found to fit the others and its manifest. Raises FileNotFoundError, ShardError."""
        last, shard = self._last
        if path is last and self._pid == os.getpid():
            return shard
        shard = self._fitted(path)
        if len(shard) != self._expected[path]:
            raise ShardError(f"{path}: holds {len(shard)} samples, its manifest says {self._expected[path]}")
        self._last = path, shard
        return shard

    def close(self) -> None:
        """Close all files; the next read opens them again."""
        self._last = None, None
        while self._files:
            self._files.popitem()[1].close()

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_files": OrderedDict(), "_last": (None, None), "_pid": -1}

    def _count(self, path: Path) -> int:
        if not path.is_file():
            raise FileNotFoundError(f"{path}: no such shard")
        try:
            manifest = self._manifest(path)
        except FileNotFoundError:
            return len(self._fitted(path))
        if self.verify:
            require_fit(path, path.stat().st_size, manifest)
        return manifest["samples"]

    def _manifest(self, path: Path) -> dict[str, Any]:
        try:
            return read_manifest(path)
        except TooManyFilesError:  # others hold files too: do with one
            self.close()
            return read_manifest(path)

    def _open(self, path: Path) -> ShardFile:
        if self._pid != os.getpid():  # after a fork: the parent's handles are the parent's
            self._files, self._pid, self._limit = OrderedDict(), os.getpid(), open_limit()
        if path not in self._files:
            self._last = None, None
            while len(self._files) >= self._limit:
                self._files.popitem(last=False)[1].close()
            self._files[path] = self._opened(path)
        self._files.move_to_end(path)
        return self._files[path]

    def _opened(self, path: Path) -> ShardFile:
        try:
            return ShardFile(path, self.verify, self._known, self._recycled)
        except TooManyFilesError:  # others hold files too: do with one
            self.close()
            return ShardFile(path, self.verify, self._known, self._recycled)

    def _fitted(self, path: Path) -> ShardFile:
        """The shard, open. Raises ShardError where its sizes, triangles or names are not those of the first one."""
        shard, first = self._open(path), self.paths[0]
        if path in self._fitting:
            return shard
        if shard.sizes != self.sizes:
            raise ShardError(f"{shard.path}: sizes {shard.sizes} differ from those of {first}: {self.sizes}")
        if OPTIONAL_FIELDS.keys() & shard.fields().keys() != OPTIONAL_FIELDS.keys() & self.strange.keys():
            raise ShardError(
                f"{shard.path}: only one of it and {first} has {', '.join(OPTIONAL_FIELDS)}; load them apart"
            )
        for name in SHARED_ATTRS:
            if shard.attrs[name] != self.attrs[name]:
                raise ShardError(f"{shard.path}: {name} differ from those of {first}; load them apart")
        for name, array in self.shared.items():
            if not np.array_equal(shard.array(name), array):
                raise ShardError(f"{shard.path}: {name} differs from that of {first}; load them apart")
        self._fitting.add(path)
        return shard


def find_shards(path: Paths) -> tuple[Path, ...]:
    """Shards named by a path, a folder (those in it, by number) or a list.

    Raises FileNotFoundError for none, ShardError where a folder's shard does not fit its manifest.
    """
    if not isinstance(path, (str, Path)):
        if not isinstance(path, Iterable):
            raise InputError(f"a shard, a folder of shards or a list of shards is wanted, got {path!r}")
        found = tuple(Path(p) for p in path)
        where = "no shards: an empty list"
    elif Path(path).is_dir():
        found = readable_shards(ReleaseFolder(Path(path)))
        where = f"{path}: no shards in this folder"
    else:
        return (Path(path),)
    if not found:
        raise FileNotFoundError(where)
    return found


def open_limit() -> int:
    """How many shards to keep open: at most a quarter of the files that the process may."""
    try:
        import resource
    except ImportError:  # not Unix
        return OPEN_SHARDS
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return OPEN_SHARDS if soft == resource.RLIM_INFINITY else max(1, min(OPEN_SHARDS, soft // 4))
