"""Lens distortion: OpenCV's model with five coefficients k1, k2, p1, p2, k3 (Brown 1966, Conrady 1919).

A point (x, y) of the plane z = 1 is seen where one at D(x, y) would be seen without a lens, with r^2 = x^2 + y^2 and

    D(x, y) = (x, y) (1 + k1 r^2 + k2 r^4 + k3 r^6) + r^2 q + 2 (q . (x, y)) (x, y),    q = (p2, p1).

D is the gradient of a potential, so its Jacobian is symmetric with eigenvalues of at least d(r) (`folds._slopes`).
Where d stays above 0 on a disc, the potential is convex there and D takes no two points to one: that disc is the lens's
sound part. Beyond it the polynomial may fold back into the picture, which no lens does: such points have no pixel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np

from ..errors import InputError
from .folds import carried, image_radius, sound_radius

NAMES = ("k1", "k2", "p1", "p2", "k3")  # in the order of OpenCV
MOST = 2.0  # times as far out as without a lens, of what is in the picture's corner
_EXACT = 1e-14  # of a residual, where Newton's steps end
_SOLVED = 1e-10  # of a residual, above which there is no solution
_STEPS = 60
_TABLE = 2048


@dataclass(frozen=True)
class DistortionSettings:
    """Ranges that a ring's coefficients are drawn from evenly. Raises ValueError for one that is not in order."""

    k1: tuple[float, float] = (0.0, 0.0)
    k2: tuple[float, float] = (0.0, 0.0)
    p1: tuple[float, float] = (0.0, 0.0)
    p2: tuple[float, float] = (0.0, 0.0)
    k3: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if len(value) != 2 or not -math.inf < value[0] <= value[1] < math.inf:
                raise ValueError(f"{item.name} = {value!r}: must be [lowest, highest]")

    @property
    def ranges(self) -> np.ndarray:
        """(5, 2) lowest and highest, in the order of NAMES."""
        return np.array([getattr(self, name) for name in NAMES], float)

    @property
    def worst(self) -> np.ndarray:
        """(5,) of all coefficients in the ranges those that fold first: d(r) is never smaller."""
        lows, highs = self.ranges.T
        decentred = np.where(np.abs(lows) > np.abs(highs), lows, highs)
        return np.where(np.isin(NAMES, ("p1", "p2")), decentred, lows)

    @property
    def strongest(self) -> np.ndarray:
        """(5,) of all coefficients in the ranges those that carry points farthest out."""
        return np.where(np.isin(NAMES, ("p1", "p2")), self.worst, self.ranges[:, 1])

    def draw(self, rng: np.random.Generator) -> np.ndarray | None:
        """Coefficients (5,); None if all ranges are 0, which draws nothing."""
        lows, highs = self.ranges.T
        return lows + (highs - lows) * rng.random(len(NAMES)) if self.ranges.any() else None


