"""The user's own real data sets in MVHM's Table 2: trained on alone, and together with the release."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .runs import Runs
from .table2 import PAPER, Row
from .tier2 import Trained


@dataclass(frozen=True)
class RealSet:
    """A data set by its name in Table 2, and where the user has it."""

    name: str
    path: Path


def real_sets(stb: Path | None, mhp: Path | None) -> tuple[RealSet, ...]:
    """Those that were given."""
    return tuple(RealSet(name, path) for name, path in (("MHP", mhp), ("STB", stb)) if path)


def real_rows(runs: Runs, trained: Trained, real: Sequence[RealSet]) -> tuple[Row, ...]:
    """Table 2; a row whose data set was not given says so."""
    given = {one.name: one for one in real}
    return tuple(
        _run(runs, row, given[row.data]) if row.data in given else dataclasses.replace(row, why=_needs(row))
        for row in PAPER
    )


def _needs(row: Row) -> str:
    return f"not run: needs {row.data}"


def _run(runs: Runs, row: Row, real: RealSet) -> Row:
    raise NotImplementedError
