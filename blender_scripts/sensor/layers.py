"""Hand and background as two layers of light, so that a lens or a shutter may blur the one apart from the other.

A layer is (H, W, 4) float32: linear light after exposure, premultiplied, and the share of the pixel that is covered.
"""

from __future__ import annotations

import cv2
import numba
import numpy as np

Box = tuple[slice, slice]  # rows, columns
# Light (H, W, 4) float32 of pixels that spread it, and (H, W) float32 what would arrive if all were covered by 1.
Arrived = tuple[np.ndarray, np.ndarray]


@numba.njit(cache=True, nogil=True)
def over(hand: np.ndarray, background: np.ndarray) -> np.ndarray:
    """The picture (H, W, 3) float32 of a layer (H, W, 4) before a background (H, W, 3) float32, linear light."""
    picture = np.empty_like(background)
    for y in range(picture.shape[0]):
        for x in range(picture.shape[1]):
            for k in range(3):
                picture[y, x, k] = hand[y, x, k] + (np.float32(1) - hand[y, x, 3]) * background[y, x, k]
    return picture


@numba.njit(cache=True, nogil=True)
def scaled(picture: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """A picture (H, W, 3) float32 times a gain (H, W) float32."""
    out = np.empty_like(picture)
    for y in range(picture.shape[0]):
        for x in range(picture.shape[1]):
            for k in range(3):
                out[y, x, k] = picture[y, x, k] * gain[y, x]
    return out


def settled(total: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The layer (H, W, 4) of what arrived, divided by what would arrive (H, W) if the hand covered everything.

    So where a surface grows it has no holes, and what spreads evenly keeps its light to the last digit.
    """
    return total / weight[..., None]


def nearest_seen(seen: np.ndarray) -> np.ndarray:
    """(H, W) int32, y W + x: for each pixel the nearest one of `seen` (H, W) bool, itself if it is seen.

    Pixels that only the hand's rim covers, and those that its blur reaches, take depth and flow from there. Some pixel
    has to be seen.
    """
    unseen = np.ascontiguousarray(~seen).view(np.uint8)
    _, label = cv2.distanceTransformWithLabels(unseen, cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL)
    pixels = np.zeros(np.count_nonzero(seen) + 1, np.int32)
    pixels[label[seen]] = np.flatnonzero(seen)
    return pixels[label]


def box_around(coverage: np.ndarray, margin: int) -> Box:
    """Rows and columns of what `coverage` (H, W) covers, and `margin` pixels around, within the image."""
    left, top, width, height = cv2.boundingRect(np.ascontiguousarray(coverage > 0).view(np.uint8))
    sides = ((top, top + height), (left, left + width))
    return tuple(slice(max(low - margin, 0), high + margin) for low, high in sides)
