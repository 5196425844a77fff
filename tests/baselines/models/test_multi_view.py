"""MVHM's multi-view estimator: orders and numbers of views, common axes, and poses that are exact when it is."""

from __future__ import annotations

import dataclasses

import model_cases
import pytest
import torch
from torch import Tensor

from baselines import create_estimator
from baselines.batch import Batch
from baselines.estimator import Output
from baselines.layers.heatmap import gaussian_maps
from baselines.models.multi_view import MvhmMultiView, agreed_scale, in_common_axes, palm_axes, random_views
from baselines.models.uvd import true_depth, true_mesh, true_scale
from rigging.errors import InputError

KINDS = [(fusion, frame) for fusion in ("concat", "set") for frame in ("world", "camera")]


def create(fusion: str = "set", frame: str = "world", views: int = 3, trained: bool = True) -> MvhmMultiView:
    """A small estimator; `trained`: its fusion does not just give the mean or median."""
    torch.manual_seed(0)
    estimator = create_estimator(
        "mvhm_mv", fusion=fusion, frame=frame, views=views, width=16, single=model_cases.SMALL
    ).eval()
    if trained:
        torch.nn.init.normal_(estimator.fusion.net.out.weight, std=0.3)
    return estimator


def truth(batch: Batch) -> Output:
    """What a perfect single-view network would answer that takes every hand for one of the mean size."""
    return {
        "heatmaps": gaussian_maps(batch.joints_2d, batch.size, batch.size // 4, 1.0)[:, None],
        "mesh": true_mesh(batch),
        "depth": true_depth(batch),
        "size": torch.ones(len(batch)),
    }


def perfect(estimator: MvhmMultiView, batch: Batch) -> Output:
    """The estimator's output for perfect single views."""
    return estimator(batch, precomputed=estimator.views(truth(batch), batch))


def noisy(estimator: MvhmMultiView, batch: Batch) -> Output:
    """What single views say, with noise of a centimetre."""
    views = estimator.views(truth(batch), batch)
    noise = 0.01 * torch.randn(views["joints_cam"].shape, generator=torch.Generator().manual_seed(1))
    return views | {"joints_cam": views["joints_cam"] + noise}


def unit_pose(batch: Batch) -> Tensor:
    joints = batch.joints_cam - batch.joints_cam[:, :1]
    return joints / true_scale(batch)[:, None, None]


@pytest.mark.parametrize(("fusion", "frame"), KINDS)
def test_it_begins_as_what_all_views_agree_on(fusion, frame):
    batch = model_cases.batch(samples=2, views=3)
    estimator = create(fusion, frame, trained=False)
    output = perfect(estimator, batch)
    torch.testing.assert_close(output["fused"], unit_pose(batch), atol=2e-3, rtol=0)
    assert estimator.losses(output, batch)["fused"] < 1e-6


@pytest.mark.parametrize("frame", ["world", "camera"])
def test_the_order_of_views_does_not_matter_to_set_fusion(frame):
    batch, estimator = model_cases.batch(samples=2, views=4), create(frame=frame)
    views = noisy(estimator, batch)
    order = torch.tensor([2, 0, 3, 1])
    rows = (order + torch.tensor([[0], [4]])).flatten()
    straight = estimator(batch, precomputed=views)["fused"]
    assert (straight - unit_pose(batch)).norm(dim=-1).mean() > 0.05
    shuffled = estimator(batch.map(lambda one: one[rows]), precomputed={k: v[rows] for k, v in views.items()})["fused"]
    torch.testing.assert_close(shuffled, straight[rows], atol=1e-4, rtol=0)


def test_the_order_of_views_matters_to_concatenation():
    batch, estimator = model_cases.batch(samples=1, views=3), create("concat")
    views, rows = noisy(estimator, batch), torch.tensor([1, 2, 0])
    straight = estimator(batch, precomputed=views)["fused"]
    shuffled = estimator(batch.map(lambda one: one[rows]), precomputed={k: v[rows] for k, v in views.items()})["fused"]
    assert (shuffled - straight[rows]).abs().max() > 1e-3


@pytest.mark.parametrize("frame", ["world", "camera"])
@pytest.mark.parametrize("views", [1, 2, 8])
def test_set_fusion_takes_any_number_of_views(frame, views):
    batch = model_cases.batch(samples=2, views=views)
    pose = create(frame=frame).pose(perfect(create(frame=frame, trained=False), batch), batch)
    torch.testing.assert_close(pose.joints_cam, batch.joints_cam, atol=2e-4, rtol=0)


def test_concatenation_takes_its_number_of_views():
    with pytest.raises(InputError, match='2 views: fusion = "concat" was made for 3'):
        perfect(create("concat"), model_cases.batch(samples=1, views=2))


@pytest.mark.parametrize(("fusion", "frame"), KINDS)
def test_with_the_oracle_a_pose_is_exact(fusion, frame):
    batch = model_cases.batch(samples=2, views=3, sizes=(0.8, 1.2))
    estimator = create(fusion, frame)
    output = perfect(estimator, batch) | {"fused": unit_pose(batch)}
    pose = estimator.pose(output, batch, oracle=True)
    torch.testing.assert_close(pose.joints_cam, batch.joints_cam, atol=1e-5, rtol=0)


def test_with_extrinsics_the_views_tell_the_size_and_the_place_without_an_oracle():
    batch = model_cases.batch(samples=2, views=3, sizes=(0.8, 1.2))
    estimator = create()
    output = perfect(estimator, batch) | {"fused": unit_pose(batch)}
    seen = dataclasses.replace(batch, joints_cam=None, joints_2d=None, vertices_cam=None)
    torch.testing.assert_close(estimator.pose(output, seen).joints_cam, batch.joints_cam, atol=1e-4, rtol=0)


def test_without_extrinsics_the_hand_is_taken_for_one_of_the_mean_size():
    sizes = torch.tensor([0.8, 1.2]).repeat_interleave(3)[:, None, None]
    batch = model_cases.batch(samples=2, views=3, sizes=(0.8, 1.2))
    estimator = create(frame="camera", trained=False)
    world_to_cam = torch.full_like(batch.world_to_cam, torch.nan)  # nobody looks at it
    output = perfect(estimator, dataclasses.replace(batch, world_to_cam=world_to_cam))
    pose = estimator.pose(output, dataclasses.replace(batch, world_to_cam=world_to_cam))
    torch.testing.assert_close(pose.joints_cam, batch.joints_cam / sizes, atol=2e-4, rtol=0)


def test_the_same_hand_has_the_same_fused_pose_in_the_axes_of_every_view():
    batch, estimator = model_cases.batch(samples=2, views=4), create()
    fused = estimator(batch, precomputed=noisy(estimator, batch))["fused"]
    world = (fused @ batch.world_to_cam[:, :3, :3]).unflatten(0, (2, 4))
    torch.testing.assert_close(world, world[:, :1].expand_as(world), atol=1e-5, rtol=0)


def test_common_axes_without_extrinsics_are_each_views_own():
    batch = model_cases.batch(samples=2, views=3)
    sight = torch.nn.functional.normalize(batch.joints_cam[:, :1], dim=-1)
    poses, seen = in_common_axes(unit_pose(batch), sight, batch, "camera")
    for row in range(6):
        first, view = row // 3 * 3, row % 3
        for step in range(3):
            other = first + (view + step) % 3
            turn = batch.world_to_cam[row, :3, :3] @ batch.world_to_cam[other, :3, :3].T
            torch.testing.assert_close(poses[row, step], unit_pose(batch)[row], atol=1e-4, rtol=0)
            torch.testing.assert_close(seen[row, step], turn @ sight[other, 0], atol=1e-4, rtol=0)


def test_the_scale_follows_from_depths_though_some_are_far_off():
    batch = model_cases.batch(samples=2, views=3, sizes=(0.8, 1.2))
    output = perfect(create(trained=False), batch)
    points = batch.joints_cam.clone()
    points[:, [4, 8, 15]] += torch.tensor([0.02, -0.01, 0.9])
    points[1] *= 30
    torch.testing.assert_close(agreed_scale(output, points, views=3), true_scale(batch), rtol=1e-3, atol=0)


def test_axes_of_the_palm_turn_with_the_hand():
    generator = torch.Generator().manual_seed(0)
    pose = torch.randn(5, 21, 3, generator=generator)
    pose[:, 0] = 0
    turn = model_cases.rotations(5, generator)
    axes = palm_axes(pose)
    torch.testing.assert_close(axes.mT @ axes, torch.eye(3).expand(5, 3, 3), atol=1e-5, rtol=0)
    torch.testing.assert_close(torch.linalg.det(axes), torch.ones(5))
    torch.testing.assert_close(palm_axes(pose @ turn.mT), turn @ axes, atol=1e-5, rtol=0)


def test_while_training_any_number_of_views_is_left_but_never_none():
    torch.manual_seed(0)
    count = random_views(2000, 8, torch.device("cpu")).sum(1)
    assert set(count.tolist()) == set(range(1, 9))
    assert 0.45 < (count == 8).float().mean() < 0.65


def test_losses_and_what_is_computed():
    batch, estimator = model_cases.batch(samples=1, views=3), create()
    everything = {"fused", "single_heatmap", "single_mesh", "single_depth", "single_size"}
    assert set(estimator.losses(estimator(batch), batch)) == everything
    of_single = estimator(batch, frozenset({"single_heatmap"}))
    assert set(of_single) == {"heatmaps"} and set(estimator.losses(of_single, batch)) == {"single_heatmap"}
    assert "fused" in estimator.losses(estimator(batch, frozenset({"fused"})), batch)


def test_what_was_computed_before_gives_the_same():
    batch, estimator = model_cases.batch(samples=2, views=3), create()
    with torch.no_grad():
        said = estimator.precompute(batch)
        assert all(len(value) == len(batch) for value in said.values())
        black = dataclasses.replace(batch, rgb=torch.zeros_like(batch.rgb))
        torch.testing.assert_close(estimator(black, precomputed=said)["fused"], estimator(batch)["fused"])


def test_bf16_is_for_pictures_not_for_coordinates():
    batch, estimator = model_cases.batch(samples=2, views=3), create()
    plain = perfect(estimator, batch)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(perfect(estimator, batch), plain)


def test_end_to_end_every_part_learns():
    batch, estimator = model_cases.batch(samples=1, views=3), create().train()
    estimator.losses(estimator(batch, frozenset({"fused"})), batch)["fused"].backward()
    for name in ("single.hourglass.stem.0.weight", "single.depth.depth.weight", "fusion.first.weight"):
        gradient = estimator.get_parameter(name).grad
        assert gradient.isfinite().all() and gradient.abs().max() > 0, name


def test_a_few_steps_make_the_fused_pose_better_than_the_views_mean():
    """Views that all err alike: an average cannot mend it, what is learned does."""
    batch, estimator = model_cases.batch(samples=4, views=3), create(trained=False)
    views = estimator.views(truth(batch), batch)
    pull = torch.zeros(21, 1)
    pull[4] = 0.2
    joints = views["joints_cam"]
    views["joints_cam"] = joints + pull * (joints[:, :1] - joints)  # the thumb is seen too short
    optimiser = torch.optim.Adam(estimator.fusion.parameters(), 1e-2)
    losses = []
    for _ in range(40):
        loss = estimator.losses(estimator(batch, precomputed=views), batch)["fused"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.3 * losses[0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"views": 0}, "positive"),
        ({"single": {"size": 50}}, "power of two"),
        ({"fusion": "mean"}, "'concat', 'set'"),
    ],
)
def test_settings_that_make_no_network(settings, message):
    with pytest.raises(InputError, match=message):
        create_estimator("mvhm_mv", **settings)
