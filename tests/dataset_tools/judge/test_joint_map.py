"""The judge's fixed joint map: constants in the palm's axes, the same for both hands, any size and any pose."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from dataset_tools.judge.joint_map import MAPPED, OFFSETS, expected, mapped
from docs.figures.judge import least_absolute, slopes
from rigging.hand.asset import load_asset
from rigging.spin.posed import MIRROR

RIGHT = load_asset().joints  # (21, 3) m: a right hand with its fingers along +y
SEEDS = st.integers(0, 2**32 - 1)


def flat_hand() -> np.ndarray:
    """Joints (21, 3) of a right hand whose palm's axes are x (to the little finger), y (to the knuckles) and z."""
    joints = np.zeros((21, 3))
    joints[[5, 9, 13, 17]] = [(-3, 10, 0), (-1, 10, 0), (1, 10, 0), (3, 10, 0)]
    return joints


def test_points_of_the_palm_move_by_palm_lengths_along_its_axes():
    joints, offsets = flat_hand(), np.arange(18).reshape(6, 3) / 100
    moved = mapped(joints, "right", offsets) - joints
    length = np.sqrt(1 + 100)  # from the wrist to the middle MCP, (-1, 10, 0)
    for row, joint in enumerate((0, 1, 5, 9, 13, 17)):
        assert moved[joint] == pytest.approx(length * offsets[row])
    assert not moved[[2, 3, 4, 6, 7, 8, 10, 11, 12, 14, 15, 16, 18, 19, 20]].any(), "what moves with a finger stays"


def test_the_detector_s_wrist_is_nearer_the_knuckles_than_ours():
    moved = dict(zip(MAPPED, OFFSETS))
    assert 0.1 < moved[0][1] < 0.3
    assert np.abs(OFFSETS[1:]).max() < 0.06


@given(SEEDS)
def test_the_map_goes_with_the_hand(seed):
    rng = np.random.default_rng(seed)
    turn, size, shift = Rotation.random(random_state=seed).as_matrix(), rng.uniform(0.5, 2), rng.normal(size=3)
    moved = size * RIGHT @ turn.T + shift
    assert mapped(moved, "right") == pytest.approx(size * mapped(RIGHT, "right") @ turn.T + shift, abs=1e-9)


def test_a_left_hand_is_mapped_as_the_mirror_image_of_a_right_one():
    assert mapped(RIGHT * MIRROR, "left") == pytest.approx(mapped(RIGHT, "right") * MIRROR, abs=1e-12)


def camera(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """`K` (1, 3, 3) and `world_to_cam` (1, 4, 4) of a camera about 0.6 m from the origin."""
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.random(random_state=seed).as_matrix()
    matrix[:3, 3] = (0.03, -0.02, 0.6)
    return np.array([[[240.0, 0, 64], [0, 240, 64], [0, 0, 1]]]), matrix[None]


def test_points_are_expected_where_the_mapped_joints_project():
    K, matrix = camera(3)
    points = mapped(RIGHT, "right")
    got = expected(RIGHT, "right", K, matrix)[0]
    for joint in range(21):
        x, y, z = matrix[0, :3, :3] @ points[joint] + matrix[0, :3, 3]
        assert got[joint] == pytest.approx((240 * x / z + 64, 240 * y / z + 64))


@given(SEEDS)
def test_slopes_of_the_fit_are_those_of_the_projection(seed):
    K, matrix = camera(seed)
    axes, step = Rotation.random(random_state=seed // 2).as_matrix(), 1e-6
    got = slopes(RIGHT[5], axes, K, matrix)[0]
    for k in range(3):
        ends = [_pixel(RIGHT[5] + sign * step * axes[:, k], K[0], matrix[0]) for sign in (-1, 1)]
        assert got[:, k] == pytest.approx((ends[1] - ends[0]) / (2 * step), rel=1e-4, abs=1e-3)


def _pixel(point: np.ndarray, K: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    x, y, z = matrix[:3, :3] @ point + matrix[:3, 3]
    return np.array([K[0, 0] * x / z + K[0, 2], K[1, 1] * y / z + K[1, 2]])


def test_the_fit_finds_an_offset_through_gross_errors():
    rng = np.random.default_rng(5)
    slope, offset = rng.normal(size=(400, 2, 3)), np.array([-0.02, 0.2, -0.05])
    gap = slope @ offset + rng.normal(0, 0.01, (400, 2))
    gap[:60] += 3  # hands that were not understood
    assert least_absolute(slope, gap) == pytest.approx(offset, abs=0.01)
    mean = np.linalg.lstsq(slope.reshape(-1, 3), gap.ravel(), rcond=None)[0]
    assert np.abs(mean - offset).max() > 0.02, "least squares does not"
