"""HAMR: a regression that goes on from the mean hand, a hand that never breaks, losses, pose and ablations."""

from __future__ import annotations

import dataclasses

import model_cases
import pytest
import torch
from torch import Tensor

from baselines import create_estimator
from baselines.batch import Batch
from baselines.estimator import Output
from baselines.geometry.camera import bone_lengths, project
from baselines.geometry.ik import bone_rotations
from baselines.geometry.rotations import to_6d
from baselines.hamr_losses import DM, true_camera
from baselines.layers.growing_hourglass import GrowingStack, StridedEncoder
from baselines.layers.heatmap import gaussian_maps
from baselines.models.hamr import Hamr, placed
from baselines.models.hamr_hand import HandNumbers, IterativeRegression, JointNumbers
from rigging.errors import InputError
from rigging.hand.asset import load_asset

LOSSES = {"heatmap", "joints", "image", "geometry", "camera", "silhouette"}


def made(**settings: object) -> Hamr:
    torch.manual_seed(0)
    return create_estimator("hamr", **(model_cases.settings("hamr") | settings))


@pytest.fixture(scope="module")
def estimator() -> Hamr:
    return made().eval()


def truth(batch: Batch) -> Output:
    """What a perfect network says of the batch."""
    wrist = batch.joints_cam[:, :1]
    joints = batch.joints_cam - wrist
    seen = 2 * batch.joints_2d / batch.size - 1
    return {
        "heatmaps": gaussian_maps(batch.joints_2d, batch.size, batch.size // 4, 1.5)[:, None],
        "camera": true_camera(joints, seen),
        "joints": joints,
        "vertices": batch.vertices_cam - wrist,
    }


def far(batch: Batch, times: float = 25.0) -> Batch:
    """The same hands `times` as far away, seen as large: their perspective is all but weak."""
    middle = batch.joints_cam.mean(1, keepdim=True)
    moved = {name: getattr(batch, name) + (times - 1) * middle for name in ("joints_cam", "vertices_cam")}
    K = batch.K.clone()
    K[:, :2, :2] *= times
    seen = project(moved["joints_cam"], K)
    return dataclasses.replace(
        batch, K=K, joints_2d=seen, mask=model_cases.seen_depth(moved["vertices_cam"], K) > 0, **moved
    )


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
    published = create_estimator("hamr", **(model_cases.settings("hamr") | {"turn": "axis_angle", "pose": 6}))
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


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ({"heatmap"}, {"heatmaps"}),
        ({"heatmap", "joints", "geometry"}, {"heatmaps", "camera", "joints"}),
        ({"silhouette"}, {"heatmaps", "camera", "joints", "vertices"}),
        (LOSSES, {"heatmaps", "camera", "joints", "vertices"}),
    ],
)
def test_only_what_is_wanted_is_computed(estimator, wanted, names):
    batch = model_cases.batch(1, views=2)
    output = estimator(batch, frozenset(wanted))
    assert set(output) == names and wanted <= set(estimator.losses(output, batch))


def test_the_first_21_of_more_maps_are_heat_maps_and_all_go_on(estimator):
    batch = model_cases.batch(1)
    maps, features = estimator.hourglass(batch.rgb - 0.5)
    assert maps.shape[2] == 64 and estimator(batch)["heatmaps"].shape[2] == 21
    feature = estimator.encoder(torch.cat([features, maps[:, -1]], 1)).detach()
    maps[:, :, 63] += 1
    assert not torch.equal(feature, estimator.encoder(torch.cat([features, maps[:, -1]], 1)))


def test_losses_vanish_for_the_truth_seen_from_afar(estimator):
    batch = far(model_cases.batch(2))
    losses = estimator.losses(truth(batch), batch)
    assert set(losses) == LOSSES
    assert losses.pop("silhouette") < 0.07  # it has 16 px where the mask has 64
    assert losses.pop("heatmap") < 1e-9 and losses.pop("geometry") < 0.01  # a hand at rest is all but plane
    assert all(loss < 5e-3 for loss in losses.values()), losses


def test_silhouettes_move_a_hand_into_its_mask(estimator):
    """Half a decimetre off, the gradient of the camera points back."""
    batch = far(model_cases.batch(1))
    output = truth(batch)
    camera = (output["camera"] + torch.tensor([0, 0.3, 0])).requires_grad_()
    estimator.losses(output | {"camera": camera}, batch)["silhouette"].backward()
    assert camera.grad[0, 1] > 0


