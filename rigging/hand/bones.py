"""The 21 bones as vectors between joints: bone b runs from joint JOINT_PARENTS[b] to joint b."""

from __future__ import annotations

import numpy as np

from ..joints import JOINT_PARENTS

BONE_STARTS = np.maximum(JOINT_PARENTS, 0)  # (21,) joints; the forearm, whose far end is no joint, from the wrist


def bone_vectors(joints: np.ndarray) -> np.ndarray:
    """(..., 21, 3) from each bone's start to its end, of joints (..., 21, 3); zero for the forearm."""
    return joints - joints[..., BONE_STARTS, :]


def bone_lengths(joints: np.ndarray) -> np.ndarray:
    """Bone lengths (..., 21) of joints (..., 21, 3), in their unit; 0 for the forearm."""
    return np.linalg.norm(bone_vectors(joints), axis=-1)
