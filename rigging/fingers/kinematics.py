"""Forward kinematics: 23 joint angles become the 21 joints and the bone rotations of a hand.

Degrees of freedom (radians, in the order of ANGLE_NAMES):
- thumb CMC: where the metacarpal points, as two angles in the hand frame. `radial` is measured in the palm plane from
  the middle metacarpal (+y) towards the radial side, `palmar` is the elevation out of that plane, to the palm. Axial
  rotation (pronation) is not free: it follows the other two, as the saddle joint makes it do (Cooney, Lucca, Chao &
  Linscheid 1981, The kinesiology of the thumb trapeziometacarpal joint, J Bone Joint Surg Am 63:1371).
- thumb MCP flexion and abduction, IP flexion.
- each finger: MCP flexion and abduction, PIP and DIP flexion.
- ring and little CMC flexion ("cup"), which hollows the palm.
Flexion and abduction are those of `angles`. Zero is the straight hand: fingers in the palm plane, phalanges in line,
not the asset's rest pose.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..geometry.rotations import coordinate_turn
from ..hand.asset import HandAsset
from ..joints import FINGER_NAMES, JOINT_PARENTS
from .angles import bend
from .hinges import hinge_axes, rest_directions
from .limits import LIMITS
from .penetration import flesh_offsets

FINGER_ANGLES = ("mcp_flex", "mcp_abd", "pip", "dip")
ANGLE_NAMES = (
    "thumb_radial", "thumb_palmar", "thumb_mcp", "thumb_mcp_abd", "thumb_ip",
    *(f"{finger}_{angle}" for finger in ("index", "middle", "ring", "little") for angle in FINGER_ANGLES),
    "ring_cup", "little_cup",
)  # fmt: skip
ANGLES = len(ANGLE_NAMES)  # 23
CUP = slice(21, 23)

# Where straight fingers with zero abduction point, degrees to the ulnar side of +y: closed fingers fan by a little.
_NEUTRAL_FAN = np.radians((0.0, 2.0, 4.0, 6.0))
# The thumb's CMC joint: where it points and how far its pad is turned from the ulnar to the palmar side when neither
# pronated nor supinated, and pronation in radians per radian of palmar elevation and of leaving the radial side.
_THUMB_RADIAL, _THUMB_PALMAR, _THUMB_ROLL = np.radians((45.0, 19.0, 22.0))
_PRONATION = (0.8, 0.5)


@dataclass(frozen=True)
class Skeleton:
    """Rest joints and the frames the angles act in.

    A frame's columns are (flexion axis, bone direction, palmar direction), right-handed.
    """

    joints: np.ndarray  # (21, 3) m, rest pose, hand frame
    rest_frames: np.ndarray  # (21, 3, 3) frame of each bone in the rest pose
    neutral_frames: np.ndarray  # (4, 3, 3) of the proximal phalanges, index to little, at zero angles
    flesh: np.ndarray  # (21,) m, how far towards the palm the finger's middle lies from each joint


def _frame(axis: np.ndarray, direction: np.ndarray) -> np.ndarray:
    axis = axis - direction * np.sum(axis * direction, axis=-1, keepdims=True)
    axis = axis / np.linalg.norm(axis, axis=-1, keepdims=True)
    return np.stack([axis, direction, np.cross(axis, direction)], axis=-1)


def skeleton(asset: HandAsset) -> Skeleton:
    """The kinematic model of an asset's mean hand."""
    axes, _ = hinge_axes(asset)
    directions = rest_directions(asset.joints)
    rest_frames = _frame(axes, directions)
    straight = np.stack([np.sin(_NEUTRAL_FAN), np.cos(_NEUTRAL_FAN), np.zeros(4)], axis=-1)
    return Skeleton(
        joints=np.array(asset.joints, dtype=np.float64),
        rest_frames=rest_frames,
        neutral_frames=_frame(axes[[6, 10, 14, 18]], straight),
        flesh=flesh_offsets(asset, rest_frames[:, :, 2]),
    )


def _thumb_frame(radial: np.ndarray, palmar: np.ndarray) -> np.ndarray:
    """Frame of the thumb's metacarpal, (..., 3, 3)."""
    pronation = _PRONATION[0] * (palmar - _THUMB_PALMAR) + _PRONATION[1] * (_THUMB_RADIAL - radial)
    pointing = coordinate_turn(2, radial) @ coordinate_turn(0, -palmar)
    return pointing @ coordinate_turn(1, np.pi / 2 + _THUMB_ROLL - pronation)


