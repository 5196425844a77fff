"""Gathers the shards of one release from several OUT folders, such as those of nodes without shared storage."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from dataset_tools.progress import Progress
from dataset_tools.store.incomplete import read_incomplete
from dataset_tools.store.layout import ReleaseFolder
from rigging.files import file_sha256, write_atomic

from ..errors import DamagedError, InputError, LockedError, writing
from ..files import chunks
from ..planning.configuration import difference, differing
from ..planning.plan import Plan, load_plan
from .transfer import Package, add_events, bytes_of, is_stored, pack, put_plan, read_plan, remove, store


@dataclass
class Summary:
    """What is in the folder after a collection, by numbers of shards."""

    folder: Path
    shards: int  # that the release has poses for
    copied: list[int] = field(default_factory=list)
    stored: list[int] = field(default_factory=list)  # whole, copied now or before
    incomplete: list[int] = field(default_factory=list)  # with samples that were set aside
    locked: list[int] = field(default_factory=list)  # being rendered in the folder by a live process
    damaged: list[str] = field(default_factory=list)  # one line each

    @property
    def missing(self) -> list[int]:
        """Shards that are neither there nor incomplete."""
        return sorted(set(range(self.shards)) - set(self.stored) - set(self.incomplete))

    def lines(self) -> Iterator[str]:
        """The summary in words."""
        yield f"{self.folder}: {len(self.stored)} of {self.shards} shards, {len(self.copied)} of them copied now"
        for name in ("incomplete", "missing", "locked"):
            if shards := getattr(self, name):
                yield f"{name}: {ranges(shards)}"
        yield from (f"damaged, left out: {line}" for line in self.damaged)


def collect(name: str, outs: Sequence[Path], out: Path, move: bool = False) -> Summary:
    """Copy all finished shards of release `name` from the folders `outs` into `out`, and say what is there then.

    What is there already is left alone, so that the same call goes on after an interruption. `move` deletes a shard
    from its source once the copy has been read back. Raises InputError, before anything is written, if plans or
    configurations differ or a shard is there twice with different bytes; DiskFullError.
    """
    folder = out / name
    folders = [_release_folder(source, name, folder) for source in outs]
    plan = _common_plan([folder, *folders])
    stored, _ = find_shards([folder])
    sources, damaged = find_shards(folders)
    _check_configurations([*stored, *sources], plan)
    _check_bytes(sources, folder)
    release = json.loads(plan.release)
    shards = -(-min(release["samples"], plan.samples) // release["shard_size"])
    summary = Summary(folder, shards, damaged=damaged)
    with writing(folder):
        put_plan(folder, read_plan(folders[0]) | read_plan(folder))
        _copy_shards(sources, summary, move, release["cameras"]["views"])
        stored, damaged = find_shards([folder])
        summary.stored = [source.shard for source in stored]
        summary.damaged += damaged
        _copy_reports(folders, summary)
    return summary


def find_shards(folders: Iterable[Path]) -> tuple[list[Package], list[str]]:
    """The finished shards in release folders, by number, and a line for each that is damaged at first sight."""
    sources, damaged = [], []
    for path in (files.shard(shard) for files in map(ReleaseFolder, folders) for shard in files.shards()):
        try:
            sources.append(pack(path))
        except DamagedError as error:
            damaged.append(str(error))
    return sorted(sources, key=lambda source: (source.shard, source.path)), sorted(damaged)


def ranges(numbers: Sequence[int]) -> str:
    """Sorted numbers as `0-3, 7, 9-11`."""
    runs = [list(run) for _, run in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0])]
    return ", ".join(f"{run[0][1]}-{run[-1][1]}" if len(run) > 1 else f"{run[0][1]}" for run in runs)


def _release_folder(out: Path, name: str, target: Path) -> Path:
    folder = out / name
    if not folder.is_dir():
        raise InputError(f"{out}: holds no folder {name!r}: FROM takes folders that shards were rendered into")
    if target.exists() and folder.samefile(target):
        raise InputError(f"{out}: is the folder to gather in (--out)")
    return folder


def _common_plan(folders: Sequence[Path]) -> Plan:
    """The plan of all `folders`, of which the first need not have one. Raises InputError where plans differ."""
    paths = [ReleaseFolder(folder).plan for folder in folders]
    paths = paths if paths[0].exists() else paths[1:]
    first, same = load_plan(paths[0]), {file_sha256(paths[0])}
    for path in paths[1:]:
        if not path.exists() or file_sha256(path) not in same:
            other = load_plan(path)
            if other.content != first.content:
                raise InputError(f"{path}: not the plan of {paths[0]} ({_plan_difference(first, other)})")
    return first


def _plan_difference(first: Plan, other: Plan) -> str:
    if settings := difference(first.release, other.release):
        return settings
    kinds = [{"device": plan.device, "asset": plan.asset} for plan in (first, other)]
    return differing(*kinds) or "pose files or version"


def _check_configurations(sources: Sequence[Package], plan: Plan) -> None:
    for source in sources:
        if source.configuration != sources[0].configuration:
            changes = difference(sources[0].configuration, source.configuration)
            raise InputError(f"{source.path}: of another configuration than {sources[0].path} ({changes})")
        if json.loads(source.configuration)["plan"] != plan.content:
            raise InputError(f"{source.path}: not made from the plan beside it")


def _check_bytes(sources: Sequence[Package], folder: Path) -> None:
    """Raise InputError if a shard is there twice, among the sources or with one in `folder`, with other bytes."""
    first: dict[int, Package] = {}
    for source in sources:
        other = first.setdefault(source.shard, source)
        if source.manifest["sha256"] != other.manifest["sha256"]:
            raise InputError(f"{source.path} and {other.path}: the same shard with different bytes: move one away")
        is_stored(source, folder)


def _copy_shards(sources: Sequence[Package], summary: Summary, move: bool, views: int) -> None:
    images = {source.shard: views * source.manifest["samples"] for source in sources}
    with Progress(f"collect {summary.folder.name}", sum(images.values())) as progress:
        for shard, same in groupby(sources, key=lambda source: source.shard):
            copies = list(same)
            if any(_copied(source, summary) for source in copies) and move:
                _delete(copies, summary)
            progress.add(images[shard])


def _copied(source: Package, summary: Summary) -> bool:
    """Whether the shard is in the folder now."""
    try:
        if store(source, chunks(source.path), summary.folder):
            summary.copied.append(source.shard)
    except DamagedError as error:
        summary.damaged.append(f"{source.path}: {error}")
        return False
    except LockedError:
        summary.locked.append(source.shard)
        return False
    return True


def _delete(copies: Sequence[Package], summary: Summary) -> None:
    """Delete a shard's sources, if the copy reads back as it should."""
    copy = ReleaseFolder(summary.folder).shard(copies[0].shard)
    if file_sha256(copy) != copies[0].manifest["sha256"]:
        summary.damaged.append(f"{copy}: does not read back as it was written; its source is kept")
        return
    for source in copies:
        remove(ReleaseFolder(source.path.parent), source.shard)


def _copy_reports(folders: Sequence[Path], summary: Summary) -> None:
    """Copy what says of unfinished shards which samples are set aside, and their log; of several the shortest list."""
    target, sources = ReleaseFolder(summary.folder), list(map(ReleaseFolder, folders))
    for shard in sorted({shard for files in sources for shard in files.reported()} - set(summary.stored)):
        reports = [(read_incomplete(files.incomplete(shard), shard), files) for files in sources]
        holders = [(report.lacks, files) for report, files in reports if report is not None]
        for _, files in holders:
            add_events(summary.folder, shard, bytes_of(files.events(shard)))
        _, best = min(holders, key=lambda held: math.inf if held[0] is None else held[0])
        write_atomic(target.incomplete(shard), best.incomplete(shard).read_bytes())
    for shard in target.reported():
        if shard in summary.stored:
            target.incomplete(shard).unlink()
        else:
            summary.incomplete.append(shard)
