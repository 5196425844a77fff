"""What the tests of exports share: reading pictures and tables, and projecting as everybody's code does."""

from __future__ import annotations

import json

import cv2
import numpy as np

VIEWS = range(8)
HALF = 0.5  # px between our pixels and those of who counts from the first pixel's centre


def read_json(path):
    return json.loads(path.read_text(encoding="utf-8"))


def picture(data: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]


def pinhole(K, points):
    """Pixels of points in a camera's frame, as everybody's code projects: K p, over its depth."""
    rows = np.asarray(points) @ np.asarray(K).T
    return rows[:, :2] / rows[:, 2:]


def close(pixels, sample, view, shift=0.0):
    """Whether pixels are the loader's, moved by `shift` px."""
    return np.abs(np.asarray(pixels) - (sample["joints_2d"][view] + shift)).max() < 2e-3


def bounds_of(pixels):
    return [*pixels.min(axis=0), *pixels.max(axis=0)]


def bounds_of_mask(mask):
    ys, xs = np.nonzero(mask)
    return [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]
