"""The picture as a square cut out of what a camera sees: which part of it, and the K that belongs to it.

Image planes are at z = 1: a camera point (x, y, z) is at (x / z, y / z), without a unit. Pixels are square whatever
those of a sensor are, as a cut-out is scaled to its size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .camera_bands import between
from .free_settings import FreeSettings

DRAWS = 7  # numbers in 0..1 that a picture takes
_LEAST_CUT = 0.02  # share of the hand's points outside where a picture cuts the hand off


@dataclass(frozen=True)
class Window:
    """A rectangle of the image plane that a sensor covers."""

    low: np.ndarray  # (2,)
    high: np.ndarray  # (2,)

    @property
    def square(self) -> tuple[np.ndarray, float]:
        """Middle (2,) and side of the largest square in its middle."""
        return (self.low + self.high) / 2, float((self.high - self.low).min())


def box_of(plane: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest (2,) of points (N, 2)."""
    return plane.min(axis=0), plane.max(axis=0)


def hand_share(settings: FreeSettings, draws: np.ndarray) -> float:
    """Share of the picture's side that the hand's box takes, of draws (DRAWS,); not for size = "whole"."""
    return between(settings.size, float(draws[0]))


def cut_out(
    plane: np.ndarray, share: float, settings: FreeSettings, draws: np.ndarray, window: Window | None = None
) -> tuple[np.ndarray, float]:
    """Middle (2,) and side of the square around points (N, 2) of the image plane, from draws (DRAWS,).

    The box of the points has `share` of the side. In views that are off centre it is anywhere in the square; in those
    that cut the hand off, a drawn part of the points lies beyond one drawn side. What a `window` does not show cannot
    be in the square: it is moved into it, and made no larger than it.
    """
    low, high = box_of(plane)
    side = float((high - low).max()) / share
    if window is not None:
        side = min(side, window.square[1])
    middle = (low + high) / 2
    if draws[3] < settings.off_centre:
        middle = middle + np.maximum(side - (high - low), 0) / 2 * (2 * draws[1:3] - 1)
    if draws[4] < settings.cut:
        part = between((min(_LEAST_CUT, settings.cut_most), settings.cut_most), float(draws[6]))
        axis, sign = divmod(int(4 * draws[5]), 2)
        edge = np.quantile(plane[:, axis], 1 - part if sign else part)
        middle[axis] = edge - side / 2 if sign else edge + side / 2
    if window is not None:
        middle = np.clip(middle, window.low + side / 2, window.high - side / 2)
    return middle, side


def intrinsics(middle: np.ndarray, side: float, size: int) -> np.ndarray:
    """K (3, 3) in pixels of the square of the image plane with this middle (2,) and side, scaled to `size` pixels."""
    focal = size / side
    x, y = size / 2 - focal * middle
    return np.array([[focal, 0, x], [0, focal, y], [0, 0, 1.0]])


def shown(plane: np.ndarray, middle: np.ndarray, side: float) -> float:
    """Share of points (N, 2) of the image plane within a square; NaN, of points behind the camera, is not."""
    return float((np.abs(plane - middle) <= side / 2).all(axis=1).mean())


def on_plane(points: np.ndarray, rotation: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Points (N, 3) m, world, in the image plane (N, 2) of a camera at `place` (3,); NaN for what is not before it.

    `rotation` (3, 3) is world to camera.
    """
    local = (points - place) @ rotation.T
    return local[:, :2] / np.where(local[:, 2:] > 0, local[:, 2:], np.nan)
