"""Statistics on disk: a folder with the table as JSON and its plots, bound to the data by the hash of the shards."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rigging.errors import InputError
from rigging.files import write_atomic

from ..store.layout import ReleaseFolder
from ..store.manifest import read_manifest
from ..store.release_manifest import data_hash, listed, read_release_manifest

FORMAT, VERSION = "mvhm-statistics", 1
PLOTS = {  # name of the file: what it shows
    "angles": "Joint angles of the samples and the joints' limits",
    "poses": "Pose space with a reference set behind it, distances to nearest neighbours, typical poses",
    "cameras": "Where cameras are, around the hand and in the world",
    "people": "Hand lengths against published ones, and skin tones",
    "looks": "Light and backgrounds",
    "views": "Hidden joints, joints seen in a view, the hand's size in the picture",
    "pictures": "Statistics of the pictures",
}


@dataclass(frozen=True)
class Statistics:
    """What is quoted of a release's statistics."""

    data: bytes  # of the JSON
    summary: dict[str, str]
    plots: dict[str, Path]  # those of PLOTS that are there, by name

    @property
    def sha256(self) -> str:
        """sha256 of the JSON."""
        return hashlib.sha256(self.data).hexdigest()


def shards_hash(folder: ReleaseFolder) -> str:
    """The hash of a folder's data, as its shards' manifests say it. Raises InputError for a shard without one."""
    paths = [folder.shard(number) for number in folder.shards()]
    try:
        return data_hash({path.name: read_manifest(path)["sha256"] for path in paths})
    except FileNotFoundError as error:
        raise InputError(f"{error.filename}: missing; statistics are of whole shards, with their manifests") from None


def write_statistics(target: Path, name: str, table: Mapping[str, Any], plots: Mapping[str, bytes]) -> None:
    """Write the plots and then, as `name`, the table to a folder."""
    for plot, data in plots.items():
        write_atomic(target / f"{plot}.png", data)
    text = json.dumps({"format": FORMAT, "version": VERSION, **table}, indent=1, allow_nan=False, ensure_ascii=False)
    write_atomic(target / name, (text + "\n").encode())


def find_statistics(folder: ReleaseFolder, wanted: str) -> Statistics | None:
    """The statistics that lie in a folder of shards, None for none.

    Raises InputError where they are none, or not of the data whose hash is `wanted`.
    """
    path = folder.statistics_table
    if not path.is_file():
        return None
    data = path.read_bytes()
    try:
        table = json.loads(data)
    except (ValueError, RecursionError):
        table = None
    if not isinstance(table, dict) or table.get("format") != FORMAT or table.get("version") != VERSION:
        raise InputError(f"{path}: not statistics of a release (format {FORMAT!r}, version {VERSION} are wanted)")
    if table.get("data_hash") != wanted:
        raise InputError(f"{path}: of other data than these shards; run mvhm statistics {folder.path} again")
    summary = table.get("summary")
    if not isinstance(summary, dict) or not all(isinstance(text, str) for text in summary.values()):
        raise InputError(f"{path}: damaged: it has no summary; run mvhm statistics {folder.path} again")
    plots = {name: folder.statistics / f"{name}.png" for name in PLOTS}
    return Statistics(data, summary, {name: plot for name, plot in plots.items() if plot.is_file()})


def refuse_published(folder: ReleaseFolder) -> None:
    """Raise InputError where the folder's statistics are part of a published release, whose bytes stay."""
    if not folder.release_manifest.is_file():
        return
    inside = f"{folder.statistics.name}/"
    if any(path.startswith(inside) for path in listed(read_release_manifest(folder.release_manifest))):
        raise InputError(f"{folder.statistics}: published with the release; give another folder with --out FOLDER")
