"""MVHM's single-view estimator: shapes, stages, and poses that are exact when the network is."""

from __future__ import annotations

import dataclasses

import model_cases
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from baselines import create_estimator
from baselines.batch import Batch
from baselines.estimator import Output
from baselines.layers.heatmap import gaussian_maps
from baselines.models.single_view import MvhmSingleView
from baselines.models.uvd import true_depth, true_mesh, true_scale
from rigging.errors import InputError


@pytest.fixture(scope="module")
def estimator() -> MvhmSingleView:
    torch.manual_seed(0)
    return create_estimator("mvhm_sv", **model_cases.SMALL)


def truth(batch: Batch, size: float | torch.Tensor = 1.0) -> Output:
    """What a perfect network would answer."""
    return {
        "heatmaps": gaussian_maps(batch.joints_2d, batch.size, batch.size // 4, 1.0)[:, None],
        "mesh": true_mesh(batch),
        "depth": true_depth(batch) + 0.3,  # only differences from the root's are looked at
        "size": torch.full((len(batch),), 1.0) * size,
    }


def test_output(estimator):
    output = estimator(model_cases.batch(3))
    shapes = {name: tuple(value.shape) for name, value in output.items()}
    assert shapes == {"heatmaps": (3, 1, 21, 16, 16), "mesh": (3, 2651, 3), "depth": (3, 21), "size": (3,)}
    assert all(value.dtype == torch.float32 for value in output.values())


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ({"heatmap"}, {"heatmaps"}),
        ({"mesh"}, {"heatmaps", "mesh"}),
        ({"heatmap", "depth"}, {"heatmaps", "mesh", "depth", "size"}),
    ],
)
def test_only_what_is_wanted_is_computed(estimator, wanted, names):
    batch = model_cases.batch(2)
    output = estimator(batch, frozenset(wanted))
    assert set(output) == names and wanted <= set(estimator.losses(output, batch))


def test_losses_vanish_for_the_truth_and_only_for_it(estimator):
    batch = model_cases.batch(2)
    true = estimator.losses(truth(batch) | {"depth": true_depth(batch)}, batch)
    assert set(true) == {"heatmap", "mesh", "depth", "size"}
    assert all(loss.item() == pytest.approx(0, abs=1e-9) for loss in true.values())
    assert all(loss > 0.01 for name, loss in estimator.losses(estimator(batch), batch).items() if name != "size")


def test_labels_that_are_not_there_give_no_losses(estimator):
    bare = dataclasses.replace(model_cases.batch(2), vertices_cam=None)
    assert set(estimator.losses(estimator(bare), bare)) == {"heatmap", "depth", "size"}
    unlabelled = dataclasses.replace(bare, joints_cam=None, joints_2d=None)
    assert estimator.losses(estimator(unlabelled), unlabelled) == {}


def test_the_mesh_is_in_shares_of_the_crop_and_of_the_scale():
    batch = model_cases.batch(2)
    mesh, K = true_mesh(batch), batch.K
    for b in range(2):
        x, y, z = batch.vertices_cam[b, 100]
        expected = [
            (K[b, 0, 0] * x / z + K[b, 0, 2]) / batch.size,
            (K[b, 1, 1] * y / z + K[b, 1, 2]) / batch.size,
            (z - batch.joints_cam[b, 0, 2]) / true_scale(batch)[b],
        ]
        torch.testing.assert_close(mesh[b, 100], torch.stack(expected))
    torch.testing.assert_close(true_scale(batch), torch.full((2,), model_cases.MEAN_SCALE))


@pytest.mark.parametrize("sizes", [(1.0, 1.0), (0.8, 1.3)])
def test_with_the_oracle_a_pose_is_exact(estimator, sizes):
    batch = model_cases.batch(2, sizes=sizes)
    pose = estimator.pose(truth(batch), batch, oracle=True)
    torch.testing.assert_close(pose.joints_cam, batch.joints_cam, atol=2e-6, rtol=0)
    torch.testing.assert_close(pose.vertices_cam, batch.vertices_cam, atol=2e-6, rtol=0)
    torch.testing.assert_close(pose.joints_2d, batch.joints_2d, atol=1e-3, rtol=0)


def test_without_it_a_pose_is_exact_if_the_hand_has_the_mean_size(estimator):
    batch = model_cases.batch(3)
    seen = dataclasses.replace(batch, joints_cam=None, joints_2d=None, vertices_cam=None)
    pose = estimator.pose(truth(batch), seen)
    torch.testing.assert_close(pose.joints_cam, batch.joints_cam, atol=1e-5, rtol=0)
    torch.testing.assert_close(pose.vertices_cam, batch.vertices_cam, atol=1e-5, rtol=0)


def test_another_size_moves_the_hand_along_its_rays_unless_the_network_knows_it(estimator):
    sizes = torch.tensor([0.8, 1.3])
    batch = model_cases.batch(2, sizes=(0.8, 1.3))
    taken_for_mean = estimator.pose(truth(batch), batch).joints_cam
    torch.testing.assert_close(taken_for_mean, batch.joints_cam / sizes[:, None, None], atol=1e-5, rtol=0)
    known = estimator.pose(truth(batch, sizes), batch).joints_cam
    torch.testing.assert_close(known, batch.joints_cam, atol=1e-5, rtol=0)


