"""Left hands become right hands by a reflection; the sign of the thumb tells which one it is."""

from __future__ import annotations

import numpy as np


def mirror_points(points: np.ndarray) -> np.ndarray:
    """Reflect points (..., 3) in the plane x = 0 of their frame."""
    return np.asarray(points) * np.array([-1, 1, 1], dtype=np.asarray(points).dtype)


def mirror_rotations(rotations: np.ndarray) -> np.ndarray:
    """S R S with S = diag(-1, 1, 1): rotations (..., 3, 3) as they act on mirrored points."""
    flip = np.array([-1.0, 1.0, 1.0])
    return np.asarray(rotations) * flip[:, None] * flip


def mirror_up(up: tuple[float, float, float] | None) -> tuple[float, float, float] | None:
    """The direction against gravity in the mirrored frame."""
    return None if up is None else (-up[0], up[1], up[2])


def palm_normal(joints: np.ndarray) -> np.ndarray:
    """Unit normal (..., 3) of joints (..., 21, 3): out of the PALM of a right hand, the back of a left one.

    cross(index MCP - wrist, little MCP - wrist): holding up a right hand, palm towards you, x right, y down,
    z away from you, the thumb is on your right, index (+, -, 0) x little (-, -, 0) = (0, 0, -): towards you.
    """
    joints = np.asarray(joints)
    wrist = joints[..., 0, :]
    normal = np.cross(joints[..., 5, :] - wrist, joints[..., 17, :] - wrist)
    length = np.linalg.norm(normal, axis=-1, keepdims=True)
    return normal / np.where(length > 0, length, np.nan)


def chirality(joints: np.ndarray) -> np.ndarray:
    """Evidence (...,) in metres that joints (..., 21, 3) are a right hand: > 0 right, < 0 left, 0 unknown.

    Fingers bend and the thumb opposes towards the palm, so the mean height over the palm plane of finger tips
    (from their MCP) and of the thumb (from the wrist) is positive along the right hand's palm normal.
    A flat hand has no evidence and says so by a value near 0.
    """
    joints = np.asarray(joints, float)
    normal = palm_normal(joints)[..., None, :]
    fingers = joints[..., [8, 12, 16, 20], :] - joints[..., [5, 9, 13, 17], :]
    thumb = joints[..., [2, 3], :] - joints[..., [0, 0], :]
    heights = (np.concatenate([fingers, thumb], axis=-2) * normal).sum(-1)
    return heights.mean(-1)
