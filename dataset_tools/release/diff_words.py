"""A comparison of two releases as text, and as JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from .diff import ColumnChange, Edit, ReleaseDiff
from .field_diff import FieldChange
from .wording import number

LONG = 40  # hashes and texts are cut to this many characters
HASHES = ("configuration_hash", "data_hash")
MOST = 8  # sample numbers that are listed


def as_json(diff: ReleaseDiff) -> dict[str, Any]:
    """Everything in a comparison, as JSON takes it."""
    return {"format": "mvhm-diff", "version": 1, **dataclasses.asdict(diff)}


def as_text(diff: ReleaseDiff) -> str:
    """Everything in a comparison, for people."""
    old, new = diff.versions
    lines = [f"{old} -> {new}", *change_lines(diff), *_shard_lines(diff), *_field_lines(diff), *diff.notes]
    return "\n".join([lines[0], *(f"  {line}" for line in lines[1:] or ["nothing changed"])]) + "\n"


def change_lines(diff: ReleaseDiff) -> list[str]:
    """What manifests and indices say, a line each; the version itself and the date are in the heading."""
    lines = [_edit(edit) for edit in diff.about if edit.name not in ("version", "date")]
    lines += [_edit(edit, "setting ") for edit in diff.settings]
    lines += [_edit(edit, "licence of ") for edit in diff.licences]
    lines += [_edit(edit, "samples in ", absent="0") for edit in diff.splits]
    lines += [
        _samples(name, numbers) for name, numbers in (("added", diff.added), ("removed", diff.removed)) if numbers
    ]
    return lines + [_column(change) for change in diff.columns]


def _edit(edit: Edit, before: str = "", absent: str = "none") -> str:
    old, new = (absent if value is None else _cut(value, edit.name) for value in (edit.old, edit.new))
    return f"{before}{edit.name}: {old} -> {new}"


def _cut(value: Any, name: str = "") -> str:
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    if name in HASHES:
        return text[:12]
    return text if len(text) <= LONG else f"{text[: LONG - 3]}..."


def _samples(what: str, numbers: Sequence[int]) -> str:
    rest = f" and {len(numbers) - MOST} more" if len(numbers) > MOST else ""
    return f"samples {what}: {len(numbers)} ({', '.join(map(str, numbers[:MOST]))}{rest})"


def _column(change: ColumnChange) -> str:
    old, new = _cut(change.old) or "none", _cut(change.new) or "none"
    return f"{change.name} of {number(change.samples, 'sample')}, such as {change.example}: {old} -> {new}"


def _shard_lines(diff: ReleaseDiff) -> list[str]:
    if not diff.shards:
        return ["shards: the same bytes"]
    kinds = {"new": 0, "gone": 0, "changed": 0}
    for edit in diff.shards:
        kinds["new" if edit.old is None else "gone" if edit.new is None else "changed"] += 1
    return ["shards: " + ", ".join(f"{count} {kind}" for kind, count in kinds.items() if count)]


def _field_lines(diff: ReleaseDiff) -> list[str]:
    if not diff.compared:
        return []
    lines = [f"stored fields: {len(diff.changed)} of {diff.compared} samples that both have, in changed shards, differ"]
    for name, fields in (("added", diff.fields_added), ("removed", diff.fields_removed)):
        lines += [f"  {name}: {', '.join(fields)}"] if fields else []
    return lines + [f"  {_field(change)}" for change in diff.fields]


def _field(change: FieldChange) -> str:
    text = f"{change.name}: {number(change.samples, 'sample')}"
    if change.largest is not None:
        unit = "" if change.unit == "-" else f" {change.unit}"
        share = f"{100 * change.elements:.3g} % of the values"
        text += f", by up to {change.largest:.4g}{unit}, mean {change.mean or 0:.4g}, in {share}"
    return f"{text} ({change.example})"
