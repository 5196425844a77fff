"""Rays into a lived-in room, in compiled loops: the first solid that each meets, and again, finely, at outlines.

Compiled functions call none of another file: numba's cache would not see it change.
"""

from __future__ import annotations

import numba
import numpy as np

from ..room import Camera, Vector
from .scene import BOX, CYLINDER, ELLIPSOID, SIDES

_STEPS = 24  # along a ray past a rounded edge
_SMALL = 0.4  # metres, radius of what is not cut in two where it reaches before the hand
_CLOSE = 2e-4  # metres, that is near enough to it
_compiled = numba.njit(cache=True, nogil=True, error_model="numpy")


def rays_through(camera: Camera, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """World directions (..., 3) of planar depth 1 through points of the picture, columns and rows (...) in pixels."""
    x, y = (columns - camera.K[0, 2]) / camera.K[0, 0], (rows - camera.K[1, 2]) / camera.K[1, 1]
    return np.stack([x, y, np.ones_like(x)], -1) @ camera.rotation


@_compiled
def first_solids(solids: np.ndarray, windows: np.ndarray, camera: Camera, rays: np.ndarray) -> tuple:
    """Planar depth (H, W) m and row (H, W) int32 of the SOLID that rays (H, W, 3) meet first.

    `windows` (N, 4): the pixels that each may cover (`pixel_windows`). Solids that begin before the hand, which is at
    the world's origin, are left out, as a background hides nothing of it.
    """
    depth, owner = np.full(rays.shape[:2], np.inf), np.zeros(rays.shape[:2], np.int32)
    position = camera.position
    hand = -np.dot(camera.rotation[2], position)
    for index in range(SIDES, len(solids)):
        left, right, top, bottom = windows[index]
        solid = solids[index]
        if _is_cut(solid, camera, hand):
            continue
        origin = _from(solid, position)
        half = (solid.half[0], solid.half[1], solid.half[2])
        for row in range(top, bottom):
            for column in range(left, right):
                step = _own(solid.axes, rays[row, column, 0], rays[row, column, 1], rays[row, column, 2])
                enter = _enter(solid.kind, half, solid.radius, origin, step)
                if hand < enter < depth[row, column]:
                    depth[row, column], owner[row, column] = enter, index
    for row in range(camera.height):
        for column in range(camera.width):
            if owner[row, column] == 0:
                depth[row, column], owner[row, column] = _wall(
                    solids[0], position, rays[row, column, 0], rays[row, column, 1], rays[row, column, 2]
                )
    return depth, owner


@_compiled
def _is_cut(solid: np.record, camera: Camera, hand: float) -> bool:
    """Whether a small solid is partly before the hand, at the depth `hand`: it is left out, rather than cut."""
    radius, rotation, depth = 0.0, camera.rotation, 0.0
    for axis in range(3):
        radius += solid.half[axis] ** 2
        depth += rotation[2, axis] * (solid.centre[axis] - camera.position[axis])
    return radius < _SMALL**2 and depth - np.sqrt(radius) < hand


@_compiled
def first_of_neighbours(
    solids: np.ndarray, owner: np.ndarray, light: np.ndarray, places: np.ndarray, rays: np.ndarray, camera: Camera
) -> tuple:
    """Depth (P,) m, row (P,) and light (P,) of what rays (P, 3) through pixels `places` (P, 2) meet first.

    Of the solids that the pixels' 3 x 3 neighbours met: their rows `owner` (H, W) and the `light` (H, W) left there.
    """
    depths, owners, lights = (
        np.full(len(places), np.inf),
        np.zeros(len(places), np.int32),
        np.ones(len(places), np.float32),
    )
    hand = -np.dot(camera.rotation[2], camera.position)
    for k in range(len(places)):
        row, column = places[k, 0], places[k, 1]
        x, y, z = rays[k, 0], rays[k, 1], rays[k, 2]
        depths[k], owners[k] = _wall(solids[0], camera.position, x, y, z)
        lights[k], seen = light[row, column], -1
        for i in range(max(row - 1, 0), min(row + 2, owner.shape[0])):
            for j in range(max(column - 1, 0), min(column + 2, owner.shape[1])):
                index = owner[i, j]
                if index == owners[k]:
                    lights[k] = light[i, j]
                if index < SIDES or index == seen:
                    continue
                seen, solid = index, solids[index]
                half = (solid.half[0], solid.half[1], solid.half[2])
                origin, step = _from(solid, camera.position), _own(solid.axes, x, y, z)
                enter = _enter(solid.kind, half, solid.radius, origin, step)
                if hand < enter < depths[k]:
                    depths[k], owners[k], lights[k] = enter, index, light[i, j]
    return depths, owners, lights


@_compiled
def _from(solid: np.record, position: np.ndarray) -> Vector:
    """A world position (3,) in a solid's own frame."""
    centre = solid.centre
    return _own(solid.axes, position[0] - centre[0], position[1] - centre[1], position[2] - centre[2])


@_compiled
def _own(axes: np.ndarray, x: float, y: float, z: float) -> Vector:
    """A world vector in a solid's own axes."""
    return (
        axes[0, 0] * x + axes[0, 1] * y + axes[0, 2] * z,
        axes[1, 0] * x + axes[1, 1] * y + axes[1, 2] * z,
        axes[2, 0] * x + axes[2, 1] * y + axes[2, 2] * z,
    )


@_compiled
def _enter(kind: int, half: Vector, radius: float, origin: Vector, step: Vector) -> float:
    """Where a ray in a solid's own frame enters it; -inf if it misses."""
    if kind == BOX:
        enter, leave = _box(half, origin, step)
        if enter > leave:
            return -np.inf
        return _rounded(half, radius, origin, step, enter, leave) if radius > 0 else enter
    if kind == ELLIPSOID:
        enter, leave = _ball((origin[0] / half[0], origin[1] / half[1], origin[2] / half[2]),
                             (step[0] / half[0], step[1] / half[1], step[2] / half[2]))  # fmt: skip
        return enter if enter <= leave else -np.inf
    flat_origin, flat_step = (
        (origin[0] / half[0], origin[1] / half[0], 0.0),
        (step[0] / half[0], step[1] / half[0], 0.0),
    )
    enter, leave = _ball(flat_origin, flat_step)
    if kind == CYLINDER:
        z0, z1 = _slab(half[2], origin[2], step[2])
        enter, leave = max(enter, z0), min(leave, z1)
        return enter if enter <= leave else -np.inf
    return _capsule(half, origin, step, enter, leave)


@_compiled
def _capsule(half: Vector, origin: Vector, step: Vector, enter: float, leave: float) -> float:
    """Where a ray that enters the endless cylinder at `enter` enters the capsule."""
    if enter > leave:
        return -np.inf
    tip, r = half[2] - half[0], half[0]
    z = origin[2] + enter * step[2]
    if abs(z) <= tip:
        return enter
    end = tip if z > 0 else -tip
    enter, leave = _ball((origin[0] / r, origin[1] / r, (origin[2] - end) / r), (step[0] / r, step[1] / r, step[2] / r))
    return enter if enter <= leave else -np.inf


@_compiled
def _rounded(half: Vector, radius: float, origin: Vector, step: Vector, enter: float, leave: float) -> float:
    """Where a ray that enters the box at `enter` meets the box of rounded edges (sphere tracing, Hart 1996)."""
    t, length = enter, np.sqrt(step[0] * step[0] + step[1] * step[1] + step[2] * step[2])
    a, b, c = half[0] - radius, half[1] - radius, half[2] - radius
    for _ in range(_STEPS):
        x = abs(origin[0] + t * step[0]) - a
        y = abs(origin[1] + t * step[1]) - b
        z = abs(origin[2] + t * step[2]) - c
        ox, oy, oz = max(x, 0.0), max(y, 0.0), max(z, 0.0)
        gap = np.sqrt(ox * ox + oy * oy + oz * oz) + min(max(x, y, z), 0.0) - radius
        if gap < _CLOSE:
            return t
        t += gap / length
        if t > leave:
            return -np.inf
    return t


@_compiled
def _box(half: Vector, origin: Vector, step: Vector) -> tuple[float, float]:
    """Where a ray enters and leaves a box."""
    x0, x1 = _slab(half[0], origin[0], step[0])
    y0, y1 = _slab(half[1], origin[1], step[1])
    z0, z1 = _slab(half[2], origin[2], step[2])
    return max(x0, y0, z0), min(x1, y1, z1)


@_compiled
def _slab(half: float, origin: float, step: float) -> tuple[float, float]:
    """Where a ray enters and leaves -half..half along one axis."""
    inverse = 1.0 / (step if abs(step) > 1e-12 else 1e-12)
    first, second = (-half - origin) * inverse, (half - origin) * inverse
    return min(first, second), max(first, second)


@_compiled
def _ball(origin: Vector, step: Vector) -> tuple[float, float]:
    """Where a ray enters and leaves the unit ball; it misses if it leaves first."""
    (ox, oy, oz), (dx, dy, dz) = origin, step
    a, b = dx * dx + dy * dy + dz * dz, ox * dx + oy * dy + oz * dz
    root = b * b - a * (ox * ox + oy * oy + oz * oz - 1.0)
    if root < 0 or a < 1e-12:
        return np.inf, -np.inf
    root = np.sqrt(root)
    return (-b - root) / a, (-b + root) / a


@_compiled
def _wall(room: np.record, position: np.ndarray, x: float, y: float, z: float) -> tuple[float, int]:
    """Where a ray from within leaves the room, and through which of its sides."""
    origin, step = _from(room, position), _own(room.axes, x, y, z)
    depth, side = np.inf, 0
    for axis in range(3):
        far = _slab(room.half[axis], origin[axis], step[axis])[1]
        if far < depth:
            depth, side = far, 2 * axis + (1 if step[axis] > 0 else 0)
    return depth, side
