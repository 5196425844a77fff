"""From the hands that a file holds, frame by frame, to clips: what the readers of recordings share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..clip import PoseClip, PoseError
from .mirror import mirror_points, mirror_up
from .permutations import joint_order, to_canonical
from .thumb import with_thumb_base
from .units import unit_scale

FARTHEST = 1e6  # metres from the origin


@dataclass(frozen=True)
class Recorded:
    """The hands in a file: N rows, one per hand and frame.

    A clip is one person's hand over consecutive frames. Two rows of one frame that agree in person, hand and track
    cannot be told apart, and become clips of one frame.
    """

    points: np.ndarray  # (N, K, 3) in the file's unit, frame and order of joints; NaN where not tracked
    frame: np.ndarray  # (N,) int, number of the frame in the file
    hand: np.ndarray  # (N,) "right" or "left"
    person: np.ndarray  # (N,) str, "" where unknown
    track: np.ndarray | None = None  # (N,) str or int, the device's own number of the hand
    valid: np.ndarray | None = None  # (N, 21) bool, in our order; None is "finite"
    extra: Mapping[str, np.ndarray] = field(default_factory=dict)  # first axis N

    def rows(self, chosen: np.ndarray) -> Recorded:
        """Some of the rows, by a mask (N,) or indices."""
        return Recorded(
            self.points[chosen],
            self.frame[chosen],
            self.hand[chosen],
            self.person[chosen],
            None if self.track is None else self.track[chosen],
            None if self.valid is None else self.valid[chosen],
            {key: value[chosen] for key, value in self.extra.items()},
        )


@dataclass(frozen=True)
class Origin:
    """What holds for all clips of a file."""

    file: Path
    name: str
    source: str
    sha256: str
    order: str  # of joints, a name in the table of orders
    unit: str = "auto"
    licence: str = "unknown"
    fps: float | None = None
    up: tuple[float, float, float] | None = None
    frame_ids: Sequence[Any] | Mapping[int, Any] = ()  # by the frame's number; that number if empty
    keep_points: bool = False  # as extra, named as the order is, in metres and mirrored as the joints are
    wrist_from: str | None = None  # see to_canonical
    tip_def: str | None = None  # that of the order if None
    wrist_def: str | None = None
    estimated: str | None = None


def clips_of(recorded: Recorded, origin: Origin) -> list[PoseClip]:
    """The clips of a file, left hands mirrored.

    Raises:
        PoseError: no row, no joint in any row, or points that are no hand's in the unit.
    """
    if not np.isfinite(recorded.points).all(-1).any():
        raise PoseError(f"{origin.file}: no hand is tracked in it")
    points, joints, estimated = _right_hands(recorded, origin)
    runs = consecutive(recorded)
    names = [origin.name] if len(runs) == 1 else _names(recorded, origin.name, [rows[0] for rows in runs])
    return [
        _clip(recorded, origin, rows, name, points[rows], joints[rows], estimated) for rows, name in zip(runs, names)
    ]


def _right_hands(recorded: Recorded, origin: Origin) -> tuple[np.ndarray, np.ndarray, str | None]:
    """Points (N, K, 3) and joints (N, 21, 3) in metres, all of right hands, and what of them is estimated."""
    joints = to_canonical(origin.order, recorded.points, origin.wrist_from)
    scale = unit_scale(joints, origin.unit, str(origin.file))
    left = (recorded.hand == "left")[:, None, None]
    points, joints = (_sane(np.where(left, mirror_points(a), a) * scale) for a in (recorded.points, joints))
    if not joint_order(origin.order).lacks_thumb_base:
        return points, joints, origin.estimated
    for person in np.unique(recorded.person):
        rows = recorded.person == person
        joints[rows] = with_thumb_base(joints[rows])
    return points, joints, origin.estimated or "thumb_cmc"


def _sane(points: np.ndarray) -> np.ndarray:
    """Points in metres, NaN beyond what can be a place: such numbers would overflow where they are used."""
    with np.errstate(invalid="ignore"):
        return np.where((np.abs(points) <= FARTHEST).all(-1, keepdims=True), points, np.nan)


def consecutive(recorded: Recorded) -> list[np.ndarray]:
    """Rows (n,) of each clip, by first frame: one person's hand in consecutive frames."""
    track = np.zeros(len(recorded.frame), int) if recorded.track is None else recorded.track
    key = np.zeros(len(recorded.frame), int)
    for column in (recorded.person, recorded.hand, track):
        values, numbers = np.unique(column, return_inverse=True)
        key = key * len(values) + numbers
    order = np.lexsort((recorded.frame, key))
    same = np.diff(key[order]) == 0
    step = np.diff(recorded.frame[order])
    twin = np.zeros(len(order) + 1, bool)  # rows that share a frame, before and after each border
    twin[1:-1] = same & (step == 0)
    alone = twin[1:] | twin[:-1]
    cuts = np.flatnonzero(~same | (step != 1) | alone[1:] | alone[:-1]) + 1
    return sorted(np.split(order, cuts), key=lambda rows: (recorded.frame[rows[0]], rows[0]))


def _names(recorded: Recorded, name: str, rows: Sequence[int]) -> list[str]:
    """A name for each clip that begins with a row: the file's, person and hand where they differ, and the frame.

    Clips that cannot be told apart otherwise are numbered.
    """
    columns = [column for column in (recorded.person, recorded.hand) if (column != column[0]).any()]
    names = ["/".join([name, *(str(column[row]) for column in columns), str(recorded.frame[row])]) for row in rows]
    seen: Counter[str] = Counter()
    for i, text in enumerate(names):
        seen[text] += 1
        if seen[text] > 1:
            names[i] = f"{text}.{seen[text]}"
    return names


def _clip(
    recorded: Recorded,
    origin: Origin,
    rows: np.ndarray,
    name: str,
    points: np.ndarray,
    joints: np.ndarray,
    estimated: str | None,
) -> PoseClip:
    order, left = joint_order(origin.order), bool(recorded.hand[rows[0]] == "left")
    extra = {key: value[rows] for key, value in recorded.extra.items()}
    frames = recorded.frame[rows]
    return PoseClip(
        joints=joints,
        valid=None if recorded.valid is None else recorded.valid[rows] & np.isfinite(joints).all(-1),
        name=name,
        subject=str(recorded.person[rows[0]]),
        source=origin.source,
        licence=origin.licence,
        mirrored=left,
        fps=origin.fps,
        frame_ids=tuple(origin.frame_ids[i] for i in frames) if len(origin.frame_ids) else tuple(frames),
        tip_def=origin.tip_def or order.tip_def,
        wrist_def=origin.wrist_def or ("extrapolated" if origin.wrist_from else order.wrist_def),
        up=mirror_up(origin.up) if left else origin.up,
        extra=({origin.order: points.astype(np.float32)} if origin.keep_points else {}) | extra,
        sha256=origin.sha256,
        estimated=estimated,
    )
