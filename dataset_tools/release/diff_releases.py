"""Compare two releases on disk: their manifests, their indices, and the shards that both have and that differ."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from rigging.errors import InputError

from ..load.index import SampleIndex, read_index
from ..progress import Progress
from ..store.layout import ReleaseFolder
from ..store.release_manifest import listed, read_sealed_manifest
from .diff import ReleaseDiff, compare
from .field_diff import Job, compare_shards, pair_rows


def diff_releases(old: Path, new: Path) -> ReleaseDiff:
    """What changed from `old` to `new`, each a release's folder or its manifest. Raises InputError, ShardError."""
    (old_folder, one), (new_folder, other) = _open(old), _open(new)
    old_index, new_index = _index(old_folder, one), _index(new_folder, other)
    diff = compare(one, other, old_index, new_index)
    if old_index is None or new_index is None:
        lacking = old if old_index is None else new
        return dataclasses.replace(diff, notes=(f"no index beside {lacking}: samples were not compared",))
    return _with_fields(diff, *_jobs(old_folder, new_folder, (one, other), (old_index, new_index)))


def _open(path: Path) -> tuple[ReleaseFolder, dict[str, Any]]:
    manifest = ReleaseFolder(path).release_manifest if path.is_dir() else path
    if not manifest.is_file():
        raise InputError(f"{manifest}: missing; a published release is wanted, or its manifest.json")
    return ReleaseFolder(manifest.parent), read_sealed_manifest(manifest)


def _index(folder: ReleaseFolder, manifest: dict[str, Any]) -> SampleIndex | None:
    """The index of a release; None where only the manifest was kept."""
    if folder.index.name not in listed(manifest) or not folder.index.is_file():
        return None
    return read_index(folder.index)


def _jobs(
    old: ReleaseFolder, new: ReleaseFolder, manifests: tuple[dict, dict], indices: tuple[SampleIndex, SampleIndex]
) -> tuple[list[Job], int]:
    """Pairs of shards to compare, without those of equal bytes, and how many pairs cannot be: a shard is not there."""
    one, other = (listed(manifest) for manifest in manifests)
    jobs, absent = [], 0
    for (here, there), rows in pair_rows(indices[0].columns, indices[1].columns).items():
        first, second = old.shard(here), new.shard(there)
        if one.get(first.name) == other.get(second.name) and all(a == b for _, a, b in rows):
            continue
        if first.is_file() and second.is_file():
            jobs.append((first, second, rows))
        else:
            absent += 1
    return jobs, absent


def _with_fields(diff: ReleaseDiff, jobs: list[Job], absent: int) -> ReleaseDiff:
    with Progress("compare", sum(len(rows) for _, _, rows in jobs), "sample") as progress:
        found = compare_shards(jobs, progress.add)
    notes = (f"{absent} shards that changed are not there: their fields were not compared",) if absent else ()
    if not jobs and absent:
        return dataclasses.replace(diff, notes=notes)
    return dataclasses.replace(
        diff, compared=found.compared, changed=tuple(sorted(found.changed)), fields=found.fields, notes=notes,
        fields_added=tuple(sorted(found.only_new)), fields_removed=tuple(sorted(found.only_old)),
    )  # fmt: skip
