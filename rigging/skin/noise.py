"""Smooth random fields in 3D: one band-limited periodic tile, sampled at any scale and turned at random."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.spatial.transform import Rotation

_SIZE = 64  # voxels along the tile
_VOXELS_PER_WAVE = 8.0


class Noise:
    """Zero-mean, unit-variance noise of points in space; every call to `__call__` gives an independent field."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        tile = gaussian_filter(rng.standard_normal((_SIZE,) * 3), 1.7, mode="wrap")
        self._tile = (tile / tile.std()).astype(np.float32)

    def __call__(self, points: np.ndarray, wavelength: float, stretch: np.ndarray | None = None) -> np.ndarray:
        """Noise (N,) float32 at `points` (N, 3) in metres with features about `wavelength` metres apart.

        `stretch` (3,) multiplies the wavelength along each axis of the points' frame.
        """
        turn = Rotation.from_quat(self._rng.standard_normal(4)).as_matrix()
        scale = _VOXELS_PER_WAVE / wavelength / (np.ones(3) if stretch is None else np.asarray(stretch))
        matrix = (turn * scale).astype(np.float32)
        shift = self._rng.uniform(0, _SIZE, (3, 1)).astype(np.float32)
        return map_coordinates(self._tile, matrix @ points.T + shift, order=1, mode="grid-wrap", prefilter=False)


def ridge(value: np.ndarray, width: float) -> np.ndarray:
    """1 on the zero lines of a noise field, falling to 0 over `width` standard deviations: a network of lines."""
    return np.exp(-((value / width) ** 2))
