"""The colours of what rays meet in a cluttered room (`caster`): painted, lit by harmonics and a window."""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from .colour import srgb_to_linear
from .room import BALL, BOX, CYLINDER, Camera, Hits, Room, Vector
from .textures import SIZE

LEVELS = 6  # of the textures' mip maps
_LINEAR = srgb_to_linear(np.arange(256, dtype=np.uint8))  # linear light of the textures' levels
_REPEAT = 0.7  # metres, of the walls' textures

_compiled = numba.njit(cache=True, nogil=True, error_model="numpy")


class Point(NamedTuple):
    """A point of a surface."""

    normal: Vector  # unit, world
    u: float  # texture coordinates
    v: float
    size: float  # metres that 1 in them spans
    texture: int
    light: float  # share that what it stands on or the room's edges leave


@_compiled
def shade(room: Room, hits: Hits, camera: Camera) -> np.ndarray:
    """The shaded room (H, W, 3) float32, linear light, of a `Room`, for the Hits of a Camera."""
    objects, textures, harmonics, window = room
    (rays, depths, owner), local, light = hits
    image = np.zeros((*depths.shape, 3), np.float32)
    for row in range(image.shape[0]):
        for column in range(image.shape[1]):
            index, depth = owner[row, column], depths[row, column]
            if depth == np.inf:
                continue
            at = local[row, column, 0], local[row, column, 1], local[row, column, 2]
            ray = rays[row, column, 0], rays[row, column, 1], rays[row, column, 2]
            point = _point(objects[index], index == 0, at)
            near, shine = _from_window(window, camera.position, ray, depth, point.normal)
            level = _level(depth / camera.K[0, 0], point.size)
            albedo = _sample(textures, point.texture, level, point.u + 0.5, 0.5 - point.v)
            for k in range(3):
                lit = (
                    max(_irradiance(harmonics, k, point.normal), 0.1 * harmonics[k, 0]) * near * objects[index].tint[k]
                )
                colour = lit * albedo[k] + shine * harmonics[k, 0]
                image[row, column, k] = colour * (light[row, column] * point.light)
    return image


@_compiled
def _point(item: np.record, is_room: bool, at: Vector) -> Point:
    """What a surface point looks like, of an OBJECT or of the room itself, from where it is in its frame."""
    half, (c, s) = item.half, item.turn
    (nx, ny, nz), u, v, size, side = _side(item.kind, (half[0], half[1], half[2]), at)
    if is_room:  # walls face inwards and repeat their texture
        u, v = u * 2 * (half[1] if nx != 0 else half[0]) / _REPEAT, v * size / _REPEAT
        normal = -(c * nx - s * ny), -(s * nx + c * ny), -nz
        return Point(normal, u, v, _REPEAT, side, _edges(at, half))
    light = 0.6 + 0.4 * min(1.0, (at[2] + 1) * 0.5 * half[2] / 0.05)
    return Point((c * nx - s * ny, s * nx + c * ny, nz), u, v, size, item.texture, light)


@_compiled
def _side(kind: int, half: Vector, at: Vector) -> tuple[Vector, float, float, float, int]:
    """Of the side of an object that a point is on: outward normal in its frame, texture coordinates u and v, metres
    that 1 in them spans, and its number: -x, +x, -y, +y, -z, +z. What is round has no number.
    """
    x, y, z = at
    if kind == BALL or (kind == CYLINDER and abs(z) < 0.99999):
        return (x, y, z if kind == BALL else 0.0), np.arctan2(y, x) / np.pi, z * 0.5, 2 * half[0], -1
    if abs(x) >= abs(y) and abs(x) >= abs(z) and kind == BOX:
        return (np.sign(x), 0.0, 0.0), y * 0.5, z * 0.5, 2 * half[2], 0 if x < 0 else 1
    if abs(y) >= abs(z) and kind == BOX:
        return (0.0, np.sign(y), 0.0), x * 0.5, z * 0.5, 2 * half[2], 2 if y < 0 else 3
    return (0.0, 0.0, np.sign(z)), x * 0.5, y * 0.5, 2 * half[1], 4 if z < 0 else 5