def bone_frames(skeleton: Skeleton, angles: np.ndarray) -> np.ndarray:
    """Frames of all bones for joint angles (..., 23) in radians: (..., 21, 3, 3), hand frame."""
    angles = np.asarray(angles, dtype=np.float64)
    if angles.shape[-1] != ANGLES:
        raise ValueError(f"joint angles have shape {angles.shape}, expected (..., {ANGLES})")
    frames = np.broadcast_to(skeleton.rest_frames, (*angles.shape[:-1], 21, 3, 3)).copy()
    radial, palmar, mcp, mcp_abd, ip = np.moveaxis(angles[..., :5], -1, 0)
    frames[..., 2, :, :] = _thumb_frame(radial, palmar)
    frames[..., 3, :, :] = bend(frames[..., 2, :, :], mcp, mcp_abd)
    frames[..., 4, :, :] = bend(frames[..., 3, :, :], ip)
    for finger in range(1, 5):
        bone = 4 * finger + 1  # the metacarpal
        flex, abduction, pip, dip = np.moveaxis(angles[..., 4 * finger + 1 : 4 * finger + 5], -1, 0)
        neutral = skeleton.neutral_frames[finger - 1]
        if finger >= 3:
            frames[..., bone, :, :] = bend(skeleton.rest_frames[bone], angles[..., CUP][..., finger - 3])
            neutral = frames[..., bone, :, :] @ skeleton.rest_frames[bone].T @ neutral
        frames[..., bone + 1, :, :] = bend(neutral, flex, abduction)
        frames[..., bone + 2, :, :] = bend(frames[..., bone + 1, :, :], pip)
        frames[..., bone + 3, :, :] = bend(frames[..., bone + 2, :, :], dip)
    return frames


def place_joints(skeleton: Skeleton, frames: np.ndarray) -> np.ndarray:
    """Joints (..., 21, 3) in metres for bone frames (..., 21, 3, 3): the wrist stays at the origin."""
    joints = np.zeros((*frames.shape[:-3], 21, 3))
    for joint in range(1, 21):
        parent = JOINT_PARENTS[joint]
        length = np.linalg.norm(skeleton.joints[joint] - skeleton.joints[parent])
        joints[..., joint, :] = joints[..., parent, :] + length * frames[..., joint, :, 1]
    return joints


def flesh_joints(skeleton: Skeleton, frames: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """Joints (..., 21, 3) moved to the middle of the fingers' flesh: what to test for penetration."""
    return joints + skeleton.flesh[:, None] * frames[..., 2]


def forward(skeleton: Skeleton, angles: np.ndarray) -> np.ndarray:
    """Joints (..., 21, 3) in metres, hand frame, for joint angles (..., 23) in radians."""
    return place_joints(skeleton, bone_frames(skeleton, angles))


def bone_rotations(skeleton: Skeleton, frames: np.ndarray) -> np.ndarray:
    """Rotations (..., 21, 3, 3) that turn the rest pose's axes into the posed ones: what skinning needs."""
    return frames @ np.swapaxes(skeleton.rest_frames, -1, -2)


def rotate(joints: np.ndarray, rotation_vectors: np.ndarray) -> np.ndarray:
    """Turn joints (..., 21, 3) by rotation vectors (..., 3) in radians about the origin (Rodrigues' formula)."""
    angle = np.linalg.norm(rotation_vectors, axis=-1)[..., None, None]
    axis = rotation_vectors[..., None, :] / np.maximum(angle, 1e-12)
    along = np.sum(axis * joints, axis=-1, keepdims=True)
    across = np.cos(angle) * joints + np.sin(angle) * np.cross(axis, joints)
    return across + (1 - np.cos(angle)) * along * axis


def angle_limits() -> np.ndarray:
    """Lowest and highest joint angle, (23, 2) radians.

    Fingers and thumb MCP and IP: rigging.fingers.limits (sources there). Ours: thumb CMC, and cupping, which turns the
    metacarpals about the wrist instead of their own joints and so gets less than the 10 and 20 degrees or so that the
    4th and 5th carpometacarpal joints flex.
    """
    rows = [np.radians((-20.0, 65.0)), np.radians((-10.0, 65.0))]
    rows += [LIMITS["thumb_mcp"].flexion, LIMITS["thumb_mcp"].abduction, LIMITS["thumb_ip"].flexion]
    for finger in FINGER_NAMES[1:]:
        rows += [LIMITS[f"{finger}_mcp"].flexion, LIMITS[f"{finger}_mcp"].abduction]
        rows += [LIMITS[f"{finger}_pip"].flexion, LIMITS[f"{finger}_dip"].flexion]
    return np.array([*rows, np.radians((-2.0, 8.0)), np.radians((-3.0, 15.0))])
