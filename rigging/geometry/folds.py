"""Where a lens begins to fold: how far out it is sure to take no two points to one."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np


def sound_radius(coefficients: np.ndarray) -> float:
    """Radius in the plane z = 1 up to which the lens (5,) is sure to take no two points to one; inf for everywhere.

    0 for coefficients that are not finite.
    """
    return _sound_radius(*(float(value) for value in coefficients))


@lru_cache(maxsize=256)
def _sound_radius(k1: float, k2: float, p1: float, p2: float, k3: float) -> float:
    if not all(map(math.isfinite, (k1, k2, p1, p2, k3))):
        return 0.0
    roots = np.concatenate([np.roots(slope) for slope in _slopes(k1, k2, p1, p2, k3)])
    real = roots.real[(np.abs(roots.imag) < 1e-9 * np.maximum(1, np.abs(roots))) & (roots.real > 0)]
    return float(real.min()) if len(real) else math.inf


def _slopes(k1: float, k2: float, p1: float, p2: float, k3: float) -> tuple[list[float], list[float]]:
    """Bounds of the Jacobian's eigenvalues from below, as polynomials in r, highest power first.

    Along and across the radius they are 1 + 3 k1 r^2 + 5 k2 r^4 + 7 k3 r^6 and 1 + k1 r^2 + k2 r^4 + k3 r^6 without q,
    and q changes them by up to 6 |q| r.
    """
    decentred = -6 * math.hypot(p1, p2)
    along, across = [7 * k3, 0, 5 * k2, 0, 3 * k1, decentred, 1.0], [k3, 0, k2, 0, k1, decentred, 1.0]
    return along, across


def image_radius(coefficients: np.ndarray) -> float:
    """Radius of a disc of the plane z = 1 all of which is seen through the sound part of the lens (5,)."""
    r = sound_radius(coefficients)
    return r if math.isinf(r) or r == 0 else carried(coefficients, r)[0]


def carried(coefficients: np.ndarray, r: float) -> tuple[float, float]:
    """Bounds of how far from the axis the lens (5,) carries the circle of radius r of the plane z = 1, while d(r) > 0.

    D of it is r (1 + k1 r^2 + k2 r^4 + k3 r^6) from the axis, 3 |q| r^2 less to 3 |q| r^2 more.
    """
    k1, k2, p1, p2, k3 = (float(value) for value in coefficients)
    radial, decentred = r * (1 + k1 * r**2 + k2 * r**4 + k3 * r**6), 3 * math.hypot(p1, p2) * r**2
    return radial - decentred, radial + decentred
