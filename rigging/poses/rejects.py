"""What a source or the gate left out, and why: nothing is dropped in silence."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from ..files import write_atomic


@dataclass(frozen=True)
class Reject:
    """One frame that was left out."""

    source: str
    clip: str
    frame: str | int
    reason: str  # one of a few fixed words, counted on screen
    detail: str  # the figure that decided


def count_reasons(rejects: Iterable[Reject]) -> dict[str, int]:
    """Frames per reason, the most frequent first (ties by name)."""
    counts = Counter(reject.reason for reject in rejects)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def write_rejects(path: Path | str, rejects: Iterable[Reject]) -> None:
    """Write a .csv with one line per frame left out (source, clip, frame, reason, detail), atomically."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(item.name for item in fields(Reject))
    writer.writerows(astuple(reject) for reject in rejects)
    write_atomic(path, text.getvalue().encode())
