"""What a release's folder should hold and what it does: shards, samples, files of the release's manifest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rigging.errors import InputError
from rigging.files import file_sha256
from rigging.npz import read_npz

from ..store.layout import ReleaseFolder, shard_number
from ..store.release_manifest import listed, read_release_manifest
from .shard import lacking


@dataclass(frozen=True)
class Extent:
    """Numbers of the shards that are there, and how many there should be (None: unknown)."""

    present: tuple[int, ...]
    expected: int | None
    samples: int | None  # of the whole release
    shard_size: int | None
    published: bool  # there is a release manifest: nothing may be missing
    unfinished: tuple[str, ...]  # a line for each shard that lacks samples
    problems: tuple[str, ...]
    digests: Mapping[str, str]  # sha256 by path, of the files that the release's manifest names

    @property
    def complete(self) -> bool:
        return self.expected is None or set(range(self.expected)) <= set(self.present)

    def rows(self, shard: int, truncated: int | None) -> int | None:
        """How many samples `shard` should hold, if the plan says; `truncated` is what each was cut to."""
        if self.samples is None or self.shard_size is None:
            return None
        whole = max(0, min(self.shard_size, self.samples - shard * self.shard_size))
        return whole if truncated is None else min(whole, truncated)


def look(folder: ReleaseFolder) -> Extent:
    """What is in a folder. Raises InputError for one that is not there, or holds no shard."""
    if not folder.path.is_dir():
        raise InputError(f"{folder.path}: no such folder; a folder of shards is wanted")
    present = tuple(folder.shards())
    published = folder.release_manifest.is_file()
    if not present and not published:
        raise InputError(f"{folder.path}: no shard-*.h5 in this folder")
    problems: list[str] = []
    plan = _plan(folder, problems)
    samples, size = plan.get("samples"), plan.get("shard_size")
    expected = -(-samples // size) if samples and size else None
    files = _listed(folder, problems) if published else {}
    if published:
        problems += _missing(folder, files)
        numbers = [shard_number(name) for name in files if name.endswith(".h5")]
        expected = max([expected or 0, *(number + 1 for number in numbers if number is not None)])
    unfinished = lacking(folder.path)
    if published:
        problems += unfinished
    digests = {name: sha256 for name, (_, sha256) in files.items()}
    return Extent(present, expected, samples, size, published, tuple(unfinished), tuple(problems), digests)


def _plan(folder: ReleaseFolder, problems: list[str]) -> dict[str, Any]:
    """`samples` and `shard_size` of the release, from its plan; empty without one."""
    if not folder.plan.is_file():
        return {}
    try:
        release = json.loads(str(read_npz(folder.plan)["release"]))
        return {"samples": int(release["samples"]), "shard_size": int(release["shard_size"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        problems.append(f"{folder.plan.name}: cannot be read ({str(error).splitlines()[0]})")
        return {}


def _missing(folder: ReleaseFolder, files: Mapping[str, tuple[int, str]]) -> list[str]:
    """A line for each file of the release that is missing or of another size."""
    lines = []
    for name, (size, _) in files.items():
        path = folder.path / name
        if not path.is_file():
            lines.append(f"{name}: is in the release's manifest, but missing")
        elif path.stat().st_size != size:
            lines.append(f"{name}: has {path.stat().st_size} bytes, the release's manifest says {size}")
    return lines


def _listed(folder: ReleaseFolder, problems: list[str]) -> dict[str, tuple[int, str]]:
    """Bytes and sha256 of every file that the release's manifest names; none if it cannot be read."""
    try:
        return listed(read_release_manifest(folder.release_manifest))
    except (InputError, OSError) as error:
        problems.append(str(error).removeprefix(f"{folder.path}/"))
        return {}


def digest_problem(folder: Path, name: str, wanted: str) -> str | None:
    """A line if a file of the release has other bytes than its manifest says; None if it fits or is missing."""
    path = folder / name
    if not path.is_file():
        return None
    digest = file_sha256(path)
    return None if digest == wanted else f"{name}: sha256 {digest[:12]}.. is not the release manifest's {wanted[:12]}.."
