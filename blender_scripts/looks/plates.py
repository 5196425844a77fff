"""The pictures that a pinhole camera takes, from which a lens that distorts takes its own.

Cycles and the backgrounds know pinhole cameras alone. So a view is made as a plate: a pinhole picture of the same
camera that holds all that the lens shows, and is as fine as the lens needs it anywhere. Then the lens looks at it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from rigging.geometry.cameras import Cameras
from rigging.geometry.distortion import lenses_of

_MARGIN = 3  # pixels around what the lens shows, for the reach of interpolation and filters
_COARSEST = 1.25  # plate pixels between neighbouring points of the picture; farther apart, more points are averaged


@dataclass(frozen=True)
class Plates:
    """The plates of a sample's V views, all of one size."""

    K: np.ndarray  # (V, 3, 3) px of the plate
    size: tuple[int, int]  # width, height in px
    maps: tuple[np.ndarray, ...] | None  # per view (k H, k W, 2) float32: places in the plate, OpenCV's; None: no lens
    points: int = 1  # k, along each side of a pixel of the picture

    def seen(self, plates: np.ndarray) -> np.ndarray:
        """The pictures (V, H, W, C) float32 that the lenses make of `plates` (V, H', W', C), in linear light.

        Cubic between pixels; colours with coverage must be premultiplied. Without lenses the plates themselves.
        """
        if self.maps is None:
            return plates
        return np.stack([self._seen(plate, places) for plate, places in zip(plates, self.maps)])

    def _seen(self, plate: np.ndarray, places: np.ndarray) -> np.ndarray:
        picture = cv2.remap(plate, places, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        picture = np.maximum(picture, 0)  # cubic overshoots
        if self.points == 1:
            return picture
        height, width = (side // self.points for side in picture.shape[:2])
        return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)


def make_plates(cameras: Cameras, size: tuple[int, int]) -> Plates:
    """The plates for pictures of `size` (width, height) px; without lenses the pictures themselves.

    InputError for a lens that folds within a picture.
    """
    K = np.asarray(cameras.K, float)
    if cameras.distortion is None:
        return Plates(K, size, None)
    lenses = lenses_of(K, cameras.distortion, size)
    spacing = [_spacing(lens.grid(size)) for lens in lenses]
    fine = max(1.0, *(1 / nearest for nearest, _ in spacing))
    points = max(1, *(int(np.ceil(fine * farthest / _COARSEST)) for _, farthest in spacing))
    places = [fine * lens.grid(size, points) for lens in lenses]
    corner = np.array([np.floor(place.min((0, 1))) - _MARGIN for place in places])
    reach = np.array([np.ceil(place.max((0, 1))) + _MARGIN for place in places])
    width, height = (reach - corner).max(0).astype(int)
    maps = tuple((place - first - 0.5).astype(np.float32) for place, first in zip(places, corner))
    K = K * [[fine], [fine], [1]]
    K[:, :2, 2] -= corner
    return Plates(K, (int(width), int(height)), maps, points)


def _spacing(places: np.ndarray) -> tuple[float, float]:
    """The least and the greatest distance between neighbours in a grid of points (H, W, 2)."""
    steps = [np.linalg.norm(np.diff(places, axis=axis), axis=-1) for axis in (0, 1)]
    return min(step.min() for step in steps), max(step.max() for step in steps)
