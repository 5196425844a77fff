"""An exact rasteriser: the first triangle on the ray through each pixel centre, or through any image point.

Every pixel is solved in homogeneous form (Olano and Greer 1997): with camera-space corners a, b, c and the ray
d = K^-1 (u, v, 1), the edge values e = (d.(b x c), d.(c x a), d.(a x b)) share a sign exactly where the ray meets
the triangle, e / sum(e) are the barycentrics on the surface (perspective-correct as they stand), and
z = a.(b x c) / sum(e). Nothing is clipped, so triangles that reach behind the camera need no special case, and an
edge shared by two triangles gets the very same value with opposite signs in both: no cracks.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numba
import numpy as np

NEAR = 1e-4  # metres; nothing nearer to the camera plane is seen
_SURELY = 1e-3  # metres by which a triangle must lie behind what is known to be left out unsolved

Vector = tuple[float, float, float]


class Viewed(NamedTuple):
    """A mesh's vertices as one camera sees them."""

    camera: np.ndarray  # (N, 3) metres, the camera's frame
    image: np.ndarray  # (N, 2) pixels; of no meaning for what lies nearer than NEAR
    K: np.ndarray  # (3, 3) pixels


@numba.njit(cache=True, nogil=True)
def _view(vertices: np.ndarray, K: np.ndarray, world_to_cam: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    camera = np.empty_like(vertices)
    image = np.zeros((len(vertices), 2))
    for i in range(len(vertices)):
        x, y, z = vertices[i, 0], vertices[i, 1], vertices[i, 2]
        for k in range(3):
            row = world_to_cam[k]
            camera[i, k] = row[0] * x + row[1] * y + row[2] * z + row[3]
        x, y, z = camera[i, 0], camera[i, 1], camera[i, 2]
        if z >= NEAR:
            image[i, 0] = (K[0, 0] * x + K[0, 1] * y) / z + K[0, 2]
            image[i, 1] = K[1, 1] * y / z + K[1, 2]
    return camera, image


@numba.njit(cache=True, nogil=True)
def _edge(a: np.ndarray, b: np.ndarray) -> Vector:
    """Edge normal a x b; exactly antisymmetric in floating point."""
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


@numba.njit(cache=True, nogil=True)
def _image_bounds(viewed: Viewed, face: np.ndarray) -> tuple[float, float, float, float]:
    """Least and greatest u and v of a triangle's image; without bounds if it passes the camera."""
    u0, u1, v0, v1 = math.inf, -math.inf, math.inf, -math.inf
    for corner in face:
        if viewed.camera[corner, 2] < NEAR:
            return -1e9, 1e9, -1e9, 1e9
        u, v = viewed.image[corner, 0], viewed.image[corner, 1]
        u0, u1, v0, v1 = min(u0, u), max(u1, u), min(v0, v), max(v1, v)
    return max(u0, -1e9), min(u1, 1e9), max(v0, -1e9), min(v1, 1e9)


@numba.njit(cache=True, nogil=True)
def _pixel_bounds(viewed: Viewed, face: np.ndarray, width: int, height: int) -> tuple[int, int, int, int]:
    """First and last pixel column and row whose centres a triangle may cover."""
    u0, u1, v0, v1 = _image_bounds(viewed, face)
    # a hair wider than the pixel centres within, so that rounding of u, v never loses one
    return (
        max(0, int(math.ceil(u0 - 0.5 - 1e-9))),
        min(width - 1, int(math.floor(u1 - 0.5 + 1e-9))),
        max(0, int(math.ceil(v0 - 0.5 - 1e-9))),
        min(height - 1, int(math.floor(v1 - 0.5 + 1e-9))),
    )


@numba.njit(cache=True, nogil=True)
def _planes(points: np.ndarray, face: np.ndarray) -> tuple[Vector, Vector, Vector, float]:
    """The edge normals opposite a triangle's corners a, b, c, and a.(b x c)."""
    a, b, c = points[face[0]], points[face[1]], points[face[2]]
    bc, ca, ab = _edge(b, c), _edge(c, a), _edge(a, b)
    return bc, ca, ab, a[0] * bc[0] + a[1] * bc[1] + a[2] * bc[2]


@numba.njit(cache=True, nogil=True)
def _least_depth(points: np.ndarray, face: np.ndarray) -> float:
    return min(points[face[0], 2], points[face[1], 2], points[face[2], 2])


@numba.njit(cache=True, nogil=True)
def _hit(dx: float, dy: float, bc: Vector, ca: Vector, ab: Vector, det: float) -> Vector:
    """Depth and two barycentrics where the ray (dx, dy, 1) meets a triangle; depth is inf where it misses."""
    ea = bc[0] * dx + bc[1] * dy + bc[2]
    eb = ca[0] * dx + ca[1] * dy + ca[2]
    ec = ab[0] * dx + ab[1] * dy + ab[2]
    if min(ea, eb, ec) < 0 and max(ea, eb, ec) > 0:
        return math.inf, 0.0, 0.0
    total = ea + eb + ec
    if total == 0:
        return math.inf, 0.0, 0.0
    z = det / total
    if z < NEAR:
        return math.inf, 0.0, 0.0
    return z, eb / total, ec / total


@numba.njit(cache=True, nogil=True)
def _rasterise(viewed: Viewed, faces: np.ndarray, width: int, height: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    K = viewed.K
    depth = np.full((height, width), np.inf)
    triangle = np.full((height, width), -1, np.int32)
    barycentric = np.zeros((height, width, 2))
    for f in range(len(faces)):
        x0, x1, y0, y1 = _pixel_bounds(viewed, faces[f], width, height)
        if x0 > x1 or y0 > y1:
            continue
        bc, ca, ab, det = _planes(viewed.camera, faces[f])
        least = _least_depth(viewed.camera, faces[f]) - _SURELY
        for y in range(y0, y1 + 1):
            dy = (y + 0.5 - K[1, 2]) / K[1, 1]
            for x in range(x0, x1 + 1):
                if least > depth[y, x]:
                    continue
                dx = (x + 0.5 - K[0, 2] - K[0, 1] * dy) / K[0, 0]
                z, wb, wc = _hit(dx, dy, bc, ca, ab, det)
                if z < depth[y, x]:
                    depth[y, x] = z
                    triangle[y, x] = f
                    barycentric[y, x, 0] = wb
                    barycentric[y, x, 1] = wc
    return depth, triangle, barycentric


@numba.njit(cache=True, nogil=True)
def _sort_into_pixels(image_points: np.ndarray, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """Counting sort of image points by the pixel they lie in (border pixels take what lies outside).

    Returns where each pixel's points start in the order, and the order.
    """
    count = len(image_points)
    cell = np.empty(count, np.int32)
    start = np.zeros(width * height + 1, np.int32)
    for i in range(count):
        x = int(min(max(math.floor(image_points[i, 0]), 0), width - 1))
        y = int(min(max(math.floor(image_points[i, 1]), 0), height - 1))
        cell[i] = y * width + x
        start[cell[i] + 1] += 1
    for k in range(width * height):
        start[k + 1] += start[k]
    order = np.empty(count, np.int32)
    fill = start[:-1].copy()
    for i in range(count):
        order[fill[cell[i]]] = i
        fill[cell[i]] += 1
    return start, order


@numba.njit(cache=True, nogil=True)
def _rays(image_points: np.ndarray, order: np.ndarray, K: np.ndarray) -> np.ndarray:
    """x and y of the rays (x, y, 1) through image points, in that order."""
    rays = np.empty((len(order), 2))
    for slot in range(len(order)):
        u, v = image_points[order[slot], 0], image_points[order[slot], 1]
        rays[slot, 1] = (v - K[1, 2]) / K[1, 1]
        rays[slot, 0] = (u - K[0, 2] - K[0, 1] * rays[slot, 1]) / K[0, 0]
    return rays


@numba.njit(cache=True, nogil=True)
def _cell_bounds(viewed: Viewed, face: np.ndarray, width: int, height: int) -> tuple[int, int, int, int]:
    """As `_pixel_bounds`, for whole pixels instead of centres; what lies outside counts to the border pixels."""
    u0, u1, v0, v1 = _image_bounds(viewed, face)
    return (
        int(min(max(math.floor(u0 - 1e-9), 0), width - 1)),
        int(min(max(math.floor(u1 + 1e-9), 0), width - 1)),
        int(min(max(math.floor(v0 - 1e-9), 0), height - 1)),
        int(min(max(math.floor(v1 + 1e-9), 0), height - 1)),
    )


@numba.njit(cache=True, nogil=True)
def _rasterise_points(
    viewed: Viewed, faces: np.ndarray, image_points: np.ndarray, limit: np.ndarray, width: int, height: int
) -> tuple[np.ndarray, np.ndarray]:
    start, order = _sort_into_pixels(image_points, width, height)
    rays = _rays(image_points, order, viewed.K)
    nearest = limit[order]
    first = np.full(len(order), -1, np.int32)
    for f in range(len(faces)):
        x0, x1, y0, y1 = _cell_bounds(viewed, faces[f], width, height)
        if start[y0 * width + x0] == start[y1 * width + x1 + 1]:
            continue  # no point lies near it
        bc, ca, ab, det = _planes(viewed.camera, faces[f])
        least = _least_depth(viewed.camera, faces[f]) - _SURELY
        for y in range(y0, y1 + 1):
            for slot in range(start[y * width + x0], start[y * width + x1 + 1]):
                if least > nearest[slot]:
                    continue
                z, _, _ = _hit(rays[slot, 0], rays[slot, 1], bc, ca, ab, det)
                if z < nearest[slot]:
                    nearest[slot] = z
                    first[slot] = f
    depth, triangle = np.empty_like(nearest), np.empty_like(first)
    for slot in range(len(order)):
        depth[order[slot]], triangle[order[slot]] = nearest[slot], first[slot]
    return depth, triangle


def view_vertices(vertices: np.ndarray, K: np.ndarray, world_to_cam: np.ndarray) -> Viewed:
    """Vertices (N, 3), world, metres, as the camera of K (3, 3) pixels and world_to_cam (4, 4) sees them.

    The centre of the top-left pixel is (0.5, 0.5). K may be skewed.
    """
    vertices, K, world_to_cam = (np.ascontiguousarray(array, np.float64) for array in (vertices, K, world_to_cam))
    return Viewed(*_view(vertices, K, world_to_cam), K)


def rasterise(viewed: Viewed, faces: np.ndarray, width: int, height: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The first surface behind every pixel centre of one view; faces (M, 3) int32, seen from either side.

    Returns:
        depth (H, W) float64, planar z in metres, inf = nothing; triangle (H, W) int32, -1 = nothing;
        barycentric (H, W, 2) float64, weights of the triangle's second and third corner.
        Of equally near triangles the one with the lowest index is taken.
    """
    return _rasterise(viewed, faces, width, height)


def rasterise_points(
    viewed: Viewed,
    faces: np.ndarray,
    image_points: np.ndarray,
    width: int,
    height: int,
    limit: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """The first surface behind any image points (P, 2), in pixels; they may lie outside the image.

    Only surfaces nearer than `limit` (P,) metres count, if it is given.

    Returns:
        depth (P,) float64, planar z in metres, limit or inf = nothing; triangle (P,) int32, -1 = nothing.
    """
    limit = np.full(len(image_points), np.inf) if limit is None else np.ascontiguousarray(limit, np.float64)
    return _rasterise_points(viewed, faces, np.ascontiguousarray(image_points, np.float64), limit, width, height)
