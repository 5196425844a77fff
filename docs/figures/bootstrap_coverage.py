"""Print a table of docs/metrics.md: how often intervals of `baselines.metrics` hold the truth. Some 15 s on one core.

Run from the root of the repository: python -m docs.figures.bootstrap_coverage
"""

from __future__ import annotations

from unittest import mock

import numpy as np

from baselines.metrics import paired_interval

TRIALS, DRAWS, SUBJECTS = 1000, 1000, 24
SPREADS = ((1, 0, 1), (1, 0, 3), (1, 0.3, 3), (1, 1, 3), (0.3, 1, 3))  # of subjects, of seeds; number of seeds


def differences(rng: np.random.Generator, subject: float, seed: float, seeds: int) -> tuple[np.ndarray, np.ndarray]:
    """Differences (seeds, n) around 0 with 1 to 5 samples a subject and noise of 1, and the subjects (n,)."""
    subjects = np.repeat(np.arange(SUBJECTS), rng.integers(1, 6, size=SUBJECTS))
    own = subject * rng.normal(size=SUBJECTS)[subjects] + seed * rng.normal(size=(seeds, 1))
    return own + rng.normal(size=(seeds, len(subjects))), subjects


def coverage(subject: float, seed: float, seeds: int) -> float:
    """The share of TRIALS whose interval holds 0."""
    rng = np.random.default_rng(0)
    trials = (paired_interval(*differences(rng, subject, seed, seeds), rng, DRAWS) for _ in range(TRIALS))
    return float(np.mean([trial.low <= 0 <= trial.high for trial in trials]))


def main() -> None:
    """Print a row per spread: subjects : seeds : noise, seeds, plain and stretched."""
    for subject, seed, seeds in SPREADS:
        with mock.patch("dataset_tools.statistics.bootstrap.stretch", return_value=1.0):
            plain = coverage(subject, seed, seeds)
        stretched = coverage(subject, seed, seeds)
        print(f"| {subject:g} : {seed:g} : 1 | {seeds} | {plain:.1%} | {stretched:.1%} |")


if __name__ == "__main__":
    main()
