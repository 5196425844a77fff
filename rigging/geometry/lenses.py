"""Cameras given lenses that distort."""

from __future__ import annotations

import dataclasses

import numpy as np

from .cameras import Cameras
from .distortion import distort, plane_of, require_sound, stretch


def with_lens(cameras: Cameras, coefficients: np.ndarray) -> Cameras:
    """The same cameras, all with the lens k1, k2, p1, p2, k3 (5,).

    The middle of each picture shows what it shows without the lens, in the same size: where a picture is cut out beside
    the axis, as hands in the wild are, K (3, 3) follows the lens. On the axis K stays.
    Raises InputError for a lens that folds within a picture.
    """
    size = (cameras.image_size, cameras.image_size)
    K = np.stack([_following(k, coefficients, cameras.image_size) for k in np.asarray(cameras.K, float)])
    for k in K:
        require_sound(coefficients, k, size)
    return dataclasses.replace(cameras, K=K, distortion=np.tile(coefficients, (len(K), 1)))


def _following(K: np.ndarray, coefficients: np.ndarray, size: int) -> np.ndarray:
    """K (3, 3) px with which the middle of a picture through the lens (5,) is what it is without."""
    middle = np.full(2, size / 2)
    shown = plane_of(middle, K)
    if not shown.any():
        return K
    new = K.copy()
    new[:2, :2] /= stretch(shown, coefficients)
    new[:2, 2] = middle - new[:2, :2] @ distort(shown, coefficients)
    return new
