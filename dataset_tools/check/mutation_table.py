"""The mutation table: what was broken, in how many samples, and what the validation said of it."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .finding import Place
from .mutate import mutate
from .mutations import MUTATIONS, Mutation
from .report import Report

COLUMNS = (
    "mutation",
    "what was broken",
    "in how many samples",
    "rightly named",
    "checks (samples)",
    "others that failed",
)
HEAD = "| " + " | ".join(COLUMNS) + " |\n" + "|---" * len(COLUMNS) + "|"
MOST = 6  # checks that a line names


@dataclass(frozen=True)
class Line:
    """One validation: of the release with `mutation`, or of the untouched one (None)."""

    mutation: Mutation | None
    samples: int
    broken: tuple[Place, ...]
    verdict: str
    failed: dict[Place, tuple[str, ...]]  # samples that did not pass: the checks that say so

    @property
    def named(self) -> int:
        """Broken samples that a check meant for this mutation has named."""
        wanted = set(self.mutation.named_by) if self.mutation else set()
        return sum(bool(wanted & set(self.failed.get(place, ()))) for place in self.broken)

    @property
    def right(self) -> bool:
        """Whether the validation said what it should: all that is broken, by a right name; untouched passes."""
        if self.mutation is None:
            return self.verdict == "pass"
        return self.verdict == "fail" and self.named == len(self.broken)

    def __str__(self) -> str:
        """The line in Markdown."""
        counts = Counter(check for place in self.broken for check in self.failed.get(place, ()))
        checks = ", ".join(f"{name} {count}" for name, count in counts.most_common(MOST))
        more = f" and {len(counts) - MOST} more" if len(counts) > MOST else ""
        others = len(set(self.failed) - set(self.broken))
        name, breaks = (self.mutation.name, self.mutation.breaks) if self.mutation else ("-", "nothing")
        said = f"{self.named} of {len(self.broken)}" if self.mutation else self.verdict
        cells = (name, breaks, f"{len(self.broken)} of {self.samples}", said, f"{checks}{more}" or "-", others)
        return "| " + " | ".join(map(str, cells)) + " |"


def mutation_table(
    source: Path,
    workspace: Path,
    validate: Callable[[Path], Report],
    rng: np.random.Generator,
    names: Iterable[str] = tuple(MUTATIONS),
) -> Iterator[Line]:
    """The lines of the table: the untouched release, then every mutation in one sample and in all.

    Broken copies are made in `workspace` and removed again, one at a time.
    """
    yield _line(None, (), validate(source))
    for name in names:
        for rows in ("one", "all"):
            target = workspace / f"{name}-{rows}"
            broken = mutate(source, target, name, rows, rng)
            try:
                yield _line(MUTATIONS[name], tuple(broken), validate(target))
            finally:
                shutil.rmtree(target)


def _line(mutation: Mutation | None, broken: tuple[Place, ...], report: Report) -> Line:
    failed = {(one.shard, one.row): tuple(one.failed) for one in report.results if one.verdict != "pass"}
    return Line(mutation, report.samples, broken, report.verdict, failed)
