"""Hands as trackers and estimators report them: some in each frame, each with 21 joints and a side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..clip import PoseError
from ..rejects import Reject
from .recordings import Recorded


@dataclass(frozen=True)
class Seen:
    """One hand in one frame of a recording."""

    frame: int
    hand: str  # "right" or "left", "" where the file does not say
    joints: np.ndarray  # (21, 3) in the file's unit and frame, our order
    track: str = ""  # the tracker's own number of the hand
    confidence: float = float("nan")


def recorded(seen: Sequence[Seen], person: str, threshold: float | None, where: str) -> Recorded:
    """The rows of a recording of one person; hands less sure than `threshold` are not valid.

    Raises:
        PoseError: a threshold, and no hand says how sure it is.
    """
    sure = np.array([hand.confidence for hand in seen])
    if threshold is not None and not np.isfinite(sure).any():
        raise PoseError(f"{where}: no confidence in it that threshold={threshold:g} could judge")
    return Recorded(
        np.stack([hand.joints for hand in seen]),
        np.array([hand.frame for hand in seen]),
        np.array([hand.hand for hand in seen]),
        np.full(len(seen), person),
        np.array([hand.track for hand in seen]),
        None if threshold is None else _valid(seen, sure >= threshold),
    )


def _valid(seen: Sequence[Seen], sure: np.ndarray) -> np.ndarray:
    """(N, 21) bool."""
    return np.stack([np.isfinite(hand.joints).all(-1) & enough for hand, enough in zip(seen, sure)])


def with_sides(
    seen: Sequence[Seen], frames: int, source: str, name: str, needed: str
) -> tuple[list[Seen], list[Reject]]:
    """The hands that say whether they are left or right, and rejects of the others and of the frames without a hand.

    Raises:
        PoseError: `needed`, where no hand says so.
    """
    sided = [hand for hand in seen if hand.hand]
    if not sided:
        raise PoseError(needed)
    shown = {hand.frame for hand in seen}
    unsure = [(hand.frame, "a hand neither left nor right") for hand in seen if not hand.hand]
    empty = [(frame, "no hand in this frame") for frame in range(frames) if frame not in shown]
    return sided, [Reject(source, name, frame, "missing", detail) for frame, detail in (*unsure, *empty)]
