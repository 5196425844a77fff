"""One meaning of joint angles: whoever poses by them, whoever reads them, and the limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rigging.fingers.angles import bend, direction_angles, joint_turns
from rigging.fingers.chains import finger_chains
from rigging.fingers.hinges import hinge_axes
from rigging.fingers.ik import closed_form, palm_directions
from rigging.fingers.kinematics import ANGLE_NAMES, ANGLES, angle_limits, forward, skeleton
from rigging.fingers.limits import LIMITS
from rigging.geometry.rotations import random_rotation
from rigging.hand.asset import load_asset
from rigging.joints import FINGER_NAMES

ASSET = load_asset()
HAND = skeleton(ASSET)
CHAINS = finger_chains(ASSET.joints, hinge_axes(ASSET)[1])
seeds = st.integers(0, 2**32 - 1)
quick = settings(max_examples=10, deadline=None)
# name among the authored angles; finger, joint of its chain and angle of that joint as inverse kinematics counts them
SAME = [
    ("thumb_mcp", 0, 1, 0), ("thumb_mcp_abd", 0, 1, 1), ("thumb_ip", 0, 2, 0),
    *(
        (f"{FINGER_NAMES[finger]}_{name}", finger, joint, angle)
        for finger in range(1, 5)
        for name, joint, angle in (("mcp_flex", 0, 0), ("mcp_abd", 0, 1), ("pip", 1, 0), ("dip", 2, 0))
    ),
]  # fmt: skip


@quick
@given(seeds)
def test_bending_is_the_joints_turn_without_twist(seed):
    rng = np.random.default_rng(seed)
    frames, angles = random_rotation(rng, 6), rng.uniform(-2, 2, (6, 3)) * [1, 1, 0]
    turned = frames @ joint_turns(angles)[0]
    np.testing.assert_allclose(bend(frames, angles[:, 0], angles[:, 1]), turned, atol=1e-14)
    angles[:, 1] = 0
    np.testing.assert_allclose(bend(frames, angles[:, 0]), frames @ joint_turns(angles)[0], atol=1e-14)


@quick
@given(seeds)
def test_angles_of_a_bent_bone_are_read_back_from_its_direction(seed):
    rng = np.random.default_rng(seed)
    frames, angles = random_rotation(rng, 6), rng.uniform(-1.4, 1.4, (6, 2))
    found = direction_angles(frames, bend(frames, *angles.T)[..., 1])
    np.testing.assert_allclose(found, np.pad(angles, ((0, 0), (0, 1))), atol=1e-12)


def read_back(angles: np.ndarray) -> np.ndarray:
    """Angles (5, 3, 3) that inverse kinematics reads off the hand posed by `angles` (23,)."""
    joints = forward(HAND, angles)[None]
    targets = palm_directions(joints, np.eye(3)[None])
    return np.stack([closed_form(chain, targets[:, [bone - 1 for bone in chain.bones]])[0] for chain in CHAINS])


@pytest.mark.parametrize(("name", "finger", "joint", "angle"), SAME)
def test_an_authored_angle_that_grows_is_read_as_that_angle_growing_as_much(name, finger, joint, angle):
    angles = np.zeros(ANGLES)
    angles[:2] = np.radians((45, 19))
    angles[[ANGLE_NAMES.index(bent) for bent in ANGLE_NAMES if bent.endswith(("flex", "pip", "dip", "ip"))]] = 0.3
    more = angles.copy()
    more[ANGLE_NAMES.index(name)] += 0.05
    change = read_back(more) - read_back(angles)
    assert change[finger, joint, angle] == pytest.approx(0.05, rel=0.2)
    assert np.abs(np.delete(change, finger, axis=0)).max() < 1e-9


@pytest.mark.parametrize("finger", FINGER_NAMES)
def test_authored_angles_have_the_limits_of_their_joints(finger):
    rows = dict(zip(ANGLE_NAMES, angle_limits()))
    mcp, last = LIMITS[f"{finger}_mcp"], "ip" if finger == "thumb" else "dip"
    np.testing.assert_array_equal(rows[f"{finger}_mcp" if finger == "thumb" else f"{finger}_mcp_flex"], mcp.flexion)
    np.testing.assert_array_equal(rows[f"{finger}_mcp_abd"], mcp.abduction)
    np.testing.assert_array_equal(rows[f"{finger}_{last}"], LIMITS[f"{finger}_{last}"].flexion)
