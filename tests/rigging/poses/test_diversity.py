"""Greedy k-centre: equal to the textbook loop, deterministic, and blind to place, orientation and size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rigging.fingers.kinematics import ANGLES, angle_limits, forward, rotate, skeleton
from rigging.hand.asset import load_asset
from rigging.poses.sampling.diversity import greedy_centres, k_centre, palm_features

HAND = skeleton(load_asset())


def hands(count: int, seed: int = 0) -> np.ndarray:
    return forward(HAND, np.random.default_rng(seed).uniform(*angle_limits().T, size=(count, ANGLES)))


def naive_centres(points: np.ndarray, count: int, first: int) -> tuple[list[int], float, bool]:
    """Farthest-point search as Gonzalez wrote it, in float64: centres, radius, and whether there was a tie."""
    points = points.astype(np.float64)
    chosen, tied = [first], False
    nearest = np.linalg.norm(points - points[first], axis=1)
    while len(chosen) < count:
        chosen.append(int(nearest.argmax()))
        tied |= bool((nearest == nearest.max()).sum() > 1)
        nearest = np.minimum(nearest, np.linalg.norm(points - points[chosen[-1]], axis=1))
    return chosen, float(nearest.max()), tied


def check_choice(points: np.ndarray, count: int, first: int, block: int) -> None:
    """Every centre is the farthest point from those before it, up to near ties, which a search in float32 may swap."""
    centres = greedy_centres(points, count, first=first, block=block)
    points = points.astype(np.float64)
    nearest = np.linalg.norm(points - points[first], axis=1)
    assert centres.indices[0] == first
    for index, distance in zip(centres.indices[1:], centres.distances[1:]):
        assert nearest[index] >= nearest.max() - 1e-5
        assert distance == pytest.approx(nearest[index], abs=1e-5)
        nearest = np.minimum(nearest, np.linalg.norm(points - points[index], axis=1))
    assert centres.radius == pytest.approx(nearest.max(), abs=1e-3)
    assert np.all(np.diff(centres.distances[1:]) <= 1e-5)
    assert centres.radius <= centres.distances[-1] + 1e-6


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10_000), st.integers(2, 300), st.sampled_from([4, 16, 64]))
def test_every_choice_is_the_farthest_point_whatever_the_block(seed: int, count: int, block: int) -> None:
    points = np.random.default_rng(seed).normal(size=(400, 12)).astype(np.float32)
    check_choice(points, count, seed % 400, block)


def test_every_chosen_hand_is_the_farthest() -> None:
    check_choice(palm_features(hands(1500)), 300, first=3, block=128)


@settings(deadline=None, max_examples=5)
@given(st.integers(0, 10_000), st.sampled_from([1, 32, 4096]))
def test_blocks_choose_what_the_naive_loop_chooses(seed: int, block: int) -> None:
    # Whole numbers with mean 0, small enough for float32 to be exact: both searches see the same distances.
    points = np.random.default_rng(seed).integers(-400, 401, size=(600, 12))
    points -= points.sum(axis=0) // len(points)
    points -= np.arange(len(points))[:, None] < points.sum(axis=0)
    assert not points.sum(axis=0).any()
    chosen, radius, tied = naive_centres(points, 100, first=3)
    assume(not tied)  # a tie may be broken either way
    centres = greedy_centres(points.astype(np.float32), 100, first=3, block=block)
    np.testing.assert_array_equal(centres.indices, chosen)
    assert centres.radius == pytest.approx(radius, rel=1e-6)


def test_all_points_are_chosen_once_even_when_some_are_equal() -> None:
    points = np.repeat(np.arange(6, dtype=np.float32)[:, None], 3, axis=0)
    centres = greedy_centres(points, 18, block=4)
    assert sorted(centres.indices.tolist()) == list(range(18))
    assert centres.radius == 0


def test_every_point_is_within_the_radius() -> None:
    features = palm_features(hands(800))
    centres = greedy_centres(features, 60)
    gaps = np.linalg.norm(features[:, None] - features[centres.indices], axis=-1).min(axis=1)
    assert gaps.max() == pytest.approx(centres.radius, abs=1e-4)
    random = np.random.default_rng(1).choice(800, 60, replace=False)
    assert gaps.max() < np.linalg.norm(features[:, None] - features[random], axis=-1).min(axis=1).max()


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 1000), st.floats(0.5, 2.0))
def test_features_ignore_place_orientation_and_size(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    joints = hands(5, seed)
    moved = scale * rotate(joints, rng.normal(size=3)) + rng.normal(size=3)
    np.testing.assert_allclose(palm_features(moved), palm_features(joints), atol=1e-5)


def test_feature_distance_is_the_root_mean_square_joint_distance_in_palm_lengths() -> None:
    first, second = forward(HAND, np.zeros(ANGLES)), forward(HAND, np.full(ANGLES, 0.1))
    second[[5, 9, 13, 17]] = first[[5, 9, 13, 17]]  # the same palm
    features = palm_features(np.stack([first, second]))
    palm = np.linalg.norm(first[[5, 9, 13, 17]], axis=1).mean()
    expected = np.sqrt(np.mean(np.sum((first[1:] - second[1:]) ** 2, axis=1))) / palm
    assert np.linalg.norm(features[0] - features[1]) == pytest.approx(expected, rel=1e-5)


def test_strata_keep_rare_ones_and_fill_the_count() -> None:
    joints = hands(300)
    strata = np.repeat([0, 1, 2], [280, 18, 2])
    chosen = k_centre(joints, 40, np.random.default_rng(0), strata)
    counts = np.bincount(strata[chosen], minlength=3)
    assert counts.sum() == len(set(chosen.tolist())) == 40
    assert counts[2] == 2
    assert counts[1] > 40 * 18 / 300


def test_the_same_generator_gives_the_same_choice() -> None:
    joints = hands(200)
    first, second = (k_centre(joints, 50, np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("count", [0, 11])
def test_impossible_counts_are_named(count: int) -> None:
    with pytest.raises(ValueError, match=f"{count} centres"):
        greedy_centres(np.zeros((10, 3), dtype=np.float32), count)


def test_features_that_are_not_finite_are_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        greedy_centres(np.array([[0.0, np.nan]]), 1)
