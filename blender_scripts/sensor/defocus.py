"""Defocus by depth: a thin lens spreads every point over its circle of confusion."""

from __future__ import annotations

import math

import cv2
import numba
import numpy as np

from .layers import Arrived, box_around, nearest_seen, over, settled

_STEPS = 4  # circles are known to this part of a pixel of their diameter
_SMALLEST = 0.8  # pixels; a circle of less spreads light by less than 0.2 (standard deviation) and is left alone
_ALIKE = 1.0  # pixel; circles that differ by less are taken for one


def layered(
    hand: np.ndarray, background: np.ndarray, depth: np.ndarray, background_distance: float, focal: float,
    aperture: float, focus: float,
) -> np.ndarray:  # fmt: skip
    """The picture (H, W, 3) float32 that a thin lens throws: the hand blurred apart from the background behind it.

    Args:
        hand: (H, W, 4) float32, a layer. background: (H, W, 3) float32, whole, also where the hand hides it.
        depth: (H, W) float32 m of the hand at the pixels' centres, 0 elsewhere. background_distance: m, or infinity.
        focal: of K, pixels. aperture: diameter of the entrance pupil, m; 0 blurs nothing. focus: m, or infinity.
    """
    behind = abs(confusion(np.float64(background_distance), focal, aperture, focus))
    return over(defocus_hand(hand, depth, focal, aperture, focus), blur_disc(background, behind))


def confusion(depth: np.ndarray, focal: float, aperture: float, focus: float) -> np.ndarray:
    """Diameters (...) in pixels of the circles of confusion of points at `depth` (...) m; negative before the focus.

    A thin lens with the image at distance v images z at v' with 1/v' = 1/v + 1/focus - 1/z; by similar triangles the
    cone from the pupil has diameter aperture * |v' - v| / v' = aperture * v * |1/focus - 1/z| where the image is
    (Potmesil and Chakravarty, SIGGRAPH 1981), and v in pixels is the `focal` of K.
    """
    return (1 / focus - 1 / depth) * (aperture * focal)


def focus_on(depth: np.ndarray, hand: np.ndarray) -> float:
    """Distance in metres of a hand: the median of depth (H, W) m where hand (H, W) bool says so; infinity for nowhere.

    Its arm may reach to the camera, and no camera focuses on that.
    """
    return float(np.median(depth[hand])) if hand.any() else math.inf


def amiss(distance: float, error: float) -> float:
    """Where a camera is focused that aims at `distance` m: `error` dioptres nearer; beyond infinity is infinity."""
    dioptres = 1 / distance + error
    return 1 / dioptres if dioptres > 0 else math.inf


def blur_disc(image: np.ndarray, diameter: float) -> np.ndarray:
    """An image or layer (H, W, C) float32 with every point spread evenly over a disc of `diameter` pixels."""
    if diameter < _SMALLEST:
        return image
    kernel = disc_kernels(np.array([round(diameter * _STEPS)]))[0]
    return cv2.filter2D(image, -1, kernel, borderType=cv2.BORDER_REPLICATE)


def disc_kernels(steps: np.ndarray) -> np.ndarray:
    """Kernels (L, k, k) float32 of discs whose diameters are `steps` (L,) quarters of a pixel; each sums to 1.

    A pixel is a square already, of variance 1/12 along each axis: the disc is smaller by that, and a pixel on its rim
    counts by how far the disc reaches into it. A disc within three pixels is a cross of its variance.
    """
    radius = steps[:, None, None] / (2 * _STEPS)
    reach = math.ceil(max(radius.max() - 0.5, steps.any()))
    offset = np.arange(-reach, reach + 1)
    distance = np.hypot(offset[:, None], offset)
    disc = np.clip(np.sqrt(np.maximum(radius**2 - 1 / 3, 0)) + 0.5 - distance, 0, 1)
    cross = np.where(distance == 0, 1 - radius**2 / 2, (distance == 1) * radius**2 / 8)
    kernels = np.where(radius < 1, cross, disc)
    return (kernels / kernels.sum((1, 2), keepdims=True)).astype(np.float32)


def defocus_hand(hand: np.ndarray, depth: np.ndarray, focal: float, aperture: float, focus: float) -> np.ndarray:
    """The layer (H, W, 4) float32 of a hand whose every pixel spreads over its own circle; arguments of `layered`.

    Light goes where the lens sends it, so a near finger's blur falls onto what is behind it, and never the other way.
    The lens also sees a little behind a near finger's outline, which the layer does not know. So what arrives is
    divided by what would arrive if the hand covered everything with depths running on: flat surfaces keep their light
    to the last digit, and the inside of a hand stays opaque.
    """
    seen = depth[depth > 0]
    ends = confusion(np.array([seen.min(), seen.max()]) if len(seen) else np.full(2, focus), focal, aperture, focus)
    if np.ptp(ends) <= _ALIKE:
        return blur_disc(hand, abs(ends.mean()))
    kernels = disc_kernels(np.arange(round(_STEPS * np.abs(ends).max()) + 1))
    box = box_around(hand[..., 3], kernels.shape[1] - 1)  # of what spreads onto a pixel that the hand reaches
    circles = confusion(depth[box].ravel()[nearest_seen(depth[box] > 0)], focal, aperture, focus)
    steps = np.rint(_STEPS * np.abs(circles)).astype(np.int32)
    reach = np.count_nonzero(kernels[:, kernels.shape[1] // 2], axis=1) // 2
    spread = hand.copy()
    spread[box] = settled(*_scatter(hand[box], steps, kernels, reach))
    return spread


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _scatter(hand: np.ndarray, index: np.ndarray, kernels: np.ndarray, reach: np.ndarray) -> Arrived:
    """What arrives from pixels that each spread by the kernel (k, k) of `kernels` (L, k, k) at their `index`.

    `reach` (L,): how many pixels from its middle a kernel is not zero.
    """
    height, width = index.shape
    middle = kernels.shape[1] // 2
    total, weight = np.zeros((height, width, 4), np.float32), np.full((height, width), np.float32(1e-6))
    for y in range(height):
        for x in range(width):
            which, r, g, b, covered = index[y, x], hand[y, x, 0], hand[y, x, 1], hand[y, x, 2], hand[y, x, 3]
            far = reach[which]
            for row in range(max(y - far, 0), min(y + far + 1, height)):
                for column in range(max(x - far, 0), min(x + far + 1, width)):
                    share = kernels[which, row - y + middle, column - x + middle]
                    weight[row, column] += share
                    if covered > 0:
                        total[row, column, 0] += share * r
                        total[row, column, 1] += share * g
                        total[row, column, 2] += share * b
                        total[row, column, 3] += share * covered
    return total, weight