@_compiled
def _edges(local: Vector, half: np.ndarray) -> float:
    """Walls are darker towards their edges."""
    light = 1.0
    for along, extent in zip(local, half):
        gap = (1 - abs(along)) * extent
        if gap > 1e-6:
            light *= 1 - 0.4 / (1 + (gap / 0.15) ** 2)
    return light


@_compiled
def _irradiance(harmonics: np.ndarray, channel: int, normal: Vector) -> float:
    """Irradiance over pi on a surface with a unit normal, of one channel of harmonics (3, 9)."""
    h, (x, y, z) = harmonics, normal
    lit = h[channel, 0] + h[channel, 1] * x + h[channel, 2] * y + h[channel, 3] * z
    lit += h[channel, 4] * x * y + h[channel, 5] * y * z + h[channel, 6] * z * x
    return lit + (h[channel, 7] * (x * x - y * y) + h[channel, 8] * (3 * z * z - 1))


@_compiled
def _from_window(
    window: np.ndarray, position: np.ndarray, ray: Vector, t: float, normal: Vector
) -> tuple[float, float]:
    """How much brighter a point is for facing and being near a window, and the window's gloss on it (Blinn 1977)."""
    nx, ny, nz = normal
    x, y, z = (window[0] - position[0] - t * ray[0], window[1] - position[1] - t * ray[1],
               window[2] - position[2] - t * ray[2])  # fmt: skip
    distance = np.sqrt(x * x + y * y + z * z) + 1e-9
    x, y, z = x / distance, y / distance, z / distance
    length = np.sqrt(ray[0] * ray[0] + ray[1] * ray[1] + ray[2] * ray[2])
    facing = max(0.0, nx * x + ny * y + nz * z)
    hx, hy, hz = x - ray[0] / length, y - ray[1] / length, z - ray[2] / length
    half = max(0.0, nx * hx + ny * hy + nz * hz) / (np.sqrt(hx * hx + hy * hy + hz * hz) + 1e-9)
    falloff = 1.6 / (0.6 + distance * distance)
    shine = 0.35 * half**60 * min(falloff, 1.5) if half > 0.9 else 0.0
    near = 0.75 + 0.45 * falloff + 1.1 * facing * falloff
    return min(near, 1.3 + 0.25 * near), shine


@_compiled
def _level(footprint: float, size: float) -> int:
    """Mip level for a pixel that covers `footprint` metres of a texture of `size` metres."""
    level, texels = 0, footprint / size * SIZE * 0.7
    while texels > 1 and level < LEVELS - 1:
        level, texels = level + 1, texels / 2
    return level


@_compiled
def _sample(textures: np.ndarray, texture: int, level: int, u: float, v: float) -> Vector:
    """Bilinear look-up in a mip level, repeated in both directions: three values."""
    size, left = SIZE >> level, (2 * SIZE - (2 * SIZE >> level))  # levels lie side by side
    x, y = u * size - 0.5, v * size - 0.5
    column, row = int(np.floor(x)), int(np.floor(y))
    fx, fy = x - column, y - row
    c0, c1, r0, r1 = column & (size - 1), (column + 1) & (size - 1), row & (size - 1), (row + 1) & (size - 1)
    c0, c1 = c0 + left, c1 + left
    a, b, c, d = (1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy
    page = textures[texture]
    p, q, r, s = page[r0, c0], page[r0, c1], page[r1, c0], page[r1, c1]
    return (
        a * _LINEAR[p[0]] + b * _LINEAR[q[0]] + c * _LINEAR[r[0]] + d * _LINEAR[s[0]],
        a * _LINEAR[p[1]] + b * _LINEAR[q[1]] + c * _LINEAR[r[1]] + d * _LINEAR[s[1]],
        a * _LINEAR[p[2]] + b * _LINEAR[q[2]] + c * _LINEAR[r[2]] + d * _LINEAR[s[2]],
    )
