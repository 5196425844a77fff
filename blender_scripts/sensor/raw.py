"""The sensor: light becomes electrons, electrons are read out with noise behind a colour mosaic, and colours return.

Noise is that of photons and of reading out, normal with the variance of both (Foi et al. 2008, Practical
Poissonian-Gaussian noise modeling and fitting for single-image raw-data).
"""

from __future__ import annotations

import cv2
import numba
import numpy as np
from scipy.special import ndtri

from .colours import GAINS, camera_matrix
from .sensor import Sensor

BLACK, WHITE = 4096, 65535  # levels of a raw value of no light, and of a full well
_BITS = 12
# Normal numbers by inversion from a table: a tenth of a generator's time.
_NORMAL = ndtri((np.arange(2**_BITS) + 0.5) / 2**_BITS).astype(np.float32)


def through_sensor(picture: np.ndarray, sensor: Sensor, rng: np.random.Generator) -> np.ndarray:
    """What the sensor makes of linear light (H, W, 3) float32, exposed: linear light again (H, W, 3) float32, 0..1."""
    to_raw = (camera_matrix(sensor.primaries) / GAINS[:, None] * 2**sensor.exposure).astype(np.float32)
    raw = read_out(picture, to_raw, sensor, rng)
    if sensor.binning == 1:
        raw = cv2.cvtColor(raw, cv2.COLOR_BayerRGGB2RGB_EA)
    red, blue = np.exp2(sensor.white_balance)
    gains = (GAINS * [red, 1.0, blue]).astype(np.float32)
    return balance(raw, gains, np.linalg.inv(camera_matrix(sensor.correction)).astype(np.float32))


def read_out(picture: np.ndarray, to_raw: np.ndarray, sensor: Sensor, rng: np.random.Generator) -> np.ndarray:
    """Raw values uint16 of linear light (H, W, 3): (H, W, 3), or (H, W) behind a mosaic (RGGB) with binning 1.

    `to_raw` (3, 3): linear sRGB to the sensor's colours, of which 1 fills a well.
    """
    shape = picture.shape[:2] if sensor.binning == 1 else picture.shape
    drawn = rng.integers(0, 2**16, shape, np.uint16) >> (16 - _BITS) if sensor.iso else np.zeros(shape, np.uint16)
    normal = _NORMAL if sensor.iso else np.zeros(1, np.float32)
    white, dark = np.float32(sensor.white_electrons), np.float32(sensor.dark_electrons)
    return (_mosaic if sensor.binning == 1 else _planes)(picture, to_raw, drawn, normal, white, dark)


@numba.njit(cache=True, nogil=True)
def _planes(
    picture: np.ndarray, to_raw: np.ndarray, drawn: np.ndarray, normal: np.ndarray, white: np.float32, dark: np.float32
) -> np.ndarray:
    height, width, _ = picture.shape
    raw = np.empty((height, width, 3), np.uint16)
    for y in range(height):
        for x in range(width):
            r, g, b = picture[y, x]
            for k in range(3):
                light = max(to_raw[k, 0] * r + to_raw[k, 1] * g + to_raw[k, 2] * b, np.float32(0))
                light += normal[drawn[y, x, k]] * np.sqrt(light * white + dark * dark) / white
                level = np.float32(BLACK) + light * np.float32(WHITE - BLACK) + np.float32(0.5)
                raw[y, x, k] = min(max(level, np.float32(0)), np.float32(WHITE))
    return raw


@numba.njit(cache=True, nogil=True)
def _mosaic(
    picture: np.ndarray, to_raw: np.ndarray, drawn: np.ndarray, normal: np.ndarray, white: np.float32, dark: np.float32
) -> np.ndarray:
    height, width, _ = picture.shape
    raw = np.empty((height, width), np.uint16)
    for y in range(height):
        for x in range(width):
            k = y % 2 + x % 2  # red, green and green, blue
            r, g, b = picture[y, x]
            light = max(to_raw[k, 0] * r + to_raw[k, 1] * g + to_raw[k, 2] * b, np.float32(0))
            light += normal[drawn[y, x]] * np.sqrt(light * white + dark * dark) / white
            level = np.float32(BLACK) + light * np.float32(WHITE - BLACK) + np.float32(0.5)
            raw[y, x] = min(max(level, np.float32(0)), np.float32(WHITE))
    return raw


@numba.njit(cache=True, nogil=True)
def balance(raw: np.ndarray, gains: np.ndarray, to_srgb: np.ndarray) -> np.ndarray:
    """Linear sRGB (H, W, 3) float32, 0..1, of raw values (H, W, 3) uint16: white balance, then the matrix (3, 3).

    A well that overflows is white, whatever its colour: what exceeds 1 after the `gains` (3,) is cut before the matrix.
    """
    height, width, _ = raw.shape
    picture = np.empty((height, width, 3), np.float32)
    scale = gains / np.float32(WHITE - BLACK)
    one, zero = np.float32(1), np.float32(0)
    for y in range(height):
        for x in range(width):
            r = min(max((raw[y, x, 0] - np.float32(BLACK)) * scale[0], zero), one)
            g = min(max((raw[y, x, 1] - np.float32(BLACK)) * scale[1], zero), one)
            b = min(max((raw[y, x, 2] - np.float32(BLACK)) * scale[2], zero), one)
            for k in range(3):
                picture[y, x, k] = min(max(to_srgb[k, 0] * r + to_srgb[k, 1] * g + to_srgb[k, 2] * b, zero), one)
    return picture
