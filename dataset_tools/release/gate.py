"""The estimators' report on a release, bound to it by the hash of its data."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rigging.errors import InputError

FORMAT = "mvhm-gate"
FORMAT_VERSION = 1
VERDICTS = ("pass", "fail")


@dataclass(frozen=True)
class Gate:
    """A gate report: its file's bytes and what the release says of it."""

    data: bytes
    verdict: str
    summary: Any  # as the report has it: a text, or figures by name

    @property
    def sha256(self) -> str:
        """sha256 of the report's file."""
        return hashlib.sha256(self.data).hexdigest()


def parsed_report(data: bytes, where: str) -> dict[str, Any]:
    """The table of a gate report's file. Raises InputError, which begins with `where`, for anything else."""
    try:
        report = json.loads(data)
    except (ValueError, RecursionError):
        raise InputError(f"{where}: not JSON") from None
    if not isinstance(report, dict) or report.get("format") != FORMAT or report.get("version") != FORMAT_VERSION:
        raise InputError(f"{where}: not a gate report (format {FORMAT!r}, version {FORMAT_VERSION} are wanted)")
    return report


def read_gate(path: Path, data_hash: str) -> Gate:
    """The gate report at `path`, which must be on the data of `data_hash`. Raises InputError."""
    if not path.is_file():
        raise InputError(f"--gate {path}: no such file")
    data = path.read_bytes()
    report = parsed_report(data, f"--gate {path}")
    if report.get("verdict") not in VERDICTS:
        raise InputError(f"--gate {path}: verdict {report.get('verdict')!r}; allowed are {', '.join(VERDICTS)}")
    if report.get("data_hash") != data_hash:
        raise InputError(
            f"--gate {path}: it is on other data (data_hash {str(report.get('data_hash'))[:16]}..), "
            f"this release is {data_hash[:16]}.."
        )
    return Gate(data, report["verdict"], report.get("summary"))