def test_a_network_out_of_all_bounds_says_a_hand_still(estimator):
    """A picture of one colour drove a trained network to depths of tens of metres: no hand is longer than 6 scales."""
    batch = model_cases.batch(2)
    wild = truth(batch)
    wild |= {"depth": 1e4 * wild["depth"], "mesh": 1e4 * wild["mesh"], "size": torch.tensor([1e-4, 1e4])}
    pose = estimator.pose(wild, batch)
    scales = estimator.mean_bones[9] * torch.tensor([0.5, 2.0])
    for points in (pose.joints_cam, pose.vertices_cam):
        assert points.isfinite().all()
    reach = (pose.joints_cam[..., 2] - pose.joints_cam[:, :1, 2]).abs().amax(1) / scales
    torch.testing.assert_close(reach, torch.full((2,), 6.0), rtol=1e-3, atol=0)


def test_the_oracle_needs_labels(estimator):
    batch = model_cases.batch(1)
    with pytest.raises(InputError, match="joints_cam"):
        estimator.pose(truth(batch), dataclasses.replace(batch, joints_cam=None), oracle=True)


@pytest.mark.parametrize("learns", ["hourglass", "mesh", "depth"])
def test_frozen_parts_neither_change_nor_keep_gradients(learns):
    torch.manual_seed(0)
    estimator = create_estimator("mvhm_sv", **model_cases.SMALL)
    for name, part in estimator.named_children():
        part.train(name == learns).requires_grad_(name == learns)
    before = {name: value.clone() for name, value in estimator.state_dict().items()}
    batch, loss = model_cases.batch(2), {"hourglass": "heatmap"}.get(learns, learns)
    output = estimator(batch, frozenset({loss}))
    estimator.losses(output, batch)[loss].backward()
    for name, parameter in estimator.named_parameters():
        own = name.startswith(learns) and ".size." not in name  # no loss of a size is wanted here
        assert (parameter.grad is not None) == own, name
    changed = {name.split(".")[0] for name, value in estimator.state_dict().items() if not value.equal(before[name])}
    assert changed == {learns}  # running means of the normalisation


def test_the_parts_are_the_papers_and_all_weights_are_in_them(estimator):
    assert [name for name, _ in estimator.named_children()] == ["hourglass", "mesh", "depth"]
    assert {name.split(".")[0] for name in estimator.state_dict()} == {"hourglass", "mesh", "depth"}


def test_the_full_network_costs_about_what_was_planned():
    """About 27 M parameters without the depth network's first connected layer of 5.4 M; 32.5 GFLOP an image."""
    estimator = create_estimator("mvhm_sv").eval()
    counts = {name: sum(one.numel() for one in part.parameters()) for name, part in estimator.named_children()}
    assert counts["hourglass"] + counts["mesh"] == pytest.approx(27e6, rel=0.03)
    assert sum(counts.values()) == pytest.approx(32.9e6, rel=0.01)
    batch = dataclasses.replace(model_cases.batch(1), rgb=torch.rand(1, 3, 256, 256))
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        estimator(batch)
    assert counter.get_total_flops() / 1e9 == pytest.approx(32.5, rel=0.01)


def test_bf16_and_channels_last_give_nearly_the_same(estimator):
    batch = model_cases.batch(2)
    estimator.eval()
    with torch.no_grad():
        plain = estimator(batch)
        with torch.autocast("cpu", torch.bfloat16):
            fast = estimator(dataclasses.replace(batch, rgb=batch.rgb.contiguous(memory_format=torch.channels_last)))
    estimator.train()
    for name, value in plain.items():
        assert fast[name].dtype == torch.float32
        assert (fast[name] - value).norm() < 0.03 * (value - value.mean()).norm() + 1e-3, name


@pytest.mark.parametrize("matching", ["matching", "heavy_edge"])
def test_both_matchings_give_a_mesh(matching):
    estimator = create_estimator("mvhm_sv", **model_cases.SMALL | {"matching": matching}).eval()
    with torch.no_grad():
        assert estimator(model_cases.batch(1), frozenset({"mesh"}))["mesh"].shape == (1, 2651, 3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": 100}, "power of two"),
        ({"width": 30}, "multiple of 4"),
        ({"size": 64, "levels": 5}, "16 px allow fewer"),
        ({"stacks": 0}, "positive"),
        ({"sigma": 0.0}, "positive"),
        ({"matching": "greedy"}, "heavy_edge"),
        ({"widht": 16}, "did you mean 'width'"),
    ],
)
def test_settings_that_make_no_network(settings, message):
    with pytest.raises(InputError, match=message):
        create_estimator("mvhm_sv", **settings)


def test_crops_of_another_size_are_refused(estimator):
    batch = dataclasses.replace(model_cases.batch(1), rgb=torch.rand(1, 3, 128, 128))
    with pytest.raises(InputError, match="crops of 128 px, the estimator is made for 64"):
        estimator(batch)
