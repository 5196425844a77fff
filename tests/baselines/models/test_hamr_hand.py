"""What HAMR regresses: it goes on from the mean hand, three times, and no numbers break a hand."""

from __future__ import annotations

import model_cases
import pytest
import torch
from hamr_cases import far, made, truth

from baselines.geometry.camera import bone_lengths
from baselines.geometry.ik import bone_rotations
from baselines.geometry.rotations import to_6d
from baselines.layers.growing_hourglass import GrowingStack, StridedEncoder
from baselines.models.hamr import Hamr
from baselines.models.hamr_hand import HandNumbers, IterativeRegression, JointNumbers
from rigging.hand.asset import load_asset


def test_the_regression_adds_to_theta_what_it_makes_of_the_feature_and_theta():
    torch.manual_seed(0)
    start = torch.tensor([1.0, 0, 0, 0.5])
    regression = IterativeRegression(start, 6, 8, 0.4, 3).eval()
    feature, theta = torch.randn(2, 6), start.repeat(2, 1)
    for _ in range(3):
        theta = theta + regression.last(regression.layers(torch.cat([feature, theta], 1)))
    torch.testing.assert_close(regression(feature), theta)
    assert not torch.equal(regression.train()(feature), theta)  # drops out features


def test_there_are_22_numbers_as_published_and_three_of_the_forearm():
    published = made(turn="axis_angle", pose=6)
    assert len(published.regressor.start) == 3 + 3 + 6 + 10 + 3
    assert published.regressor.start[:3].tolist() == [1, 0, 0]
    assert len(made(mesh=False).regressor.start) == 3 + 60


def test_the_published_network_has_114_million_weights():
    config, counted = Hamr.Config(), 0
    with torch.device("meta"):
        stack = GrowingStack(config.stacks, config.width, config.growth, config.levels, config.maps)
        encoder = StridedEncoder(config.size // 4, config.width + config.maps, config.feature)
        regressor = IterativeRegression(torch.empty(25), config.feature, config.hidden, config.dropout, 3)
        for part in (stack, encoder, regressor):
            counted += sum(one.numel() for one in part.parameters())
    assert round(counted / 1e6, 1) == 113.8


@pytest.mark.parametrize("turn", ["axis_angle", "6d"])
def test_it_begins_with_the_mean_hand_upright(turn):
    numbers = HandNumbers(turn, 6, 10, "linear")
    joints = numbers(numbers.start()[None])["joints"][0]
    rest, asset = numbers.hand.rest().joints[0], load_asset()
    torch.testing.assert_close(bone_lengths(joints), bone_lengths(rest), atol=1e-5, rtol=0)
    assert joints[0].abs().max() == 0 and joints[12, 1] < -0.1  # the middle finger's tip is above the wrist
    flat = JointNumbers()
    torch.testing.assert_close(
        flat(flat.start()[None])["joints"][0, 9, 1], -torch.tensor(asset.joints[9, 1] - asset.joints[0, 1]).float()
    )


def test_a_true_rotation_and_size_turn_and_size_the_hand():
    """The rotation is from the upright rest pose; of the size the logarithm is regressed."""
    numbers, batch = HandNumbers("6d", 6, 10, "linear"), model_cases.batch(2)
    turn = bone_rotations(numbers.hand.joints, batch.joints_cam)[:, 0]
    theta = numbers.start().repeat(2, 1)
    theta[:, :6] = to_6d(turn @ numbers.upright)
    theta[:, 12] = 0.1
    palm = [0, 5, 9, 13, 17]
    found, true = numbers(theta)["joints"][:, palm], (batch.joints_cam - batch.joints_cam[:, :1])[:, palm]
    ratio = found.flatten(1).norm(dim=1) / true.flatten(1).norm(dim=1)
    torch.testing.assert_close(found / ratio[:, None, None], true, atol=1e-3, rtol=0)
    plain = numbers(numbers.start()[None])["joints"]
    torch.testing.assert_close(
        bone_lengths(numbers(theta)["joints"][:1]), 1.1044 * bone_lengths(plain), rtol=1e-3, atol=0
    )


def test_no_numbers_break_a_hand():
    numbers = HandNumbers("axis_angle", 6, 10, "dual_quaternion")
    hand = numbers(100 * torch.randn(4, sum(numbers.sizes), generator=torch.Generator().manual_seed(0)))
    assert all(torch.isfinite(points).all() and points.norm(dim=-1).max() < 0.45 for points in hand.values())
    lengths = bone_lengths(hand["joints"])
    assert lengths.min() > 0.005 and lengths.max() < 0.2  # m


def test_the_regression_learns_hands():
    """From features of their own, by Adam; the network before it plays no part."""
    estimator, batch, told = made(dropout=0.0, turn="6d", hidden=64), far(model_cases.batch(2)), []
    feature = torch.randn(2, 16, generator=torch.Generator().manual_seed(0))
    optimiser = torch.optim.Adam(estimator.regressor.parameters(), lr=3e-3)
    weights = {"joints": 1000.0, "image": 1.0, "geometry": 1.0, "camera": 0.1, "silhouette": 10.0}
    for _ in range(40):
        camera, numbers = estimator.regressor(feature).tensor_split([3], 1)
        output = truth(batch) | {"camera": camera} | estimator.hand(numbers)
        losses = estimator.losses(output, batch)
        optimiser.zero_grad()
        sum(weight * losses[name] for name, weight in weights.items()).backward()
        optimiser.step()
        told.append(losses)
    assert all(told[-1][name] < 0.75 * told[0][name] for name in ("joints", "image", "camera", "silhouette"))
