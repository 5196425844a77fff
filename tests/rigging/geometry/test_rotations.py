"""Rotations: minimal swings, Kabsch and twists, against scipy and their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from rigging.geometry.rotations import (
    axis_angle,
    from_quaternion,
    half_turn,
    kabsch,
    normalise,
    perpendicular,
    random_rotation,
    rotation_angle,
    swing,
    twist_angle,
)

seeds = st.integers(0, 2**32 - 1)
quick = settings(max_examples=25, deadline=None)


def unit_vectors(seed: int, count: int) -> np.ndarray:
    return normalise(np.random.default_rng(seed).normal(size=(count, 3)))


def assert_rotations(matrices: np.ndarray) -> None:
    np.testing.assert_allclose(matrices @ np.swapaxes(matrices, -1, -2) - np.eye(3), 0, atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(matrices), 1, atol=1e-12)


@quick
@given(seeds)
def test_a_swing_takes_a_to_b_by_the_angle_between_them_and_no_more(seed):
    a, b = unit_vectors(seed, 20), unit_vectors(seed + 1, 20)
    turn = swing(a, b)
    assert_rotations(turn)
    np.testing.assert_allclose(np.einsum("nij,nj->ni", turn, a), b, atol=1e-12)
    between = np.arctan2(np.linalg.norm(np.cross(a, b), axis=1), np.sum(a * b, axis=1))
    np.testing.assert_allclose(rotation_angle(turn), between, atol=1e-12)


@pytest.mark.parametrize("angle", [0.0, 1e-9, 1e-3, np.pi / 2, np.pi - 1e-3])
def test_a_swing_is_exact_from_no_angle_to_nearly_180_degrees(angle):
    a = unit_vectors(3, 10)
    axis = perpendicular(a)
    np.testing.assert_allclose(
        swing(a, np.einsum("nij,nj->ni", axis_angle(axis, angle), a)), axis_angle(axis, angle), atol=1e-11
    )


def test_a_swing_to_the_opposite_direction_turns_about_the_given_axis_or_any():
    a = unit_vectors(5, 10)
    axis = perpendicular(a)
    np.testing.assert_allclose(swing(a, -a, fallback=axis), half_turn(axis), atol=1e-12)
    assert_rotations(swing(a, -a))
    np.testing.assert_allclose(np.einsum("nij,nj->ni", swing(a, -a), a), -a, atol=1e-12)


@quick
@given(seeds)
def test_a_swing_moves_along_with_a_rotation_of_both_directions(seed):
    a, b = unit_vectors(seed, 5), unit_vectors(seed + 1, 5)
    turn = random_rotation(np.random.default_rng(seed))
    np.testing.assert_allclose(swing(a @ turn.T, b @ turn.T), turn @ swing(a, b) @ turn.T, atol=1e-12)


@quick
@given(seeds, st.integers(3, 8))
def test_kabsch_is_the_least_squares_rotation_that_scipy_finds(seed, count):
    rng = np.random.default_rng(seed)
    source = rng.normal(size=(count, 3))
    target = source @ random_rotation(rng).T + 0.3 * rng.normal(size=(count, 3)) + 5
    weights = rng.uniform(0.5, 2, count)
    mean_a, mean_b = (np.average(points, axis=0, weights=weights) for points in (source, target))
    expected, _ = Rotation.align_vectors(target - mean_b, source - mean_a, weights=weights)
    np.testing.assert_allclose(kabsch(source, target, weights), expected.as_matrix(), atol=1e-8)


def test_kabsch_never_reflects_even_if_the_target_is_a_mirror_image():
    source = np.random.default_rng(0).normal(size=(4, 6, 3))
    assert_rotations(kabsch(source, source * [-1, 1, 1]))


@quick
@given(seeds, st.floats(-3.1, 3.1))
def test_the_twist_of_a_swing_after_a_twist_is_that_twist(seed, angle):
    axis, other = unit_vectors(seed, 1)[0], unit_vectors(seed + 1, 1)[0]
    across = normalise(np.cross(axis, other))
    turn = axis_angle(across, 2.0) @ axis_angle(axis, angle)
    assert twist_angle(turn, axis) == pytest.approx(angle, abs=1e-9)
    assert twist_angle(axis_angle(across, 2.0), axis) == pytest.approx(0, abs=1e-12)


@quick
@given(seeds)
def test_quaternions_and_axis_angles_agree_with_scipy(seed):
    rng = np.random.default_rng(seed)
    quaternion, axis, angle = rng.normal(size=4), unit_vectors(seed, 1)[0], rng.uniform(-4, 4)
    expected = Rotation.from_quat(quaternion[[1, 2, 3, 0]]).as_matrix()
    np.testing.assert_allclose(from_quaternion(quaternion), expected, atol=1e-12)
    np.testing.assert_allclose(axis_angle(axis, angle), Rotation.from_rotvec(axis * angle).as_matrix(), atol=1e-12)


def test_random_rotations_are_spread_evenly():
    turns = random_rotation(np.random.default_rng(0), 4000)
    assert_rotations(turns)
    np.testing.assert_allclose(turns.mean(axis=0), 0, atol=0.05)
    # The angle of an evenly drawn rotation has density (1 - cos) / pi: mean pi / 2 + 2 / pi.
    assert rotation_angle(turns).mean() == pytest.approx(np.pi / 2 + 2 / np.pi, abs=0.03)


def test_a_zero_vector_cannot_be_normalised():
    with pytest.raises(ValueError, match="length zero"):
        normalise(np.zeros((2, 3)))