def distort(xy: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """D of points (..., 2) of the plane z = 1 for coefficients (5,), or of (V, N, 2) for (V, 5); see above."""
    xy = np.asarray(xy, float)
    k1, k2, p1, p2, k3 = _apart(coefficients)
    x, y = xy[..., 0], xy[..., 1]
    square = x * x + y * y
    radial, along = 1 + square * (k1 + square * (k2 + square * k3)), 2 * (p2 * x + p1 * y)
    return np.stack([x * (radial + along) + p2 * square, y * (radial + along) + p1 * square], axis=-1)


def through_lens(xy: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """As `distort`; NaN for points beyond the lens's sound part: (..., 2) for (5,), or (V, N, 2) for (V, 5)."""
    rows = np.atleast_2d(coefficients)
    limits = np.array([sound_radius(row) for row in rows])
    limits = limits[0] if np.ndim(coefficients) == 1 else limits[:, None]
    with np.errstate(over="ignore", invalid="ignore"):
        beyond = ~(np.linalg.norm(xy, axis=-1) < limits)
        return np.where(beyond[..., None], np.nan, distort(xy, coefficients))


def undistort(xy: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """The inverse of `through_lens`: points (..., 2) that the lens (5,) takes to `xy` (..., 2); NaN where none is.

    Newton's method from a table of the radius, each step shortened until it brings the point nearer; to rounding.
    """
    xy = np.asarray(xy, float)
    wanted, limit = xy.reshape(-1, 2), sound_radius(coefficients)
    found, damping = _roughly(wanted, coefficients, limit), np.ones(len(wanted))
    off = distort(found, coefficients) - wanted
    for _ in range(_STEPS):
        open_ = np.flatnonzero(np.abs(off).max(axis=1, initial=0) > _EXACT)
        if not len(open_):
            break
        here, residual = found[open_], off[open_]
        tried = here - damping[open_, None] * _solved(here, coefficients, residual)
        left = distort(tried, coefficients) - wanted[open_]
        better = (np.square(left).sum(1) < np.square(residual).sum(1)) & (np.linalg.norm(tried, axis=1) < limit)
        found[open_[better]], off[open_[better]] = tried[better], left[better]
        damping[open_] = np.where(better, np.minimum(1, 4 * damping[open_]), damping[open_] / 4)
    found[~(np.abs(off).max(axis=1, initial=0) < _SOLVED)] = np.nan
    return found.reshape(xy.shape)


def _roughly(wanted: np.ndarray, coefficients: np.ndarray, limit: float) -> np.ndarray:
    """The inverse of D (P, 2) at points (P, 2) as if the lens were in centre, between entries of a table."""
    k1, k2, _, _, k3 = _apart(coefficients)
    radius = np.sqrt(np.square(wanted).sum(1))
    table = np.linspace(0, min(limit, 2 * radius.max(initial=0.0) + 1e-9) * 0.999, _TABLE)
    square = table * table
    seen = np.maximum.accumulate(table * (1 + square * (k1 + square * (k2 + square * k3))))
    return wanted * (np.interp(radius, seen, table) / np.maximum(radius, 1e-300))[:, None]


def require_sound(coefficients: np.ndarray, K: np.ndarray, size: tuple[int, int]) -> None:
    """InputError if the lens (5,) folds within a picture of `size` (width, height) px of a camera K (3, 3) px."""
    farthest, seen = corner_radius(K, size), image_radius(coefficients)
    if not farthest < seen:
        raise InputError(
            f"distortion {_told(coefficients)}: the lens folds {seen:.3g} from the axis (at distance 1), within the "
            f"picture, whose corner is {farthest:.3g} from it; allowed is what does not fold within it"
        )


def require_tame(coefficients: np.ndarray, K: np.ndarray, size: tuple[int, int]) -> None:
    """InputError if the lens (5,) carries what is in a corner of such a picture more than MOST times as far out."""
    corner = corner_radius(K, size)
    further = carried(coefficients, corner)[1] / corner
    if not further <= MOST:
        raise InputError(
            f"distortion {_told(coefficients)}: the lens carries what is in the picture's corner {further:.3g} times "
            f"as far out; allowed is {MOST:g} times"
        )


def corner_radius(K: np.ndarray, size: tuple[int, int]) -> float:
    """How far from the axis of K (3, 3) the plane z = 1 is seen by a picture of `size` (width, height) px."""
    corners = np.array([(x, y) for x in (0, size[0]) for y in (0, size[1])], float)
    return float(np.linalg.norm(plane_of(corners, K), axis=1).max())


def _told(coefficients: np.ndarray) -> str:
    return ", ".join(f"{name} = {value:.6g}" for name, value in zip(NAMES, coefficients))


def plane_of(pixels: np.ndarray, K: np.ndarray) -> np.ndarray:
    """Points (..., 2) of the plane z = 1 that a camera K (3, 3) without a lens sees at `pixels` (..., 2)."""
    y = (pixels[..., 1] - K[1, 2]) / K[1, 1]
    return np.stack([(pixels[..., 0] - K[0, 2] - K[0, 1] * y) / K[0, 0], y], axis=-1)


def pixels_of(xy: np.ndarray, K: np.ndarray) -> np.ndarray:
    """The inverse of `plane_of`: pixels (..., 2) of points (..., 2), for K (3, 3)."""
    return xy @ K[:2, :2].T + K[:2, 2]


@dataclass(frozen=True)
class Lens:
    """A camera's lens as a map of pixels: those of a pinhole camera of the same K, and those of the picture."""

    K: np.ndarray  # (3, 3) px
    coefficients: np.ndarray  # (5,)

    def seen(self, pinhole: np.ndarray) -> np.ndarray:
        """Pixels (..., 2) of the picture of those (..., 2) of a pinhole camera; NaN where there are none."""
        return pixels_of(through_lens(plane_of(np.asarray(pinhole, float), self.K), self.coefficients), self.K)

    def pinhole(self, seen: np.ndarray) -> np.ndarray:
        """The inverse of `seen`: pixels (..., 2) of a pinhole camera of those (..., 2) of the picture."""
        return pixels_of(undistort(plane_of(np.asarray(seen, float), self.K), self.coefficients), self.K)

    def grid(self, size: tuple[int, int], along: int = 1) -> np.ndarray:
        """`pinhole` (k * H, k * W, 2) of k = `along` points along each side of each pixel of `size` (width, height) px.

        Not to be written to.
        """
        K, coefficients = (np.asarray(array, float).tobytes() for array in (self.K, self.coefficients))
        return _grid(K, coefficients, size, along)


@lru_cache(maxsize=8)  # labels and picture ask for the same, and so do the samples of a pair
def _grid(K: bytes, coefficients: bytes, size: tuple[int, int], along: int) -> np.ndarray:
    lens = Lens(np.frombuffer(K).reshape(3, 3), np.frombuffer(coefficients))
    x, y = ((np.arange(along * side) + 0.5) / along for side in size)
    points = lens.pinhole(np.stack(np.meshgrid(x, y), axis=-1))
    points.flags.writeable = False
    return points


def lenses_of(K: np.ndarray, coefficients: np.ndarray, size: tuple[int, int]) -> list[Lens]:
    """The lenses (V, 5) of cameras K (V, 3, 3) px. InputError for one that folds within a picture of `size` px."""
    for k, row in zip(K, coefficients):
        require_sound(row, k, size)
    return [Lens(k, row) for k, row in zip(K, coefficients)]


def _apart(coefficients: np.ndarray) -> np.ndarray:
    """(5,) numbers, or (5, V, 1) arrays of (V, 5) coefficients."""
    coefficients = np.asarray(coefficients, float)
    return coefficients if coefficients.ndim == 1 else np.moveaxis(coefficients, -1, 0)[..., None]


def stretch(xy: np.ndarray, coefficients: np.ndarray) -> float:
    """How many times larger the lens (5,) shows what is at the point (2,) than no lens: the root of the area's."""
    xx, yy, mixed = _jacobian(np.asarray(xy, float)[None], coefficients)
    return float(np.sqrt(np.abs(xx * yy - mixed * mixed))[0])


def _jacobian(xy: np.ndarray, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """xx, yy and xy = yx (P,) of the Jacobian of D at points (P, 2)."""
    k1, k2, p1, p2, k3 = _apart(coefficients)
    x, y = xy.T
    square = x * x + y * y
    radial, grows = 1 + square * (k1 + square * (k2 + square * k3)), 2 * (k1 + square * (2 * k2 + 3 * k3 * square))
    xx = radial + x * x * grows + 6 * p2 * x + 2 * p1 * y
    yy = radial + y * y * grows + 2 * p2 * x + 6 * p1 * y
    return xx, yy, x * y * grows + 2 * p1 * x + 2 * p2 * y


def _solved(xy: np.ndarray, coefficients: np.ndarray, right: np.ndarray) -> np.ndarray:
    """J^-1 of vectors `right` (P, 2), J being the Jacobian of D at points (P, 2)."""
    (xx, yy, mixed), (a, b) = _jacobian(xy, coefficients), right.T
    return np.stack([yy * a - mixed * b, xx * b - mixed * a], axis=1) / (xx * yy - mixed * mixed)[:, None]
