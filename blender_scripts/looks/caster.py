"""Rays from a camera into a cluttered room, in compiled loops: first surfaces, where they are met, shadows.

`shading` colours what is met. Compiled functions call none of another file: numba's cache would not see it change.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from .room import BALL, BOX, CYLINDER, Camera, First, Hits, Vector

_NEAR = 0.05  # metres, what is nearer to the camera's plane is not drawn
_CONTACT = 0.2  # metres, how far a thing shades what is beside it
_SHADOW = 0.5  # share of the light that a thing takes from what lies in its shadow

_compiled = numba.njit(cache=True, nogil=True, error_model="numpy")


class Shape(NamedTuple):
    """Kind, centre, half and turn of an OBJECT as plain numbers, which compiled loops keep in registers."""

    kind: int
    centre: Vector
    half: Vector
    turn: tuple[float, float]


def cast(objects: np.ndarray, window: np.ndarray, camera: Camera) -> Hits:
    """Hits of a camera's rays in a room of OBJECT rows (N,), the first of which is the room itself.

    `window` (3,) is where the light comes from that throws shadows; world, metres.
    """
    return _cast(objects, window, camera, pixel_rays(camera))


def pixel_rays(camera: Camera) -> np.ndarray:
    """World directions (H, W, 3) through the pixels' centres, of planar depth 1."""
    x = ((np.arange(camera.width) + 0.5 - camera.K[0, 2]) / camera.K[0, 0])[:, None]
    y = ((np.arange(camera.height) + 0.5 - camera.K[1, 2]) / camera.K[1, 1])[:, None, None]
    return camera.rotation[0] * x + camera.rotation[1] * y + camera.rotation[2]


@_compiled
def _cast(objects: np.ndarray, window: np.ndarray, camera: Camera, rays: np.ndarray) -> Hits:
    first = First(rays, np.full(rays.shape[:2], np.inf), np.zeros(rays.shape[:2], np.int32))
    for index in range(1, len(objects)):
        _draw(first, index, _shape(objects[index]), camera)
    _draw_walls(first, _shape(objects[0]), camera)
    light = np.ones(rays.shape[:2], np.float32)
    for index in range(1, len(objects)):
        if objects[index].half.max() < 1.0:
            _darken(light, first, index, _shape(objects[index]), window, camera)
    return Hits(first, _local_hits(objects, camera.position, first), light)


@_compiled
def _shape(item: np.record) -> Shape:
    centre, half, turn = item.centre, item.half, item.turn
    return Shape(item.kind, (centre[0], centre[1], centre[2]), (half[0], half[1], half[2]), (turn[0], turn[1]))


@_compiled
def _draw(first: First, index: int, item: Shape, camera: Camera) -> None:
    """Enter one object into the depth buffer, but for what begins before the hand, which is at the world's origin."""
    rays, depth, owner = first
    position, rotation = camera.position, camera.rotation
    hand = -(rotation[2, 0] * position[0] + rotation[2, 1] * position[1] + rotation[2, 2] * position[2])
    left, right, top, bottom = _window(item, 0.0, camera)
    for row in range(top, bottom):
        for column in range(left, right):
            enter, leave = _through(item, position, rays[row, column])
            if hand < enter <= leave and enter < depth[row, column]:
                depth[row, column] = enter
                owner[row, column] = index


@_compiled
def _draw_walls(first: First, room: Shape, camera: Camera) -> None:
    """Enter the inside of the room where no object is."""
    rays, depth, owner = first
    for row in range(camera.height):
        for column in range(camera.width):
            if owner[row, column] == 0:
                enter, leave = _through(room, camera.position, rays[row, column])
                depth[row, column] = leave if enter <= leave else np.inf


@_compiled
def _through(item: Shape, position: np.ndarray, ray: np.ndarray) -> tuple[float, float]:
    """Where a ray enters and leaves an object; it misses if it leaves first."""
    half, (origin, step) = item.half, _local(item, position, ray)
    if item.kind == BOX:
        return _box(half, origin, step)
    enter, leave = _round(half[0], origin, step, item.kind == BALL)
    if item.kind == CYLINDER:
        z0, z1 = _slab(half[2], origin[2], step[2])
        return max(enter, z0), min(leave, z1)
    return enter, leave


@_compiled
def _local(item: Shape, position: np.ndarray, ray: np.ndarray) -> tuple[Vector, Vector]:
    """Origin and direction of a ray in an object's own frame."""
    (c, s), centre = item.turn, item.centre
    x, y = position[0] - centre[0], position[1] - centre[1]
    origin = c * x + s * y, -s * x + c * y, position[2] - centre[2]
    return origin, (c * ray[0] + s * ray[1], -s * ray[0] + c * ray[1], ray[2])


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
def _round(radius: float, origin: Vector, step: Vector, ball: bool) -> tuple[float, float]:
    """Where a ray enters and leaves a ball, or an endless cylinder along z."""
    (ox, oy, oz), (dx, dy, dz) = origin, step
    if not ball:
        oz, dz = 0.0, 0.0
    a, b = dx * dx + dy * dy + dz * dz, ox * dx + oy * dy + oz * dz
    root = b * b - a * (ox * ox + oy * oy + oz * oz - radius * radius)
    if root < 0 or a < 1e-12:
        return np.inf, -np.inf
    root = np.sqrt(root)
    return (-b - root) / a, (-b + root) / a


