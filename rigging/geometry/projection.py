"""World to camera to image and back: projection, triangulation, depth and distance.

Cameras are those of OpenCV: x right, y down, z forward; K (3, 3) in pixels, world_to_cam (4, 4) rigid, in metres. The
centre of the top-left pixel is (0.5, 0.5).
"""

from __future__ import annotations

import numpy as np

from .distortion import pixels_of, plane_of, through_lens, undistort


def to_camera(points: np.ndarray, world_to_cam: np.ndarray) -> np.ndarray:
    """World points (N, 3) in the frame of each camera: (V, N, 3) metres, for world_to_cam (V, 4, 4)."""
    return np.einsum("vij,nj->vni", world_to_cam[:, :3, :3], points) + world_to_cam[:, None, :3, 3]


def project(
    points: np.ndarray, K: np.ndarray, world_to_cam: np.ndarray, distortion: np.ndarray | None = None
) -> np.ndarray:
    """Pixels (V, N, 2) of world points (N, 3) for K (V, 3, 3) and world_to_cam (V, 4, 4): u = (K p)_xy / p_z.

    With `distortion` (V, 5), u = (K (D(p_xy / p_z), 1))_xy, where D is that of `distortion.distort`. A point at or
    behind the plane of a camera, or beyond the sound part of its lens, has no pixel there: NaN.
    """
    local = to_camera(points, world_to_cam)
    depth = np.where(local[..., 2:] > 0, local[..., 2:], np.nan)
    local = local / depth
    if distortion is not None:
        local = np.concatenate([through_lens(local[..., :2], distortion), local[..., 2:]], axis=-1)
    return np.einsum("vij,vnj->vni", K, local)[..., :2]


def without_lens(pixels: np.ndarray, K: np.ndarray, distortion: np.ndarray | None = None) -> np.ndarray:
    """Where cameras K (V, 3, 3) without lenses see what `pixels` (V, N, 2) show through those of `distortion` (V, 5).

    Without `distortion` the pixels themselves. NaN where the lens shows nothing.
    """
    if distortion is None:
        return pixels
    views = zip(pixels, K, distortion)
    return np.stack([pixels_of(undistort(plane_of(of_view, k), lens), k) for of_view, k, lens in views])


def triangulate(
    pixels: np.ndarray, K: np.ndarray, world_to_cam: np.ndarray, valid: np.ndarray | None = None
) -> np.ndarray:
    """World points (N, 3) m seen at `pixels` (V, N, 2), where `valid` (V, N) bool says so (default: everywhere).

    Linear triangulation (Hartley & Zisserman, 12.2) with homogeneous rows scaled to unit length, then two Gauss-Newton
    steps on the reprojection error. Raises ValueError for a point seen by fewer than two cameras.
    """
    pixels = np.asarray(pixels, float)
    weights = np.ones(pixels.shape[:2]) if valid is None else np.asarray(valid, float)
    if weights.sum(axis=0).min() < 2:
        raise ValueError(f"point {int(weights.sum(axis=0).argmin())} is seen by fewer than two cameras")
    pixels = np.where(weights[..., None] > 0, pixels, 0.0)
    matrices = np.asarray(K, float) @ np.asarray(world_to_cam, float)[:, :3]  # (V, 3, 4)
    rows = pixels[..., None] * matrices[:, None, 2:3] - matrices[:, None, :2]  # (V, N, 2, 4)
    rows *= (weights[..., None] / np.linalg.norm(rows[..., :3], axis=-1))[..., None]
    stacked = rows.transpose(1, 0, 2, 3).reshape(pixels.shape[1], -1, 4)
    points = np.stack([np.linalg.lstsq(row[:, :3], -row[:, 3], rcond=None)[0] for row in stacked])
    for _ in range(2):
        points = points + _reprojection_step(points, pixels, matrices, weights)
    return points


def _reprojection_step(points: np.ndarray, pixels: np.ndarray, matrices: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Gauss-Newton steps (N, 3) for points (N, 3)."""
    image = np.einsum("vij,nj->vni", matrices[:, :, :3], points) + matrices[:, None, :, 3]
    uv = image[..., :2] / image[..., 2:]
    slopes = (matrices[:, None, :2, :3] - uv[..., None] * matrices[:, None, 2:, :3]) / image[..., 2, None, None]
    slopes = slopes * weights[..., None, None]
    normal = np.einsum("vnki,vnkj->nij", slopes, slopes)
    right = np.einsum("vnki,vnk->ni", slopes, (pixels - uv) * weights[..., None])
    return np.linalg.solve(normal, right[..., None])[..., 0]


def depth_to_distance(depth: np.ndarray, K: np.ndarray, distortion: np.ndarray | None = None) -> np.ndarray:
    """Distance from the camera along each pixel's ray, for planar depth (..., H, W) in metres and K (..., 3, 3).

    distortion: (..., 5) of the lenses, or None.
    """
    height, width = depth.shape[-2:]
    inverse = np.linalg.inv(K)
    columns, rows = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    rays = np.einsum("...ij,jhw->...ihw", inverse, np.stack([columns, rows, np.ones_like(rows)]))
    if distortion is not None:
        seen = np.moveaxis(rays[..., :2, :, :], -3, -1).reshape(-1, height, width, 2)
        lenses = np.reshape(distortion, (-1, 5))
        before = np.stack([undistort(xy, lens) for xy, lens in zip(seen, lenses)])
        rays[..., :2, :, :] = np.moveaxis(before.reshape(*rays.shape[:-3], height, width, 2), -1, -3)
    return depth * np.linalg.norm(rays, axis=-3)
