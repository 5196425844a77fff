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
    pose: str = ""  # the built-in pose that the hand is most like, as far as it can be told


def count_reasons(rejects: Iterable[Reject]) -> dict[str, int]:
    """Frames per reason, the most frequent first (ties by name)."""
    counts = Counter(reject.reason for reject in rejects)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def write_rejects(path: Path | str, rejects: Iterable[Reject]) -> None:
    """Write a .csv with one line per frame left out (source, clip, frame, reason, detail, pose), atomically."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(item.name for item in fields(Reject))
    writer.writerows(astuple(reject) for reject in rejects)
    write_atomic(path, text.getvalue().encode())


def recording(clip: str) -> str:
    """The recording that a clip is of: its name without the number of its first frame, as in "test/view0/0000012"."""
    return clip.rpartition("/")[0] or clip


def spans(frames: Iterable[str | int]) -> str:
    """Frames in words, runs with a constant step joined: 3 4 5 9 -> "3-5 9"; of names only the last part is told."""
    runs: list[list[str]] = []
    numbers: list[int | None] = []
    for frame in (str(frame).rpartition("/")[2] for frame in frames):
        numbers.append(int(frame) if frame.isdecimal() else None)
        if len(numbers) > 1 and runs and _goes_on(runs[-1], numbers):
            runs[-1].append(frame)
        else:
            runs.append([frame])
    return " ".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else " ".join(run) for run in runs)


def _goes_on(run: list[str], numbers: list[int | None]) -> bool:
    """Whether the last of `numbers` is the next of a run, whose own are just before it."""
    *before, last, new = numbers[-3:]
    if new is None or last is None or not last < new:
        return False
    return len(run) == 1 or new - last == last - (before[0] or 0)
