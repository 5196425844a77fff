"""Which poses were lost at the gate: frames named after the built-in pose that they are most like."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ...fingers.kinematics import forward, skeleton
from ...hand.asset import load_asset
from ..clip import PoseClip
from ..readers.mirror import mirror_points
from ..rejects import Reject, recording, spans
from ..sampling.anchors import load_anchors
from ..sampling.angles import joint_angles

UNLIKE_DEGREES = 30.0  # root-mean-square angle from the nearest built-in pose, beyond which a pose has no name
OTHER = "like no built-in pose"
NEXT_TO = "next to "  # before the pose of the nearest good frame, of a frame that shows none
NEAR_FRAMES = 15
UNMEASURABLE = ("missing", "collapsed", "extent")


@dataclass(frozen=True)
class LostPose:
    """Frames of one built-in pose."""

    pose: str
    lost: int  # of them left out
    frames: int  # all that are like it
    where: str  # recordings and frames of those left out


def nearest_poses(joints: np.ndarray) -> list[str]:
    """The anchor (see `sampling.anchors`) whose joint angles are nearest, for right hands (N, 21, 3) in metres.

    Frames must be measurable, as those that the gate calls neither missing nor collapsed.
    """
    if not len(joints):
        return []
    asset, anchors = load_asset(), load_anchors()
    known = joint_angles(asset, forward(skeleton(asset), np.stack([anchor.angles for anchor in anchors])))
    with np.errstate(all="ignore"):  # with checks off, frames come here that are like no pose at all
        angles = joint_angles(asset, joints)
    square = (angles**2).sum(1)[:, None] + (known**2).sum(1) - 2 * angles @ known.T
    nearest, degrees = square.argmin(1), np.degrees(np.sqrt(np.maximum(square.min(1), 0) / angles.shape[1]))
    return [anchors[i].name if far <= UNLIKE_DEGREES else OTHER for i, far in zip(nearest, degrees)]


def name_poses(joints: np.ndarray, clip: np.ndarray, reasons: Sequence[str]) -> list[str]:
    """What each rejected frame of joints (N, 21, 3), metres, shows: a built-in pose, or what it is next to.

    `clip` (N,) numbers the clip and `reasons` are words, "" of a good frame, which gets no pose. A frame of the wrong
    hand is named after its mirror image.
    """
    poses = [""] * len(joints)
    words = np.array(reasons)
    rejected = words != ""
    hidden = np.isin(words, UNMEASURABLE)
    shown = np.flatnonzero(rejected & ~hidden)
    flip = (words[shown] == "wrong hand")[:, None, None]
    rows, neighbours = _neighbours(np.flatnonzero(hidden), np.flatnonzero(~rejected), clip)
    seen = np.where(flip, mirror_points(joints[shown]), joints[shown])
    names = nearest_poses(np.concatenate([seen, joints[neighbours]]))
    for number, (row, name) in enumerate(zip([*shown, *rows], names)):
        poses[row] = name if number < len(shown) else NEXT_TO + name
    return poses


def _neighbours(rows: np.ndarray, good: np.ndarray, clip: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Those of `rows` (n,) that have a `good` (m,) row of their clip near them, and the nearest one."""
    if not len(good):
        return rows[:0], rows[:0]
    place = np.searchsorted(good, rows)
    sides = np.stack([good[np.maximum(place - 1, 0)], good[np.minimum(place, len(good) - 1)]])
    distance = np.where(clip[sides] == clip[rows], np.abs(sides - rows), NEAR_FRAMES + 1)
    nearest = sides[distance.argmin(0), np.arange(len(rows))]
    near = distance.min(0) <= NEAR_FRAMES
    return rows[near], nearest[near]


def lost_poses(accepted: Iterable[PoseClip], rejects: Iterable[Reject], most: int = 3) -> list[LostPose]:
    """The poses of which frames were left out, those first of which the largest share is lost (then by frames).

    `where` names at most so many recordings. Frames that show no pose count as what they are next to, if anything.
    """
    lost: dict[str, dict[str, list[str | int]]] = defaultdict(lambda: defaultdict(list))
    for reject in rejects:
        if reject.pose:
            lost[reject.pose.removeprefix(NEXT_TO)][recording(reject.clip)].append(reject.frame)
    if not lost:
        return []
    clips = list(accepted)
    kept = Counter(nearest_poses(np.concatenate([clip.joints for clip in clips])) if clips else ())
    rows = []
    for pose, by_recording in lost.items():
        count = sum(map(len, by_recording.values()))
        rows.append(LostPose(pose, count, count + kept[pose], _where(by_recording, most)))
    return sorted(rows, key=lambda row: (-row.lost / row.frames, -row.lost, row.pose))


def _where(by_recording: dict[str, list[str | int]], most: int) -> str:
    named = [f"{name} {spans(frames)}" for name, frames in list(by_recording.items())[:most]]
    left = len(by_recording) - most
    return ", ".join([*named, *([f"and {left} more recordings"] if left > 0 else [])])