@_compiled
def _local_hits(objects: np.ndarray, position: np.ndarray, first: First) -> np.ndarray:
    rays, depth, owner = first
    local = np.zeros(rays.shape)
    for row in range(rays.shape[0]):
        for column in range(rays.shape[1]):
            item, t = _shape(objects[owner[row, column]]), depth[row, column]
            origin, step = _local(item, position, rays[row, column])
            for k in range(3):
                local[row, column, k] = (origin[k] + t * step[k]) / item.half[k]
    return local


@_compiled
def _darken(light: np.ndarray, first: First, index: int, item: Shape, window: np.ndarray, camera: Camera) -> None:
    """Shade what lies close to a thing, and more where the thing is before the window."""
    rays, depth, owner = first
    centre, half, position, (c, s) = item.centre, item.half, camera.position, item.turn
    reach, thin = min(_CONTACT, 2.5 * max(half)), 0.7 * min(half) + 0.01
    wx, wy, wz = window[0] - centre[0], window[1] - centre[1], window[2] - centre[2]
    wx, wy = c * wx + s * wy, -s * wx + c * wy
    left, right, top, bottom = _window(item, reach, camera)
    for row in range(top, bottom):
        for column in range(left, right):
            if owner[row, column] == index:
                continue
            ray, t = rays[row, column], depth[row, column]
            x, y = position[0] + t * ray[0] - centre[0], position[1] + t * ray[1] - centre[1]
            x, y, z = c * x + s * y, -s * x + c * y, position[2] + t * ray[2] - centre[2]
            gx, gy, gz = max(abs(x) - half[0], 0.0), max(abs(y) - half[1], 0.0), max(abs(z) - half[2], 0.0)
            gap = np.sqrt(gx * gx + gy * gy + gz * gz)
            if gap < reach:
                close = 1 - gap / reach
                chord = _chord(half, (x, y, z), (wx - x, wy - y, wz - z))
                shadow = _SHADOW * min(chord / thin, 1.0) * min(2 * close, 1.0)
                light[row, column] *= (1 - 0.4 * close**3) * (1 - shadow)


@_compiled
def _chord(half: Vector, origin: Vector, step: Vector) -> float:
    """Length within an object's box of the way from `origin` along `step`, in its own frame."""
    enter, leave = _box(half, origin, step)
    length = np.sqrt(step[0] * step[0] + step[1] * step[1] + step[2] * step[2])
    return max(0.0, min(leave, 1.0) - max(enter, 0.0)) * length


@_compiled
def _corner_in_camera(item: Shape, corner: int, margin: float, camera: Camera) -> Vector:
    """Camera coordinates of one of the eight corners of an object's box."""
    (c, s), centre, position, rotation = item.turn, item.centre, camera.position, camera.rotation
    a = (item.half[0] + margin) * (1.0 if corner & 1 else -1.0)
    b = (item.half[1] + margin) * (1.0 if corner & 2 else -1.0)
    x, y = centre[0] + c * a - s * b - position[0], centre[1] + s * a + c * b - position[1]
    z = centre[2] + (item.half[2] + margin) * (1.0 if corner & 4 else -1.0) - position[2]
    return (
        rotation[0, 0] * x + rotation[0, 1] * y + rotation[0, 2] * z,
        rotation[1, 0] * x + rotation[1, 1] * y + rotation[1, 2] * z,
        rotation[2, 0] * x + rotation[2, 1] * y + rotation[2, 2] * z,
    )


@_compiled
def _window(item: Shape, margin: float, camera: Camera) -> tuple[int, int, int, int]:
    """Pixels that an object may cover, from the edges of its box before the camera: left, right, top, bottom."""
    K, width, height = camera.K, float(camera.width), float(camera.height)
    left, right, top, bottom = np.inf, -np.inf, np.inf, -np.inf
    for corner in range(8):
        first = _corner_in_camera(item, corner, margin, camera)
        for axis in range(3):
            x, y, z = first
            if z < _NEAR:  # take the point where the edge to the next corner comes before the camera
                second = _corner_in_camera(item, corner ^ (1 << axis), margin, camera)
                if second[2] <= _NEAR:
                    continue
                share = (_NEAR - z) / (second[2] - z)
                x, y, z = x + share * (second[0] - x), y + share * (second[1] - y), _NEAR
            column, line = x / z * K[0, 0] + K[0, 2], y / z * K[1, 1] + K[1, 2]
            left, right, top, bottom = min(left, column), max(right, column), min(top, line), max(bottom, line)
    left, top = min(max(left, 0.0), width), min(max(top, 0.0), height)
    right, bottom = min(max(right + 1, 0.0), width), min(max(bottom + 1, 0.0), height)
    return int(left), int(right), int(top), int(bottom)
