"""Anchors: named hand poses (grasps, letters, numbers, gestures), authored as joint angles in data/anchors.json.

An anchor may state contacts, pairs of skin points that touch, as `BONE:SIDE`: half way along a bone on its palmar,
dorsal, radial or ulnar side, or `tip`. `settle` moves an anchor's angles as little as it can until its contacts hold
and nothing penetrates; the angles in the file have been settled on the shipped hand. After a change of that hand,
`python -m rigging.poses.sampling.anchors` settles them again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...fingers.kinematics import (
    ANGLE_NAMES,
    ANGLES,
    Skeleton,
    angle_limits,
    bone_frames,
    flesh_joints,
    place_joints,
)
from ...fingers.kinematics import skeleton as make_skeleton
from ...fingers.penetration import RADII, pair_depths
from ...hand.asset import load_asset
from ...joints import BONE_NAMES, JOINT_PARENTS

ANCHORS_FILE = Path(__file__).parents[2] / "data" / "anchors.json"
GROUPS = ("grasp", "asl", "count", "gesture")
# The file counts MCP abduction away from the middle finger, as one says it (of the middle finger: to the ulnar side);
# `fingers.angles` counts it to the radial side.
_ULNAR = ("middle_mcp_abd", "ring_mcp_abd", "little_mcp_abd")
AWAY = np.array([-1.0 if name in _ULNAR else 1.0 for name in ANGLE_NAMES])  # (23,), from the one to the other
_FINGERS = ("thumb", "index", "middle", "ring", "little", "cup")
# A side as a vector in the bone's frame (flexion axis, bone, palmar). For the thumb, whose nail faces the radial side,
# `radial` is the side that faces the palm's front at rest.
_SIDES = {"palmar": (0, 0, 1), "dorsal": (0, 0, -1), "radial": (1, 0, 0), "ulnar": (-1, 0, 0), "tip": (0, 1, 0)}

_BULGE = 0.001  # m, by which pads stand out from a round cross section


@dataclass(frozen=True)
class Anchor:
    """A named pose."""

    name: str
    group: str  # one of GROUPS
    note: str
    angles: np.ndarray  # (23,) radians, in the order of kinematics.ANGLE_NAMES
    contacts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Motion:
    """A named movement: key poses with the whole hand's turn (rotation vector, degrees, hand frame) at each."""

    name: str
    note: str
    anchors: tuple[str, ...]
    turns: np.ndarray  # (K, 3) radians
    seconds: float


def load_anchors(path: Path | str = ANCHORS_FILE) -> tuple[Anchor, ...]:
    """The anchors of a file, in its order.

    Raises FileNotFoundError, or ValueError that names the anchor with a wrong key, group, number of angles or contact.
    """
    return tuple(_anchor(row, path) for row in _read(path)["anchors"])


def load_motions(path: Path | str = ANCHORS_FILE) -> tuple[Motion, ...]:
    """The named movements of a file (the letters J and Z)."""
    return tuple(
        Motion(row["name"], row["note"], tuple(row["anchors"]), np.radians(row["turns"]), float(row["seconds"]))
        for row in _read(path)["motions"]
    )


def _read(path: Path | str) -> dict:
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: not JSON ({error})") from None


def _anchor(row: dict, path: Path | str) -> Anchor:
    name = row.get("name", "?")
    missing = {"name", "group", "note", *_FINGERS} - set(row)
    if missing:
        raise ValueError(f"{path}: anchor {name} has no {', '.join(sorted(missing))}")
    angles = np.radians(np.concatenate([np.asarray(row[finger], dtype=np.float64) for finger in _FINGERS]))
    if angles.shape != (ANGLES,) or not np.isfinite(angles).all():
        raise ValueError(f"{path}: anchor {name} has {angles.size} angles, expected {ANGLES} finite ones")
    if row["group"] not in GROUPS:
        raise ValueError(f"{path}: anchor {name} is of group {row['group']!r}, allowed are {', '.join(GROUPS)}")
    contacts = tuple((first, second) for first, second in row.get("contacts", ()))
    for point in sum(contacts, ()):
        bone, _, side = point.partition(":")
        if bone not in BONE_NAMES or side not in _SIDES:
            raise ValueError(f"{path}: anchor {name} touches {point!r}, expected BONE:SIDE")
    return Anchor(name, row["group"], row["note"], AWAY * angles, contacts)


