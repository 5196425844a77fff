"""Skinning: bones move vertices, by blended matrices or by blended dual quaternions.

Both take the rest hand and, per frame, each bone's rotation from the rest axes and the place of the joints. Bone b
starts in joint JOINT_PARENTS[b] (the forearm, bone 0, in the wrist), so a vertex that hangs on it alone goes to
R_b (v - rest start) + posed start.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from ..joints import JOINT_PARENTS
from .asset import Weighted
from .bones import BONE_STARTS
from .shape import RestHand


def dense_weights(skin: Weighted) -> np.ndarray:
    """(V, 21) skin weights."""
    weights = np.zeros((len(skin.weight_bones), len(JOINT_PARENTS)))
    np.add.at(weights, (np.arange(len(weights))[:, None], skin.weight_bones), skin.weight_values)
    return weights


def bone_translations(rest_joints: np.ndarray, rotations: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """(..., 21, 3) t of the maps v -> R_b v + t_b."""
    return joints[..., BONE_STARTS, :] - np.einsum("...bij,bj->...bi", rotations, rest_joints[BONE_STARTS])


def linear_blend(rest: RestHand, skin: Weighted, rotations: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """Linear blend skinning (Magnenat-Thalmann et al. 1988): v' = sum_b w_b (R_b v + t_b).

    rotations: (..., 21, 3, 3) from rest axes to the world; joints: (..., 21, 3) m. Returns (..., V, 3) m.
    """
    check_pose(rotations, joints)
    shift = bone_translations(rest.joints, rotations, joints)
    maps = np.concatenate([rotations, shift[..., None]], axis=-1).reshape(*rotations.shape[:-2], 12)
    blended = (dense_weights(skin) @ maps).reshape(*maps.shape[:-2], -1, 3, 4)
    return np.einsum("...vij,vj->...vi", blended[..., :3], rest.vertices) + blended[..., 3]


def dual_quaternion(rest: RestHand, skin: Weighted, rotations: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """Dual quaternion skinning (Kavan et al., Skinning with Dual Quaternions, I3D 2007, section 4).

    Arguments and result as for `linear_blend`. Bent joints keep their volume better than with matrices.
    """
    check_pose(rotations, joints)
    real = bone_quaternions(rotations)
    dual = half_product(bone_translations(rest.joints, rotations, joints), real)
    blended = np.moveaxis(dense_weights(skin) @ np.concatenate([real, dual], axis=-1), -1, 0)
    blended = blended / np.sqrt((blended[:4] ** 2).sum(0))
    return np.stack(apply_dual_quaternion(blended, rest.vertices.T), axis=-1)


def bone_quaternions(rotations: np.ndarray) -> np.ndarray:
    """(..., 21, 4) unit quaternions (w, x, y, z), each in the hemisphere of its parent bone's.

    q and -q are the same rotation, but blending must take the short way; neighbours on the skin are neighbours in
    the tree of bones, where no joint turns by more than 180 degrees.
    """
    flat = Rotation.from_matrix(rotations.reshape(-1, 3, 3)).as_quat()
    quaternions = np.roll(flat, 1, axis=-1).reshape(*rotations.shape[:-2], 4)
    for bone, parent in enumerate(JOINT_PARENTS):
        if parent >= 0:
            turned = (quaternions[..., bone, :] * quaternions[..., parent, :]).sum(-1, keepdims=True) < 0
            quaternions[..., bone, :] *= np.where(turned, -1, 1)
    return quaternions


def half_product(shift: np.ndarray, quaternion: np.ndarray) -> np.ndarray:
    """(..., 4) dual part: half the quaternion product of the translation (..., 3) and the rotation (..., 4)."""
    w, v = quaternion[..., :1], quaternion[..., 1:]
    scalar = -(shift * v).sum(-1, keepdims=True)
    return 0.5 * np.concatenate([scalar, w * shift + np.cross(shift, v)], axis=-1)


def apply_dual_quaternion(dual_quaternions: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, ...]:
    """x, y, z (..., V) of points (3, V) moved by unit dual quaternions (8, ..., V), component by component.

    v' = v + 2 r x (r x v + w v) + 2 (w d - d0 r + r x d) for real part (w, r) and dual part (d0, d).
    """
    w, rx, ry, rz, d0, dx, dy, dz = dual_quaternions
    x, y, z = points
    cx, cy, cz = ry * z - rz * y + w * x + dx, rz * x - rx * z + w * y + dy, rx * y - ry * x + w * z + dz
    return (
        x + 2 * (ry * cz - rz * cy + w * dx - d0 * rx),
        y + 2 * (rz * cx - rx * cz + w * dy - d0 * ry),
        z + 2 * (rx * cy - ry * cx + w * dz - d0 * rz),
    )


def check_pose(rotations: np.ndarray, joints: np.ndarray) -> None:
    """ValueError unless rotations are (..., 21, 3, 3) and joints (..., 21, 3) with the same leading dimensions."""
    bones = len(JOINT_PARENTS)
    if rotations.shape[-3:] != (bones, 3, 3) or joints.shape != rotations.shape[:-1]:
        raise ValueError(
            f"got rotations {rotations.shape} and joints {joints.shape}, allowed are (..., 21, 3, 3) and (..., 21, 3)"
        )
