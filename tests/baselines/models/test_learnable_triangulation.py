"""Learnable triangulation: algebra with weights, volumes about the hand, exact where views and network are."""

from __future__ import annotations

import dataclasses

import model_cases
import pytest
import torch
from torch import Tensor, nn

from baselines import create_estimator
from baselines.batch import Batch
from baselines.estimator import Output
from baselines.geometry.camera import to_camera, to_world
from baselines.geometry.triangulate import triangulate
from baselines.layers.heatmap import gaussian_maps, soft_argmax
from baselines.layers.resnet import ResNet
from baselines.models.learnable_triangulation import LtAlgebraic, LtVolumetric, view_weights
from baselines.train.initial import initialise
from rigging.errors import InputError

NAMES = ("lt_alg", "lt_vol")


def create(name: str = "lt_alg", **settings: object) -> LtAlgebraic | LtVolumetric:
    """A small estimator in eval mode."""
    torch.manual_seed(0)
    return create_estimator(name, **model_cases.settings(name) | settings).eval()


def true_maps(batch: Batch, sharpness: float) -> Tensor:
    """Heat-maps whose softmax is a Gaussian about each true joint."""
    gaussians = gaussian_maps(batch.joints_2d, batch.size, batch.size // 4, 1.0)
    return gaussians.clamp_min(1e-30).log() / sharpness


def triangulated(estimator: LtAlgebraic, batch: Batch, maps: Tensor, confidence: Tensor) -> Output:
    """What the estimator makes of heat-maps and confidences that are given."""
    estimator.confidence = Said(confidence)
    return estimator.triangulate(torch.zeros(1), maps, batch)


class Said(nn.Module):
    """Answers what it was made with, whatever it is given."""

    def __init__(self, answer: Tensor) -> None:
        super().__init__()
        self.answer = answer

    def forward(self, x: Tensor) -> Tensor:
        return self.answer


def rows(order: list[int], samples: int) -> Tensor:
    """Where the crops of samples with as many views as `order` are when their views are put into it."""
    return (torch.tensor(order) + len(order) * torch.arange(samples)[:, None]).flatten()


@pytest.mark.parametrize("views", [2, 3, 8])
def test_true_heatmaps_give_the_true_joints_from_any_number_of_views(views):
    batch, estimator = model_cases.batch(2, views), create()
    output = triangulated(estimator, batch, true_maps(batch, 100.0), torch.full((len(batch), 21), 0.5))
    torch.testing.assert_close(output["joints_2d"], batch.joints_2d, atol=0.3, rtol=0)
    assert (output["joints"] - batch.joints_cam).norm(dim=-1).mean() < 3e-4
    pose = estimator.pose(output, batch)
    torch.testing.assert_close(pose.joints_cam, estimator.pose(output, batch, oracle=True).joints_cam)


@pytest.mark.parametrize("solver", ["normal", "svd"])
def test_joints_solve_the_weighted_equations_of_each_sample_and_joint(solver):
    """Equation 4, in loops: rows u P3 - P1 and v P3 - P2 of unit length, times the views' shares of the confidence."""
    batch, estimator = model_cases.batch(2, views=3), create(solver=solver)
    confidence = torch.rand(6, 21, generator=torch.Generator().manual_seed(1))
    maps = true_maps(batch, 100.0) + 0.01 * torch.rand(6, 21, 16, 16, generator=torch.Generator().manual_seed(2))
    output = triangulated(estimator, batch, maps, confidence)
    camera = batch.K.double() @ batch.world_to_cam[:, :3].double()  # (6, 3, 4)
    for sample in range(2):
        for joint in (0, 4, 20):
            equations = []
            for row in range(3 * sample, 3 * sample + 3):
                share = confidence[row, joint] / confidence[3 * sample : 3 * sample + 3, joint].sum() + 1e-5
                for axis in (0, 1):
                    line = output["joints_2d"][row, joint, axis] * camera[row, 2] - camera[row, axis]
                    equations.append(share * line / line[:3].norm())
            rest = torch.stack(equations)
            if solver == "svd":
                point = torch.linalg.svd(rest).Vh[-1]
                point = point[:3] / point[3]
            else:
                point = torch.linalg.lstsq(rest[:, :3], -rest[:, 3:]).solution[:, 0]
            found = to_camera(point.float()[None], batch.world_to_cam[3 * sample])[0]
            torch.testing.assert_close(output["joints"][3 * sample, joint], found, atol=1e-5, rtol=0)


def test_a_view_that_is_grossly_wrong_hardly_counts_if_its_confidence_says_so():
    batch, estimator = model_cases.batch(1, views=4), create()
    wrong = dataclasses.replace(batch, joints_2d=batch.joints_2d.clone())
    wrong.joints_2d[2] += torch.tensor([9.0, -6.0])
    maps, sure = true_maps(wrong, 100.0), torch.full((4, 21), 0.9)
    doubted = sure.clone()
    doubted[2] = 1e-4
    errors = [
        (triangulated(estimator, batch, maps, one)["joints"] - batch.joints_cam).norm(dim=-1).mean()
        for one in (sure, doubted)
    ]
    assert errors[0] > 0.005 and errors[1] < 5e-4


def test_weights_are_shares_of_the_confidence():
    confidence = torch.tensor([[0.2] * 21, [0.6] * 21, [0.5] * 21, [0.5] * 21])
    weights = view_weights(confidence, model_cases.batch(2, views=2))
    expected = torch.tensor([[0.25, 0.75], [0.5, 0.5]]) + 1e-5
    torch.testing.assert_close(weights, expected[..., None].expand(2, 2, 21))


@pytest.mark.parametrize("solver", ["normal", "svd"])
def test_gradients_through_pixels_and_confidences_equal_finite_differences(solver):
    batch = model_cases.batch(1, views=3)
    generator = torch.Generator().manual_seed(0)
    maps = true_maps(batch, 100.0)[:, :2].double() + 1e-3 * torch.rand(3, 2, 16, 16, generator=generator)
    confidence = torch.rand(3, 2, generator=generator, dtype=torch.float64) * 0.8 + 0.1
    cameras = (batch.K[None].double(), batch.world_to_cam[None].double())

    def points(maps: Tensor, confidence: Tensor) -> Tensor:
        pixels = soft_argmax(maps, batch.size, 100.0)[None]
        return triangulate(pixels, *cameras, view_weights(confidence, batch), solver)

    assert torch.autograd.gradcheck(lambda one: points(maps, one), confidence.requires_grad_(), atol=1e-7)
    assert torch.autograd.gradcheck(
        lambda one: points(one, confidence), maps.requires_grad_(), atol=1e-5, fast_mode=True
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_views_changes_nothing(name):
    batch, estimator = model_cases.batch(2, views=4), create(name)
    moved = rows([2, 0, 3, 1], 2)
    with torch.no_grad():
        straight = estimator.pose(estimator(batch), batch)
        turned = batch.map(lambda one: one[moved])
        shuffled = estimator.pose(estimator(turned), turned)
    torch.testing.assert_close(shuffled.joints_cam, straight.joints_cam[moved], atol=1e-5, rtol=0)
    torch.testing.assert_close(shuffled.confidence, straight.confidence[moved])


@pytest.mark.parametrize("name", NAMES)
def test_all_crops_of_a_sample_say_the_same_in_the_world(name):
    batch, estimator = model_cases.batch(2, views=3), create(name)
    with torch.no_grad():
        joints = estimator.pose(estimator(batch), batch).joints_cam
    world = to_world(joints, batch.world_to_cam).unflatten(0, (2, 3))
    torch.testing.assert_close(world, world[:, :1].expand_as(world), atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", NAMES)
def test_one_view_is_not_enough(name):
    with pytest.raises(InputError, match=f"{name}: one view of a sample"):
        create(name)(model_cases.batch(2, views=1))


@pytest.mark.parametrize("name", NAMES)
def test_every_part_learns_from_the_joints_alone(name):
    batch, estimator = model_cases.batch(1, views=3), create(name).train()
    wanted = frozenset({"volume_joints", "volume", "joints"} if name == "lt_vol" else {"joints"})
    losses = estimator.losses(estimator(batch, wanted), batch)
    sum(losses[one] for one in wanted).backward()
    for part, module in estimator.named_children():
        gradients = [one.grad for one in module.parameters()]
        assert all(one.isfinite().all() for one in gradients), part
        assert any(one.abs().max() > 0 for one in gradients), part


def test_only_what_is_wanted_is_computed():
    batch, estimator = model_cases.batch(1, views=2), create("lt_vol")
    assert set(estimator(batch, frozenset({"heatmap"}))) == {"heatmaps"}
    assert set(estimator(batch, frozenset({"joints"}))) == {"heatmaps", "joints_2d", "confidence", "joints"}
    everything = estimator(batch)
    assert set(estimator.losses(everything, batch)) == {"heatmap", "joints", "volume_joints", "volume"}


@pytest.mark.parametrize("name", NAMES)
def test_bf16_is_for_pictures_not_for_coordinates(name):
    """The same heat-maps under autocast give the same joints."""
    batch, estimator = model_cases.batch(1, views=3), create(name)
    maps, features = true_maps(batch, 100.0), torch.rand(3, estimator.backbone.outputs, 2, 2)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        joints = estimator.triangulate(features, maps, batch)["joints"]
        assert estimator(batch)["joints"].dtype == torch.float32
    assert (joints - batch.joints_cam).norm(dim=-1).mean() < 3e-4


def test_torchvisions_file_fits_the_backbone(tmp_path):
    saved = ResNet(18, model_cases.settings("lt_alg")["width"]).state_dict() | {"fc.weight": torch.ones(1000, 32)}
    torch.save(saved, tmp_path / "resnet18.pth")
    estimator = create()
    assert initialise(estimator, tmp_path / "resnet18.pth") == 120
    torch.testing.assert_close(estimator.backbone.conv1.weight, saved["conv1.weight"])


def test_the_volumetric_estimator_begins_with_an_algebraic_one(tmp_path):
    torch.save(create().state_dict(), tmp_path / "alg.pth")
    assert initialise(create("lt_vol"), tmp_path / "alg.pth") == len(create().state_dict())


def test_heatmaps_are_read_between_the_centres_of_their_elements():
    """The public code multiplies elements by the stride and loses half a pixel of the heat-map."""
    maps = torch.zeros(1, 1, 16, 16)
    maps[0, 0, 5, 3] = 1.0
    assert soft_argmax(maps, 64, 1000.0).tolist() == [[[14.0, 22.0]]]
    maps[0, 0, 5, 4] = 1.0
    assert soft_argmax(maps, 64, 1000.0).tolist() == [[[16.0, 22.0]]]


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("lt_alg", {"size": 50}, "multiple of 32"),
        ("lt_alg", {"depth": 20}, "18, 34, 50"),
        ("lt_alg", {"sharpness": 0.0}, "positive"),
        ("lt_vol", {"resolution": 12, "levels": 3}, "multiple of 2.levels = 8"),
        ("lt_vol", {"aggregation": "max"}, "'softmax', 'confidence', 'sum'"),
    ],
)
def test_settings_that_make_no_network(name, settings, message):
    with pytest.raises(InputError, match=message):
        create_estimator(name, **settings)
