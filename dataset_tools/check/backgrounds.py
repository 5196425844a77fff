"""The background stands still within a pair: a picture that is another's, or mirrored, has another one.

Pictures are compared in cells, since noise averages out in a cell and another background does not.
"""

from __future__ import annotations

import cv2
import numpy as np

from ..load.index import entries_of
from .figures import Check, Figures, measured, worst_view
from .stored import Stored, scattered

CHECKS = (
    Check("background", "difference of a view's background from the neighbour's, in what noise makes", 1.2, "-fold"),
)
CELLS = 32  # of a picture, across and down
MARGIN = 5  # px, width of the square by which hand and arm are widened: the lens blurs them into the background
FEWEST, MOST = 12, 96  # cells of a view that are compared
FLOOR = 0.1  # levels: less than JPEG makes of the same picture beside another hand
SENSOR_FLOOR = 4.0  # with a sensor: its glare reaches across the picture, JPEG rounds blocks
SENSOR_GRAIN = 2  # px, with a sensor: mosaic, noise reduction and JPEG make grain of the noise, which averages out less


def background_figures(sample: Stored) -> Figures:
    """The figure of `background`: of good data noise alone, whose mean is 0.8 times its standard error."""
    other = sample.after if sample.after is not None else sample.before
    if other is None:
        return {}
    views = zip(sample["rgb"], other["rgb"], sample["parts"], other["parts"])
    noise = (SENSOR_FLOOR, SENSOR_GRAIN) if "sensor" in entries_of(sample.meta["light"]) else (FLOOR, 1)
    return measured(background=worst_view(np.array([_apart(*view, *noise) for view in views])))


def _apart(
    rgb: np.ndarray, other: np.ndarray, parts: np.ndarray, other_parts: np.ndarray, floor: float, grain: int
) -> float:
    """Mean difference of two pictures (H, W, 3) over cells without hand or arm, relative to its standard error."""
    rows, columns = np.nonzero(_clear(parts > 0, other_parts > 0))
    if len(rows) < FEWEST:
        return np.nan
    chosen = scattered(len(rows), MOST)
    change = _cells(rgb, rows[chosen], columns[chosen]).astype(np.float32)
    change -= _cells(other, rows[chosen], columns[chosen])
    error = change.std(1).mean() / max(np.sqrt(change.shape[1]) / grain, 1)
    return float(np.abs(change.mean(1)).mean() / (floor + error))


def _clear(*shown: np.ndarray) -> np.ndarray:
    """(CELLS, CELLS) bool: cells where neither (H, W) bool shows anything, nor near them."""
    high, wide = (size // CELLS * CELLS for size in shown[0].shape)
    near = cv2.dilate(np.logical_or(*shown).astype(np.uint8), np.ones((MARGIN, MARGIN), np.uint8))[:high, :wide]
    return ~near.reshape(CELLS, high // CELLS, CELLS, wide // CELLS).any((1, 3))


def _cells(image: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """The pixels (N, P, 3) of cells of an image (H, W, 3)."""
    high, wide = image.shape[0] // CELLS, image.shape[1] // CELLS
    y, x = (rows * high)[:, None] + np.arange(high), (columns * wide)[:, None] + np.arange(wide)
    return image[y[:, :, None], x[:, None, :]].reshape(len(rows), high * wide, 3)
