"""Direct linear blend skinning: the joints' network, and a mesh that hangs on just those joints as rigging skins it."""

from __future__ import annotations

from itertools import pairwise

import model_cases
import numpy as np
import pytest
import torch

from baselines import create_estimator
from baselines.layers.hand_layer import HandLayer
from baselines.models.direct_lbs import DirectLbs, hand_with_joints
from baselines.models.uvd import true_depth
from rigging.geometry.rotations import random_rotation
from rigging.hand.asset import load_asset
from rigging.hand.shape import RestHand, stretch_rest
from rigging.hand.skinning import linear_blend
from rigging.spin.match import match

ASSET = load_asset()


@pytest.fixture(scope="module")
def estimator() -> DirectLbs:
    torch.manual_seed(0)
    return create_estimator("direct_lbs", **model_cases.SMALL)


def some_joints(count: int) -> np.ndarray:
    """Joints (count, 21, 3) m of no hand's exact lengths, turned and moved away."""
    rng = np.random.default_rng(0)
    bent = 1.1 * ASSET.joints + rng.normal(0, 0.003, (count, 21, 3))
    return np.einsum("nij,nkj->nki", random_rotation(rng, count), bent) + [0.1, 0, 0.6]


def test_the_mesh_is_the_mean_hand_sized_stretched_and_turned_to_the_joints_by_rigging():
    joints = some_joints(3)
    hand = hand_with_joints(HandLayer("linear", dtype=torch.float64), torch.from_numpy(joints))
    for b, own in enumerate(joints):
        lengths = np.linalg.norm(np.diff(own[[0, 1]], axis=0)), *_lengths(own)[1:]
        size = sum(lengths) / sum(_lengths(ASSET.joints))
        rest = stretch_rest(RestHand(size * ASSET.template, size * ASSET.joints), ASSET, np.r_[0, lengths])
        expected = linear_blend(rest, ASSET, match(rest.joints, own[None], retarget="positions").rotations[0], own)
        np.testing.assert_allclose(hand.vertices[b], expected, atol=1e-9)
        np.testing.assert_allclose(hand.joints[b], own, atol=1e-12)


def _lengths(joints: np.ndarray) -> list[float]:
    """Of the 20 bones, finger by finger."""
    fingers = [joints[[0, *range(first, first + 4)]] for first in (1, 5, 9, 13, 17)]
    return [float(np.linalg.norm(end - start)) for finger in fingers for start, end in pairwise(finger)]


def test_joints_of_a_hand_at_rest_give_its_whole_mesh(estimator):
    """Of the mean hand, however large and turned, joints say all."""
    batch = model_cases.batch(2, sizes=(0.8, 1.3))
    found = hand_with_joints(estimator.hand, batch.joints_cam).vertices
    torch.testing.assert_close(found, batch.vertices_cam, atol=2e-6, rtol=0)


@pytest.mark.parametrize("oracle", [True, False])
def test_a_perfect_network_gives_exact_joints_and_their_mesh(estimator, oracle):
    batch = model_cases.batch(2)
    joints = torch.cat([batch.joints_2d / batch.size, true_depth(batch)[..., None]], -1)
    output = estimator(batch) | {"joints": joints, "size": torch.ones(2)}
    pose = estimator.pose(output, batch, oracle=oracle)
    torch.testing.assert_close(pose.joints_cam, batch.joints_cam, atol=1e-5, rtol=0)
    torch.testing.assert_close(pose.vertices_cam, batch.vertices_cam, atol=1e-5, rtol=0)


def test_weights_are_those_of_the_joints_network(estimator):
    assert set(estimator.state_dict()) == set(create_estimator("ge_joints", **model_cases.SMALL).state_dict())
    batch = model_cases.batch(2)
    assert set(estimator.losses(estimator(batch), batch)) == {"heatmap", "pose", "size"}
