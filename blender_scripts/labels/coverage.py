"""The hand over its background, blended by exact coverage: 4 x 4 points per pixel, not the noise of few light paths."""

from __future__ import annotations

import numba
import numpy as np

from rigging.geometry.distortion import Lens

from .rasterise import Viewed, rasterise_points

GRID = 4  # points along each side of a pixel
_OPAQUE = np.float32(0.25)  # alpha from which a pixel has a colour of its own
_OFFSETS = (np.arange(GRID) + 0.5) / GRID


def pixel_coverage(viewed: Viewed, faces: np.ndarray, seen: np.ndarray, lens: Lens | None = None) -> np.ndarray:
    """Covered share (H, W) float32 of each pixel of a view, a multiple of 1/16.

    Only pixels beside the outline need points of their own; a finger thinner than a pixel would be missed.

    Args:
        viewed: `view_vertices` of the mesh. faces: (M, 3) int32. seen: (H, W) bool, which pixels' centres are covered.
        lens: what distorts the picture; `viewed` is before it.
    """
    height, width = seen.shape
    edge = _beside_outline(seen)
    y, x = np.nonzero(edge)
    points = np.empty((len(x), GRID, GRID, 2))
    points[..., 0] = x[:, None, None] + _OFFSETS
    points[..., 1] = y[:, None, None] + _OFFSETS[:, None]
    points = points.reshape(-1, 2)
    points = points if lens is None else lens.pinhole(points)
    _, triangle = rasterise_points(viewed, faces, points, width, height)
    coverage = seen.astype(np.float32)
    coverage[edge] = (triangle >= 0).reshape(-1, GRID * GRID).mean(1)
    return coverage


@numba.njit(cache=True, nogil=True)
def _beside_outline(seen: np.ndarray) -> np.ndarray:
    """Pixels (H, W) bool of whose 3 x 3 neighbours within the image some are seen and some are not."""
    height, width = seen.shape
    edge = np.zeros((height, width), np.bool_)
    for y in range(height):
        for x in range(width):
            for row in range(max(y - 1, 0), min(y + 2, height)):
                for column in range(max(x - 1, 0), min(x + 2, width)):
                    edge[y, x] |= seen[row, column] != seen[y, x]
    return edge


@numba.njit(cache=True, nogil=True)
def composite(hand: np.ndarray, coverage: np.ndarray, background: np.ndarray, gains: np.ndarray) -> np.ndarray:
    """Put a rendered hand over its background: (H, W, 3) float32 linear light, exposed.

    A pixel with little alpha of its own takes the mean colour of the 3 x 3 pixels around, weighted by theirs; without
    denoiser, alpha is as noisy as Cycles' few paths.

    Args:
        hand: (H, W, 4) float32 linear light as rendered, premultiplied. coverage: (H, W) float32, share of each pixel
            that the hand covers. background: (H, W, 3) float32, exposed. gains: (3,) float32.
    """
    height, width = coverage.shape
    picture = background.copy()
    for y in range(height):
        for x in range(width):
            share = coverage[y, x]
            if share == 0:
                continue
            top, bottom, left, right = y, y + 1, x, x + 1
            if hand[y, x, 3] < _OPAQUE:
                top, bottom, left, right = max(y - 1, 0), min(y + 2, height), max(x - 1, 0), min(x + 2, width)
            for k in range(3):
                colour, weight = np.float32(0), np.float32(1e-6)
                for row in range(top, bottom):
                    for column in range(left, right):
                        colour += hand[row, column, k] * hand[row, column, 3]
                        weight += hand[row, column, 3] ** 2
                picture[y, x, k] = colour / weight * gains[k] * share + (1 - share) * background[y, x, k]
    return picture
