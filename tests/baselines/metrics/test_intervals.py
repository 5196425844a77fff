"""Intervals that resample subjects and seeds: what they cover, and what they say."""

from __future__ import annotations

import numpy as np
import pytest

from baselines.metrics import Interval, paired_interval
from rigging.errors import InputError


def drawn(seed: int, subjects: int, seeds: int, spread: tuple[float, float], shift: float = 0.0) -> tuple:
    """Differences (seeds, n) with a part that is the subject's, one that is the seed's, and noise; subjects (n,)."""
    rng = np.random.default_rng(seed)
    of_subject, of_seed = rng.normal(size=subjects) * spread[0], rng.normal(size=(seeds, 1)) * spread[1]
    clusters = np.repeat(np.arange(subjects), rng.integers(1, 6, size=subjects))
    return shift + of_subject[clusters] + of_seed + rng.normal(size=(seeds, len(clusters))), clusters


def naive_means(differences: np.ndarray, clusters: np.ndarray, rng: np.random.Generator, draws: int) -> np.ndarray:
    """The plain bootstrap, one subject at a time."""
    names = np.unique(clusters)
    means = []
    for _ in range(draws):
        rows = differences[rng.integers(len(differences), size=len(differences))]
        means.append(
            np.concatenate([rows[:, clusters == name] for name in rng.choice(names, len(names))], axis=1).mean()
        )
    return np.array(means)


@pytest.mark.parametrize("seeds", [1, 3])
def test_the_draws_are_those_of_the_plain_bootstrap_stretched(seeds, monkeypatch):
    monkeypatch.setattr("dataset_tools.statistics.bootstrap.stretch", lambda count, level: 1.0)
    differences, clusters = drawn(0, 24, seeds, (1, 0.5))
    interval = paired_interval(differences, clusters, np.random.default_rng(1), draws=20_000)
    naive = np.quantile(naive_means(differences, clusters, np.random.default_rng(2), 3000), [0.025, 0.975])
    np.testing.assert_allclose([interval.low, interval.high], naive, atol=0.08)
    assert interval.mean == pytest.approx(differences.mean())
    assert (interval.clusters, interval.seeds) == (24, seeds)


@pytest.mark.parametrize("spread", [(1.0, 0.0), (0.3, 1.0)])
def test_the_truth_lies_within_as_often_as_is_said(spread):
    """Also where seeds differ more than subjects, which plain percentiles of three seeds cover in 76 % of cases."""
    rng = np.random.default_rng(3)
    trials = [paired_interval(*drawn(seed, 24, 3, spread), rng, draws=500) for seed in range(300)]
    assert np.mean([trial.low <= 0 <= trial.high for trial in trials]) > 0.9


def test_a_difference_is_separable_only_across_subjects():
    differences, clusters = drawn(4, 24, 3, (0.5, 0.1), shift=-2)
    rng = np.random.default_rng(0)
    assert paired_interval(differences, clusters, rng).verdict == "better"
    assert paired_interval(-differences, clusters, rng).verdict == "worse"
    assert paired_interval(differences + 2, clusters, rng).verdict == "not separable"
    one_outlier = np.where(clusters == 0, -100.0, 0.1)
    assert paired_interval(one_outlier, clusters, rng).verdict == "not separable"


def test_a_difference_of_one_lucky_seed_is_not_separable():
    clusters = np.repeat(np.arange(30), 4)
    differences = np.array([[-3.0], [0.1], [0.1]]) + np.random.default_rng(0).normal(size=(3, 120)) * 0.1
    assert differences.mean() < -0.9
    assert paired_interval(differences, clusters, np.random.default_rng(1)).verdict == "not separable"


def test_fewer_than_20_subjects_are_too_few_whatever_they_say():
    rng = np.random.default_rng(0)
    for subjects, verdict in ((19, "too small"), (20, "better")):
        assert paired_interval(np.full(subjects, -1.0), np.arange(subjects), rng).verdict == verdict
    assert paired_interval(np.array([-1.0]), np.array([0]), rng) == Interval(-1, -1, -1, 1, 1)


def test_subjects_weigh_by_their_samples():
    differences, clusters = np.array([1.0, 1, 1, 5]), np.array(["a", "a", "a", "b"])
    interval = paired_interval(differences, clusters, np.random.default_rng(0))
    assert interval.mean == 2
    assert interval.clusters == 2


def test_what_is_the_same_everywhere_has_no_width_whatever_the_sizes():
    _, clusters = drawn(1, 24, 3, (1, 1))
    interval = paired_interval(np.full((3, len(clusters)), -1.0), clusters, np.random.default_rng(0))
    np.testing.assert_allclose([interval.low, interval.high], -1, atol=1e-12)


def test_a_sample_that_one_seed_lacks_is_left_out_of_all():
    differences = np.array([[1.0, np.nan, 3], [1, 9, 3]])
    interval = paired_interval(differences, np.arange(3), np.random.default_rng(0))
    assert (interval.mean, interval.clusters) == (2, 2)


def test_the_same_generator_gives_the_same_interval():
    differences, clusters = drawn(5, 24, 3, (1, 1))
    first, second = (paired_interval(differences, clusters, np.random.default_rng(9)) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("differences", "clusters"),
    [(np.zeros((3, 4)), np.zeros(3)), (np.full((2, 4), np.nan), np.zeros(4)), (np.zeros((1, 2, 3)), np.zeros(2))],
)
def test_nothing_to_compare_is_one_clear_line(differences, clusters):
    with pytest.raises(InputError):
        paired_interval(differences, clusters, np.random.default_rng(0))
