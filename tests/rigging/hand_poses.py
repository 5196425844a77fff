"""Simple poses for tests: bones turned about their hinge axes, joints by forward kinematics."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from rigging.fingers.hinges import hinge_axes
from rigging.hand.asset import HandAsset
from rigging.joints import JOINT_PARENTS

# degrees of flexion per bone; the others stay as they are at rest
FIST = {bone: angle for first in (6, 10, 14, 18) for bone, angle in zip(range(first, first + 3), (70, 85, 45))}
FIST |= {2: 20, 3: 25, 4: 35}
PINCH = {6: 42, 7: 45, 8: 22, 10: 15, 11: 20, 12: 12, 2: 25, 3: 18, 4: 22}


def flexed(asset: HandAsset, joints: np.ndarray, degrees: dict[int, float]) -> tuple[np.ndarray, np.ndarray]:
    """Rotations (21, 3, 3) and joints (21, 3) of a hand with rest `joints` and bones flexed against their parents."""
    axes, _ = hinge_axes(asset)
    rotations, posed = np.tile(np.eye(3), (21, 1, 1)), joints.copy()
    for bone in range(1, 21):
        parent = JOINT_PARENTS[bone]
        turn = Rotation.from_rotvec(np.radians(degrees.get(bone, 0)) * axes[bone]).as_matrix()
        rotations[bone] = rotations[parent] @ turn
        posed[bone] = posed[parent] + rotations[bone] @ (joints[bone] - joints[parent])
    return rotations, posed


def flipped(before: np.ndarray, after: np.ndarray, faces: np.ndarray) -> int:
    """Number of faces whose normal turned by more than 90 degrees."""
    a, b = (np.cross(v[faces[:, 1]] - v[faces[:, 0]], v[faces[:, 2]] - v[faces[:, 0]]) for v in (before, after))
    return int(((a * b).sum(1) <= 0).sum())
