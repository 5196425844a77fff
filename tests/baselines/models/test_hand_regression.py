"""Parametric regression: a hand model seen in the crop's camera, exact when its parameters are; it begins at rest."""

from __future__ import annotations

import model_cases
import pytest
import torch

from baselines import create_estimator
from baselines.batch import Batch
from baselines.geometry.camera import project, to_camera
from baselines.geometry.ik import bone_rotations
from baselines.geometry.rotations import from_axis_angle
from baselines.layers.hand_layer import HandLayer, chain
from baselines.models.hand_regression import HandRegression, Parameters, rotation_loss, seen_in_crop
from baselines.models.uvd import true_depth, true_mesh, true_root, true_scale

BENT = 0.3  # rad


@pytest.fixture(scope="module")
def estimator() -> HandRegression:
    torch.manual_seed(0)
    return create_estimator("hand_regression", **model_cases.SMALL)


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


def test_a_bent_hand_is_posed_by_the_layer_and_projected_in_metres(estimator):
    """Without metres, as the estimator does it, and with them, as a camera does."""
    batch = model_cases.batch(2)
    said = parameters(batch, BENT)
    rotations = chain(said.palm, said.local)
    scale = true_scale(batch)[:, None, None] / (estimator.hand.joints[10] - estimator.hand.joints[9]).norm()
    hand = estimator.hand(rotations, length=None)
    length = estimator.hand.rest().joints[0, [10, 9]].diff(dim=0).norm()
    points = hand.vertices / length * scale * (estimator.hand.joints[10] - estimator.hand.joints[9]).norm()
    points = points + batch.joints_cam[:, :1]
    mesh = estimator.posed(rotations, said, batch)["mesh"]
    torch.testing.assert_close(mesh[..., :2], project(points, batch.K) / batch.size, atol=1e-4, rtol=0)
    depth = (points[..., 2] - batch.joints_cam[:, :1, 2]) / true_scale(batch)[:, None]
    torch.testing.assert_close(mesh[..., 2], depth, atol=1e-4, rtol=0)
