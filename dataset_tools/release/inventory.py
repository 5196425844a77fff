"""What a folder of shards holds, refused where it is not whole or not of one configuration."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rigging.errors import InputError
from rigging.npz import read_npz

from ..store.layout import ReleaseFolder, shard_stem
from ..store.shard_file import ShardFile
from ..store.shard_state import State, shard_state

SAME = ("release", "configuration_hash", "schema_version")  # of all shards of a release
NAMED = 3  # of many faults, so many are told in a message


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
    by_number = _all_shards(folder, settings)
    manifests, headers = tuple(by_number.values()), tuple(_header(folder.shard(shard)) for shard in by_number)
    _agree(folder, manifests, headers)
    configuration = json.loads(headers[0]["configuration"])
    _all_samples(folder, manifests, settings, configuration.get("samples"))
    return Inventory(folder, manifests, headers, settings, clips, asset, configuration)


def read_plan(path: Path) -> tuple[dict[str, Any], tuple[dict[str, Any], ...], str]:
    """The settings of the release that a plan is for, its clips, and its hand's sha256. Raises InputError, OSError."""
    if not path.is_file():
        raise InputError(f"{path}: missing; without the plan nobody can say whether the release is whole")
    try:
        plan = read_npz(path)
        settings, clips = json.loads(str(plan["release"])), json.loads(str(plan["clips"]))
        asset = str(plan["asset"])
        return {"samples": settings["samples"], "shard_size": settings["shard_size"], **settings}, tuple(clips), asset
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{path}: not a plan of a release, or damaged") from None


def _all_shards(folder: ReleaseFolder, settings: dict[str, Any]) -> dict[int, dict[str, Any]]:
    """Manifests of the planned shards, by number. Raises InputError where one is not whole, or one is not planned."""
    planned = range(-(-settings["samples"] // settings["shard_size"]))
    states = [shard_state(folder, shard) for shard in planned]
    if faults := [f"{shard_stem(of.shard)} {of}" for of in states if of.state is not State.WHOLE]:
        rest = f" and {len(faults) - NAMED} more" if len(faults) > NAMED else ""
        told = ", ".join(faults[:NAMED]) + rest
        raise InputError(f"{folder.path}: {len(faults)} of {len(planned)} shards are not whole: {told}")
    if extra := sorted(set(folder.shards()) - set(planned)):
        raise InputError(
            f"{folder.path}: {shard_stem(extra[0])} is not in the plan, which has shards 0 to {planned[-1]}"
        )
    return {of.shard: _published(folder, of.shard, of.manifest) for of in states}


def _published(folder: ReleaseFolder, shard: int, manifest: dict[str, Any]) -> dict[str, Any]:
    """A shard's manifest, if it says all that a release passes on. Raises InputError."""
    needed = {"file": str, "release": str, "schema_version": int, "package_versions": dict}
    if any(not isinstance(manifest.get(key), kind) for key, kind in needed.items()):
        raise InputError(f"{folder.manifest(shard)}: not a whole manifest of a shard ({', '.join(needed)} are wanted)")
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
