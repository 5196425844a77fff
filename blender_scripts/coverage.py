"""How much of each pixel hand and arm cover: exact geometry at 4 x 4 points, without the noise of few light paths."""

from __future__ import annotations

import cv2
import numpy as np

from .rasterise import rasterise_points

GRID = 4  # points along each side of a pixel
_OFFSETS = (np.arange(GRID) + 0.5) / GRID


def pixel_coverage(
    vertices: np.ndarray, faces: np.ndarray, seen: np.ndarray, K: np.ndarray, world_to_cam: np.ndarray
) -> np.ndarray:
    """Covered share (H, W) float32 of each pixel of a view, a multiple of 1/16.

    Only pixels beside the outline need points of their own; a finger thinner than a pixel would be missed.

    Args:
        vertices: (N, 3) world, metres. faces: (M, 3). seen: (H, W) bool, which pixels' centres are covered.
    """
    height, width = seen.shape
    mask = seen.astype(np.uint8)
    box = np.ones((3, 3), np.uint8)
    edge = cv2.dilate(mask, box) != cv2.erode(mask, box)
    y, x = np.nonzero(edge)
    points = np.empty((len(x), GRID, GRID, 2))
    points[..., 0] = x[:, None, None] + _OFFSETS
    points[..., 1] = y[:, None, None] + _OFFSETS[:, None]
    _, triangle = rasterise_points(vertices, faces, K, world_to_cam, points.reshape(-1, 2), width, height)
    coverage = mask.astype(np.float32)
    coverage[edge] = (triangle >= 0).reshape(-1, GRID * GRID).mean(1)
    return coverage


def solid_colour(hand: np.ndarray) -> np.ndarray:
    """Colour (H, W, 3) of the surface at every pixel of a premultiplied picture (H, W, 4), also along the outline.

    Along the outline it is the mean of the neighbours, weighted by how much they are covered, because the renderer's
    own alpha is as noisy there as its few paths.
    """
    alpha = hand[..., 3:]
    weighted = cv2.blur(np.concatenate([hand[..., :3] * alpha, alpha * alpha], 2), (3, 3))
    around = weighted[..., :3] / np.maximum(weighted[..., 3:], 1e-6)
    return np.where(alpha >= 0.999, hand[..., :3], around)
