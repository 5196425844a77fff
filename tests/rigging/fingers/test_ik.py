"""Inverse kinematics: angles in, angles out; limits; and the twist it brings to spin matching."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rigging.fingers.chains import chain_rotations, direction_jacobian, finger_chains, pose_rotations
from rigging.fingers.hinges import hinge_axes
from rigging.fingers.ik import fit_angles
from rigging.fingers.limits import DIP_PIP_RATIO, LIMITS, THUMB_PRONATION, limits_array
from rigging.geometry.rotations import normalise, random_rotation, rotation_angle, twist_angle
from rigging.hand.asset import load_asset
from rigging.joints import JOINT_NAMES, JOINT_PARENTS, TIP_JOINTS
from rigging.spin.match import match

REST = load_asset().joints
HINGES, DORSAL = hinge_axes(load_asset())
CHAINS = finger_chains(REST, DORSAL)
PARENTS = list(JOINT_PARENTS[1:])
FINGER_BONES = [bone for bone in range(6, 21) if bone % 4 != 1]
THUMB_BONES = [2, 3, 4]
seeds = st.integers(0, 2**32 - 1)
quick = settings(max_examples=5, deadline=None)


def draw_angles(seed: int, count: int = 40) -> np.ndarray:
    """Joint angles (count, 21, 3) within limits that keep to the couplings."""
    rng = np.random.default_rng(seed)
    angles = np.zeros((count, 21, 3))
    for chain in CHAINS:
        joints = [bone - 1 for bone in chain.bones]
        angles[:, joints] = chain.lower + rng.uniform(0.05, 0.95, (count, 3, 3)) * (chain.upper - chain.lower)
    angles[:, 1, 2] = THUMB_PRONATION * angles[:, 1, 0]
    for dip in (7, 11, 15, 19):
        angles[:, dip, 0] = DIP_PIP_RATIO * angles[:, dip - 1, 0]
    return angles


def pose(angles: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Joints (T, 21, 3) and rotations (T, 21, 3, 3) of the rig with these angles, each frame turned at random."""
    turns = random_rotation(np.random.default_rng(seed), len(angles))[:, None] @ pose_rotations(CHAINS, angles)
    joints = np.zeros((len(angles), 21, 3))
    for bone, parent in enumerate(PARENTS, start=1):
        joints[:, bone] = joints[:, parent] + turns[:, bone] @ (REST[bone] - REST[parent])
    return joints, turns


