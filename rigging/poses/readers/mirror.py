"""Left hands become right hands by a reflection."""

from __future__ import annotations

import numpy as np


def mirror_points(points: np.ndarray) -> np.ndarray:
    """Reflect points (..., 3) in the plane x = 0 of their frame."""
    return np.asarray(points) * np.array([-1, 1, 1], dtype=np.asarray(points).dtype)


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
