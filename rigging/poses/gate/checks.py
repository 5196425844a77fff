"""What the gate measures on every frame: plain functions on joints (N, 21, 3) in metres, right hands."""

from __future__ import annotations

import numpy as np

from ...hand import bones
from ..readers.mirror import palm_normal

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

SHORT_BONE = 1 / 6  # of the middle finger's ray, about 32 mm


def bone_lengths(joints: np.ndarray) -> np.ndarray:
    """Lengths (..., 20) of bones 1 to 20 of joints (..., 21, 3)."""
    return bones.bone_lengths(np.asarray(joints, float))[..., 1:]


def middle_ray(joints: np.ndarray) -> np.ndarray:
    """Length (...) of joints (..., 21, 3) along the bones from wrist to middle fingertip, in their unit."""
    return bone_lengths(joints)[..., 8:12].sum(-1)


def collapse(joints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What shows (N,), (N,) that finite joints (N, 21, 3) are no hand but points on a heap or a line.

    The shortest bone over the middle finger's ray, and the sine of the angle at the wrist between index and little
    MCP, times that of the middle MCP's direction and the palm's normal. 0 or NaN: nothing can be measured on it.
    """
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        shortest = bone_lengths(joints).min(-1) / middle_ray(joints)
        metacarpals = joints[:, [5, 9, 17]] - joints[:, :1]
        index, middle, little = np.moveaxis(metacarpals / np.linalg.norm(metacarpals, axis=-1, keepdims=True), 1, 0)
        normal = np.cross(index, little)
        sine = np.linalg.norm(normal, axis=-1)
        flat = np.linalg.norm(np.cross(middle, normal / sine[:, None]), axis=-1)
    return shortest, sine * flat


def proportion_factor(joints: np.ndarray) -> np.ndarray:
    """How many times too long or too short (...) the most unusual bone is against TYPICAL_PROPORTIONS.

    Bones of joints (..., 21, 3) must have lengths (see `collapse`).
    """
    ratio = bone_lengths(joints) / middle_ray(joints)[..., None] / TYPICAL_PROPORTIONS
    return np.maximum(ratio, 1 / ratio).max(-1)


def length_deviation(joints: np.ndarray, group: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Largest |length - median of its group| / that median (N,) of joints (N, 21, 3), and its bone (N,), 2 to 20.

    `group` (N,) numbers the subject of each frame; a negative number means unknown and gives 0. A short bone counts as
    SHORT_BONE long: a joint that is a millimetre off is no other bone. Bone 1, from the wrist across the carpus to the
    thumb's CMC, is none that keeps its length: `palm_residual` judges where the CMC is.
    """
    lengths = bone_lengths(joints)
    deviation = np.zeros((len(joints), 19))
    for value in np.unique(group[group >= 0]):
        rows = group == value
        median = np.median(lengths[rows], axis=0)
        least = SHORT_BONE * median[8:12].sum()
        deviation[rows] = np.abs(lengths[rows] - median)[:, 1:] / np.maximum(median, least)[1:]
    return deviation.max(1), deviation.argmax(1) + 2


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