def twist_errors(mode: str, joints: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """(T, 20) twist of the matched bones against the true ones, degrees."""
    result = match(REST, joints, mode, dorsal=DORSAL)
    axes = normalise(joints[:, 1:] - joints[:, PARENTS])
    error = result.rotations[:, 1:] @ np.swapaxes(truth[:, 1:], -1, -2)
    return np.rad2deg(np.abs(twist_angle(error, axes)))


def test_the_angles_of_the_rest_pose_give_the_rest_pose():
    angles = np.zeros((1, 21, 3))
    for chain in CHAINS:
        angles[:, [bone - 1 for bone in chain.bones]] = chain.rest_angles
    np.testing.assert_allclose(pose_rotations(CHAINS, angles)[0], np.repeat(np.eye(3)[None], 21, 0), atol=1e-12)


def test_flexion_bends_to_the_palm_and_abduction_to_the_thumb():
    base = np.zeros((1, 21, 3))
    for chain in CHAINS:
        base[:, [bone - 1 for bone in chain.bones]] = chain.rest_angles
    bent, spread = base.copy(), base.copy()
    bent[0, [6, 10, 14, 18], 0] += 0.5
    spread[0, [5, 9, 13, 17], 1] += 0.2
    straight = pose_rotations(CHAINS, base)[0]
    for bone in (7, 11, 15, 19):
        direction = REST[bone] - REST[bone - 1]
        assert ((pose_rotations(CHAINS, bent)[0, bone] - straight[bone]) @ direction)[2] < 0  # the palm is at -z
    for bone in (6, 10, 14, 18):
        direction = REST[bone] - REST[bone - 1]
        assert ((pose_rotations(CHAINS, spread)[0, bone] - straight[bone]) @ direction)[0] < 0  # the thumb is at -x


@quick
@given(seeds)
def test_the_jacobian_is_the_finite_difference(seed):
    rng = np.random.default_rng(seed)
    chain, angles = CHAINS[seed % 5], rng.uniform(-1, 1, (3, 3, 3))

    def directions(values):
        return np.einsum("tkij,kj->tki", chain_rotations(chain, values)[0], chain.directions)

    jacobian = direction_jacobian(directions(angles), chain_rotations(chain, angles)[1])
    for index in range(9):
        step = np.zeros(9)
        step[index] = 1e-6
        step = step.reshape(3, 3)
        difference = (directions(angles + step) - directions(angles - step)) / 2e-6
        np.testing.assert_allclose(jacobian[..., index], difference, atol=1e-8)


@quick
@given(seeds)
def test_angles_within_limits_come_back(seed):
    angles = draw_angles(seed)
    joints, turns = pose(angles, seed)
    found = fit_angles(CHAINS, joints, turns[:, 0])
    np.testing.assert_allclose(np.rad2deg(found), np.rad2deg(angles), atol=0.05)


@quick
@given(seeds)
def test_a_pose_of_the_rig_is_matched_exactly_by_ik_and_by_palm_up_to_a_twist(seed):
    joints, turns = pose(draw_angles(seed), seed)
    result = match(REST, joints, "ik", dorsal=DORSAL)
    error = rotation_angle(np.swapaxes(turns, -1, -2) @ result.rotations)
    assert np.rad2deg(error).max() < 0.05
    np.testing.assert_allclose(result.joints, joints, atol=1e-9)
    palm = twist_errors("palm", joints, turns)
    assert 1 < palm[:, [bone - 1 for bone in FINGER_BONES]].mean() < 6
    assert palm[:, [bone - 1 for bone in THUMB_BONES]].mean() < 15


def test_with_noisy_joints_ik_twists_fingers_less_wrongly_than_palm_and_palm_than_paper():
    angles = draw_angles(0, 300)
    joints, turns = pose(angles, 0)
    noisy = joints + 0.002 * np.random.default_rng(0).normal(size=joints.shape)
    chosen = [bone - 1 for bone in FINGER_BONES]
    errors = {mode: twist_errors(mode, noisy, turns)[:, chosen].mean() for mode in ("ik", "palm", "paper")}
    assert errors["ik"] < 0.7 * errors["palm"]
    assert errors["palm"] < 0.8 * errors["paper"]


@quick
@given(seeds)
def test_fitted_angles_are_within_limits_whatever_the_joints(seed):
    rng = np.random.default_rng(seed)
    joints = REST + 0.02 * rng.normal(size=(10, 21, 3))
    found = fit_angles(CHAINS, joints, np.repeat(np.eye(3)[None], 10, 0))
    for chain in CHAINS:
        own = found[:, [bone - 1 for bone in chain.bones]]
        assert (own >= chain.lower).all()
        assert (own <= chain.upper).all()


@quick
@given(seeds)
def test_turning_the_target_turns_the_ik_match(seed):
    joints = REST + 0.004 * np.random.default_rng(seed).normal(size=(10, 21, 3))
    turn = random_rotation(np.random.default_rng(seed))
    one, other = (match(REST, target, "ik", dorsal=DORSAL).rotations for target in (joints, joints @ turn.T))
    assert np.rad2deg(rotation_angle(np.swapaxes(turn @ one, -1, -2) @ other)).max() < 1e-3


def test_the_rest_pose_is_within_the_limits():
    for chain in CHAINS:
        assert (chain.rest_angles >= chain.lower).all()
        assert (chain.rest_angles <= chain.upper).all()


def test_limits_are_ordered_contain_zero_and_leave_the_tips_alone():
    limits = limits_array()
    assert limits.shape == (21, 3, 2)
    assert (limits[..., 0] <= 0).all()
    assert (limits[..., 1] >= 0).all()
    assert set(LIMITS) == {name for joint, name in enumerate(JOINT_NAMES) if joint not in TIP_JOINTS}
    assert (limits[list(TIP_JOINTS)] == 0).all()
    assert limits[6, 0] == pytest.approx(np.deg2rad([-10, 110]))  # index PIP flexion, Lin et al. 2000
