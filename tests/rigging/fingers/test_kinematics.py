"""Forward kinematics: angles mean what their names say, and bone lengths never change."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rigging.fingers.hinges import hinge_axes, rest_directions
from rigging.fingers.kinematics import (
    ANGLE_NAMES,
    ANGLES,
    angle_limits,
    bone_frames,
    bone_rotations,
    forward,
    place_joints,
    rotate,
    skeleton,
)
from rigging.hand.asset import load_asset
from rigging.joints import JOINT_PARENTS

HAND = skeleton(load_asset())


def straight() -> np.ndarray:
    angles = np.zeros(ANGLES)
    angles[:2] = np.radians((45, 19))
    return angles


def bent(name: str, degrees: float) -> np.ndarray:
    angles = straight()
    angles[ANGLE_NAMES.index(name)] = np.radians(degrees)
    return forward(HAND, angles)


def within_limits(fractions: list[float]) -> np.ndarray:
    low, high = angle_limits().T
    return low + np.array(fractions) * (high - low)


poses = st.lists(st.floats(0, 1), min_size=ANGLES, max_size=ANGLES).map(within_limits)


def test_straight_fingers_lie_in_the_palm_plane_with_phalanges_in_line() -> None:
    joints = forward(HAND, straight())
    for finger in range(1, 5):
        chain = np.diff(joints[4 * finger + 1 : 4 * finger + 5], axis=0)
        directions = chain / np.linalg.norm(chain, axis=1, keepdims=True)
        np.testing.assert_allclose(directions, directions[:1].repeat(3, axis=0), atol=1e-12)
        assert abs(directions[0, 2]) < 1e-12
        assert directions[0, 1] > 0.99


@pytest.mark.parametrize("finger", ["index", "middle", "ring", "little"])
def test_flexion_moves_the_tip_to_the_palm_and_abduction_to_the_thumbs_side(finger: str) -> None:
    tip = 4 * (1 + ["index", "middle", "ring", "little"].index(finger)) + 4
    rest = forward(HAND, straight())
    for joint in ("mcp_flex", "pip", "dip"):
        assert bent(f"{finger}_{joint}", 30)[tip, 2] < rest[tip, 2] - 0.005
    assert bent(f"{finger}_mcp_abd", 10)[tip, 0] < rest[tip, 0] - 0.005


def test_thumb_angles_place_the_metacarpal_and_flexion_brings_the_tip_across_the_palm() -> None:
    joints = forward(HAND, straight())
    direction = (joints[2] - joints[1]) / np.linalg.norm(joints[2] - joints[1])
    np.testing.assert_allclose(np.degrees(np.arctan2(-direction[0], direction[1])), 45, atol=1e-9)
    np.testing.assert_allclose(np.degrees(np.arcsin(-direction[2])), 19, atol=1e-9)
    assert bent("thumb_mcp", 40)[4, 0] > joints[4, 0] + 0.01
    assert bent("thumb_ip", 40)[4, 0] > joints[4, 0] + 0.005


def test_pronation_turns_the_thumbs_pad_from_the_ulnar_side_towards_the_fingers() -> None:
    opposed = straight()
    opposed[:2] = np.radians((5, 50))
    pads = bone_frames(HAND, np.stack([straight(), opposed]))[:, 4, :, 2]
    assert pads[0, 0] > 0.7  # at the side of the hand it faces the other fingers
    assert pads[0, 2] < 0 < 0.2 < pads[1, 2]  # opposed, it has turned back to the palm


def test_cup_moves_only_its_own_finger_towards_the_palm() -> None:
    rest, cupped = forward(HAND, straight()), bent("little_cup", 10)
    assert cupped[17, 2] < rest[17, 2] - 0.005
    np.testing.assert_array_equal(cupped[:17], rest[:17])


@settings(deadline=None, max_examples=20)
@given(poses)
def test_bone_lengths_never_change_and_frames_are_rotations(angles: np.ndarray) -> None:
    frames = bone_frames(HAND, angles)
    joints = place_joints(HAND, frames)
    parents = list(JOINT_PARENTS[1:])
    lengths = np.linalg.norm(joints[1:] - joints[parents], axis=1)
    np.testing.assert_allclose(lengths, np.linalg.norm(HAND.joints[1:] - HAND.joints[parents], axis=1), atol=1e-12)
    np.testing.assert_allclose(frames @ np.swapaxes(frames, -1, -2), np.eye(3) * np.ones((21, 1, 1)), atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(frames), 1, atol=1e-12)


@settings(deadline=None, max_examples=20)
@given(poses)
def test_bone_rotations_carry_rest_directions_to_posed_ones(angles: np.ndarray) -> None:
    frames = bone_frames(HAND, angles)
    turned = np.einsum("bij,bj->bi", bone_rotations(HAND, frames), rest_directions(HAND.joints))
    np.testing.assert_allclose(turned, frames[:, :, 1], atol=1e-12)


def test_a_batch_equals_its_poses_one_by_one() -> None:
    angles = np.random.default_rng(0).uniform(*angle_limits().T, size=(2, 3, ANGLES))
    batch = forward(HAND, angles)
    for i, j in np.ndindex(2, 3):
        np.testing.assert_allclose(batch[i, j], forward(HAND, angles[i, j]), atol=1e-15)


def test_global_rotation_follows_the_right_hand_rule() -> None:
    joints = forward(HAND, straight())
    turned = rotate(joints, np.array([0, 0, np.pi / 2]))
    np.testing.assert_allclose(turned, np.stack([-joints[:, 1], joints[:, 0], joints[:, 2]], axis=1), atol=1e-12)
    np.testing.assert_array_equal(rotate(joints, np.zeros(3)), joints)


def test_hinge_axes_are_unit_perpendicular_to_bones_and_bend_towards_the_palm() -> None:
    asset = load_asset()
    axes, dorsal = hinge_axes(asset)
    bones = rest_directions(asset.joints)
    np.testing.assert_allclose(np.sum(axes * bones, axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(axes, axis=1), 1, atol=1e-12)
    assert (dorsal[1:, 2] > 0.5).all()
    assert (np.cross(axes[5:], bones[5:])[:, 2] < -0.5).all()


def test_wrong_number_of_angles_is_named() -> None:
    with pytest.raises(ValueError, match=r"\(2, 22\), expected \(..., 23\)"):
        forward(HAND, np.zeros((2, 22)))
