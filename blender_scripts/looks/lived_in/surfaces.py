"""Where on a solid's surface a ray meets it, in compiled loops: normal, place in its picture, how near to an edge."""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from ..room import Vector
from .scene import BOX, CAPSULE, CYLINDER, ELLIPSOID, SIDE, Hits

_compiled = numba.njit(cache=True, nogil=True, error_model="numpy")


class Surfaces(NamedTuple):
    """Of P points of surfaces."""

    points: np.ndarray  # (P, 3) world, metres
    normals: np.ndarray  # (P, 3) unit, world, outwards; of the room's sides inwards
    places: np.ndarray  # (P, 2) metres along the face, right and up
    spans: np.ndarray  # (P, 2) metres, of the whole face
    edges: np.ndarray  # (P,) metres to the nearest edge of a box or to the next side of the room


@_compiled
def surfaces(solids: np.ndarray, hits: Hits, position: np.ndarray) -> Surfaces:
    """The surfaces at P hits of rays from `position` (3,) m: arrays (P, ...)."""
    count = len(hits.depth)
    points, normals = np.empty((count, 3)), np.empty((count, 3))
    places, spans, edges = np.empty((count, 2)), np.empty((count, 2)), np.empty(count)
    for k in range(count):
        solid = solids[hits.owner[k]]
        half, axes = (solid.half[0], solid.half[1], solid.half[2]), solid.axes
        for i in range(3):
            points[k, i] = position[i] + hits.depth[k] * hits.rays[k, i]
        x, y, z = points[k, 0] - solid.centre[0], points[k, 1] - solid.centre[1], points[k, 2] - solid.centre[2]
        own = (
            axes[0, 0] * x + axes[0, 1] * y + axes[0, 2] * z,
            axes[1, 0] * x + axes[1, 1] * y + axes[1, 2] * z,
            axes[2, 0] * x + axes[2, 1] * y + axes[2, 2] * z,
        )
        (nx, ny, nz), u, v, width, height, edge = _face(solid.kind, half, solid.radius, own, hits.owner[k])
        for i in range(3):
            normals[k, i] = nx * axes[0, i] + ny * axes[1, i] + nz * axes[2, i]
        places[k, 0], places[k, 1], spans[k, 0], spans[k, 1], edges[k] = u, v, width, height, edge
    return Surfaces(points, normals, places, spans, edges)


@_compiled
def _face(
    kind: int, half: Vector, radius: float, at: Vector, index: int
) -> tuple[Vector, float, float, float, float, float]:
    """Of a point of a solid, in its own frame: outward normal, metres along its face from the lower left, the face's
    width and height in metres, and metres to the nearest edge.
    """
    x, y, z = at
    if kind == SIDE:
        return _side(half, at, index)
    if kind == BOX:
        return _box_face(half, radius, at)
    if kind == ELLIPSOID:
        a, b, c = x / half[0] ** 2, y / half[1] ** 2, z / half[2] ** 2
        length = np.sqrt(a * a + b * b + c * c) + 1e-12
        girth, tall = np.pi * (half[0] + half[1]), 2 * half[2]
        turn = np.arctan2(y / half[1], x / half[0]) / (2 * np.pi) + 0.5
        return (a / length, b / length, c / length), turn * girth, z + half[2], girth, tall, 1.0
    girth, turn = 2 * np.pi * half[0], np.arctan2(y, x) / (2 * np.pi) + 0.5
    if kind == CYLINDER and abs(z) > half[2] * 0.99999:
        return (0.0, 0.0, np.sign(z)), x + half[0], y + half[0], 2 * half[0], 2 * half[0], half[0] - np.hypot(x, y)
    up = 0.0
    if kind == CAPSULE:
        tip = half[2] - half[0]
        up = z - tip if z > tip else (z + tip if z < -tip else 0.0)
    length = np.sqrt(x * x + y * y + up * up) + 1e-12
    edge = half[2] - abs(z) if kind == CYLINDER else 1.0
    return (x / length, y / length, up / length), turn * girth, z + half[2], girth, 2 * half[2], edge


@_compiled
def _box_face(half: Vector, radius: float, at: Vector) -> tuple[Vector, float, float, float, float, float]:
    """Of a box, whose normal turns over within `radius` of an edge."""
    x, y, z = at
    a, b, c = abs(x) - half[0], abs(y) - half[1], abs(z) - half[2]
    r = max(radius, 1e-4)
    nx, ny, nz = max(a + r, 0.0) * np.sign(x), max(b + r, 0.0) * np.sign(y), max(c + r, 0.0) * np.sign(z)
    length = np.sqrt(nx * nx + ny * ny + nz * nz)
    if length == 0.0:
        length = 1e-12
    normal = nx / length, ny / length, nz / length
    if abs(nx) >= abs(ny) and abs(nx) >= abs(nz):
        u = y if x > 0 else -y
        return normal, u + half[1], z + half[2], 2 * half[1], 2 * half[2], min(-b, -c)
    if abs(ny) >= abs(nz):
        u = x if y < 0 else -x
        return normal, u + half[0], z + half[2], 2 * half[0], 2 * half[2], min(-a, -c)
    return normal, x + half[0], y + half[1], 2 * half[0], 2 * half[1], min(-a, -b)


@_compiled
def _side(half: Vector, at: Vector, index: int) -> tuple[Vector, float, float, float, float, float]:
    """Of the inside of the room."""
    x, y, z = at
    a, b, c = half[0] - abs(x), half[1] - abs(y), half[2] - abs(z)
    sign = 1.0 if index % 2 == 0 else -1.0
    if index < 2:
        return (sign, 0.0, 0.0), y + half[1], z + half[2], 2 * half[1], 2 * half[2], min(b, c)
    if index < 4:
        return (0.0, sign, 0.0), x + half[0], z + half[2], 2 * half[0], 2 * half[2], min(a, c)
    return (0.0, 0.0, sign), x + half[0], y + half[1], 2 * half[0], 2 * half[1], min(a, b)
