"""The hand in torch is the hand of rigging, to less than 1e-4 mm, and its gradients are finite differences."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.geometry.rotations import from_6d, from_axis_angle
from baselines.layers.hand_layer import Hand, HandLayer, chain
from rigging.geometry.rotations import random_rotation
from rigging.hand import skinning
from rigging.hand.asset import HandAsset, load_asset
from rigging.hand.shape import RestHand, Subject, mean_subject, rest_hand, sample_subject, stretch_rest
from rigging.joints import JOINT_PARENTS

ASSET = load_asset()
NUMPY = {"linear": skinning.linear_blend, "dual_quaternion": skinning.dual_quaternion}
CLOSE = {torch.float64: 1e-7, torch.float32: 2e-7}  # m: 1e-4 mm; 2e-4 mm, some ten units in the last place of 0.2 m
FEW = settings(max_examples=5, deadline=None)


def subjects(rng: np.random.Generator, count: int) -> list[Subject]:
    return [sample_subject(rng, ASSET) for _ in range(count)]


def tensors(who: list[Subject], dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
    """Shapes and lengths."""
    coefficients = np.stack([subject.coefficients for subject in who])
    return torch.tensor(coefficients, dtype=dtype), torch.tensor([subject.hand_length for subject in who], dtype=dtype)


def posed_joints(rest: RestHand, rotations: np.ndarray, root: np.ndarray) -> np.ndarray:
    """(21, 3), bone by bone."""
    joints = np.empty((21, 3))
    for joint, parent in enumerate(JOINT_PARENTS):
        bone = rest.joints[joint] - rest.joints[parent] if joint else 0
        joints[joint] = joints[parent] + rotations[joint] @ bone if joint else root
    return joints


def check_equal(kind: str, dtype: torch.dtype, rng: np.random.Generator, rotations: np.ndarray) -> None:
    """The layer's vertices and joints are those of rigging for hands of rotations (B, 21, 3, 3)."""
    who, root = subjects(rng, len(rotations)), rng.normal(0, 0.05, (len(rotations), 3))
    given = (torch.tensor(rotations, dtype=dtype), *tensors(who, dtype), torch.tensor(root, dtype=dtype))
    hand = HandLayer(kind, dtype=dtype)(*given)
    for b, subject in enumerate(who):
        rest = rest_hand(ASSET, subject)
        joints = posed_joints(rest, rotations[b], root[b])
        vertices = NUMPY[kind](rest, ASSET, rotations[b], joints)
        assert np.abs(hand.vertices[b].double().numpy() - vertices).max() < CLOSE[dtype]
        assert np.abs(hand.joints[b].double().numpy() - joints).max() < CLOSE[dtype]


@pytest.mark.parametrize("kind", NUMPY)
@FEW
@given(seed=st.integers(0, 10**6))
def test_it_is_riggings_skinning_for_any_subject_and_rotations(kind, seed):
    rng = np.random.default_rng(seed)
    check_equal(kind, torch.float64, rng, random_rotation(rng, 63).reshape(3, 21, 3, 3))


@pytest.mark.parametrize("kind", NUMPY)
@FEW
@given(seed=st.integers(0, 10**6))
def test_so_it_is_in_single_precision_for_fingers_that_bend_as_fingers_may(kind, seed):
    """Bones that are turned against each other by nearly half a turn, which none are, lose digits when blended."""
    rng = np.random.default_rng(seed)
    local = torch.from_numpy(rng.normal(0, 0.4, (3, 21, 3)))
    rotations = chain(torch.from_numpy(random_rotation(rng, 3)), from_axis_angle(local)).numpy()
    check_equal(kind, torch.float32, rng, rotations)


def test_without_a_subject_it_is_the_mean_hand():
    rest, expected = HandLayer(dtype=torch.float64).rest(), rest_hand(ASSET, mean_subject(ASSET))
    np.testing.assert_allclose(rest.vertices[0], expected.vertices, atol=1e-12)
    np.testing.assert_allclose(rest.joints[0], expected.joints, atol=1e-12)


