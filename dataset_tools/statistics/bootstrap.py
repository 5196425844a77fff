"""Bootstrap of means over clusters of samples that are alike, such as those of a subject."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri, stdtrit

DRAWS, LEVEL = 2000, 0.95
FEWEST = 5  # clusters; of fewer, draws say next to nothing


def mean_interval(values: np.ndarray, clusters: np.ndarray, seed: int = 0) -> tuple[float, float] | None:
    """The 95 % interval of the mean of values (n,) of samples in clusters (n,).

    None for less than FEWEST clusters, and where all are alike: draws from those never differ.
    """
    sums, counts = by_cluster(np.asarray(values, float)[None], clusters)
    if len(counts) < FEWEST:
        return None
    means = resampled(sums, counts, np.random.default_rng(seed), DRAWS, LEVEL)
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return (float(low), float(high)) if low < high else None


def by_cluster(values: np.ndarray, clusters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sums (seeds, c) and counts (c,) of the c clusters, from values (seeds, n) of samples in clusters (n,)."""
    _, place = np.unique(clusters, return_inverse=True)
    sums = np.stack([np.bincount(place, row) for row in values])
    return sums, np.bincount(place)


def resampled(sums: np.ndarray, counts: np.ndarray, rng: np.random.Generator, draws: int, level: float) -> np.ndarray:
    """Means (draws,) over the samples of the clusters and seeds drawn, from sums (seeds, c) and counts (c,)."""
    seeds, clusters = sums.shape
    often = _weights(clusters, rng, draws, level)
    trained = _weights(seeds, rng, draws, level)
    return ((often @ sums.T) * trained).sum(axis=1) / (often @ counts) / seeds


def _weights(count: int, rng: np.random.Generator, draws: int, level: float) -> np.ndarray:
    """How often (draws, count) each of `count` things is drawn, stretched about once."""
    often = rng.multinomial(count, np.full(count, 1 / count), draws)
    return 1 + stretch(count, level) * (often - 1)


def stretch(count: int, level: float) -> float:
    """By how much draws from `count` things are too narrow: 2.7 for 3 seeds, 1.08 for 24 subjects at 95 %.

    The bootstrap's variance of a mean is (count - 1) / count of the unbiased one, and its percentiles are a normal's
    where Student's with count - 1 degrees of freedom are due. Few seeds would pass for certainty otherwise: of three
    that differ more than subjects do, plain 95 % percentiles cover the truth in 76 % of cases.
    """
    if count < 2:
        return 1.0
    tail = (1 + level) / 2
    return float(stdtrit(count - 1, tail) / ndtri(tail) * np.sqrt(count / (count - 1)))
