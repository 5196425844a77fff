"""Guides of the denoiser, free of noise: albedo and normals of the surface seen, filtered as Cycles filters pixels.

They come from the rasteriser and not from Cycles, whose own are those of its few paths: jagged along every edge.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numba
import numpy as np

from rigging.geometry.mesh import face_normals

from ..labels.rasterise import rasterise, view_vertices
from ..looks.colour import srgb_to_linear

_SIDE = 2  # points along each side of a pixel
_MAP_SIZE = 512  # texels: several to a pixel, as a hand fills a picture
_FILTER_WIDTH = 3.0  # pixels; Cycles takes Blackman-Harris over twice Blender's default "filter width" of 1.5


@dataclass(frozen=True)
class GuideBody:
    """A posed body in world space, metres; M faces, N vertices, hand and bare arm first."""

    vertices: np.ndarray  # (N, 3)
    faces: np.ndarray  # (M, 3) int32
    skin_faces: int  # the first faces; the others are cloth
    normals: np.ndarray  # (N, 3) unit
    uv: np.ndarray  # (M, 3, 2)
    gradients: np.ndarray  # (M, 2, 3) how u and v grow along the surface, per metre


@dataclass(frozen=True)
class Guides:
    """What a view sees; all are zero where it sees nothing, and weighted by coverage along the outline."""

    albedo: np.ndarray  # (H, W, 3) float32, linear
    normals: np.ndarray  # (H, W, 3) float32, camera frame, relief included
    coverage: np.ndarray  # (H, W) float32, through Cycles' pixel filter


def surface_maps(albedo: np.ndarray, height: np.ndarray, unit: np.float32) -> np.ndarray:
    """Linear albedo and slope (S, S, 5) float32 of a skin or cloth.

    Args:
        albedo: (R, R, 3) sRGB, uint8 or float in 0..1. height: (R, R) above the mesh. Top row first.
        unit: metres of a height of 1.
    Returns:
        In channels 3 and 4 how the height grows with u and v, in metres.
    """
    size = (_MAP_SIZE, _MAP_SIZE)
    height = cv2.resize(height, size, interpolation=cv2.INTER_AREA).astype(np.float32) * unit
    slopes = [np.roll(height, -1, axis) - np.roll(height, 1, axis) for axis in (1, 0)]
    slopes = np.dstack([slopes[0], -slopes[1]]) * np.float32(_MAP_SIZE / 2)  # v grows upwards
    return np.dstack([srgb_to_linear(cv2.resize(albedo, size, interpolation=cv2.INTER_AREA)), slopes])


def guide_body(
    vertices: np.ndarray, faces: np.ndarray, skin_faces: int, normals: np.ndarray, uv: np.ndarray
) -> GuideBody:
    """The body with how its texture grows: vertices and normals (N, 3), faces (M, 3), uv (M, 3, 2); see `GuideBody`."""
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    normal = face_normals(vertices, faces)
    square = np.maximum((normal**2).sum(1, keepdims=True), 1e-30)
    # dual to the edges: along `first` one goes to b, along `second` to c
    first, second = np.cross(c - a, normal) / square, np.cross(normal, b - a) / square
    along = (uv[:, 1:] - uv[:, :1]).astype(float)  # (M, edge, u or v)
    gradients = along[:, 0, :, None] * first[:, None] + along[:, 1, :, None] * second[:, None]
    return GuideBody(vertices, faces, skin_faces, normals, np.ascontiguousarray(uv, float), gradients)


def make_guides(
    body: GuideBody, skin: np.ndarray, cloth: np.ndarray, K: np.ndarray, world_to_cam: np.ndarray,
    width: int, height: int,
) -> Guides:  # fmt: skip
    """Guides of a view of width x height pixels; `skin` and `cloth` (S, S, 5) are `surface_maps`."""
    fine = np.asarray(K, float) * [[_SIDE], [_SIDE], [1]]
    size = _SIDE * width, _SIDE * height
    _, triangle, barycentric = rasterise(view_vertices(body.vertices, fine, world_to_cam), body.faces, *size)
    to_cycles = (world_to_cam[:3, :3] * [[1], [-1], [1]]).T  # its camera frame has y up
    normals, gradients = body.normals @ to_cycles, body.gradients @ to_cycles
    arrays = (body.faces, body.skin_faces, normals, body.uv, gradients, skin, cloth)
    total = _gather(triangle, barycentric, *arrays, _pixel_weights())
    return Guides(total[..., :3], total[..., 3:6], total[..., 6])


def _pixel_weights() -> np.ndarray:
    """Weight (_SIDE, 3) of a point, by its place along its pixel's side, in the pixel before, its own and the next."""
    place = (np.arange(_SIDE) + 0.5) / _SIDE
    phase = 2 * np.pi * ((place[:, None] - (np.arange(3) - 0.5)) / _FILTER_WIDTH + 0.5)
    weights = 0.35875 - 0.48829 * np.cos(phase) + 0.14128 * np.cos(2 * phase) - 0.01168 * np.cos(3 * phase)
    return (weights / weights.sum()).astype(np.float32)


