"""The colours of what rays meet in a lived-in room, in compiled loops: painted, worn, lit, glossy."""

from __future__ import annotations

import numba
import numpy as np

from ..colour import srgb_to_linear
from ..room import Vector
from .scene import LEVELS, SIDES, SIZE, Hits, Scene
from .surfaces import Surfaces

_LINEAR = srgb_to_linear(np.arange(256, dtype=np.uint8))  # linear light of the pages' levels
_GRAIN = np.arange(256) / 128.0 - 1.0
_FINE, _COARSE = 0.37, 2.3  # metres after which dirt repeats
_CORNER = 0.18  # metres, how far the room's edges are darker
EVEN = 0.72  # share of a room's light that is the hand's; the rest is that of its own windows and lamps
_FACING = 0.3125  # mean of max(0, 0.2 + 0.8 c) over the sphere, c being a cosine
_EDGE = 0.006  # metres, how far from its edges a thing is worn
_compiled = numba.njit(cache=True, nogil=True, error_model="numpy")


@_compiled
def shade(scene: Scene, hits: Hits, surface: Surfaces, position: np.ndarray, focal: float) -> np.ndarray:
    """Linear light (P, 3) float32 of P hits, seen from `position` (3,) m by a camera of `focal` length in pixels."""
    solids, textures, grain, harmonics, lights = scene
    colours = np.empty((len(hits.depth), 3), np.float32)
    for k in range(len(colours)):
        index = hits.owner[k]
        solid = solids[index]
        point, normal, ray = _three(surface.points, k), _three(surface.normals, k), _three(hits.rays, k)
        length = np.sqrt(ray[0] ** 2 + ray[1] ** 2 + ray[2] ** 2)
        view = -ray[0] / length, -ray[1] / length, -ray[2] / length
        facing = abs(_dot(view, normal))
        pixel = hits.depth[k] / focal / np.sqrt(max(facing, 0.1))
        place = surface.places[k, 0], surface.places[k, 1], surface.edges[k]
        span = surface.spans[k, 0], surface.spans[k, 1], 0.0
        albedo = _albedo(solid, textures, grain, index, place, span, pixel)
        light = hits.light[k] * _open(index, surface.edges[k])
        mirrored = (
            2 * facing * normal[0] - view[0],
            2 * facing * normal[1] - view[1],
            2 * facing * normal[2] - view[2],
        )
        shine = solid.gloss * (0.06 + 0.8 * (1 - facing) ** 5)
        matt, gloss = _lamps(lights, point, normal, mirrored, solid.gloss)
        for c in range(3):
            unit = harmonics[c, 0]
            around = EVEN * max(_irradiance(harmonics, c, normal), 0.15 * unit)
            lit = albedo[c] * (around + unit * matt[c]) + unit * gloss[c]
            if shine > 0.004:
                lit += shine * max(_irradiance(harmonics, c, mirrored), 0.1 * unit)
            colours[k, c] = lit * light + albedo[c] * solid.glow * unit
    return colours


@_compiled
def _albedo(
    solid: np.record, textures: np.ndarray, grain: np.ndarray, index: int, place: Vector, span: Vector, pixel: float
) -> Vector:
    """What a solid is painted with at a `place` (right and up on its face, metres from its edge) of a face of width and
    height `span`, dirt and wear included, for a pixel that covers `pixel` metres.
    """
    u, v, edge = place
    if solid.repeat > 0:
        size, s, t = solid.repeat, u / solid.repeat, v / solid.repeat
    else:
        patch = solid.patch
        s, t = patch[0] + patch[2] * u / span[0], patch[1] + patch[3] * v / span[1]
        size = min(span[0] / patch[2], span[1] / patch[3])
    r, g, b = _sample(textures, solid.texture, _level(pixel, size), s, 1.0 - t)
    own, wear = 0.137 * index, solid.wear
    fine = _grain(grain, _level(pixel, _FINE), u / _FINE + own, v / _FINE)
    coarse = _grain(grain, _level(pixel, _COARSE), v / _COARSE - own, u / _COARSE + own)
    worn = 1 + wear * (0.55 * fine + 0.4 * coarse)
    if index >= SIDES and edge < 4 * _EDGE:  # edges are rubbed, or gather dust
        worn *= 1 + 0.5 * wear * (coarse + fine) * np.exp(-max(edge, 0.0) / _EDGE)
    worn = max(worn, 0.1)
    return r * worn * solid.tint[0], g * worn * solid.tint[1], b * worn * solid.tint[2]


@_compiled
def _open(index: int, edge: float) -> float:
    """Share of the light that the room's other sides leave; of a thing, the joint of its faces."""
    gap = max(edge, 0.0)
    return 1 - 0.45 / (1 + (gap / _CORNER) ** 2) if index < SIDES else 1.0


