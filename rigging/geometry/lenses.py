"""Cameras given lenses that distort."""

from __future__ import annotations

import dataclasses

import numpy as np

from .cameras import Cameras
from .distortion import distort, plane_of, require_sound, stretch, undistort


def with_lens(cameras: Cameras, coefficients: np.ndarray) -> Cameras:
    """The same cameras, all with the lens k1, k2, p1, p2, k3 (5,).

    The middle of each picture shows what it shows without the lens, in the same size: where a picture is cut out beside
    the axis, as hands in the wild are, K (3, 3) follows the lens. On the axis K stays.
    Raises InputError for a lens that folds within a picture.
    """
    size = (cameras.image_size, cameras.image_size)
    K = np.stack([following(k, coefficients, cameras.image_size) for k in np.asarray(cameras.K, float)])
    for k in K:
        require_sound(coefficients, k, size)
    return dataclasses.replace(cameras, K=K, distortion=np.tile(coefficients, (len(K), 1)))


def following(K: np.ndarray, coefficients: np.ndarray, size: int) -> np.ndarray:
    """K (3, 3) px with which the middle of a picture of `size` px through the lens (5,) is what it is without, by K."""
    shown = plane_of(np.full(2, size / 2), K)
    return _about_middle(K, 1 / stretch(shown, coefficients), distort(shown, coefficients), size) if shown.any() else K


def before_lens(K: np.ndarray, coefficients: np.ndarray, size: int) -> np.ndarray:
    """The inverse of `following`: the K (3, 3) px of a pinhole camera that the lens (5,) was put before."""
    seen = plane_of(np.full(2, size / 2), K)
    shown = undistort(seen, coefficients)
    return _about_middle(K, stretch(shown, coefficients), shown, size) if seen.any() else K


def _about_middle(K: np.ndarray, factor: float, shown: np.ndarray, size: int) -> np.ndarray:
    """K (3, 3) px enlarged by `factor`, with the point `shown` (2,) of the plane z = 1 in the picture's middle."""
    new = K.copy()
    new[:2, :2] *= factor
    new[:2, 2] = size / 2 - new[:2, :2] @ shown
    return new
