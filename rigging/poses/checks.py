"""What the gate measures on every frame: plain functions on joints (N, 21, 3) in metres, right hands."""

from __future__ import annotations

import numpy as np

from ..geometry.rotations import kabsch
from ..joints import JOINT_PARENTS
from .readers.mirror import palm_normal

# Typical bone lengths over that of the middle finger from wrist to tip, bones 1 to 20. Phalanges and metacarpals
# approximated after Buryanov & Kotiuk, Proportions of hand segments, 2010, with carpus and fingertip flesh added.
TYPICAL_PROPORTIONS = np.array(
    [
        (0.19, 0.247, 0.169, 0.143),
        (0.513, 0.213, 0.120, 0.106),
        (0.506, 0.239, 0.141, 0.114),
        (0.480, 0.221, 0.137, 0.114),
        (0.460, 0.175, 0.097, 0.106),
    ]
).ravel()
PALM_JOINTS = (0, 1, 5, 9, 13, 17)


def bone_lengths(joints: np.ndarray) -> np.ndarray:
    """Lengths (..., 20) of bones 1 to 20 of joints (..., 21, 3)."""
    joints = np.asarray(joints, float)
    return np.linalg.norm(joints[..., 1:, :] - joints[..., list(JOINT_PARENTS[1:]), :], axis=-1)


def proportion_factor(joints: np.ndarray) -> np.ndarray:
    """How many times too long or too short (...) the most unusual bone is against TYPICAL_PROPORTIONS."""
    lengths = np.maximum(bone_lengths(joints), 1e-9)
    ratio = lengths / lengths[..., 8:12].sum(-1, keepdims=True) / TYPICAL_PROPORTIONS
    return np.maximum(ratio, 1 / ratio).max(-1)


def length_deviation(joints: np.ndarray, group: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Largest |length / median of its group - 1| (N,) and the bone (N,) that has it (1 to 20).

    `group` (N,) numbers the subject of each frame; a negative number means unknown and gives 0.
    """
    lengths = bone_lengths(joints)
    deviation = np.zeros_like(lengths)
    for value in np.unique(group[group >= 0]):
        rows = group == value
        deviation[rows] = np.abs(lengths[rows] / np.median(lengths[rows], axis=0) - 1)
    return deviation.max(1), deviation.argmax(1) + 1


def palm_residual(joints: np.ndarray, group: np.ndarray) -> np.ndarray:
    """How far (N,) the worst palm joint is from the subject's median palm, scaled and turned onto the frame's.

    Wrist, thumb CMC and the four MCPs of one person move little against each other (ring and little by cupping).
    """
    palm = np.asarray(joints, float)[:, PALM_JOINTS]
    palm = palm - palm.mean(1, keepdims=True)
    size = np.sqrt((palm**2).sum((1, 2)))
    result = np.zeros(len(palm))
    for value in np.unique(group[group >= 0]):
        rows = group == value
        shape = palm[rows] / size[rows, None, None]
        reference = shape[0]
        for _ in range(2):  # the median of shapes turned onto the first, then onto that median
            turn = kabsch(shape, np.broadcast_to(reference, shape.shape))
            reference = np.median(np.einsum("nij,nkj->nki", turn, shape), axis=0)
        turn = kabsch(np.broadcast_to(reference, shape.shape), shape)
        errors = np.linalg.norm(np.einsum("nij,kj->nki", turn, reference) - shape, axis=-1).max(1)
        result[rows] = errors * size[rows]
    return result


def finger_flexion(joints: np.ndarray) -> np.ndarray:
    """Flexion (..., 4, 3) of MCP, PIP, DIP of index to little, radians, positive towards the palm.

    The MCP's is the elevation over the palm plane seen along its radial axis, in (-pi, pi]; PIP and DIP turn about
    that axis too, made perpendicular to the bone before.
    """
    joints = np.asarray(joints, float)
    normal = palm_normal(joints)
    distal = joints[..., 9, :] - joints[..., 0, :]
    distal = distal - normal * (distal * normal).sum(-1, keepdims=True)
    distal = distal / np.linalg.norm(distal, axis=-1, keepdims=True)
    radial = np.cross(distal, normal)[..., None, :]
    bones = joints[..., 5:, :].reshape(*joints.shape[:-2], 4, 4, 3)
    proximal, middle, outer = np.moveaxis(np.diff(bones, axis=-2), -2, 0)
    mcp = np.arctan2((proximal * normal[..., None, :]).sum(-1), (proximal * distal[..., None, :]).sum(-1))
    return np.stack([mcp, _bend(proximal, middle, radial), _bend(middle, outer, radial)], axis=-1)


def _bend(before: np.ndarray, after: np.ndarray, axis: np.ndarray) -> np.ndarray:
    cross = np.cross(before, after)
    sine, cosine = np.linalg.norm(cross, axis=-1), (before * after).sum(-1)
    return np.where((cross * axis).sum(-1) < 0, -1, 1) * np.arctan2(sine, cosine)


def chirality(joints: np.ndarray) -> np.ndarray:
    """Evidence (...,) in metres that joints (..., 21, 3) are a right hand: > 0 right, < 0 left, near 0 unknown.

    The thumb's metacarpal lies on the palm's side, and PIP and DIP bend to it (the MCP may bend back, so it has no
    say): mean height of the metacarpal over the palm plane, plus the mean arc of fingers' outer bones. It changes
    its sign under reflection.
    """
    joints = np.asarray(joints, float)
    thumb = joints[..., [1, 2], :].mean(-2) - joints[..., 0, :]
    flexion = finger_flexion(joints)
    lengths = bone_lengths(joints)[..., 4:].reshape(*joints.shape[:-2], 4, 4)
    arcs = (lengths[..., 2:] * flexion[..., 1:]).sum(-1).mean(-1)
    return (thumb * palm_normal(joints)).sum(-1) + arcs


def beyond_limits(angles: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """How far (...) angles (..., K) are outside `limits` (K, 2) at worst, 0 inside."""
    return np.maximum(np.maximum(limits[:, 0] - angles, angles - limits[:, 1]), 0).max(-1)