def test_samples_without_a_mask_or_without_all_joints_count_where_they_can(estimator):
    batch = model_cases.batch(2)
    output = truth(batch)
    output["camera"] = output["camera"] + 0.3
    batch.mask[1] = False
    batch.joint_valid[1, 0] = False  # its wrist, and so its camera and its place in space, are not known
    first = {name: value[:1] for name, value in output.items()}
    alone = estimator.losses(first, batch.map(lambda tensor: tensor[:1]))
    both = estimator.losses(output, batch)
    for name in ("silhouette", "camera", "joints"):
        torch.testing.assert_close(both[name], alone[name])
    assert "silhouette" not in estimator.losses(output, dataclasses.replace(batch, mask=None))
    none = dataclasses.replace(batch, mask=torch.zeros_like(batch.mask))
    assert estimator.losses(output, none)["silhouette"] == 0


def test_a_perfect_network_gives_an_exact_pose_relative_to_the_wrist_and_the_right_place_from_afar(estimator):
    batch = far(model_cases.batch(2))
    for oracle in (False, True):
        pose = estimator.pose(truth(batch), batch, oracle)
        relative = pose.joints_cam - pose.joints_cam[:, :1]
        torch.testing.assert_close(relative, batch.joints_cam - batch.joints_cam[:, :1], atol=1e-5, rtol=0)
        across = (pose.vertices_cam - batch.vertices_cam)[..., :2].norm(dim=-1)
        assert across.max() < 2e-3 and (pose.joints_cam - batch.joints_cam)[..., 2].abs().max() < 0.15  # of 15 m


def test_with_an_oracle_scale_and_root_depth_are_the_labels(estimator):
    batch = model_cases.batch(2)
    output = truth(batch)
    output = output | {name: 1.3 * output[name] for name in ("joints", "vertices")}
    output["camera"] = output["camera"] * torch.tensor([1 / 1.3, 1.3, 1.3])
    pose = estimator.pose(output, batch, oracle=True)
    torch.testing.assert_close(pose.joints_cam[:, 0, 2], batch.joints_cam[:, 0, 2], atol=1e-5, rtol=0)
    torch.testing.assert_close(bone_lengths(pose.joints_cam), bone_lengths(batch.joints_cam), atol=1e-5, rtol=0)
    assert (pose.joints_cam - batch.joints_cam).norm(dim=-1).max() < 0.02  # a perspective is not weak


def test_the_depth_without_an_oracle_by_hand():
    """f = 320 px, S = 64 px, s = 2 half crops a decimetre, 640 px a metre: the middle of the joints is 0.5 m away."""
    batch = model_cases.batch(1)
    batch.K[0] = torch.tensor([[320.0, 0, 32], [0, 320, 32], [0, 0, 1]])
    joints = torch.zeros(1, 21, 3)
    joints[0, 1:, 2] = 0.021  # its middle 2 cm behind the wrist
    factor, root = placed(joints, torch.tensor([[2.0, 0.25, 0]]), batch, oracle=False)
    torch.testing.assert_close(root, torch.tensor([[[0.5 * 16 / 320, 0, 0.48]]]))  # seen half a half-crop to the right
    assert factor.item() == 1 and DM == 10


def test_the_ablation_without_a_mesh_has_neither_mesh_nor_silhouette():
    without, batch = made(mesh=False), model_cases.batch(2)
    output = without(batch)
    assert "vertices" not in output and set(without.losses(output, batch)) == LOSSES - {"silhouette"}
    assert without.pose(output, batch).vertices_cam is None
    assert torch.equal(output["joints"][:, 0], torch.zeros(2, 3))


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


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"maps": 20}, "maps = 20"),
        ({"side": 24}, "side = 24"),
        ({"dropout": 1.0}, "dropout = 1.0"),
        ({"shape": 20}, "shape = 20"),
        ({"levels": 5}, "levels = 5: maps of 16 px allow fewer"),
        ({"size": 60}, "size = 60"),
        ({"iterations": 0}, "every number must be positive"),
        ({"pose": 31}, "31 components of the pose: 1 to 30 are kept"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, line):
    with pytest.raises(InputError, match=line):
        made(**settings)


def test_crops_of_another_size_are_refused(estimator):
    batch: Batch = model_cases.batch(1)
    wrong: Tensor = torch.zeros(1, 3, 32, 32)
    with pytest.raises(InputError, match="hamr: crops of 32 px, the estimator is made for 64"):
        estimator(dataclasses.replace(batch, rgb=wrong))
