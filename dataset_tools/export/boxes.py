"""Boxes and masks as annotations have them."""

from __future__ import annotations

import numpy as np

Box = tuple[float, float, float, float]  # x, y, width, height in px


def mask_box(mask: np.ndarray) -> Box:
    """The box of a mask (H, W) from corner to corner: pixel (0, 0) alone is (0, 0, 1, 1); all 0 for an empty mask."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return (0.0, 0.0, 0.0, 0.0)
    x, y = float(columns[0]), float(rows[0])
    return (x, y, columns[-1] + 1 - x, rows[-1] + 1 - y)


def run_lengths(mask: np.ndarray) -> dict[str, list[int]]:
    """A mask (H, W) as COCO's uncompressed run lengths: down the columns, beginning with the zeros."""
    flat = mask.T.reshape(-1)
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    counts = np.diff([0, *changes.tolist(), flat.size]).tolist()
    return {"size": list(mask.shape), "counts": [0, *counts] if flat[0] else counts}
