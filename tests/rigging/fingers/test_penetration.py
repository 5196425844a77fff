"""Self-penetration by capsules, against brute force, by hand, and against the skinned mesh."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rigging.fingers.kinematics import ANGLE_NAMES, ANGLES, angle_limits, forward, rotate, skeleton
from rigging.fingers.penetration import PAIRS, PHALANGES, RADII, capsule_radii, penetration_depth, segment_distance
from rigging.hand.asset import load_asset
from rigging.poses.sampling.anchors import hand_flesh

HAND = skeleton(load_asset())


def pose(**degrees: float) -> np.ndarray:
    angles = np.zeros(ANGLES)
    angles[:2] = np.radians((45, 19))
    for name, value in degrees.items():
        angles[ANGLE_NAMES.index(name)] = np.radians(value)
    return angles


def random_hands(count: int, seed: int = 0) -> np.ndarray:
    return forward(HAND, np.random.default_rng(seed).uniform(*angle_limits().T, size=(count, ANGLES)))


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000))
def test_segment_distance_equals_a_dense_search(seed: int) -> None:
    p, q = np.random.default_rng(seed).normal(size=(2, 1, 2, 3))
    grid = np.linspace(0, 1, 201)[:, None]
    first, second = (x[0, 0] + grid * (x[0, 1] - x[0, 0]) for x in (p, q))
    dense = np.linalg.norm(first[:, None] - second[None], axis=-1).min()
    distance, s, t = segment_distance(p, q)
    assert distance[0] <= dense + 1e-12
    assert dense - distance[0] < 0.05
    gap = p[0, 0] + s[0] * (p[0, 1] - p[0, 0]) - q[0, 0] - t[0] * (q[0, 1] - q[0, 0])
    np.testing.assert_allclose(np.linalg.norm(gap), distance[0], atol=1e-12)


def test_parallel_and_degenerate_segments() -> None:
    p = np.array([[[0, 0, 0], [1, 0, 0]], [[0, 0, 0], [0, 0, 0]]], dtype=float)
    q = np.array([[[0, 2, 0], [1, 2, 0]], [[3, 4, 0], [3, 4, 0]]], dtype=float)
    np.testing.assert_allclose(segment_distance(p, q)[0], [2, 5])


def test_an_open_hand_and_the_rest_pose_do_not_penetrate() -> None:
    assert penetration_depth(hand_flesh(HAND, pose())) == 0
    assert penetration_depth(load_asset().joints) == 0


def test_closed_flat_fingers_touch_at_their_sides_without_counting() -> None:
    closed = pose(index_mcp_abd=-10, ring_mcp_abd=4, little_mcp_abd=8)
    assert penetration_depth(hand_flesh(HAND, closed)) == 0


def test_thumb_through_a_finger_and_finger_through_the_palm_are_found() -> None:
    through = pose(thumb_radial=0, thumb_palmar=5, index_mcp_flex=20)
    into_palm = pose(middle_mcp_flex=90, middle_pip=110, middle_dip=90, middle_mcp_abd=0)
    crossing = pose(index_mcp_abd=-19, middle_mcp_abd=16)
    depth = penetration_depth(hand_flesh(HAND, np.stack([through, into_palm, crossing])))
    assert (depth > 0.003).all()


def test_deeper_overlap_is_deeper() -> None:
    poses = np.stack([pose(index_mcp_abd=-angle, middle_mcp_abd=12) for angle in (8, 11, 14, 17)])
    assert (np.diff(penetration_depth(hand_flesh(HAND, poses))) > 0).all()


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 1000), st.floats(0.5, 2))
def test_depth_ignores_place_and_orientation_and_scales_with_the_hand(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    joints = random_hands(20, seed)
    moved = rotate(joints, rng.normal(size=3)) + rng.normal(size=3)
    depth = penetration_depth(joints)
    np.testing.assert_allclose(penetration_depth(moved), depth, atol=1e-9)
    np.testing.assert_allclose(penetration_depth(scale * joints), scale * depth, atol=1e-9)
    assert (depth > 0).any()


def test_batches_of_any_shape_and_nan() -> None:
    joints = random_hands(12)
    joints[3, 5] = np.nan
    batch = penetration_depth(joints.reshape(3, 4, 21, 3))
    assert batch.shape == (3, 4)
    assert np.isnan(batch[0, 3])
    single = [float(penetration_depth(hand)) for hand in joints]
    np.testing.assert_allclose(batch.ravel(), single)


def test_wrong_shape_is_named() -> None:
    with pytest.raises(ValueError, match=r"\(20, 3\)"):
        penetration_depth(np.zeros((20, 3)))


def test_neighbouring_bones_are_never_tested_against_each_other() -> None:
    assert all(second >= 15 or first // 3 != second // 3 for first, second in PAIRS)


def test_radii_are_those_of_the_shipped_hand() -> None:
    measured = capsule_radii(load_asset())[list(PHALANGES)].mean(axis=1)
    np.testing.assert_allclose(RADII[list(PHALANGES)].mean(axis=1), measured, atol=0.0015)
