"""A posed hand with its arm: what is rendered and labelled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ..fingers.hinges import hinge_axes
from ..geometry.cameras import palm_frame
from ..geometry.rotations import axis_angle
from ..hand.asset import HandAsset
from ..hand.bones import bone_lengths
from ..hand.shape import RestHand, stretch_rest
from ..hand.skinning import dual_quaternion, linear_blend
from ..joints import PART_NAMES
from .match import Match, match

SKINNING = {"dual_quaternion": dual_quaternion, "linear": linear_blend}
MIRROR = np.array([-1.0, 1.0, 1.0])


@dataclass(frozen=True)
class PosedHand:
    """Metres, in the frame of the match's joints until `placed`, then in the world (+z up).

    Of a left hand (`mirrored`), rotations turn the axes of the left rest hand, the mirror image of the asset's.
    """

    vertices: np.ndarray  # (2651, 3)
    joints: np.ndarray  # (21, 3)
    arm_vertices: np.ndarray  # (Va, 3)
    rotations: np.ndarray  # (21, 3, 3), turn the rest axes of each bone
    mirrored: bool = False  # a left hand: its faces are `mirror_faces(asset.faces)`

    def placed(self, rotation: np.ndarray, shift: np.ndarray) -> PosedHand:
        """The hand moved rigidly: p -> rotation @ p + shift."""
        moved = (points @ rotation.T + shift for points in (self.vertices, self.joints, self.arm_vertices))
        return PosedHand(*moved, rotation @ self.rotations, self.mirrored)


def pose_hand(
    asset: HandAsset, rest: RestHand, arm_rest: np.ndarray, frame: Match, skinning: str = "dual_quaternion"
) -> PosedHand:
    """Skin one matched frame (`match(...)[t]`); the arm (Va, 3) at rest moves rigidly with the forearm, bone 0.

    A match by positions stretches the bones in the rest pose first, then poses them rigidly. Raises ValueError for an
    unknown skinning or a match of several frames.
    """
    if skinning not in SKINNING:
        raise ValueError(f"unknown skinning {skinning!r}; allowed: {', '.join(SKINNING)}")
    if frame.joints.shape != (21, 3):
        raise ValueError(f"got a match with joints of shape {frame.joints.shape}, allowed is one frame: (21, 3)")
    if frame.retarget == "positions":
        rest = stretch_rest(rest, asset, bone_lengths(rest.joints) * frame.stretch)
    vertices = SKINNING[skinning](rest, asset, frame.rotations, frame.joints)
    arm = (arm_rest - rest.joints[0]) @ frame.rotations[0].T + frame.joints[0]
    return PosedHand(vertices, frame.joints, arm, frame.rotations)


def pose_hands(
    asset: HandAsset,
    rest: RestHand,
    arm_rest: np.ndarray,
    joints: np.ndarray,
    wrist: np.ndarray,
    mode: str = "palm",
    retarget: str = "directions",
    skinning: str = "dual_quaternion",
) -> tuple[PosedHand, ...]:
    """The hands of T frames, matched to `joints` (T, 21, 3) m in their frame, with forearms bent by `wrist` (T, 2) rad.

    `arm_rest` (Va, 3) m; mode and retarget as of `match`, which names the frame that cannot be matched (ValueError).
    """
    matched = match(
        rest.joints,
        joints.astype(np.float64),
        mode=mode,
        retarget=retarget,
        forearm=forearm_rotations(wrist),
        dorsal=hinge_axes(asset)[1] if mode == "ik" else None,
    )
    return tuple(pose_hand(asset, rest, arm_rest, matched[frame], skinning) for frame in range(len(joints)))


def forearm_rotations(wrist: np.ndarray) -> np.ndarray:
    """(T, 3, 3) rotations of the forearm relative to the palm, hand frame, for flexion and radial deviation (T, 2) rad.

    The hand frame has +y along the hand, +z out of its back and the thumb at -x, so a hand that flexes turns about
    -x and one that deviates to the thumb about +z, and the forearm relative to it the other way round.
    """
    x, z = np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0])
    return axis_angle(x, wrist[:, 0]) @ axis_angle(z, -wrist[:, 1])


def place_hands(
    hands: tuple[PosedHand, ...], source_joints: np.ndarray, up: np.ndarray, left: bool
) -> tuple[tuple[PosedHand, ...], np.ndarray]:
    """Turn hands and source joints (T, 21, 3) by `up` (3, 3) into the world whose origin is the first palm's centre.

    A left hand is the mirror image across the world's x = 0, which keeps up.
    """
    shift = -up @ palm_frame(hands[0].joints)[0]
    placed = tuple(hand.placed(up, shift) for hand in hands)
    source = source_joints @ up.T + shift
    if left:
        return tuple(mirror_posed(hand) for hand in placed), source * MIRROR
    return placed, source


def mirror_posed(posed: PosedHand) -> PosedHand:
    """The other hand: x -> -x, R -> S R S with S = diag(-1, 1, 1), so that det stays +1. Twice gives the same hand."""
    vertices, joints, arm = (points * MIRROR for points in (posed.vertices, posed.joints, posed.arm_vertices))
    rotations = MIRROR[:, None] * posed.rotations * MIRROR
    return PosedHand(vertices, joints, arm, rotations, not posed.mirrored)


def mirror_faces(faces: np.ndarray) -> np.ndarray:
    """Faces (F, 3), or their corners (F, 3, 2), in the order that is counter-clockwise from outside after mirroring."""
    return np.ascontiguousarray(faces[:, ::-1])


def framing_points(asset: HandAsset, hands: Iterable[PosedHand]) -> np.ndarray:
    """Points (N, 3) that cameras should have in their images: the vertices from the wrist on, of all these hands.

    The forearm is left out: it leaves the image with the arm, and would make a fist small.
    """
    chosen = np.unique(asset.faces[asset.face_part != PART_NAMES.index("forearm")])
    return np.concatenate([hand.vertices[chosen] for hand in hands])
