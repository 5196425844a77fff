"""What a folder of shards holds, refused where it is not whole or not of one configuration."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rigging.errors import InputError

from ..store.layout import ReleaseFolder, shard_stem
from ..store.manifest import read_manifest
from ..store.shard_file import ShardFile

SAME = ("release", "configuration_hash", "schema_version")  # of all shards of a release
NAMED = 3  # of many, so many are named in a message


@dataclass(frozen=True)
class Inventory:
    """A whole release: its shards' manifests and header attributes, in the order of their numbers, and its plan."""

    folder: ReleaseFolder
    manifests: tuple[dict[str, Any], ...]
    headers: tuple[dict[str, Any], ...]  # attributes of each shard's file
    settings: dict[str, Any]  # the release file, every setting
    clips: tuple[dict[str, Any], ...]  # the recordings that poses are from: source, licence, ...
    asset: str  # sha256 of the hand asset's file
    configuration: dict[str, Any]

    @property
    def sha256s(self) -> dict[str, str]:
        """File name -> sha256 of every shard."""
        return {manifest["file"]: manifest["sha256"] for manifest in self.manifests}

    @property
    def paths(self) -> list[Path]:
        """The shards' files."""
        return [self.folder.path / name for name in self.sha256s]


def take_stock(path: Path) -> Inventory:
    """What a whole release at `path` holds, by its plan, manifests and headers; payload is not read.

    Raises InputError: no such folder, no plan, shards missing or of no plan, quarantined samples, a manifest that is
    missing or disagrees with its file, mixed configurations.
    """
    if not path.is_dir():
        raise InputError(f"{path}: no such folder of shards")
    folder = ReleaseFolder(path)
    settings, clips, asset = read_plan(folder.plan)
    numbers = _all_shards(folder, settings)
    manifests = tuple(_manifest(folder, shard) for shard in numbers)
    headers = tuple(_header(folder.shard(shard)) for shard in numbers)
    _agree(folder, manifests, headers)
    configuration = json.loads(headers[0]["configuration"])
    _all_samples(folder, manifests, settings, configuration.get("samples"))
    return Inventory(folder, manifests, headers, settings, clips, asset, configuration)


def read_plan(path: Path) -> tuple[dict[str, Any], tuple[dict[str, Any], ...], str]:
    """The settings of the release that a plan is for, its clips, and the sha256 of its hand. Raises InputError."""
    if not path.is_file():
        raise InputError(f"{path}: missing; without the plan nobody can say whether the release is whole")
    try:
        with np.load(path, allow_pickle=False) as plan:
            settings, clips = json.loads(str(plan["release"])), json.loads(str(plan["clips"]))
            asset = str(plan["asset"])
        return {"samples": settings["samples"], "shard_size": settings["shard_size"], **settings}, tuple(clips), asset
    except (OSError, ValueError, KeyError, EOFError, TypeError):
        raise InputError(f"{path}: not a plan of a release, or damaged") from None


def _all_shards(folder: ReleaseFolder, settings: dict[str, Any]) -> list[int]:
    """Numbers of the shards that the plan has. Raises InputError for missing, quarantined and foreign ones."""
    planned = range(-(-settings["samples"] // settings["shard_size"]))
    there = set(folder.shards())
    if missing := [shard for shard in planned if shard not in there]:
        raise InputError(
            f"{folder.path}: incomplete, {len(missing)} of {len(planned)} shards are missing: {some(missing)}"
        )
    if extra := sorted(there - set(planned)):
        raise InputError(f"{folder.path}: {some(extra)} not in the plan, which has shards 0 to {planned[-1]}")
    if lacking := [shard for shard in planned if folder.incomplete(shard).exists()]:
        raise InputError(f"{folder.path}: incomplete, samples are quarantined in {some(lacking)}; render those again")
    return list(planned)


def some(shards: list[int]) -> str:
    """The first few of many shards, in words."""
    rest = len(shards) - NAMED
    return ", ".join(map(shard_stem, shards[:NAMED])) + (f" and {rest} more" if rest > 0 else "")


def _manifest(folder: ReleaseFolder, shard: int) -> dict[str, Any]:
    try:
        manifest = read_manifest(folder.shard(shard))
    except FileNotFoundError:
        raise InputError(f"{folder.manifest(shard)}: missing; render the shard again, or fetch the file") from None
    needed = {"file": str, "bytes": int, "samples": int, "sha256": str, "package_versions": dict}
    if any(not isinstance(manifest.get(key), kind) for key, kind in needed.items()):
        raise InputError(f"{folder.manifest(shard)}: not a whole manifest of a shard ({', '.join(needed)} are wanted)")
    size = folder.shard(shard).stat().st_size
    if (manifest["file"], manifest["bytes"]) != (folder.shard(shard).name, size):
        raise InputError(
            f"{folder.shard(shard)}: {size} bytes, its manifest says {manifest['bytes']} of {manifest['file']!r}"
        )
    return manifest


def _header(path: Path) -> dict[str, Any]:
    with ShardFile(path) as shard:
        return {name: int(v) if isinstance(v, np.integer) else v for name, v in shard.attrs.items()}


def _agree(folder: ReleaseFolder, manifests: tuple[dict, ...], headers: tuple[dict, ...]) -> None:
    """Raise InputError unless all shards are of one release, configuration and schema, as their manifests say."""
    for manifest, header in zip(manifests, headers):
        for name in (*SAME, "samples"):
            if manifest.get(name) != header[name]:
                where = folder.path / manifest["file"]
                raise InputError(f"{where}: {name} is {header[name]}, its manifest says {manifest.get(name)}")
    for name in SAME:
        first = headers[0][name]
        for manifest, header in zip(manifests, headers):
            if header[name] != first:
                raise InputError(
                    f"{folder.path}: mixed configurations: {name} of {manifest['file']} is {header[name]}, "
                    f"of {manifests[0]['file']} {first}"
                )


def _all_samples(folder: ReleaseFolder, manifests: tuple[dict, ...], settings: dict, cut: int | None) -> None:
    """Raise InputError where a shard holds another number of samples than planned (`cut`: the most of any shard)."""
    size = settings["shard_size"]
    for shard, manifest in enumerate(manifests):
        planned = min(size, settings["samples"] - shard * size)
        wanted = planned if cut is None else min(planned, cut)
        if manifest["samples"] != wanted:
            where = folder.path / manifest["file"]
            raise InputError(f"{where}: holds {manifest['samples']} samples, the plan has {wanted}")
