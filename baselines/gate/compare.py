"""What changed since the gate report before: the same figures of both, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Table = Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """A figure, before and now; None where a report does not have it."""

    what: str
    before: float | str | None
    now: float | str | None


def changes(before: Table, now: Table) -> tuple[Change, ...]:
    """Figures that both reports' tables are read for: verdict, errors of the arms, verdicts of the claims, splits."""
    old, new = dict(_figures(before)), dict(_figures(now))
    return tuple(Change(what, old.get(what), new.get(what)) for what in dict.fromkeys([*new, *old]))


def caveats(before: Table, now: Table) -> tuple[str, ...]:
    """Why the two do not compare, one line each."""
    lines = []
    for name, words in (("preset", "another preset"), ("mvhm", "another version of mvhm")):
        old, new = (_part(table, "about").get(name) for table in (before, now))
        if old != new:
            lines.append(f"the report before is of {words} ({old}, now {new})")
    same = before.get("data_hash") == now.get("data_hash")
    lines.append(f"the test samples are {'the same' if same else 'those of another release'}")
    return tuple(lines)


def _figures(table: Table) -> Iterator[tuple[str, float | str | None]]:
    yield "verdict", table.get("verdict")
    for one in _rows(table, "tier1"):
        yield f"overfit {one['estimator']}, mm", one["error"]
    tier2 = _part(table, "tier2")
    for arm, mean in _part(tier2, "means").items():
        yield f"{tier2.get('split')}: {arm}, mm", mean
    for one in _rows(tier2, "findings"):
        yield f"claim: {one['claim']['says']}", one["verdict"]
    for one in _rows(table, "tables"):
        for row in _rows(_part(one, "comparison"), "rows"):
            for name in one["table"]["measures"]:
                yield f"{one['table']['title']}: {row['name']}, {name}", _part(row["figures"], name).get("mean")
    for one in _rows(_part(table, "tier3"), "scores"):
        for name, value in one["figures"].items():
            yield f"{one['split']}: {one['estimator']}, {name}", value


def _part(table: Table, name: str) -> Table:
    value = table.get(name)
    return value if isinstance(value, Mapping) else {}


def _rows(table: Table, name: str) -> Sequence[Table]:
    value = table.get(name)
    return value if isinstance(value, (list, tuple)) else ()
