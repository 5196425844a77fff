"""Labels through a lens that distorts: the exact rays of the picture's pixels, which are no grid before the lens.

Everything here is in pixels of the pinhole camera of the same K, but for what is said to be of the picture.
"""

from __future__ import annotations

import numpy as np

from rigging.geometry.distortion import Lens, pixels_of, plane_of

from .rasterise import NEAR, Viewed, rasterise_points


def rasterise_picture(
    viewed: Viewed, faces: np.ndarray, lens: Lens, width: int, height: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As `rasterise`, of the pixels of the picture: depth (H, W) m, triangle (H, W) and barycentric (H, W, 2).

    viewed: the pinhole camera's. faces: (M, 3) int32.
    """
    points = lens.grid((width, height)).reshape(-1, 2)
    depth, triangle = rasterise_points(viewed, faces, points, width, height)
    hit = np.flatnonzero(triangle >= 0)
    barycentric = np.zeros((len(points), 2))
    barycentric[hit] = _weights(viewed.camera[faces[triangle[hit]]], plane_of(points[hit], lens.K))[:, 1:]
    return (
        depth.reshape(height, width), triangle.reshape(height, width), barycentric.reshape(height, width, 2)
    )  # fmt: skip


def _weights(corners: np.ndarray, xy: np.ndarray) -> np.ndarray:
    """Barycentrics (P, 3) of where rays (x, y, 1), xy (P, 2), meet triangles (P, 3, 3) m, as `rasterise` has them."""
    a, b, c = corners.transpose(1, 0, 2)
    edges = np.stack([np.cross(b, c), np.cross(c, a), np.cross(a, b)], axis=1)
    values = edges[..., 0] * xy[:, :1] + edges[..., 1] * xy[:, 1:] + edges[..., 2]
    return values / values.sum(1, keepdims=True)


def displace_in_picture(
    surface: tuple[np.ndarray, np.ndarray, np.ndarray], target: np.ndarray, lens: Lens, flow: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As `displace`: write into `flow` (H, W, 2), pixels of the picture, how the points seen move.

    surface: triangle (H, W), barycentric (H, W, 2) and faces (M, 3). target: (N, 3) m, in the camera.
    Returns of the P points that stay within the picture where a pinhole camera sees them (P, 2) px, their depth (P,) m,
    and the pixel (P,) of the picture they come from.
    """
    triangle, barycentric, faces = surface
    height, width = triangle.shape
    pixel = np.flatnonzero(triangle >= 0)
    weights = barycentric.reshape(-1, 2)[pixel]
    weights = np.column_stack([1 - weights.sum(1), weights])
    points = np.einsum("pk,pkc->pc", weights, target[faces[triangle.ravel()[pixel]]])
    before = points[:, 2] >= NEAR
    points, pixel = points[before], pixel[before]
    pinhole = pixels_of(points[:, :2] / points[:, 2:], lens.K)
    there = lens.seen(pinhole)
    shown = ~np.isnan(there).any(1)
    row, column = np.divmod(pixel[shown], width)
    flow[row, column] = there[shown] - np.column_stack([column, row]) - 0.5
    inside = (there >= 0).all(1) & (there < (width, height)).all(1)
    return pinhole[inside], points[inside, 2], pixel[inside]
