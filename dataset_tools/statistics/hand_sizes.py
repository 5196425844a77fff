"""Hand lengths of the subjects against published anthropometry; the figures and their sources are in rigging."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import norm

from rigging.hand.shape import FEMALE_LENGTH, MALE_LENGTH, chain_length

from .poses import quantiles

SOURCE = "Greiner, Hand Anthropometry of U.S. Army Personnel, Natick TR-92/011, 1991 (rounded)"

CHANCE = 1.358  # over the root of n: what the distance of n draws from their own distribution exceeds in 5 %


def adult_share(lengths: np.ndarray) -> np.ndarray:
    """(...) share of adults, women and men alike, whose hand is not longer than lengths (...) m, as published."""
    return (norm.cdf(lengths, *FEMALE_LENGTH) + norm.cdf(lengths, *MALE_LENGTH)) / 2


def adult_density(lengths: np.ndarray) -> np.ndarray:
    """(2, ...) probability density per m of women's and of men's hand lengths (...) m, as published."""
    return np.stack([norm.pdf(lengths, *FEMALE_LENGTH), norm.pdf(lengths, *MALE_LENGTH)])


def largest_gap(lengths: np.ndarray) -> float:
    """Kolmogorov-Smirnov distance, 0 to 1, of lengths (N,) m from the published adults."""
    expected, n = adult_share(np.sort(lengths)), len(lengths)
    steps = np.arange(n + 1) / n
    return float(max((steps[1:] - expected).max(), (expected - steps[:-1]).max()))


def size_table(subject: np.ndarray, lengths: np.ndarray, joints: np.ndarray) -> dict[str, Any]:
    """Hand lengths of subjects against the published ones, from subject (S,), stated lengths (S,) m, joints (S, 21, 3).

    `measured_off` is the largest difference of a sample's bones, wrist to middle tip, from the stated length.
    """
    _, first = np.unique(subject, return_index=True)
    own = lengths[first]
    chains = np.array([chain_length(hand) for hand in joints])
    low, high = (mean + side * deviation for side, (mean, deviation) in zip((-2, 2), (FEMALE_LENGTH, MALE_LENGTH)))
    return {
        "subjects": len(own), "mm": {name: 1000 * value for name, value in quantiles(own).items()},
        "mean_mm": float(1000 * own.mean()), "std_mm": float(1000 * own.std()),
        "published_adults_mm": {
            "women": [1000 * value for value in FEMALE_LENGTH], "men": [1000 * value for value in MALE_LENGTH],
        },
        "source": SOURCE, "gap_to_adults": largest_gap(own), "gap_by_chance": float(CHANCE / np.sqrt(len(own))),
        "below_adults": float((own < low).mean()),
        "above_adults": float((own > high).mean()), "measured_off": float(np.abs(chains / lengths - 1).max()),
        "lengths_mm": np.sort(1000 * own).round(1).tolist(),
    }  # fmt: skip
