"""Paired bootstrap: how far a difference may be due to the subjects and seeds that happened to be drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from dataset_tools.statistics.bootstrap import by_cluster, resampled
from rigging.errors import InputError

FEWEST_CLUSTERS = 20
LEVEL = 0.95
DRAWS = 10_000

Verdict = Literal["better", "worse", "not separable", "too small"]


@dataclass(frozen=True)
class Interval:
    """A mean difference and its bootstrap interval."""

    mean: float
    low: float
    high: float
    clusters: int
    seeds: int = 1

    @property
    def verdict(self) -> Verdict:
        """Of differences (error of the candidate) - (error of what it is compared with): less is better."""
        if self.clusters < FEWEST_CLUSTERS:
            return "too small"
        if self.high < 0:
            return "better"
        return "worse" if self.low > 0 else "not separable"

    @property
    def separable(self) -> bool:
        """Whether a difference is not zero, in whatever direction, by enough subjects."""
        return self.verdict in ("better", "worse")


def paired_interval(
    differences: np.ndarray,
    clusters: np.ndarray,
    rng: np.random.Generator,
    draws: int = DRAWS,
    level: float = LEVEL,
) -> Interval:
    """Interval of the mean of differences (seeds, n), or (n,) for one seed, of samples that share clusters (n,).

    Both estimators were run on the same samples with the same seeds; a cluster is a test subject. Each draw takes as
    many subjects, with all their samples, and as many seeds as there are, with replacement; low and high are
    percentiles, after both kinds of draws have been stretched (see `stretch`). A sample with NaN in any seed is left
    out of all. With one seed only subjects are drawn, and the interval does not speak of other trainings. Raises
    InputError for shapes that do not fit and for no sample at all.
    """
    differences = np.atleast_2d(np.asarray(differences, float))
    clusters = np.asarray(clusters)
    if differences.ndim != 2 or clusters.shape != differences.shape[1:]:
        raise InputError(f"differences (seeds, n) need clusters (n,), got {differences.shape} and {clusters.shape}")
    scored = np.isfinite(differences).all(axis=0)
    if not scored.any():
        raise InputError("no sample has a difference in every seed")
    sums, counts = by_cluster(differences[:, scored], clusters[scored])
    means = resampled(sums, counts, rng, draws, level)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    mean = float(differences[:, scored].mean())
    return Interval(mean, float(low), float(high), len(counts), len(differences))


def shared_seeds(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Those of errors (seeds, n) of two estimators on the same samples whose seeds both have."""
    seeds = min(len(first), len(second))
    return first[:seeds], second[:seeds]
