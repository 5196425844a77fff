"""Noise on the sphere of directions that goes on where a panorama's own pixels end: 1/f, seamless, of no direction.

Natural pictures have the same contrast in every octave of frequency (Field 1987, Relations between the statistics of
natural images and the response properties of cortical cells), so one tile of noise holds all octaves finer than a
panorama's pixels. It is laid on the sphere from the three axes, each stereographically, which keeps shapes.
"""

from __future__ import annotations

from functools import cache, lru_cache

import cv2
import numba
import numpy as np
from scipy import fft

SIDE, FINEST = 1024, 8  # pixels of the tile, and of it per pixel of the panorama: it repeats after 128 of those
_SHOWN = 0.42  # cycles per pixel of the panorama up to which interpolation still shows its own detail
_BEGINS, _WHOLE = np.float32(0.5), np.float32(0.7)  # cosines from an axis at which its tile begins, and is all there
_STEPS = 4  # sizes of the tile per octave


def sphere_noise(rays: np.ndarray, columns: int, magnification: float, seed: int) -> np.ndarray:
    """Noise (H, W) float32 in unit directions `rays` (H, W, 3) float32: mean 0, RMS 1 per octave.

    Nothing is coarser than the pixels of a panorama of `columns`, nor finer than the view's, which are so many times
    smaller by `magnification`. It depends on the directions alone, so that all views see the same.
    """
    tile = noise_tile(min(int(np.floor(_STEPS * np.log2(magnification))), int(_STEPS * np.log2(FINEST))))
    radius = len(tile) / (SIDE / FINEST) * columns / (2 * np.pi)  # of the sphere, in the tile's pixels
    places = np.random.default_rng(seed).random((3, 2)).astype(np.float32) * len(tile)
    return _lay(tile, places, np.float32(2 * radius), rays)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _lay(tile: np.ndarray, places: np.ndarray, diameter: float, rays: np.ndarray) -> np.ndarray:
    """The tile (S, S), moved by places (3, 2) pixels on the axes' planes, in directions (H, W, 3): (H, W) float32."""
    one, last = np.float32(1), tile.shape[0] - 1
    side, per_side = np.float32(len(tile)), np.float32(1 / len(tile))
    out = np.empty(rays.shape[:2], np.float32)
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            ray, total, power = rays[row, column], np.float32(0), np.float32(0)
            for axis in range(3):
                along = abs(ray[axis])
                if along <= _BEGINS:
                    continue
                weight = min((along - _BEGINS) / (_WHOLE - _BEGINS), one)
                spread = diameter / (one + along)  # stereographic, seen from the opposite pole
                u = (ray[(axis + 1) % 3] * spread + places[axis, 0]) * per_side
                v = (ray[(axis + 2) % 3] * spread + places[axis, 1]) * per_side
                u, v = (u - np.floor(u)) * side, (v - np.floor(v)) * side
                left, top = min(int(u), last), min(int(v), last)
                right, below = left + 1 if left < last else 0, top + 1 if top < last else 0
                across, down = u - np.float32(left), v - np.float32(top)
                upper = tile[top, left] + across * (tile[top, right] - tile[top, left])
                lower = tile[below, left] + across * (tile[below, right] - tile[below, left])
                total += weight * (upper + down * (lower - upper))
                power += weight * weight
            out[row, column] = total / np.sqrt(power)
    return out


@lru_cache(maxsize=8)
def noise_tile(step: int) -> np.ndarray:
    """The tile at 2^(step/4) pixels per pixel of the panorama: (S, S) float32, S at most SIDE, without a seam."""
    side = round(SIDE / FINEST * 2 ** (step / _STEPS))
    return cv2.resize(_finest_tile(), (side, side), interpolation=cv2.INTER_AREA)


@cache
def _finest_tile() -> np.ndarray:
    """Gaussian noise (SIDE, SIDE) float32 on a torus: amplitude 1/f, less what the panorama shows by itself."""
    cycles = fft.fftfreq(SIDE, 1 / FINEST)[:, None], fft.rfftfreq(SIDE, 1 / FINEST)
    frequency = np.maximum(np.hypot(*cycles), FINEST / SIDE)  # in cycles per pixel of the panorama
    shown = 1 / (1 + (frequency / _SHOWN) ** 6)
    white = np.random.default_rng(0).standard_normal((SIDE, SIDE), np.float32)
    # an octave of 1/f noise holds ln 2 times 2 pi of the squared amplitude at 1, spread over FINEST^2 of frequencies
    unit = FINEST / np.sqrt(2 * np.pi * np.log(2))
    return fft.irfft2(fft.rfft2(white) * (unit * np.sqrt(1 - shown**2) / frequency).astype(np.float32), (SIDE, SIDE))
