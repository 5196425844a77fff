"""Hinge axes of the finger joints, read off the asset: a finger bends about (back of the finger) x (bone)."""

from __future__ import annotations

import numpy as np

from ..hand.asset import HandAsset
from ..hand.nails import nail_normals
from ..joints import JOINT_PARENTS


def rest_directions(joints: np.ndarray) -> np.ndarray:
    """Unit direction of each bone, (21, 3) from (21, 3) rest joints; the forearm (bone 0) points along +y."""
    directions = np.empty((21, 3))
    directions[0] = (0.0, 1.0, 0.0)
    directions[1:] = joints[1:] - joints[list(JOINT_PARENTS[1:])]
    return directions / np.linalg.norm(directions, axis=1, keepdims=True)


def hinge_axes(asset: HandAsset) -> tuple[np.ndarray, np.ndarray]:
    """Flexion axes (21, 3) and dorsal directions (5, 3), unit vectors in the rest pose, hand frame.

    Turning bone b about `flexion[b]` by a positive angle (right-hand rule) bends it towards the palm. The axis is
    dorsal x bone, so it is perpendicular to its own bone. Bone 0 (forearm) gets the axis of wrist flexion, -x.
    """
    dorsal = nail_normals(asset.template, asset.faces, asset.face_nail)
    directions = rest_directions(asset.joints)
    backs = np.concatenate([[(0.0, 0.0, 1.0)], np.repeat(dorsal, 4, axis=0)])
    flexion = np.cross(backs, directions)
    return flexion / np.linalg.norm(flexion, axis=1, keepdims=True), dorsal