@numba.njit(cache=True, nogil=True)
def _look_up(maps: np.ndarray, u: float, v: float, values: np.ndarray) -> None:
    """Bilinear, repeating."""
    rows, columns = maps.shape[:2]
    x, y = u * columns - 0.5, (1 - v) * rows - 0.5
    x0, y0 = int(np.floor(x)), int(np.floor(y))
    fx, fy = x - x0, y - y0
    left, right, top, bottom = x0 % columns, (x0 + 1) % columns, y0 % rows, (y0 + 1) % rows
    for k in range(maps.shape[2]):
        upper = (1 - fx) * maps[top, left, k] + fx * maps[top, right, k]
        lower = (1 - fx) * maps[bottom, left, k] + fx * maps[bottom, right, k]
        values[k] = (1 - fy) * upper + fy * lower


@numba.njit(cache=True, nogil=True)
def _normalise(vector: np.ndarray) -> None:
    scale = 1 / (math.sqrt(vector[0] ** 2 + vector[1] ** 2 + vector[2] ** 2) + 1e-12)
    for k in range(3):
        vector[k] *= scale


@numba.njit(cache=True, nogil=True)
def _gather(
    triangle: np.ndarray,
    barycentric: np.ndarray,
    faces: np.ndarray,
    skin_faces: int,
    normals: np.ndarray,
    uv: np.ndarray,
    gradients: np.ndarray,
    skin: np.ndarray,
    cloth: np.ndarray,
    weights: np.ndarray,
) -> np.ndarray:
    """Albedo, normal and coverage (H, W, 7) of pixels, from a picture of `len(weights)` times their size."""
    side = len(weights)
    total = np.zeros((triangle.shape[0] // side, triangle.shape[1] // side, 7), np.float32)
    values, surface, normal = np.ones(7, np.float32), np.zeros(5), np.zeros(3)
    for row in range(triangle.shape[0]):
        for column in range(triangle.shape[1]):
            f = triangle[row, column]
            if f < 0:
                continue
            wb, wc = barycentric[row, column, 0], barycentric[row, column, 1]
            wa = 1 - wb - wc
            u = wa * uv[f, 0, 0] + wb * uv[f, 1, 0] + wc * uv[f, 2, 0]
            v = wa * uv[f, 0, 1] + wb * uv[f, 1, 1] + wc * uv[f, 2, 1]
            _look_up(skin if f < skin_faces else cloth, u, v, surface)
            a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
            for k in range(3):
                normal[k] = wa * normals[a, k] + wb * normals[b, k] + wc * normals[c, k]
            _normalise(normal)
            for k in range(3):
                normal[k] -= surface[3] * gradients[f, 0, k] + surface[4] * gradients[f, 1, k]
            _normalise(normal)
            for k in range(3):
                values[k], values[3 + k] = surface[k], normal[k]
            _spread(total, values, row, column, weights)
    _complete_borders(total, weights)
    return total


@numba.njit(inline="always")  # called, it would take the whole half as long again
def _spread(total: np.ndarray, values: np.ndarray, row: int, column: int, weights: np.ndarray) -> None:
    """Add the values (7,) of the point at (row, column) to the 3 x 3 pixels around it."""
    side, (height, width) = len(weights), total.shape[:2]
    for i in range(3):
        y = row // side + i - 1
        for j in range(3):
            x = column // side + j - 1
            if 0 <= y < height and 0 <= x < width:
                weight = weights[row % side, i] * weights[column % side, j]
                for k in range(7):
                    total[y, x, k] += weight * values[k]


@numba.njit(cache=True, nogil=True)
def _complete_borders(total: np.ndarray, weights: np.ndarray) -> None:
    """Make up for the points beyond the picture's border, which were not taken."""
    before, after = 1 - weights[:, 2].sum(), 1 - weights[:, 0].sum()  # without the points of the pixel before, after
    total[0] /= before
    total[-1] /= after
    total[:, 0] /= before
    total[:, -1] /= after
