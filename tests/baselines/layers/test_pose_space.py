"""Components of the pose: what is stored is what the code makes; few of them do what hands do; fingers alone bend."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from baselines.geometry.ik import bone_rotations
from baselines.geometry.rotations import from_axis_angle
from baselines.layers.hand_layer import HandLayer, chain
from baselines.layers.pose_space import (
    ASSET,
    KEPT,
    MOST,
    PoseSpace,
    build,
    finger_rotations,
    principal_components,
)
from rigging.errors import InputError
from rigging.poses.sampling.procedural import ProceduralSource

COUNT = 100


@pytest.fixture(scope="module")
def drawn() -> tuple[torch.Tensor, torch.Tensor, HandLayer]:
    """Rotation vectors (n, 45) of poses that the asset was not made of, the hands' palms and the layer, in float64."""
    clips = ProceduralSource(COUNT, seed=1).some(np.arange(COUNT))
    joints = torch.from_numpy(np.stack([clip.joints[0] for clip in clips])).double()
    layer = HandLayer("linear", dtype=torch.float64)
    rotations = bone_rotations(layer.rest().joints[0], joints)
    return finger_rotations(rotations), rotations, layer


def test_what_is_stored_is_what_the_code_makes():
    """Axes of nearly the same length may turn into each other, so that the spaces are compared, and the lengths."""
    made = build()
    with np.load(ASSET) as stored:
        np.testing.assert_allclose(stored["mean"], made["mean"], atol=1e-4)
        spread = [one["components"].T @ one["components"] for one in (stored, made)]
        np.testing.assert_allclose(*spread, atol=1e-4)
        assert stored["components"].shape == (KEPT, 45)
        lengths = np.linalg.norm(stored["components"], axis=1)
    assert (np.diff(lengths) <= 1e-6).all()


def test_components_are_those_of_the_covariance():
    vectors = torch.randn(50, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64) @ torch.diag(
        torch.tensor([4.0, 1, 2, 0.5], dtype=torch.float64)
    )
    mean, components = principal_components(vectors, 4)
    covariance = (vectors - mean).T @ (vectors - mean) / 50
    torch.testing.assert_close(components.T @ components, covariance)
    values = torch.linalg.eigvalsh(covariance).flip(0)
    torch.testing.assert_close(components.square().sum(1), values)
    assert (components.take_along_dim(components.abs().argmax(1, keepdim=True), 1) > 0).all()


def test_rotation_vectors_are_of_each_phalanx_against_the_bone_before():
    local = 0.4 * torch.randn(3, 21, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    local[:, 0] = local[:, 1::4] = 0  # forearm and palm do not bend
    palm = from_axis_angle(torch.randn(3, 3, dtype=torch.float64))
    found = finger_rotations(chain(palm, from_axis_angle(local))).unflatten(1, (5, 3, 3))
    for finger in range(5):
        for phalanx in range(3):
            torch.testing.assert_close(found[:, finger, phalanx], local[:, 2 + 4 * finger + phalanx])


@pytest.mark.parametrize(("count", "most"), [(6, 8.0), (20, 1.0)])
def test_few_components_pose_hands_that_were_not_seen(drawn, count, most):
    """Mean error of joints in mm; all 45 numbers are exact, and the mean pose is 17 mm off."""
    vectors, rotations, layer = drawn
    space = PoseSpace(count).double()
    found = (vectors - space.mean) @ space.components.T / space.components.square().sum(1)
    held = MOST * torch.atanh((found / MOST).clamp(-0.999, 0.999))
    posed = [
        layer(chain(rotations[:, 0], local)).joints
        for local in (space(held), _in_place(vectors))
    ]  # fmt: skip
    assert 1000 * (posed[0] - posed[1]).norm(dim=-1).mean() < most


def _in_place(vectors: torch.Tensor) -> torch.Tensor:
    """Rotations (n, 21, 3, 3) of the bones, by a loop."""
    local = torch.eye(3, dtype=vectors.dtype).repeat(len(vectors), 21, 1, 1)
    for finger in range(5):
        for phalanx in range(3):
            local[:, 2 + 4 * finger + phalanx] = from_axis_angle(vectors.unflatten(1, (5, 3, 3))[:, finger, phalanx])
    return local


def test_palm_and_forearm_stay_and_zero_is_the_mean_pose():
    space = PoseSpace(6)
    local = space(torch.zeros(1, 6))
    torch.testing.assert_close(local, _in_place(space.mean[None]))
    bent = space(torch.full((1, 6), 5.0))
    assert torch.equal(bent[:, [0, 1, 5, 9, 13, 17]], torch.eye(3).expand(1, 6, 3, 3))


def test_coefficients_are_held_within_three_deviations():
    space = PoseSpace(1)
    far, farther = space(torch.tensor([[50.0]])), space(torch.tensor([[5000.0]]))
    torch.testing.assert_close(far, farther)
    torch.testing.assert_close(far, _in_place((space.mean + MOST * space.components[0])[None]))


def test_more_components_than_are_kept_are_refused():
    with pytest.raises(InputError, match="31 components of the pose: 1 to 30 are kept"):
        PoseSpace(31)
