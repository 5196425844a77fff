"""Shares of correct keypoints and the areas under their curve, in the three ways in use; all of them stream exactly.

Errors are (n, K) in any unit, NaN where a keypoint does not count; thresholds have the same unit.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Literal

import numpy as np

from rigging.errors import InputError

from .errors import pixel_errors
from .sums import ExactSum

FREIHAND_STEPS = 100

Mode = Literal["exact", "freihand", "kuzphi"]


class Curve:
    """PCK at thresholds (t,): the share of keypoints with error <= threshold, for each keypoint (column)."""

    def __init__(self, thresholds: np.ndarray, keypoints: int = 1) -> None:
        self.thresholds = np.asarray(thresholds, float)
        self.counts = np.zeros((keypoints, len(self.thresholds) + 1), np.int64)  # errors by the first threshold >= them

    def add(self, errors: np.ndarray) -> None:
        """Errors (n, K); NaN does not count."""
        keypoint = np.broadcast_to(np.arange(errors.shape[1]), errors.shape)
        counted = ~np.isnan(errors)
        place = np.searchsorted(self.thresholds, errors[counted], side="left")
        bins = keypoint[counted] * self.counts.shape[1] + place
        self.counts += np.bincount(bins, minlength=self.counts.size).reshape(self.counts.shape)

    def merge(self, other: Curve) -> None:
        self.counts = self.counts + other.counts

    def pooled(self) -> np.ndarray:
        """PCK (t,) over all keypoints alike; NaN if nothing was added."""
        return _shares(self.counts.sum(axis=0, keepdims=True))[0]

    def by_keypoint(self) -> np.ndarray:
        """PCK (k, t) of those keypoints that have errors."""
        return _shares(self.counts[self.counts.sum(axis=1) > 0])


class ExactArea:
    """The integral of PCK over [low, high], over high - low: the mean of clip((high - e) / (high - low), 0, 1).

    PCK(t) is the mean of [e <= t], so the integral is the mean of each error's own; there are no thresholds.
    """

    def __init__(self, low: float, high: float, keypoints: int = 1) -> None:
        self.low, self.high, self.count, self.total = low, high, 0, ExactSum()

    def add(self, errors: np.ndarray) -> None:
        """Errors (n, K); NaN does not count."""
        counted = errors[~np.isnan(errors)]
        self.count += counted.size
        self.total.add(np.clip((self.high - counted) / (self.high - self.low), 0, 1))

    def merge(self, other: ExactArea) -> None:
        self.count += other.count
        self.total.merge(other.total)

    def value(self) -> float:
        """NaN if nothing was added."""
        return self.total.mean(self.count)


class FreihandArea:
    """FreiHAND's evaluation (from Zimmermann and Brox 2017): 100 evenly spaced thresholds from low to high.

    The trapezoidal rule over PCK (error <= threshold) of every keypoint, over high - low; then the mean over keypoints.
    """

    def __init__(self, low: float, high: float, keypoints: int = 1) -> None:
        self.curve = Curve(np.linspace(low, high, FREIHAND_STEPS), keypoints)

    def add(self, errors: np.ndarray) -> None:
        """Errors (n, K); NaN does not count."""
        self.curve.add(errors)

    def merge(self, other: FreihandArea) -> None:
        self.curve.merge(other.curve)

    def value(self) -> float:
        """NaN if nothing was added."""
        pck, steps = self.curve.by_keypoint(), self.curve.thresholds
        if not len(pck):
            return float("nan")
        areas = ((pck[:, 1:] + pck[:, :-1]) / 2 * np.diff(steps)).sum(axis=1)
        return float((areas / (steps[-1] - steps[0])).mean())


class KuzphiArea:
    """`calc_auc` of Kuzphi's public code: the trapezoidal rule on the sorted errors themselves.

    All n errors are sorted, x_i, with y_i = (i + 1) / n; the rule runs over those with low <= x < high, and its sum is
    divided by what they cover, x_max - x_min, not by high - low. Summed by parts (y rises by 1 / n a step) it needs no
    sorting: it is x_max y_max - x_min y_min - (sum of x - (x_min + x_max) / 2) / n. NaN if no two different errors lie
    inside. (The code gives it the errors of all joints in one place, means over a picture's joints in others.)
    """

    def __init__(self, low: float, high: float, keypoints: int = 1) -> None:
        self.low, self.high, self.total = low, high, ExactSum()
        self.count, self.below, self.inside = 0, 0, 0
        self.least, self.most = math.inf, -math.inf  # of those inside

    def add(self, errors: np.ndarray) -> None:
        """Errors (n, K); NaN does not count."""
        counted = errors[~np.isnan(errors)]
        inside = counted[(counted >= self.low) & (counted < self.high)]
        self.count += counted.size
        self.below += int((counted < self.low).sum())
        self.inside += inside.size
        self.total.add(inside)
        self.least = float(inside.min(initial=self.least))
        self.most = float(inside.max(initial=self.most))

    def merge(self, other: KuzphiArea) -> None:
        self.count += other.count
        self.below += other.below
        self.inside += other.inside
        self.total.merge(other.total)
        self.least, self.most = min(self.least, other.least), max(self.most, other.most)

    def value(self) -> float:
        """NaN if no two different errors lie inside."""
        if not self.most > self.least:
            return float("nan")
        least, most = Fraction(self.least), Fraction(self.most)
        ends = most * (self.below + self.inside) - least * (self.below + 1)
        rest = self.total.total() - (least + most) / 2
        return float((ends - rest) / self.count / (most - least))


AREAS = {"exact": ExactArea, "freihand": FreihandArea, "kuzphi": KuzphiArea}


def pck(errors: np.ndarray, thresholds: np.ndarray | float) -> np.ndarray:
    """Shares (t,) of the keypoints whose error is at most each of the rising thresholds (t,); NaN for no keypoints."""
    curve = Curve(np.atleast_1d(thresholds))
    curve.add(np.reshape(errors, (-1, 1)))
    return curve.pooled()


def pck_2d(
    pred: np.ndarray,
    true: np.ndarray,
    thresholds: np.ndarray | float,
    valid: np.ndarray | None = None,
    size: np.ndarray | None = None,
) -> np.ndarray:
    """PCK (t,) in the image, joints (n, K, 2) in px; thresholds in px, or in shares of `size` (n,) px if given."""
    errors = pixel_errors(pred, true, valid)
    return pck(errors if size is None else errors / np.asarray(size, float)[:, None], thresholds)


def auc(errors: np.ndarray, low: float, high: float, mode: Mode = "exact") -> float:
    """Area under the PCK curve of errors (n, K) from low to high, 0 to 1, the headline `exact` or as others compute it.

    Raises InputError for an unknown mode and an empty range.
    """
    if mode not in AREAS:
        raise InputError(f"mode: one of {', '.join(map(repr, AREAS))} is wanted, got {mode!r}")
    if not 0 <= low < high:
        raise InputError(f"the range of an AUC needs 0 <= low < high, got {low} and {high}")
    errors = np.asarray(errors, float)
    errors = errors.reshape(len(errors), -1)
    area = AREAS[mode](low, high, errors.shape[1])
    area.add(errors)
    return area.value()


def _shares(counts: np.ndarray) -> np.ndarray:
    """(k, t) shares of counts (k, t + 1) by threshold; the last column lies above all thresholds."""
    totals = counts.sum(axis=1, keepdims=True).astype(float)
    totals[totals == 0] = np.nan
    return np.cumsum(counts, axis=1)[:, :-1] / totals
