"""The fingers as chains of anatomical joints: joint angles to bone rotations, and their derivatives.

Angles are those of `angles`: flexion, abduction and twist of each joint. A chain has three joints and so nine angles,
of which only some are free: MCP flexion and abduction, PIP and DIP flexion; the thumb has all three at the CMC joint,
whose twist follows its flexion, two at the MCP joint and one at the IP joint. The others keep their value at rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..geometry.rotations import normalise
from ..joints import FINGER_NAMES, JOINT_NAMES
from .angles import direction_angles, joint_turns
from .limits import LIMITS


@dataclass(frozen=True)
class Chain:
    """One finger of a rig; joint k = 0, 1, 2 turns bone `bones[k]`. Rest axes are those of the hand frame."""

    bones: tuple[int, int, int]
    frames: np.ndarray  # (3, 3, 3) of each joint at rest, columns (hinge, bone before, palmar)
    rest_angles: np.ndarray  # (3, 3) radians, flexion, abduction and twist of the rest pose
    directions: np.ndarray  # (3, 3) unit directions of the bones at rest
    lower: np.ndarray  # (3, 3) radians; a locked angle has its rest value as both bounds
    upper: np.ndarray  # (3, 3)

    @property
    def free(self) -> np.ndarray:
        """Indices of the free angles among the nine."""
        return np.flatnonzero(self.lower.ravel() < self.upper.ravel())


def finger_chains(rest_joints: np.ndarray, dorsal: np.ndarray) -> tuple[Chain, ...]:
    """The five chains, thumb first, of a rig with rest joints (21, 3) and backs of the fingers `dorsal` (5, 3)."""
    return tuple(_chain(rest_joints, dorsal[finger], finger) for finger in range(5))


def _chain(rest_joints: np.ndarray, dorsal: np.ndarray, finger: int) -> Chain:
    start = 4 * finger + 1  # the joint at the base of the finger
    directions = normalise(np.diff(rest_joints[[0, *range(start, start + 4)]], axis=0))  # palm bone, chain
    frames = _joint_frames(directions, dorsal, thumb=FINGER_NAMES[finger] == "thumb")
    rest_angles = direction_angles(frames, directions[1:])
    limits = [LIMITS[JOINT_NAMES[joint]] for joint in range(start, start + 3)]
    bounds = np.array([(limit.flexion, limit.abduction, limit.twist) for limit in limits])
    locked = bounds[..., 0] == bounds[..., 1]
    lower, upper = (np.where(locked, rest_angles, bounds[..., side]) for side in (0, 1))
    return Chain((start + 1, start + 2, start + 3), frames, rest_angles, directions[1:], lower, upper)


def _joint_frames(directions: np.ndarray, dorsal: np.ndarray, thumb: bool) -> np.ndarray:
    """Frames (3, 3, 3) of a finger's joints at rest, columns (hinge, bone before, palmar); directions (4, 3).

    The hinge is dorsal x bone: at the base of the finger with the metacarpal (thumb: its own bone, wrist to CMC is no
    bone of the body), so that abduction is counted from it; further on with the bone that it bends, so that bending
    does not twist. "Bone before" is the part of it perpendicular to the hinge.
    """
    bent = directions[[1 if thumb else 0, 2, 3]]
    before = directions[[1 if thumb else 0, 1, 2]]
    hinge = normalise(np.cross(dorsal, bent))
    before = normalise(before - hinge * np.sum(before * hinge, axis=1, keepdims=True))
    return np.stack([hinge, before, np.cross(hinge, before)], axis=-1)


def chain_rotations(chain: Chain, angles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rotations (T, 3, 3, 3) of the bones relative to the palm, and the turning axes (T, 9, 3) of the angles (T, 3, 3).

    Bone k turns by G_k = G_{k-1} Z E(angles) E(rest angles)^-1 Z^T, with Z its joint's frame, so that the rest pose
    gives identities.
    """
    before, rotations, axes = np.eye(3), [], []
    for k in range(3):
        turn, turn_axes = joint_turns(angles[:, k])
        rest_turn, _ = joint_turns(chain.rest_angles[k])
        base = before @ chain.frames[k]
        axes.append(turn_axes @ np.swapaxes(base, -1, -2))
        before = base @ turn @ (chain.frames[k] @ rest_turn).T
        rotations.append(before)
    return np.stack(rotations, axis=1), np.concatenate(axes, axis=1)


def direction_jacobian(directions: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """Derivatives (T, 3 bones, 3, 9 angles) of bone directions (T, 3, 3): axis x direction, for joints before it."""
    slopes = np.cross(axes[:, None], directions[:, :, None])  # (T, bone, angle, 3)
    moves = np.arange(3)[:, None] >= np.arange(9) // 3
    return np.swapaxes(slopes * moves[..., None], -1, -2)


def pose_rotations(chains: tuple[Chain, ...], angles: np.ndarray) -> np.ndarray:
    """Rotations (T, 21, 3, 3) relative to the palm for angles (T, 21, 3) at the joints; palm and forearm stay."""
    rotations = np.broadcast_to(np.eye(3), (*angles.shape[:2], 3, 3)).copy()
    for chain in chains:
        joints = [bone - 1 for bone in chain.bones]
        rotations[:, chain.bones], _ = chain_rotations(chain, angles[:, joints])
    return rotations
