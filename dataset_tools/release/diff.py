"""What changed between two releases, as their manifests and indices say; shards are compared in `field_diff`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..load.index import SampleIndex
from .facts import split_counts
from .field_diff import FieldChange

ABOUT = ("version", "date", "name", "homepage", "schema_version", "configuration_hash", "data_hash")
PLACES = ("shard", "row")  # of the index: where a sample lies, not what it is


@dataclass(frozen=True)
class Edit:
    """A named value that changed; None where it is not there."""

    name: str
    old: Any
    new: Any


@dataclass(frozen=True)
class ColumnChange:
    """A column of the index that changed in some samples, the first of them as an example."""

    name: str
    samples: int
    example: int
    old: Any
    new: Any


@dataclass(frozen=True)
class ReleaseDiff:
    """What changed from an old release to a new one. Samples are told apart by their number in the release."""

    versions: tuple[str, str]
    about: tuple[Edit, ...]
    settings: tuple[Edit, ...]
    licences: tuple[Edit, ...]
    splits: tuple[Edit, ...]  # samples per split
    shards: tuple[Edit, ...]  # sha256 by file name
    added: tuple[int, ...] | None = None  # sample numbers; None where an index is not at hand
    removed: tuple[int, ...] | None = None
    columns: tuple[ColumnChange, ...] = ()
    compared: int | None = None  # samples whose stored fields were compared; None: shards were not at hand
    changed: tuple[int, ...] = ()
    fields: tuple[FieldChange, ...] = ()
    fields_added: tuple[str, ...] = ()
    fields_removed: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())


def compare(
    old: Mapping[str, Any], new: Mapping[str, Any], old_index: SampleIndex | None, new_index: SampleIndex | None
) -> ReleaseDiff:
    """What changed between two manifests and, where both are at hand, their indices."""
    about = [Edit(name, old.get(name), new.get(name)) for name in ABOUT]
    about += [Edit("validation", _verdict(old, "validation"), _verdict(new, "validation"))]
    about += [Edit("estimators", _verdict(old, "gate"), _verdict(new, "gate"))]
    shards = edits(_shards(old), _shards(new))
    known = {} if old_index is None or new_index is None else _samples(old_index, new_index)
    return ReleaseDiff(
        (old["version"], new["version"]), tuple(edit for edit in about if edit.old != edit.new),
        edits(flat(old["configuration"]), flat(new["configuration"])), edits(_terms(old), _terms(new)),
        edits(_counts(old), _counts(new)), shards, **known,
    )  # fmt: skip


def edits(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Edit, ...]:
    """Entries that differ between two mappings, by name."""
    names = sorted(set(old) | set(new))
    return tuple(Edit(name, old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name))


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one, names joined by dots."""
    out: dict[str, Any] = {}
    for key, value in values.items():
        out |= flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return out


def _verdict(manifest: Mapping[str, Any], name: str) -> str | None:
    return (manifest.get(name) or {}).get("verdict")


def _shards(manifest: Mapping[str, Any]) -> dict[str, str]:
    return {entry["path"]: entry["sha256"] for entry in manifest["files"] if entry["path"].endswith(".h5")}


def _terms(manifest: Mapping[str, Any]) -> dict[str, str]:
    return {entry["what"]: entry["licence"] for entry in manifest.get("licences", ())}


def _counts(manifest: Mapping[str, Any]) -> dict[str, int]:
    return {name: counts["samples"] for name, counts in manifest["splits"].items()}


def _samples(old: SampleIndex, new: SampleIndex) -> dict[str, Any]:
    added, removed = np.setdiff1d(new["sample"], old["sample"]), np.setdiff1d(old["sample"], new["sample"])
    _, here, there = np.intersect1d(old["sample"], new["sample"], return_indices=True)
    columns = _columns(old.take(here), new.take(there))
    return {"added": tuple(added.tolist()), "removed": tuple(removed.tolist()), "columns": columns}


def _columns(old: SampleIndex, new: SampleIndex) -> tuple[ColumnChange, ...]:
    """Columns that differ, of two indices whose rows are the same samples."""
    changes = []
    for name in old.columns:
        if name in PLACES or name not in new.columns:
            continue
        rows = np.flatnonzero(old[name] != new[name])
        if len(rows):
            first = rows[0]
            one, other = old[name][first].item(), new[name][first].item()
            changes.append(ColumnChange(name, len(rows), int(old["sample"][first]), one, other))
    return tuple(changes)


def counted(index: SampleIndex) -> dict[str, dict[str, int]]:
    """Counts of each split, as the manifest holds them."""
    return {
        name: {"samples": n.samples, "pairs": n.pairs, "subjects": n.subjects}
        for name, n in split_counts(index).items()
    }