@_compiled
def _lamps(lights: np.ndarray, point: Vector, normal: Vector, mirrored: Vector, gloss: float) -> tuple[Vector, Vector]:
    """What windows and lamps add to a matt white surface, and their reflection (Phong 1975), for even light of 1."""
    (r, g, b), (p, q, s) = (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)
    for i in range(len(lights)):
        x, y, z = lights[i, 0] - point[0], lights[i, 1] - point[1], lights[i, 2] - point[2]
        square = x * x + y * y + z * z
        distance = np.sqrt(square) + 1e-9
        towards = x / distance, y / distance, z / distance
        falloff = 1.0 / (1.0 + square / (lights[i, 6] * lights[i, 6]))
        matt = falloff * (0.25 + max(0.0, 0.2 + 0.8 * _dot(normal, towards)))
        r, g, b = r + matt * lights[i, 3], g + matt * lights[i, 4], b + matt * lights[i, 5]
        along = _dot(mirrored, towards)
        if along > 0.7 and gloss > 0:
            shine = falloff * gloss * 0.8 * along ** (12.0 + 240.0 * gloss * gloss)
            p, q, s = p + shine * lights[i, 3], q + shine * lights[i, 4], s + shine * lights[i, 5]
    return (r, g, b), (p, q, s)


def mean_of_lamps(lights: np.ndarray) -> float:
    """What `lights` (L, 7) of a Scene add at the world's origin to a matt white surface, on average of all ways that it
    may face and of colours, for even light of 1: the mean of `_lamps` there.
    """
    falloff = 1 / (1 + (lights[:, :3] ** 2).sum(1) / lights[:, 6] ** 2)
    return float((falloff * lights[:, 3:6].mean(1)).sum() * (0.25 + _FACING))


@_compiled
def _irradiance(harmonics: np.ndarray, channel: int, normal: Vector) -> float:
    """Irradiance over pi on a surface with a unit normal, of one channel of harmonics (3, 9)."""
    h, (x, y, z) = harmonics, normal
    lit = h[channel, 0] + h[channel, 1] * x + h[channel, 2] * y + h[channel, 3] * z
    lit += h[channel, 4] * x * y + h[channel, 5] * y * z + h[channel, 6] * z * x
    return lit + (h[channel, 7] * (x * x - y * y) + h[channel, 8] * (3 * z * z - 1))


@_compiled
def _level(pixel: float, size: float) -> int:
    """Mip level for a pixel that covers `pixel` metres of a page of `size` metres."""
    level, texels = 0, pixel / size * SIZE * 0.7
    while texels > 1 and level < LEVELS - 1:
        level, texels = level + 1, texels / 2
    return level


@_compiled
def _sample(pages: np.ndarray, page: int, level: int, u: float, v: float) -> Vector:
    """Bilinear look-up in a mip level, repeated in both directions: three linear values."""
    c0, c1, r0, r1, fx, fy = _texels(level, u, v)
    a, b, c, d = (1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy
    R, G, B = 0.0, 0.0, 0.0
    for row, column, share in ((r0, c0, a), (r0, c1, b), (r1, c0, c), (r1, c1, d)):
        R += share * _LINEAR[pages[page, row, column, 0]]
        G += share * _LINEAR[pages[page, row, column, 1]]
        B += share * _LINEAR[pages[page, row, column, 2]]
    return R, G, B


@_compiled
def _grain(grain: np.ndarray, level: int, u: float, v: float) -> float:
    """Bilinear look-up in the grain, -1 to 1."""
    c0, c1, r0, r1, fx, fy = _texels(level, u, v)
    upper = (1 - fx) * _GRAIN[grain[r0, c0]] + fx * _GRAIN[grain[r0, c1]]
    return (1 - fy) * upper + fy * ((1 - fx) * _GRAIN[grain[r1, c0]] + fx * _GRAIN[grain[r1, c1]])


@_compiled
def _texels(level: int, u: float, v: float) -> tuple[int, int, int, int, float, float]:
    """Columns and rows of the four texels around a place of a mip level, and where between them it lies."""
    size, left, top = SIZE >> level, 0, 0
    if level > 0:  # the first is on the left, the others are on the right, one below the other
        left, top = SIZE, SIZE - (2 * SIZE >> level)
    x, y = u * size - 0.5, v * size - 0.5
    column, row = int(np.floor(x)), int(np.floor(y))
    c0, c1, r0, r1 = column & (size - 1), (column + 1) & (size - 1), row & (size - 1), (row + 1) & (size - 1)
    return c0 + left, c1 + left, r0 + top, r1 + top, x - column, y - row


@_compiled
def _three(rows: np.ndarray, k: int) -> Vector:
    return rows[k, 0], rows[k, 1], rows[k, 2]


@_compiled
def _dot(first: Vector, second: Vector) -> float:
    return first[0] * second[0] + first[1] * second[1] + first[2] * second[2]
