"""Spin matching one bone at a time, straight from the paper and the textbook: the oracle of the batched version."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from rigging.joints import JOINT_PARENTS, PALM_BONES


def rotate(axis: np.ndarray, angle: float) -> np.ndarray:
    return Rotation.from_rotvec(axis / np.linalg.norm(axis) * angle).as_matrix()


def angle_between(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.arctan2(np.linalg.norm(np.cross(a, b)), a @ b))


def minimal(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Smallest rotation from direction a to direction b."""
    axis = np.cross(a, b)
    return np.eye(3) if not axis.any() else rotate(axis, angle_between(a, b))


def kabsch(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    rotation, _ = Rotation.align_vectors(target - target.mean(0), source - source.mean(0))
    return rotation.as_matrix()


def neighbour(bone: int) -> int:
    return 13 if bone == 17 else bone + 4


def palm_vectors(joints: np.ndarray, bone: int) -> tuple[np.ndarray, np.ndarray]:
    return joints[bone] - joints[0], joints[neighbour(bone)] - joints[0]


def literal_spin(rest: np.ndarray, moved: np.ndarray, target: np.ndarray, bone: int) -> float:
    """Algorithm 1: e1 = u x ref x u, e2 = v x ref' x v, spin = the (unsigned) angle between them."""
    u = rest[bone] - rest[0]
    ref_ori = moved[neighbour(bone)] - moved[0]
    v, ref_aft = palm_vectors(target, bone)
    return angle_between(np.cross(np.cross(u, ref_ori), u), np.cross(np.cross(v, ref_aft), v))


def match_paper_literal(rest: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The loop of Algorithm 1; `moved` is the armature in place: bones that were moved read as the target."""
    rotations, spins, moved = {}, {}, rest - rest[0]
    for bone in range(1, 21):
        parent = JOINT_PARENTS[bone]
        if bone in PALM_BONES:
            spins[bone] = literal_spin(rest, moved, target, bone)
            moved = moved.copy()
            moved[bone] = target[bone] - target[0]
        else:
            spins[bone] = spins[bone - 1]
        u, v = rest[bone] - rest[parent], target[bone] - target[parent]
        rotations[bone] = rotate(v, spins[bone]) @ minimal(u, v)
    return np.stack([rotations[bone] for bone in range(1, 21)])


def match_none(rest: np.ndarray, target: np.ndarray) -> np.ndarray:
    parents = list(JOINT_PARENTS[1:])
    vectors = zip(rest[1:] - rest[parents], target[1:] - target[parents])
    return np.stack([minimal(u, v) for u, v in vectors])


def signed_palm(rest: np.ndarray, target: np.ndarray, bone: int) -> np.ndarray:
    """Swing u to v, then spin by the signed angle from the carried e1 to e2 about v."""
    (u, ref), (v, ref_aft) = palm_vectors(rest, bone), palm_vectors(target, bone)
    swing = minimal(u, v)
    e1, e2 = swing @ np.cross(np.cross(u, ref), u), np.cross(np.cross(v, ref_aft), v)
    spin = np.arctan2(v @ np.cross(e1, e2) / np.linalg.norm(v), e1 @ e2)
    return rotate(v, spin) @ swing


def transport(rest: np.ndarray, target: np.ndarray, palm: dict[int, np.ndarray], first: dict) -> np.ndarray:
    """Phalanges inherit the rotation before them, then swing; `first` is what the first phalanges inherit."""
    rotations = dict(palm)
    for bone in range(1, 21):
        if bone in PALM_BONES:
            continue
        before = first[bone - 1] if bone - 1 in PALM_BONES else rotations[bone - 1]
        u, v = rest[bone] - rest[bone - 1], target[bone] - target[bone - 1]
        rotations[bone] = minimal(before @ u, v) @ before
    return np.stack([rotations[bone] for bone in range(1, 21)])


def match_paper(rest: np.ndarray, target: np.ndarray) -> np.ndarray:
    palm = {bone: signed_palm(rest, target, bone) for bone in PALM_BONES}
    return transport(rest, target, palm, palm)


def match_palm(rest: np.ndarray, target: np.ndarray) -> np.ndarray:
    points = [0, 5, 9, 13, 17]
    turn = kabsch(rest[points], target[points])
    palm = {}
    for bone in PALM_BONES:
        u, v = rest[bone] - rest[0], target[bone] - target[0]
        palm[bone] = minimal(turn @ u, v) @ turn
    return transport(rest, target, palm, dict.fromkeys(PALM_BONES, turn))


MATCHES = {"none": match_none, "paper-literal": match_paper_literal, "paper": match_paper, "palm": match_palm}
