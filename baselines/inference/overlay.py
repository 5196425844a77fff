"""What was found, drawn over the photograph: joints in their fingers' colours, and beside them the mesh, shaded."""

from __future__ import annotations

import cv2
import numpy as np

from dataset_tools.pictures.drawing import draw_skeleton
from dataset_tools.pictures.solid import CLAY, nearest_triangles, shade
from rigging.geometry.mesh import vertex_normals
from rigging.geometry.projection import project

from .answer import hand_faces
from .estimate import Hand, View

SIDE = 512  # px; smaller photographs are enlarged to about it
OPAQUE = 0.7  # of the mesh
SURE = 0.3  # joints with less confidence are hollow


def overlay(view: View, hand: Hand, left: bool) -> np.ndarray:
    """(h, w, 3) uint8: the photograph with joints, and beside it with the mesh if there is one.

    Small photographs are enlarged by a whole number.
    """
    scale = max(1, SIDE // max(view.rgb.shape[:2]))
    picture = cv2.resize(view.rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    sure = np.ones(len(hand.joints_2d), bool) if hand.confidence is None else hand.confidence >= SURE
    weight = min(view.square[2] / min(view.rgb.shape[:2]), 1)  # lines as thick as the hand is large
    joints = draw_skeleton(picture, hand.joints_2d, sure, scale, 0.8 * weight)
    if hand.vertices_cam is None:
        return joints
    K = np.diag([scale, scale, 1]) @ view.K
    return np.concatenate([joints, draw_mesh(picture, hand.vertices_cam, K, hand_faces(left))], axis=1)


def draw_mesh(picture: np.ndarray, vertices: np.ndarray, K: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Picture (H, W, 3) uint8 with the mesh of vertices (N, 3) m, camera axes, shaded over it; faces (F, 3)."""
    pixels = project(vertices, K[None], np.eye(4)[None])[0]
    if not np.isfinite(pixels).all():
        return picture  # a part is behind the camera
    height, width = picture.shape[:2]
    low = np.clip(np.floor(pixels.min(0)), 0, [width, height]).astype(int)
    high = np.clip(np.ceil(pixels.max(0)), 0, [width, height]).astype(int)
    if (high <= low).any():
        return picture
    seen = np.column_stack([pixels - low, -1 / vertices[:, 2]])  # 1 / z is linear in the picture
    triangle, weights = nearest_triangles(seen, faces, (high - low)[::-1])
    covered = triangle >= 0
    normals = vertex_normals(vertices, faces)[faces[triangle[covered]]]
    colours = shade((normals * weights[covered][..., None]).sum(1), np.broadcast_to(CLAY, (covered.sum(), 3)))
    out = picture.copy()
    part = out[low[1] : high[1], low[0] : high[0]]
    part[covered] = np.rint(OPAQUE * colours + (1 - OPAQUE) * part[covered]).astype(np.uint8)
    return out
