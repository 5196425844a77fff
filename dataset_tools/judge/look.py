"""One pass of the detector over all views of a release, on as many processes as there are workers."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rigging.errors import InputError

from ..load.dataset import HandDataset
from ..progress import Progress
from ..statistics.photographs import photographs, read_photograph
from ..workers import run_jobs
from .detector import Detector
from .joint_map import expected

LABELS = ("joints_world", "K", "world_to_cam", "hand")
BATCH = 16  # samples of a job
OPTION = "--photographs"


@dataclass(frozen=True)
class Seen:
    """What the detector found in S samples of V views, beside where its points are expected."""

    points: np.ndarray  # (S, V, 21, 2) px, NaN where no hand was found
    expected: np.ndarray  # (S, V, 21, 2) px, of the label
    score: np.ndarray  # (S, V) of the side, NaN for none
    side: np.ndarray  # (S, V) "right", "left" or ""

    @property
    def found(self) -> np.ndarray:
        """(S, V) bool."""
        return self.side != ""


def look(path: Path, workers: int = 1) -> Seen:
    """Look at every view of a folder of shards.

    Raises InputError, FileNotFoundError, ShardError, PassingError if a worker dies.
    """
    with closing(HandDataset(path, fields=LABELS)) as dataset:
        count, views = len(dataset), dataset.sizes["V"]
    if not count:
        raise InputError(f"{path}: no samples there")
    jobs = [(path, range(start, min(start + BATCH, count))) for start in range(0, count, BATCH)]
    parts = {}
    for (_, rows), seen in run_jobs(look_at, jobs, [len(rows) * views for _, rows in jobs], workers, "judge", "view"):
        parts[rows.start] = seen
    return joined([parts[start] for start in sorted(parts)])


def joined(parts: Sequence[Seen]) -> Seen:
    """The same of all samples, in order."""
    return Seen(*(np.concatenate([getattr(part, name) for part in parts]) for name in Seen.__dataclass_fields__))


def look_at(job: tuple[Path, range]) -> Seen:
    """Look at the samples of a folder whose places are given."""
    path, rows = job
    with closing(HandDataset(path, fields=(*LABELS, "rgb"))) as dataset, closing(Detector()) as detector:
        samples = [dataset[row] for row in rows]
        hands = [[detector(view) for view in sample["rgb"]] for sample in samples]
    none = np.full((21, 2), np.nan)
    return Seen(
        np.array([[hand.points if hand else none for hand in views] for views in hands]),
        np.array([_expected(sample) for sample in samples]),
        np.array([[hand.score if hand else np.nan for hand in views] for views in hands]),
        np.array([[hand.side if hand else "" for hand in views] for views in hands], "U5"),
    )


def _expected(sample: dict[str, Any]) -> np.ndarray:
    """(V, 21, 2) px: where the detector's points are expected in the views of a sample."""
    joints, camera = sample["joints_world"], (sample["K"], sample["world_to_cam"], sample.get("distortion"))
    return expected(joints, sample["meta"]["hand"], *camera)


def count_photographs(folder: Path) -> dict[str, int]:
    """How many photographs a folder holds, and in how many a hand is found. Raises InputError."""
    paths, found = photographs(folder, OPTION), 0
    with closing(Detector()) as detector, Progress("photographs", len(paths)) as progress:
        for path in paths:
            found += detector(read_photograph(path, OPTION)) is not None
            progress.add(1)
    return {"photographs": len(paths), "found": found}
