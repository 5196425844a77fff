"""Where things lie in a recording: computed without `rerun`."""

from __future__ import annotations

import numpy as np

from rigging.joints import PART_NAMES

HALF = 0.5  # px
ARROWS = 20  # of flow in a row
EYE_ABOVE = 0.5  # tangent of the first eye's angle with the plane of the cameras
EYE_CLOSER = 0.75  # of the cameras' distance


def from_corners(K: np.ndarray) -> np.ndarray:
    """K (3, 3) for pixels that are counted from the corner of the first one: what the viewer takes depth by.

    The viewer (0.41, its shader depth_cloud.wgsl) puts the point of pixel (i, j) on the ray through (j, i), where our
    depth is that of (j + 0.5, i + 0.5).
    """
    return K - np.array([[0, 0, HALF], [0, 0, HALF], [0, 0, 0]])


def vertex_parts(faces: np.ndarray, face_part: np.ndarray, count: int) -> np.ndarray:
    """(N,) the part of each of `count` vertices, by faces (F, 3) of parts (F,): that of most of its faces."""
    votes = np.zeros((count, len(PART_NAMES)), np.int64)
    np.add.at(votes, (faces, face_part[:, None]), 1)
    return votes.argmax(1)


def arrow_pixels(depth: np.ndarray) -> np.ndarray:
    """(P, 2) row and column of the pixels that get an arrow: those of a grid that show a surface, by depth (H, W)."""
    step = max(1, round(max(depth.shape) / ARROWS))
    rows, columns = np.nonzero(depth[step // 2 :: step, step // 2 :: step])
    return np.stack([rows, columns], axis=1) * step + step // 2


def first_look(world_to_cam: np.ndarray, centre: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Eye, target and up, each (3,): beside camera 0 of a ring (V, 4, 4) around `centre` (3,) m, and upright as it is.

    The eye is moved along the ring's axis, so that no camera stands before it.
    """
    away = -np.einsum("vji,vj->vi", world_to_cam[:, :3, :3], world_to_cam[:, :3, 3]) - centre
    up, axis = -world_to_cam[0, 1, :3], np.linalg.svd(away)[2][2]
    distance = np.linalg.norm(away[0])
    direction = away[0] / distance + EYE_ABOVE * axis * (1 if axis @ up >= 0 else -1)
    return centre + EYE_CLOSER * distance * direction / np.linalg.norm(direction), centre, up
