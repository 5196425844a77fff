"""Reports that a release quotes: a folder with a table as JSON and its plots, bound to the data by the shards' hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rigging.errors import InputError
from rigging.files import write_atomic

from .layout import ReleaseFolder
from .manifest import read_manifest
from .release_manifest import data_hash, listed, read_release_manifest


@dataclass(frozen=True, eq=False)
class Kind:
    """A kind of report, made by `mvhm COMMAND`."""

    command: str
    title: str
    version: int
    about: str  # said above its figures
    plots: Mapping[str, str]  # name of the file: what it shows

    @property
    def format(self) -> str:
        """What its table says that it is."""
        return f"mvhm-{self.command}"

    def table(self, folder: ReleaseFolder) -> Path:
        """Its table in a folder of shards; the plots lie beside it."""
        return {"statistics": folder.statistics_table, "judge": folder.judge_table}[self.command]


STATISTICS = Kind(
    "statistics", "Statistics", 1,
    "What the samples cover; distances between poses are the root mean square over the joints, in palm lengths (about "
    "0.1 m).",
    {
        "angles": "Joint angles of the samples and the joints' limits",
        "poses": "Pose space with a reference set behind it, distances to nearest neighbours, typical poses",
        "cameras": "Where cameras are, around the hand and in the world",
        "people": "Hand lengths against published ones, and skin tones",
        "looks": "Light and backgrounds",
        "views": "Hidden joints, joints seen in a view, the hand's size in the picture",
        "pictures": "Statistics of the pictures",
    },
)  # fmt: skip
JUDGE = Kind(
    "judge", "Outside opinion", 1,
    "How surely a detector made for photographs finds these hands, view by view; errors are shares of the longer side "
    "of the hand's box, intervals are 95 % over subjects.",
    {
        "groups": "Hands found, and errors, by group of views, with 95 % intervals",
        "missed": "Views in which no hand was found",
        "worst": "Views with the largest errors (white: the label)",
    },
)  # fmt: skip
KINDS = (STATISTICS, JUDGE)


@dataclass(frozen=True)
class Quoted:
    """What is quoted of a report."""

    kind: Kind
    data: bytes  # of the JSON
    summary: dict[str, str]
    plots: dict[str, Path]  # those of the kind that are there, by name

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
        raise InputError(f"{error.filename}: missing; such reports are of whole shards, with their manifests") from None


def write_quoted(kind: Kind, path: Path, table: Mapping[str, Any], plots: Mapping[str, bytes]) -> None:
    """Write the plots beside `path` and then, to it, the table."""
    for plot, data in plots.items():
        write_atomic(path.with_name(f"{plot}.png"), data)
    told = {"format": kind.format, "version": kind.version, **table}
    write_atomic(path, (json.dumps(told, indent=1, allow_nan=False, ensure_ascii=False) + "\n").encode())


def find_quoted(kind: Kind, folder: ReleaseFolder, wanted: str) -> Quoted | None:
    """The report of a kind that lies in a folder of shards, None for none.

    Raises InputError where it is none, or not of the data whose hash is `wanted`.
    """
    path, again = kind.table(folder), f"run mvhm {kind.command} {folder.path} again"
    if not path.is_file():
        return None
    data = path.read_bytes()
    try:
        table = json.loads(data)
    except (ValueError, RecursionError):
        table = None
    if not isinstance(table, dict) or table.get("format") != kind.format or table.get("version") != kind.version:
        form = f"format {kind.format!r}, version {kind.version}"
        raise InputError(f"{path}: not a report of mvhm {kind.command} ({form} are wanted); {again}")
    if table.get("data_hash") != wanted:
        raise InputError(f"{path}: of other data than these shards; {again}")
    summary = table.get("summary")
    if not isinstance(summary, dict) or not all(isinstance(text, str) for text in summary.values()):
        raise InputError(f"{path}: damaged: it has no summary; {again}")
    plots = {name: path.with_name(f"{name}.png") for name in kind.plots}
    return Quoted(kind, data, summary, {name: plot for name, plot in plots.items() if plot.is_file()})


def refuse_published(kind: Kind, folder: ReleaseFolder) -> None:
    """Raise InputError where the folder's report is part of a published release, whose bytes stay."""
    if not folder.release_manifest.is_file():
        return
    report = kind.table(folder).parent
    inside = f"{report.name}/"
    if any(path.startswith(inside) for path in listed(read_release_manifest(folder.release_manifest))):
        raise InputError(f"{report}: published with the release; give another folder with --out FOLDER")
