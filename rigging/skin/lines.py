"""Curves on the skin: splines in a plane, lifted to the surface, and the distance of texels to them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.spatial import cKDTree

STEP = 0.0003  # metres between samples of a curve


@dataclass(frozen=True)
class Strokes:
    """Samples of curves on the surface."""

    points: np.ndarray  # (S, 3) metres
    width: np.ndarray  # (S,) metres, half width at 1/e
    depth: np.ndarray  # (S,) 0..1


def spline(control: np.ndarray, step: float = STEP) -> tuple[np.ndarray, np.ndarray]:
    """Points (S, 2) about `step` apart on a smooth curve through `control` (C, 2), and their parameter (S,) in 0..1."""
    control = np.asarray(control, dtype=np.float64)
    knots = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(control, axis=0), axis=1))])
    at = np.linspace(0.0, knots[-1], max(3, int(knots[-1] / step) + 1))
    curve = CubicSpline(knots, control, bc_type="natural") if len(control) > 2 else None
    points = curve(at) if curve else control[0] + (at / knots[-1])[:, None] * (control[1] - control[0])
    return points, at / knots[-1]


def smooth_walk(count: int, correlation: float, rng: np.random.Generator) -> np.ndarray:
    """Smooth random sequence (count,) of about unit variance; `correlation` is in samples."""
    knots = max(4, int(count / correlation) + 3)
    return CubicSpline(np.linspace(0, 1, knots), rng.standard_normal(knots))(np.linspace(0, 1, count))


class Lifter:
    """Projects curves of the x, y plane of the hand frame onto one side of the surface."""

    def __init__(self, points: np.ndarray) -> None:
        self._points = points[::3]
        self._tree = cKDTree(self._points[:, :2])

    def __call__(self, plane: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Points (S, 3) above `plane` (S, 2), and a mask of those that lie within 1.5 mm of the surface's outline."""
        distance, nearest = self._tree.query(plane, k=4)
        lifted = np.concatenate([plane, self._points[nearest, 2].mean(1)[:, None]], 1)
        return lifted, distance[:, 0] < 0.0015


def profile(
    texels: np.ndarray, strokes: Strokes, neighbours: int = 2, reach: float = 3.0
) -> tuple[np.ndarray, np.ndarray]:
    """Indices (M,) of texels within `reach` widths of a stroke, and depth * exp(-(distance / width)^2) (M,) there."""
    if len(strokes.points) == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.float32)
    far = reach * float(strokes.width.max())
    distance, nearest = cKDTree(strokes.points).query(
        texels, k=list(range(1, neighbours + 1)), distance_upper_bound=far
    )
    hit = np.flatnonzero(np.isfinite(distance[:, 0]))
    distance, nearest = distance[hit], nearest[hit]
    nearest = np.where(np.isfinite(distance), nearest, nearest[:, :1])
    value = strokes.depth[nearest] * np.exp(
        -((np.where(np.isfinite(distance), distance, 1.0) / strokes.width[nearest]) ** 2)
    )
    return hit, value.max(1).astype(np.float32)


def join(strokes: list[Strokes]) -> Strokes:
    """All strokes in one."""
    if not strokes:
        return Strokes(np.zeros((0, 3)), np.zeros(0), np.zeros(0))
    return Strokes(*(np.concatenate([getattr(s, name) for s in strokes]) for name in ("points", "width", "depth")))
