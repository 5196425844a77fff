"""Which pixels a solid may cover, and how it darkens what is beside it: compiled loops over those pixels."""

from __future__ import annotations

import numba
import numpy as np

from ..room import Camera, Vector
from .scene import SIDES

_NEAR = 0.05  # metres, what is nearer to the camera's plane is not drawn
_CONTACT = 0.18  # metres, how far a thing shades what is beside it
_LEAST = 0.3  # share of the light that is left whatever stands around
_SHADOW = 0.55  # share of the light that a thing takes from what lies in its shadow
_compiled = numba.njit(cache=True, nogil=True, error_model="numpy")


@_compiled
def pixel_windows(solids: np.ndarray, margin: float, camera: Camera) -> np.ndarray:
    """Pixels (N, 4) that SOLIDs grown by `margin` metres may cover: left, right, top, bottom, ends not included."""
    windows = np.zeros((len(solids), 4), np.int64)
    for index in range(SIDES, len(solids)):
        reach = min(margin, 1.6 * solids[index].half.max())
        windows[index] = _window(solids[index], reach, camera)
    return windows


@_compiled
def _window(solid: np.record, margin: float, camera: Camera) -> tuple[int, int, int, int]:
    """From the edges of a solid's box before the camera."""
    K, width, height = camera.K, float(camera.width), float(camera.height)
    left, right, top, bottom = np.inf, -np.inf, np.inf, -np.inf
    corners = np.empty((8, 3))
    for corner in range(8):
        corners[corner] = _corner(solid, corner, margin, camera)
    for corner in range(8):
        for axis in range(3):
            x, y, z = corners[corner]
            if z < _NEAR:  # take the point where the edge to the next corner comes before the camera
                x2, y2, z2 = corners[corner ^ (1 << axis)]
                if z2 <= _NEAR:
                    continue
                share = (_NEAR - z) / (z2 - z)
                x, y, z = x + share * (x2 - x), y + share * (y2 - y), _NEAR
            column, line = x / z * K[0, 0] + K[0, 2], y / z * K[1, 1] + K[1, 2]
            left, right, top, bottom = min(left, column), max(right, column), min(top, line), max(bottom, line)
    left, top = min(max(left, 0.0), width), min(max(top, 0.0), height)
    right, bottom = min(max(right + 1, 0.0), width), min(max(bottom + 1, 0.0), height)
    return int(left), int(right), int(top), int(bottom)


@_compiled
def _corner(solid: np.record, corner: int, margin: float, camera: Camera) -> np.ndarray:
    """Camera coordinates (3,) of one of the eight corners of a solid's box."""
    point = solid.centre - camera.position
    for axis in range(3):
        sign = 1.0 if corner & (1 << axis) else -1.0
        point = point + sign * (solid.half[axis] + margin) * solid.axes[axis]
    return camera.rotation @ point


@_compiled
def left_light(
    solids: np.ndarray, camera: Camera, rays: np.ndarray, depth: np.ndarray, owner: np.ndarray, lights: np.ndarray
) -> np.ndarray:
    """Share (H, W) float32 of the light that things leave at what rays (H, W, 3) meet at planar `depth` (H, W) m.

    Solids close by take some, and more where they stand before the strongest of `lights` (L, 7).
    """
    light = np.ones(depth.shape, np.float32)
    windows = pixel_windows(solids, _CONTACT, camera)
    for index in range(SIDES, len(solids)):
        if solids[index].half.max() < 1.3 and solids[index].half.min() > 0.012 and solids[index].glow == 0:
            _darken(light, index, solids[index], windows[index], camera, rays, depth, owner, lights[0])
    for row in range(light.shape[0]):
        for column in range(light.shape[1]):
            light[row, column] = _LEAST + (1 - _LEAST) * light[row, column]
    return light


@_compiled
def _darken(
    light: np.ndarray, index: int, solid: np.record, window: np.ndarray, camera: Camera, rays: np.ndarray,
    depth: np.ndarray, owner: np.ndarray, lamp: np.ndarray,
) -> None:  # fmt: skip
    half, axes = (solid.half[0], solid.half[1], solid.half[2]), solid.axes
    reach, thin = min(_CONTACT, 1.6 * max(half)), 0.7 * min(half) + 0.01
    slight = min(1.0, min(half) / 0.02)  # leaves and cables take little
    cx, cy, cz = solid.centre[0], solid.centre[1], solid.centre[2]
    ox, oy, oz = camera.position[0] - cx, camera.position[1] - cy, camera.position[2] - cz
    around = (np.sqrt(half[0] ** 2 + half[1] ** 2 + half[2] ** 2) + reach) ** 2
    left, right, top, bottom = window
    for row in range(top, bottom):
        for column in range(left, right):
            if owner[row, column] == index:
                continue
            t = depth[row, column]
            px, py, pz = ox + t * rays[row, column, 0], oy + t * rays[row, column, 1], oz + t * rays[row, column, 2]
            if px * px + py * py + pz * pz > around:
                continue
            x, y, z = _own(axes, px, py, pz)
            gx, gy, gz = max(abs(x) - half[0], 0.0), max(abs(y) - half[1], 0.0), max(abs(z) - half[2], 0.0)
            gap = np.sqrt(gx * gx + gy * gy + gz * gz)
            if gap < reach:
                wx, wy, wz = lamp[0] - cx - px, lamp[1] - cy - py, lamp[2] - cz - pz
                close = 1 - gap / reach
                chord = _chord(half, (x, y, z), _own(axes, wx, wy, wz))
                shadow = slight * _SHADOW * min(chord / thin, 1.0) * min(2 * close, 1.0)
                light[row, column] *= (1 - 0.4 * slight * close**3) * (1 - shadow)


@_compiled
def _own(axes: np.ndarray, x: float, y: float, z: float) -> Vector:
    """A world vector in a solid's own axes."""
    return (
        axes[0, 0] * x + axes[0, 1] * y + axes[0, 2] * z,
        axes[1, 0] * x + axes[1, 1] * y + axes[1, 2] * z,
        axes[2, 0] * x + axes[2, 1] * y + axes[2, 2] * z,
    )


@_compiled
def _chord(half: Vector, origin: Vector, step: Vector) -> float:
    """Length within a box of the way from `origin` along `step`, in its own frame."""
    enter, leave = 0.0, 1.0
    for axis in range(3):
        inverse = 1.0 / (step[axis] if abs(step[axis]) > 1e-12 else 1e-12)
        first, second = (-half[axis] - origin[axis]) * inverse, (half[axis] - origin[axis]) * inverse
        enter, leave = max(enter, min(first, second)), min(leave, max(first, second))
    length = np.sqrt(step[0] * step[0] + step[1] * step[1] + step[2] * step[2])
    return max(0.0, leave - enter) * length
