"""The report of a validation: what was looked at, a verdict for every sample and for the whole; JSON on disk."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from rigging.errors import InputError
from rigging.files import write_atomic

FORMAT, VERSION = "mvhm-validation", 1

Verdict = Literal["pass", "fail", "incomplete"]


@dataclass(frozen=True)
class CheckResult:
    """One check over all samples; `worst` is null where nothing could be measured."""

    name: str
    what: str
    unit: str
    limit: float
    at_least: bool
    worst: float | None
    where: str
    failed: int  # samples


@dataclass(frozen=True)
class SampleResult:
    """One sample. `score` is its worst figure relative to the limit: 1 is at the limit, more is beyond."""

    shard: int
    row: int
    sample: int  # index in the release; -1 if that cannot be read
    verdict: Literal["pass", "fail"]
    score: float
    failed: tuple[str, ...]  # names of checks
    messages: tuple[str, ...]
    figures: dict[str, float | None]  # check: value; null for one that is not a number


@dataclass(frozen=True)
class ShardCount:
    """How much of the release was there: `expected` is null where nothing says it."""

    expected: int | None
    present: int
    sha256: dict[str, str]  # file name: digest of the bytes that were validated


@dataclass(frozen=True)
class Report:
    """All of a validation."""

    release: str
    configuration_hash: str
    shards: ShardCount
    samples: int
    verdict: Verdict
    checks: tuple[CheckResult, ...]
    problems: tuple[str, ...]  # of the release as a whole, or of a shard
    results: tuple[SampleResult, ...]  # by shard and row
    format: str = field(default=FORMAT)
    version: int = field(default=VERSION)

    @cached_property
    def _verdicts(self) -> dict[tuple[int, int], str]:
        return {(one.shard, one.row): one.verdict for one in self.results}

    def verdict_of(self, shard: int, row: int) -> str:
        """ "pass", "fail", or "" for a sample that was not there."""
        return self._verdicts.get((shard, row), "")

    @property
    def state(self) -> str:
        """Verdict and extent in one line."""
        expected = self.shards.expected
        extent = f"{self.shards.present} of {expected}" if expected is not None else str(self.shards.present)
        failed = sum(one.verdict == "fail" for one in self.results)
        return (
            f"{self.verdict}: {extent} shards, {self.samples} samples, {failed} failed, {len(self.problems)} problems"
        )

    def to_json(self) -> str:
        """The text of the report; the same for the same shards."""
        head = {"format": self.format, "version": self.version}
        return json.dumps(head | asdict(self), indent=1, sort_keys=False, allow_nan=False) + "\n"


def finite(value: float) -> float | None:
    """A number that JSON can hold, to 6 digits; None for infinity or NaN."""
    return float(f"{value:.6g}") if math.isfinite(value) else None


def write_report(path: Path, report: Report) -> None:
    """Write a report, all of it or nothing."""
    write_atomic(path, report.to_json().encode())


def read_report(path: Path) -> Report:
    """Read a report. Raises InputError for a file that is missing, none of these, or of a newer version."""
    try:
        table = json.loads(Path(path).read_bytes())
    except FileNotFoundError:
        raise InputError(f"{path}: no report there; validate the release first") from None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: cannot be read as a report ({str(error).splitlines()[0]})") from None
    if not isinstance(table, dict) or table.get("format") != FORMAT:
        raise InputError(f"{path}: not the report of a validation (format: {FORMAT!r})")
    if table.get("version") != VERSION:
        raise InputError(f"{path}: report version {table.get('version')}, this mvhm reads {VERSION}: validate again")
    try:
        return _report(table)
    except (KeyError, TypeError) as error:
        raise InputError(f"{path}: a report that lacks or misspells {error}") from None


def _report(table: dict[str, Any]) -> Report:
    lists = {
        "checks": tuple(CheckResult(**one) for one in table["checks"]),
        "results": tuple(
            SampleResult(**one | {"failed": tuple(one["failed"]), "messages": tuple(one["messages"])})
            for one in table["results"]
        ),
        "problems": tuple(table["problems"]),
        "shards": ShardCount(**table["shards"]),
    }
    return Report(**{**table, **lists})
