"""HAMR: what is computed of what is wanted, losses of all that is known, the pose in space, and ablations."""

from __future__ import annotations

import dataclasses

import model_cases
import pytest
import torch
from hamr_cases import far, made, truth

from baselines.geometry.camera import bone_lengths
from baselines.hamr_losses import DM
from baselines.models.hamr import Hamr, placed
from rigging.errors import InputError

LOSSES = {"heatmap", "joints", "image", "geometry", "camera", "silhouette"}


@pytest.fixture(scope="module")
def estimator() -> Hamr:
    return made().eval()


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


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"maps": 20}, "maps = 20"),
        ({"side": 24}, "side = 24"),
        ({"dropout": 1.0}, "dropout = 1.0"),
        ({"shape": 20}, "shape = 20"),
        ({"levels": 5}, "levels = 5: maps of 16 px allow fewer"),
        ({"size": 60}, "size = 60"),
        ({"side": 0}, "every number must be positive"),
        ({"iterations": 0}, "every number must be positive"),
        ({"pose": 31}, "31 components of the pose: 1 to 30 are kept"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, line):
    with pytest.raises(InputError, match=line):
        made(**settings)


def test_crops_of_another_size_are_refused(estimator):
    batch = model_cases.batch(1)
    wrong = torch.zeros(1, 3, 32, 32)
    with pytest.raises(InputError, match="hamr: crops of 32 px, the estimator is made for 64"):
        estimator(dataclasses.replace(batch, rgb=wrong))
