"""The palm is rigid: wrist and MCPs always, the thumb's CMC where it does not move with its thumb."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from layouts import hand, moving_hand

from rigging.geometry.rotations import axis_angle, random_rotation
from rigging.poses.clip import PoseClip
from rigging.poses.gate.gate import gate
from rigging.poses.gate.palm import carpometacarpal_residual, in_palm_frame, palm_residual
from rigging.poses.gate.settings import GateSettings
from rigging.poses.rejects import count_reasons

LIMIT = GateSettings().palm


def swung(joints: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """The thumb with its CMC turned about the wrist in the palm's plane by `angle` (T,) radians; lengths stay."""
    joints = joints.copy()
    normal = np.cross(joints[:, 5] - joints[:, 0], joints[:, 17] - joints[:, 0])
    turn = axis_angle(normal / np.linalg.norm(normal, axis=-1, keepdims=True), angle)
    joints[:, 1:5] = joints[:, :1] + np.einsum("tij,tkj->tki", turn, joints[:, 1:5] - joints[:, :1])
    return joints


def counts(joints: np.ndarray) -> dict[str, int]:
    return count_reasons(gate([PoseClip(joints=joints, name="a", subject="s", source="test", licence="CC0")]).rejects)


@pytest.mark.parametrize("share", [0.15, 0.4, 0.9], ids=["in few frames", "in many frames", "in most frames"])
def test_a_cmc_that_goes_with_its_thumb_is_no_broken_palm(share):
    """As Quest headsets record it (immersive-web/webxr-hand-input#1): the CMC moves by 18 mm, wrist and MCPs do not."""
    joints = np.repeat(hand(0.3), 40, axis=0)
    moved = swung(joints, np.where(np.arange(40) < share * 40, -0.45, 0.0))
    assert 0.015 < np.linalg.norm(moved[0, 1] - joints[0, 1]) < 0.025
    assert counts(moved) == {}
    assert counts(swung(moving_hand(40), -0.3 + 0.3 * np.sin(np.arange(40) / 3))) == {}


def test_a_cmc_that_leaves_its_place_once_is():
    joints = moving_hand(40)
    assert counts(swung(joints, np.where(np.arange(40) == 11, -0.7, 0.0))) == {"palm": 1}
    joints[[7, 21, 30], 1] += 0.03 * np.eye(3)
    assert sum(counts(joints).values()) == 3


def test_cupping_is_within_the_limit():
    """Ring and little MCP of the built-in hand at its widest cup, see fingers/limits.py."""
    from rigging.poses.sampling.procedural import ProceduralSource

    joints = np.concatenate([clip.joints for clip in ProceduralSource(count=300).clips()])
    assert np.mean(palm_residual(joints, np.zeros(len(joints), int)) > LIMIT) < 0.005


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 10**6), size=st.floats(0.5, 2.0))
def test_only_the_shape_of_a_palm_counts(seed, size):
    rng = np.random.default_rng(seed)
    joints = moving_hand(12, seed % 5)
    joints[:, :18] += 0.003 * rng.normal(size=(12, 18, 3))
    group = np.zeros(12, int)
    turned = np.einsum("tij,tkj->tki", random_rotation(rng, 12), joints) + rng.normal(size=(12, 1, 3))
    np.testing.assert_allclose(palm_residual(turned, group), palm_residual(joints, group), atol=1e-9)
    np.testing.assert_allclose(palm_residual(size * joints, group), size * palm_residual(joints, group), atol=1e-9)


def test_subjects_are_apart_and_unknown_ones_are_not_compared():
    joints = np.concatenate([moving_hand(6, 0), 1.3 * moving_hand(6, 1)])
    joints[3, 9] += 0.05
    group = np.repeat([0, 1], 6)
    together = palm_residual(joints, group)
    np.testing.assert_allclose(together[6:], palm_residual(joints[6:], group[:6]), atol=1e-12)
    assert not palm_residual(joints, np.full(12, -1)).any()


def naive_left_out(local: np.ndarray) -> np.ndarray:
    """Each frame's CMC predicted from a regression without that frame."""
    bones = local[:, 2:4] - local[:, 1:3]
    x = (bones / np.linalg.norm(bones, axis=-1, keepdims=True)).reshape(-1, 6)
    y, count = local[:, 1], len(local)
    x = np.concatenate([np.ones((count, 1)), x - x.mean(0)], axis=1)
    penalty = 1e-3 * count * np.diag([0, 1, 1, 1, 1, 1, 1])
    result = np.zeros(count)
    for row in range(count):
        others = np.arange(count) != row
        slope = np.linalg.solve(x[others].T @ x[others] + penalty, x[others].T @ y[others])
        result[row] = np.linalg.norm(y[row] - x[row] @ slope)
    return np.minimum(result, np.linalg.norm(y - np.median(y, axis=0), axis=-1))


def test_residuals_left_one_out_are_those_of_as_many_regressions():
    joints = swung(moving_hand(25), 0.3 * np.sin(np.arange(25)))
    joints += 0.002 * np.random.default_rng(3).normal(size=joints.shape)
    local, _, _ = in_palm_frame(joints)
    np.testing.assert_allclose(carpometacarpal_residual(local), naive_left_out(local), atol=1e-9)
