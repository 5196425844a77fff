"""Joint angles as vectors: those that posed the hand, whatever its place and size."""

from __future__ import annotations

import numpy as np
import pytest

from rigging.fingers.kinematics import ANGLE_NAMES
from rigging.geometry.rotations import random_rotation
from rigging.hand.asset import load_asset
from rigging.poses.sampling.angles import ANGLES, joint_angles
from rigging.poses.sampling.procedural import ProceduralSource

ASSET = load_asset()
# Columns of ours and the model's angles (kinematics) that mean the same: MCP, PIP and DIP flexion of the fingers.
SAME = [
    (5 + 4 * number + place, ANGLE_NAMES.index(f"{finger}_{angle}"))
    for number, finger in enumerate(("index", "middle", "ring", "little"))
    for place, angle in ((0, "mcp_flex"), (2, "pip"), (3, "dip"))
]


@pytest.fixture(scope="module")
def clips():
    return list(ProceduralSource(count=60, seed=4).clips())


def test_they_are_the_angles_that_the_hand_was_posed_by(clips):
    joints = np.concatenate([clip.joints for clip in clips])
    truth = np.concatenate([clip.angles for clip in clips])
    found = joint_angles(ASSET, joints)
    assert found.shape == (len(joints), ANGLES)
    ours, theirs = zip(*SAME)
    errors = np.abs(found[:, ours] - truth[:, theirs])
    assert np.quantile(errors, 0.95) < np.radians(8)  # the palm hollows, which the model counts apart
    assert np.median(errors) < np.radians(3)


def test_they_do_not_depend_on_where_how_turned_and_how_large_the_hand_is(clips):
    rng = np.random.default_rng(0)
    joints = np.concatenate([clip.joints for clip in clips])
    moved = 1.3 * joints @ random_rotation(rng).T + rng.normal(size=3)
    np.testing.assert_allclose(joint_angles(ASSET, moved), joint_angles(ASSET, joints), atol=1e-4)


def test_a_finger_that_bends_changes_its_own_angles_alone():
    straight, bent = (ASSET.joints[None].astype(np.float64).copy() for _ in range(2))
    middle = straight[0, 12] - straight[0, 11]
    down = np.array([0.0, 0.0, -1.0])
    bent[0, 12] = straight[0, 11] + np.linalg.norm(middle) * down  # the tip of the middle finger points to the palm
    change = joint_angles(ASSET, bent) - joint_angles(ASSET, straight)
    assert np.flatnonzero(np.abs(change[0]) > 1e-6).tolist() == [5 + 4 + 3]
    assert change[0, 12] > 1