@FEW
@given(seed=st.integers(0, 10**6))
def test_bones_are_stretched_as_in_rigging(seed):
    rng = np.random.default_rng(seed)
    who, lengths = subjects(rng, 2), rng.uniform(0.01, 0.1, (2, 20))
    layer = HandLayer(dtype=torch.float64)
    hand = layer.stretch(layer.rest(*tensors(who, torch.float64)), torch.from_numpy(lengths))
    for b, subject in enumerate(who):
        expected = stretch_rest(rest_hand(ASSET, subject), ASSET, np.r_[0, lengths[b]])
        np.testing.assert_allclose(hand.vertices[b], expected.vertices, atol=1e-12)
        np.testing.assert_allclose(hand.joints[b], expected.joints, atol=1e-12)


def test_a_vertex_that_hangs_on_one_bone_goes_with_it():
    """R (v - rest start) + posed start: the tip of the index finger, its last bone turned by 90 degrees about x."""
    layer = HandLayer("linear", dtype=torch.float64)
    alone = int(layer.weights[:, 8].argmax())
    assert layer.weights[alone, 8] == 1
    rotations = torch.eye(3, dtype=torch.float64).repeat(1, 21, 1, 1)
    rotations[0, 8] = from_axis_angle(torch.tensor([torch.pi / 2, 0, 0], dtype=torch.float64))
    (vertex,), (joint,) = (points[0, [index]] for points, index in zip(layer.rest(), (alone, 7)))
    x, y, z = vertex - joint
    torch.testing.assert_close(layer(rotations).vertices[0, alone], joint + torch.stack([x, -z, y]))


def test_rotations_are_chained_from_the_palm_along_each_finger():
    rng = np.random.default_rng(0)
    palm, local = random_rotation(rng, 2), random_rotation(rng, 42).reshape(2, 21, 3, 3)
    found = chain(torch.from_numpy(palm), torch.from_numpy(local))
    for b in range(2):
        expected: list[np.ndarray] = []
        for joint, parent in enumerate(JOINT_PARENTS):
            expected.append((expected[parent] if parent > 0 else palm[b]) @ local[b, joint])
        np.testing.assert_allclose(found[b], np.stack(expected), atol=1e-12)


def few_vertices(count: int) -> HandAsset:
    """The asset with some of its vertices."""
    some = np.linspace(0, len(ASSET.template) - 1, count).astype(int)
    weights = {name: getattr(ASSET, name)[some] for name in ("template", "weight_bones", "weight_values")}
    return dataclasses.replace(ASSET, **weights, shape_vertices=ASSET.shape_vertices[:, some])


@pytest.mark.parametrize("kind", NUMPY)
def test_gradients_are_finite_differences(kind):
    layer, generator = HandLayer(kind, few_vertices(30), torch.float64), torch.Generator().manual_seed(0)

    def drawn(*size: int) -> torch.Tensor:
        return torch.randn(1, *size, dtype=torch.float64, generator=generator)

    mix, mix_joints = drawn(3, 30)[0], drawn(3, 21)[0]

    def mixed(palm: torch.Tensor, local: torch.Tensor, shape: torch.Tensor, length: torch.Tensor, root: torch.Tensor):
        hand = layer(chain(from_6d(palm), from_6d(local)), shape, length, root)
        return mix @ hand.vertices, mix_joints @ hand.joints

    local = torch.tensor([1.0, 0, 0, 0, 1, 0]) + 0.3 * drawn(21, 6)
    inputs = [one.requires_grad_() for one in (drawn(6), local, drawn(18), 0.18 + 0 * drawn(1)[0], drawn(3))]
    assert torch.autograd.gradcheck(mixed, inputs)


def test_gradients_go_through_stretched_bones():
    layer, generator = HandLayer("linear", few_vertices(20), torch.float64), torch.Generator().manual_seed(0)
    lengths = (0.02 + 0.03 * torch.rand(1, 20, dtype=torch.float64, generator=generator)).requires_grad_()
    assert torch.autograd.gradcheck(lambda lengths: tuple(layer.stretch(layer.rest(), lengths)), lengths)


def test_one_hand_at_rest_serves_a_batch():
    layer = HandLayer()
    rotations = torch.eye(3).repeat(4, 21, 1, 1)
    hand: Hand = layer(rotations)
    assert hand.vertices.shape == (4, 2651, 3) and hand.joints.shape == (4, 21, 3)
    torch.testing.assert_close(hand.vertices, layer.rest().vertices.expand(4, -1, -1))
    assert not layer.state_dict()  # the asset is no weight
