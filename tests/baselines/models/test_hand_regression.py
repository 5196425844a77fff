"""Parametric regression: a hand model seen in the crop's camera, exact when its parameters are; it begins at rest."""

from __future__ import annotations

import model_cases
import pytest
import torch

from baselines import create_estimator
from baselines.batch import Batch
from baselines.geometry.camera import project
from baselines.geometry.ik import bone_rotations
from baselines.geometry.rotations import from_axis_angle
from baselines.layers.hand_layer import HandLayer, chain
from baselines.models.hand_regression import HandRegression, Parameters, rotation_loss, seen_in_crop
from baselines.models.uvd import true_depth, true_mesh, true_root, true_scale

BENT = 0.3  # rad


@pytest.fixture(scope="module")
def estimator() -> HandRegression:
    torch.manual_seed(0)
    return create_estimator("hand_regression", **model_cases.settings("hand_regression"))


def parameters(batch: Batch, bent: float = 0.0) -> Parameters:
    """What turns the hand at rest into the batch's hands, or into such with every bone bent by `bent` more."""
    local = from_axis_angle(torch.tensor([-bent, 0, 0])).expand(len(batch), 21, 3, 3)
    rest = HandLayer().joints
    return Parameters(
        palm=bone_rotations(rest, batch.joints_cam)[:, 0],
        local=local,
        shape=torch.zeros(len(batch), 18),
        wrist=batch.joints_2d[:, 0] / batch.size,
        share=batch.K[:, 0, 0] / batch.size * true_scale(batch) / true_root(batch),
    )


def test_true_parameters_give_the_true_mesh_and_joints(estimator):
    batch = model_cases.batch(3, sizes=(0.7, 1.0, 1.4))
    said = parameters(batch)
    output = estimator.posed(chain(said.palm, said.local), said, batch)
    torch.testing.assert_close(output["mesh"], true_mesh(batch), atol=1e-4, rtol=0)
    uvd = torch.cat([batch.joints_2d / batch.size, true_depth(batch)[..., None]], -1)
    torch.testing.assert_close(output["joints"], uvd, atol=1e-4, rtol=0)


def test_a_bent_hand_is_seen_as_a_camera_sees_it_in_metres(estimator):
    batch = model_cases.batch(2)
    said = parameters(batch, BENT)
    rotations = chain(said.palm, said.local)
    hand = estimator.hand(rotations, root=batch.joints_cam[:, 0])  # of the mean size, which the batch's have not
    wrist, size = hand.joints[:, :1], true_scale(batch)[:, None, None] / bone(hand.joints)
    points = wrist + size * (hand.vertices - wrist)
    mesh = estimator.posed(rotations, said, batch)["mesh"]
    torch.testing.assert_close(mesh[..., :2], project(points, batch.K) / batch.size, atol=1e-4, rtol=0)
    torch.testing.assert_close(mesh[..., 2], ((points - wrist) / size / bone(hand.joints))[..., 2], atol=1e-4, rtol=0)


def bone(joints: torch.Tensor) -> torch.Tensor:
    """(B, 1, 1) length of the middle finger's proximal bone, the scale."""
    return (joints[:, 10] - joints[:, 9]).norm(dim=-1)[:, None, None]


def test_a_point_by_hand():
    """f = 128 px, S = 64 px, share 0.2: the wrist is 128 / (64 x 0.2) = 10 scales away, at the middle of the crop.

    A point one scale to the right and two behind: u = 128 x 1 / 12 + 32 px.
    """
    batch = model_cases.batch(1)
    batch.K[0] = torch.tensor([[128.0, 0, 32], [0, 128, 32], [0, 0, 1]])
    seen = seen_in_crop(torch.tensor([[[1.0, 0, 2]]]), torch.tensor([[0.5, 0.5]]), torch.tensor([0.2]), batch)
    torch.testing.assert_close(seen, torch.tensor([[[(128 / 12 + 32) / 64, 0.5, 2]]]))


def test_what_is_behind_the_camera_is_finite():
    batch = model_cases.batch(1)
    seen = seen_in_crop(torch.tensor([[[1.0, 0, -50]]]), torch.tensor([[0.5, 0.5]]), torch.tensor([0.2]), batch)
    assert torch.isfinite(seen).all()


def test_the_loss_of_rotations_by_hand():
    """A half-turn about z is off by diag(-2, -2, 0), 8 for each bone; the forearm and hands with gaps do not count."""
    true = torch.eye(3).repeat(2, 21, 1, 1)
    turned = true.clone()
    turned[0, [0, 4, 8]] = torch.diag(torch.tensor([-1.0, -1, 1]))
    turned[1] = -1
    valid = torch.ones(2, 21, dtype=torch.bool)
    valid[1, 3] = False
    assert rotation_loss(turned, true, valid).item() == pytest.approx(2 * 8 / 20)


def test_losses_vanish_for_the_truth(estimator):
    batch = model_cases.batch(2)
    said = parameters(batch)
    rotations = chain(said.palm, said.local)
    output = (
        estimator(batch) | estimator.posed(rotations, said, batch) | {"rotations": rotations, "size": torch.ones(2)}
    )
    losses = estimator.losses(output, batch)
    assert all(
        losses.pop(name) < 1e-4 for name in ("rotation", "size", "pose", "vertex", "normal", "edge", "laplacian")
    )
    assert set(losses) == {"heatmap"}


def test_it_begins_with_the_hand_at_rest_in_the_middle_of_the_crop():
    torch.manual_seed(1)
    estimator = create_estimator("hand_regression", **model_cases.settings("hand_regression"))
    output = estimator(model_cases.batch(2))
    assert (output["rotations"] - torch.eye(3)).abs().max() < 0.5
    assert (output["joints"][:, 0, :2] - 0.5).abs().max() < 0.1 and torch.isfinite(output["mesh"]).all()


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ({"heatmap"}, {"heatmaps"}),
        ({"heatmap", "rotation"}, {"heatmaps", "rotations", "size"}),
        ({"vertex"}, {"heatmaps", "rotations", "size", "joints", "mesh"}),
    ],
)
def test_only_what_is_wanted_is_computed(estimator, wanted, names):
    batch = model_cases.batch(1, views=2)
    output = estimator(batch, frozenset(wanted))
    assert set(output) == names and wanted <= set(estimator.losses(output, batch))


@pytest.mark.parametrize("oracle", [True, False])
def test_a_perfect_network_gives_an_exact_pose(estimator, oracle):
    batch = model_cases.batch(2)
    said = parameters(batch)
    output = estimator(batch) | estimator.posed(chain(said.palm, said.local), said, batch) | {"size": torch.ones(2)}
    pose = estimator.pose(output, batch, oracle=oracle)
    torch.testing.assert_close(pose.joints_cam, batch.joints_cam, atol=5e-5, rtol=0)
    torch.testing.assert_close(pose.vertices_cam, batch.vertices_cam, atol=5e-5, rtol=0)


def test_the_head_learns_a_hand(estimator):
    """From one latent feature, by Adam; the network before it plays no part."""
    batch, latent = model_cases.batch(1), torch.randn(1, 256, generator=torch.Generator().manual_seed(0))
    optimiser, pose = torch.optim.Adam(estimator.regressor.parameters(), lr=1e-2), []
    for _ in range(30):
        said = estimator.regressor(latent)
        output = estimator.posed(chain(said.palm, said.local), said, batch) | {"size": torch.ones(1)}
        del output["mesh"]  # its losses take time
        loss = estimator.losses(output, batch)["pose"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        pose.append(loss.item())
    assert pose[-1] < 0.1 * pose[0]