def skin_point(frames: np.ndarray, joints: np.ndarray, point: str) -> np.ndarray:
    """Where `BONE:SIDE` is on posed hands: (N, 3) for frames (N, 21, 3, 3) and joints (N, 21, 3)."""
    name, _, side = point.partition(":")
    bone = BONE_NAMES.index(name)
    along = 1.0 if side == "tip" else 0.6 if bone % 4 == 0 else 0.5
    head = joints[:, JOINT_PARENTS[bone]]
    outwards = frames[:, bone] @ np.array(_SIDES[side], dtype=np.float64)
    reach = 0.0 if side == "tip" else RADII[bone] @ (1 - along, along) + _BULGE
    return head + along * (joints[:, bone] - head) + reach * outwards


def contact_gaps(skeleton: Skeleton, angles: np.ndarray, contacts: tuple[tuple[str, str], ...]) -> np.ndarray:
    """Vectors (N, C, 3) in metres between the two points of each contact, for angles (N, 23)."""
    frames = bone_frames(skeleton, angles)
    joints = flesh_joints(skeleton, frames, place_joints(skeleton, frames))
    gaps = [skin_point(frames, joints, a) - skin_point(frames, joints, b) for a, b in contacts]
    return np.stack(gaps, axis=1) if gaps else np.zeros((len(angles), 0, 3))


def hand_flesh(skeleton: Skeleton, angles: np.ndarray) -> np.ndarray:
    """Middles of the flesh at the joints, (..., 21, 3), for angles (..., 23)."""
    frames = bone_frames(skeleton, angles)
    return flesh_joints(skeleton, frames, place_joints(skeleton, frames))


def _stiffness(anchor: Anchor) -> np.ndarray:
    """Degrees (23,) by which each angle may move at the cost of half a millimetre of contact."""
    degrees = np.full(ANGLES, 4.0)
    degrees[:5] = (12.0, 12.0, 10.0, 5.0, 6.0)
    for point in sum(anchor.contacts, ()):
        finger = _FINGERS.index(point.split("_")[0])
        if finger > 0:
            degrees[4 * finger + 1 : 4 * finger + 5] = (12.0, 5.0, 7.0, 5.0)
    return degrees


def settle(skeleton: Skeleton, anchor: Anchor) -> np.ndarray:
    """Angles (23,) in radians near the anchor's, within limits, at which contacts hold and nothing penetrates."""
    low, high = angle_limits().T
    scale = np.radians(_stiffness(anchor))

    def residuals(batch: np.ndarray) -> np.ndarray:
        gaps = contact_gaps(skeleton, batch, anchor.contacts).reshape(len(batch), -1)
        depths = pair_depths(hand_flesh(skeleton, batch))
        return np.concatenate([(batch - anchor.angles) / scale, gaps / 0.0005, depths / 0.0001], axis=1)

    def jacobian(angles: np.ndarray) -> np.ndarray:
        moved = residuals(angles + np.concatenate([np.zeros((1, ANGLES)), 1e-5 * np.eye(ANGLES)]))
        return (moved[1:] - moved[0]).T / 1e-5

    start = np.clip(anchor.angles, low + 1e-6, high - 1e-6)
    from scipy.optimize import least_squares  # `poses --help` does without

    return least_squares(lambda angles: residuals(angles[None])[0], start, jacobian, (low, high), max_nfev=60).x


def settled_text(path: Path | str, skeleton: Skeleton) -> str:
    """The text of an anchors' file with every anchor settled on `skeleton`."""
    data = _read(path)
    for row in data["anchors"]:
        degrees = [round(float(angle), 1) + 0.0 for angle in np.degrees(AWAY * settle(skeleton, _anchor(row, path)))]
        row.update(
            zip(_FINGERS, (degrees[:5], degrees[5:9], degrees[9:13], degrees[13:17], degrees[17:21], degrees[21:]))
        )
    blocks = [
        f' "{key}": [\n  ' + ",\n  ".join(json.dumps(row) for row in value) + "\n ]"
        if isinstance(value, list)
        else f" {json.dumps(key)}: {json.dumps(value)}"
        for key, value in data.items()
    ]
    return "{\n" + ",\n".join(blocks) + "\n}\n"


if __name__ == "__main__":
    ANCHORS_FILE.write_text(settled_text(ANCHORS_FILE, make_skeleton(load_asset())), encoding="utf-8")
