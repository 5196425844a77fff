"""The modes of spin matching: from bone directions to bone rotations, on arrays with the frames last."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..joints import JOINT_PARENTS
from .kernels import PALM_JOINTS, align_frames, cross, multiply, palm_rotation, spin_about, swing_onto, unit

PARENTS = np.array(JOINT_PARENTS[1:])
# Algorithm 1: the palm bone that tells bone i's spin is its neighbour i + 4; the little finger looks back at 13.
_NEIGHBOURS = (5, 9, 13, 17, 13)


@dataclass(frozen=True)
class RestBones:
    """The rig at rest, bones 1 to 20 (index bone - 1); directions are unit vectors."""

    joints: np.ndarray  # (3, 21)
    directions: np.ndarray  # (3, 20, 1)
    lengths: np.ndarray  # (20,)
    hinges: np.ndarray  # (3, 20, 1), perpendicular to the bones; where to turn when a swing is undefined


def rest_bones(joints: np.ndarray) -> RestBones:
    """From (21, 3) rest joints. A bone's stand-in hinge: across the palm, made perpendicular to the bone."""
    vectors = (joints[1:] - joints[PARENTS]).T
    lengths = np.sqrt((vectors**2).sum(axis=0))
    directions = vectors / lengths
    across = (joints[17] - joints[5])[:, None]
    hinges = unit(across - directions * (across * directions).sum(axis=0))
    return RestBones(joints.T, directions[:, :, None], lengths, hinges[:, :, None])


def palm_kabsch(rest: RestBones, target: np.ndarray) -> np.ndarray:
    """Rotation of the palm (3, 3, T) for target joints (3, 21, T)."""
    return palm_rotation(rest.joints[:, PALM_JOINTS], target[:, PALM_JOINTS])


def transport(rest: RestBones, v: np.ndarray, palm: np.ndarray) -> np.ndarray:
    """Swing transport down the fingers: R_k = S(R_{k-1} u_k -> v_k) R_{k-1}; returns (3, 3, 20, T).

    `v` (3, 20, T) unit target directions. Palm bones and first phalanges start from `palm` (3, 3, T), or (3, 3, 5, T)
    for one per finger, every other phalanx from the rotation of the bone before it.
    """
    palm = palm[:, :, None] if palm.ndim == 3 else palm
    result = np.empty((3, 3, *v.shape[1:]))
    result[:, :, 0::4] = _swing(rest, v, np.broadcast_to(palm, (3, 3, 5, v.shape[2])), 0)
    before = palm
    for level in (1, 2, 3):
        before = _swing(rest, v, before, level)
        result[:, :, level::4] = before
    return result


def _swing(rest: RestBones, v: np.ndarray, rotations: np.ndarray, level: int) -> np.ndarray:
    return swing_onto(rotations, rest.directions[:, level::4], v[:, level::4], rest.hinges[:, level::4])


def match_none(rest: RestBones, v: np.ndarray) -> np.ndarray:
    """(3, 3, 20, T): every bone by the absolute minimal rotation of its direction v (3, 20, T), no spin (Figure 2c)."""
    identity = np.broadcast_to(np.eye(3)[:, :, None, None], (3, 3, *v.shape[1:]))
    return swing_onto(identity, rest.directions, v, rest.hinges)


def match_paper_literal(rest: RestBones, v: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Algorithm 1 to the letter: the unsigned angle between e1 and e2, and one spin for a whole finger.

    v (3, 20, T) and target joints (3, 21, T) give (3, 3, 20, T). The little finger's reference has already been moved
    when it is read (bone 13 comes before 17).
    """
    u_palm, v_palm = rest.directions[:, 0::4], v[:, 0::4]
    wrist = target[:, :1]
    ref_target = target[:, _NEIGHBOURS] - wrist
    ref_rest = np.repeat((rest.joints[:, _NEIGHBOURS] - rest.joints[:, :1])[:, :, None], v.shape[2], axis=2)
    ref_rest[:, 4] = ref_target[:, 4]
    e1 = cross(cross(u_palm, ref_rest), u_palm)
    e2 = cross(cross(v_palm, ref_target), v_palm)
    cosine = (unit(e1) * unit(e2)).sum(axis=0)
    spin = np.arccos(np.clip(cosine, -1, 1))  # (5, T)
    return multiply(spin_about(v, np.repeat(spin, 4, axis=0)), match_none(rest, v))


def match_paper(rest: RestBones, v: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Algorithm 1 as intended: signed spin, references at rest, children inherit the rotation before their swing.

    v (3, 20, T) and target joints (3, 21, T) give (3, 3, 20, T).
    """
    ref_rest = (rest.joints[:, _NEIGHBOURS] - rest.joints[:, :1])[:, :, None]
    ref_target = target[:, _NEIGHBOURS] - target[:, :1]
    palm = align_frames(rest.directions[:, 0::4], ref_rest, v[:, 0::4], ref_target)
    return transport(rest, v, palm)


def match_palm(rest: RestBones, v: np.ndarray, palm: np.ndarray) -> np.ndarray:
    """The default: the palm by Kabsch (3, 3, T), then swing transport of v (3, 20, T) from there: (3, 3, 20, T)."""
    return transport(rest, v, palm)
