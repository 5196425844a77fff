"""Texels of an atlas: which triangle each one lies in, and attributes of the surface there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import distance_transform_edt

_MARGIN = 1.5  # texels beyond a triangle's edges that it paints too: bilinear look-ups reach the square root of 2


@dataclass(frozen=True)
class Surface:
    """The skin to be painted: hand and arm in one mesh (rest pose, hand frame, metres)."""

    vertices: np.ndarray  # (V, 3)
    faces: np.ndarray  # (F, 3)
    uv: np.ndarray  # (F, 3, 2), v upwards
    normals: np.ndarray  # (V, 3) unit, smooth across the seam between hand and arm
    weights: np.ndarray  # (V, 21) float32, rows sum to 1
    skin_faces: np.ndarray  # (F,) bool, False for the cap over the cut


@dataclass(frozen=True)
class Texels:
    """The N painted texels of a square atlas."""

    resolution: int
    index: np.ndarray  # (N,) row * resolution + column, row 0 at the top (v = 1)
    corners: np.ndarray  # (N, 3) vertices of the triangle
    weights: np.ndarray  # (N, 3) float32 barycentric
    face: np.ndarray  # (N,)

    def interpolate(self, attribute: np.ndarray) -> np.ndarray:
        """Per-vertex attribute (V,) or (V, C) at the texels, float32."""
        attribute = np.ascontiguousarray(attribute, dtype=np.float32)
        weights = self.weights if attribute.ndim == 1 else self.weights[:, :, None]
        return sum(attribute[self.corners[:, k]] * weights[:, k] for k in range(3))

    def image(self, values: np.ndarray) -> np.ndarray:
        """Atlas (R, R) or (R, R, C) of per-texel values; texels beyond every island copy their nearest painted one."""
        size = self.resolution
        atlas = np.zeros((size * size, *values.shape[1:]), values.dtype)
        atlas[self.index] = values
        return atlas[self._nearest()].reshape(size, size, *values.shape[1:])

    def _nearest(self) -> np.ndarray:
        if not hasattr(self, "_cache"):
            empty = np.ones(self.resolution**2, bool)
            empty[self.index] = False
            shape = (self.resolution, self.resolution)
            rows, columns = distance_transform_edt(empty.reshape(shape), return_distances=False, return_indices=True)
            object.__setattr__(self, "_cache", (rows.astype(np.int64) * self.resolution + columns).ravel())
        return self._cache


def rasterise_uv(uv: np.ndarray, resolution: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Texels covered by the triangles `uv` (F, 3, 2), v upwards.

    Returns `index` (N,) into the flattened atlas (top row first), `face` (N,) and barycentric weights (N, 3) float32
    of the texels' centres. Texels just outside an island are included with weights clamped to the triangle.
    """
    corners = np.stack([uv[..., 0], 1.0 - uv[..., 1]], -1) * resolution
    low = np.clip(np.floor(corners.min(1) - 0.5 - _MARGIN), 0, resolution).astype(np.int64)
    high = np.clip(np.ceil(corners.max(1) - 0.5 + _MARGIN) + 1, 0, resolution).astype(np.int64)
    extent = np.maximum(high - low, 0)
    count = extent[:, 0] * extent[:, 1]
    face = np.repeat(np.arange(len(uv)), count)
    local = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    row, column = np.divmod(local, extent[face, 0])
    column, row = column + low[face, 0], row + low[face, 1]
    weights, outside = _barycentric(corners, face, column + 0.5, row + 0.5)
    near = outside < _MARGIN
    index, face, weights, outside = (row * resolution + column)[near], face[near], weights[near], outside[near]
    order = np.argsort(-outside, kind="stable")  # a later write wins: triangles that hold the centre come last
    owner = np.full(resolution * resolution, -1, np.int64)
    owner[index[order]] = order
    chosen = owner[owner >= 0]
    weights = np.clip(weights[chosen], 0.0, 1.0)
    weights /= weights.sum(1, keepdims=True)
    return index[chosen], face[chosen], weights.astype(np.float32)


def _barycentric(corners: np.ndarray, face: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Barycentric weights (N, 3), and how far (N,) in texels the point lies beyond the triangle's edges (0 inside)."""
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    area = np.where(np.abs(area) < 1e-9, 1e-9, area)
    weights = np.empty((len(face), 3))
    outside = np.zeros(len(face))
    for k, (p, q) in enumerate(((b, c), (c, a), (a, b))):
        slope = np.stack([p[:, 1] - q[:, 1], q[:, 0] - p[:, 0]], -1) / area[:, None]
        offset = (p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]) / area
        weights[:, k] = offset[face] + slope[face, 0] * x + slope[face, 1] * y
        outside = np.maximum(outside, -weights[:, k] / np.linalg.norm(slope, axis=1)[face])
    return weights, outside


def make_texels(uv: np.ndarray, faces: np.ndarray, resolution: int) -> Texels:
    """The texels of a mesh with `faces` (F, 3) and `uv` (F, 3, 2)."""
    index, face, weights = rasterise_uv(uv, resolution)
    return Texels(resolution, index, faces[face], weights, face)
