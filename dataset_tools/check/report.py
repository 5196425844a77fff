"""The validation's report: what was checked, what was found, and a verdict for every sample."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from rigging.errors import InputError

FORMAT = "mvhm-validation"
FORMAT_VERSION = 1


@dataclass(frozen=True)
class Report:
    """The report as in its file."""

    release: str
    configuration_hash: str
    shards: dict[str, Any]  # expected, present, sha256 by file name
    samples: int
    verdict: str  # "pass", "fail" or "incomplete"
    checks: tuple[dict[str, Any], ...]  # name, what, limit, worst, failed
    problems: tuple[str, ...]  # of the release as a whole
    results: tuple[dict[str, Any], ...]  # shard, row, sample, verdict, score, failed, messages, figures

    def verdict_of(self, shard: int, row: int) -> str:
        """Verdict of a sample: "pass", "fail", or "" where the report has none."""
        return next((r["verdict"] for r in self.results if (r["shard"], r["row"]) == (shard, row)), "")


def read_report(path: Path) -> Report:
    """The report in a file. Raises FileNotFoundError, InputError."""
    try:
        values = json.loads(Path(path).read_bytes())
    except ValueError:
        raise InputError(f"{path}: not JSON, so not a report of a validation") from None
    if not isinstance(values, dict) or values.get("format") != FORMAT or values.get("version") != FORMAT_VERSION:
        raise InputError(f"{path}: not a report of a validation (format {FORMAT!r}, version {FORMAT_VERSION})")
    names = [field.name for field in fields(Report)]
    if missing := [name for name in names if name not in values]:
        raise InputError(f"{path}: a report of a validation, but without {', '.join(missing)}")
    lists = {name: tuple(values[name]) for name in ("checks", "problems", "results")}
    return Report(**{name: values[name] for name in names} | lists)
