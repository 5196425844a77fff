"""Joint orders, left and right: every data set's points come out as the same hand."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from layouts import hand, in_order, mirrored, moving_hand

from rigging.geometry.rotations import random_rotation
from rigging.hand.asset import load_asset
from rigging.poses.clip import PoseError
from rigging.poses.gate.checks import chirality
from rigging.poses.readers.mirror import mirror_points, mirror_up, palm_normal
from rigging.poses.readers.permutations import JOINT_ORDERS, NONE, joint_order, to_canonical


@pytest.mark.parametrize("name", JOINT_ORDERS)
def test_an_order_uses_every_point_at_most_once(name):
    order = joint_order(name)
    used = [i for i in order.indices if i != NONE]
    assert len(order.indices) == 21 and len(set(used)) == len(used) and set(used) <= set(range(order.count))


@pytest.mark.parametrize("name", [n for n, order in JOINT_ORDERS.items() if NONE not in order.indices])
def test_points_written_in_an_order_come_back(name):
    joints = moving_hand(2)
    np.testing.assert_array_equal(to_canonical(name, in_order(name, joints)), joints)


def test_a_joint_the_source_lacks_is_nan():
    joints = to_canonical("umetrack21", np.ones((2, 21, 3)))
    assert np.isnan(joints[:, 1]).all() and np.isfinite(np.delete(joints, 1, axis=1)).all()


# One documented fact per data set: (order, canonical joint, the source's index for it).
@pytest.mark.parametrize(
    ("name", "joint", "index"),
    [
        ("rhd", 4, 1),  # hand3d: tip first within a finger
        ("rhd", 8, 5),
        ("stb", 1, 17),  # README: palm, little, ring, middle, index, thumb
        ("stb", 17, 1),
        ("mhp", 17, 9),  # F1 is the third block of four, KNU1_B its second line
        ("interhand", 0, 20),
        ("interhand", 20, 16),
        ("mano16_timrl", 4, 16),  # tips appended as thumb, index, middle, ring, little
        ("mano16_timrl", 20, 20),
        ("mano16_imlrt", 4, 20),  # tips appended as index, middle, little, ring, thumb
        ("mano16_imlrt", 16, 19),
        ("nyu36", 5, 23),  # KNU1_B, not KNU1_A = 22
        ("nyu36", 20, 0),
        ("webxr25", 5, 6),  # 5 is the index metacarpal
        ("umetrack21", 4, 0),
    ],
)
def test_the_table_says_what_the_data_sets_say(name, joint, index):
    assert joint_order(name).indices[joint] == index


def test_the_wrist_behind_a_palm_centre_follows_the_chosen_finger():
    joints = moving_hand(1)
    for finger, mcp in (("ring", 13), ("middle", 9)):
        palm = joints.copy()
        palm[:, 0] = (joints[:, 0] + joints[:, mcp]) / 2
        restored = to_canonical("stb", in_order("stb", palm), wrist_from=finger)
        np.testing.assert_allclose(restored, joints, atol=1e-12)
    with pytest.raises(PoseError, match="has a wrist"):
        to_canonical("rhd", in_order("rhd", joints), wrist_from="ring")


def test_unknown_orders_and_shapes_are_named():
    with pytest.raises(PoseError, match="'nyu' is unknown, allowed are canonical, freihand"):
        to_canonical("nyu", np.zeros((21, 3)))
    with pytest.raises(PoseError, match=r"shape \(42, 3\), allowed is \(\.\.\., 21, 3\)"):
        to_canonical("interhand", np.zeros((42, 3)))


def test_the_palm_normal_of_a_right_hand_leaves_its_palm():
    np.testing.assert_allclose(palm_normal(load_asset().joints), (0, 0, -1), atol=0.05)


@settings(deadline=None, max_examples=25)
@given(bend=st.floats(0.2, 1.2), seed=st.integers(0, 10**6))
def test_a_bent_hand_tells_left_from_right_in_any_orientation(bend, seed):
    joints = hand(bend) @ random_rotation(np.random.default_rng(seed)).T
    assert chirality(joints)[0] > 0.01
    np.testing.assert_allclose(chirality(mirrored(joints)), -chirality(joints), atol=1e-12)


def test_a_flat_hand_abstains():
    joints = hand(0.0)
    joints[..., 2] = 0
    assert abs(chirality(joints)[0]) < 1e-12


def test_mirroring_twice_is_nothing_and_once_swaps_the_hand():
    joints = moving_hand(2)
    np.testing.assert_array_equal(mirror_points(mirror_points(joints)), joints)
    np.testing.assert_array_equal(mirror_points(joints), mirrored(joints))
    assert mirror_up((0.6, 0.8, 0.0)) == (-0.6, 0.8, 0.0) and mirror_up(None) is None
