"""Image statistics of one picture, the same for renderings and photographs: spectrum, noise, contrast, exposure.

The spectrum is what first tells renderings from photographs (Analyzing the Synthetic-to-Real Domain Gap in 3D Hand
Pose Estimation, CVPR 2025). A picture enters as a square of SIDE pixels, so that a frequency is in cycles per picture.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from scipy import fft

SIDE = 256  # px
RINGS = ((2, 4), (4, 8), (8, 16), (16, 32), (32, 64), (64, 96), (96, 128))  # cycles per picture; the end is left out
RING_NAMES = tuple(f"spectrum_{low}_{high}" for low, high in RINGS)
MEASURES = (*RING_NAMES, "noise", "contrast", "saturation", "exposure", "clipped")
TO_SIGMA = 1.4826  # of a normal distribution: its standard deviation over its median absolute deviation
FLAT = 1e-6  # of grey from 0 to 1
CLIPPED = (5 / 255, 250 / 255)  # grey at and beyond which a pixel says nothing more


def measure(rgb: np.ndarray) -> np.ndarray:
    """MEASURES (12,) of a picture (H, W, 3) uint8, sRGB: rings in log10, noise in levels of 255, the others 0 to 1.

    Contrast is the standard deviation of grey, exposure its mean, saturation HSV's, clipped a share of pixels.
    """
    picture = square(rgb).astype(np.float32) / 255
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)  # 0.299 R + 0.587 G + 0.114 B
    most, least = picture.max(2), picture.min(2)
    saturation = np.divide(most - least, most, out=np.zeros_like(most), where=most > 0).mean()
    clipped = ((grey <= CLIPPED[0]) | (grey >= CLIPPED[1])).mean()
    return np.array([*spectrum(grey), noise(grey), grey.std(), saturation, grey.mean(), clipped])


def square(picture: np.ndarray) -> np.ndarray:
    """The middle square of a picture (H, W, 3) uint8, at SIDE pixels: (256, 256, 3).

    Larger ones are averaged over areas, smaller ones enlarged linearly: those have nothing above half their side.
    """
    side = min(picture.shape[:2])
    top, left = (picture.shape[0] - side) // 2, (picture.shape[1] - side) // 2
    middle = np.ascontiguousarray(picture[top : top + side, left : left + side])
    if side == SIDE:
        return middle
    return cv2.resize(middle, (SIDE, SIDE), interpolation=cv2.INTER_AREA if side > SIDE else cv2.INTER_LINEAR)


def spectrum(grey: np.ndarray) -> np.ndarray:
    """log10 of the mean of |FFT| / 256 over each of RINGS, (7,), for grey (256, 256) from 0 to 1.

    The mean is removed, and an outer product of Hann windows applied, before. -inf for a picture of one grey.
    """
    if np.ptp(grey) < FLAT:  # else what rounding leaves
        return np.full(len(RINGS), -np.inf)
    rings, window = _rings()
    size = np.abs(fft.fft2((grey - grey.mean()) * window)) / SIDE
    sums = np.bincount(rings.ravel(), size.ravel(), len(RINGS) + 1)[:-1]
    return np.log10(sums / np.bincount(rings.ravel(), minlength=len(RINGS) + 1)[:-1])


@cache
def _rings() -> tuple[np.ndarray, np.ndarray]:
    """Ring (256, 256) of each place of the FFT, len(RINGS) for none; and the window (256, 256) float32."""
    cycles = np.fft.fftfreq(SIDE, 1 / SIDE)
    radius = np.hypot(*np.meshgrid(cycles, cycles))
    edges = [RINGS[0][0], *(high for _, high in RINGS)]
    ring = np.digitize(radius, edges) - 1
    hann = np.hanning(SIDE)
    return np.where(ring < 0, len(RINGS), ring), np.outer(hann, hann).astype(np.float32)


def noise(grey: np.ndarray) -> float:
    """255 x 1.4826 x median |g - Gaussian(g, 1 px)| of grey (256, 256) from 0 to 1, in levels."""
    return float(255 * TO_SIGMA * np.median(np.abs(grey - cv2.GaussianBlur(grey, (0, 0), 1.0))))


def resolved(side: float) -> list[bool]:
    """For each of RINGS, whether a picture of `side` pixels can hold anything there: (7,) up to half its side."""
    return [high <= side / 2 for _, high in RINGS]


def mean_and_spread(measures: np.ndarray) -> dict[str, dict[str, float]]:
    """Mean and standard deviation of MEASURES by name, over pictures (P, 12); only those that are finite count."""
    out = {}
    for name, column in zip(MEASURES, measures.T):
        finite = column[np.isfinite(column)]
        if len(finite):
            out[name] = {"mean": float(finite.mean()), "std": float(finite.std())}
    return out
