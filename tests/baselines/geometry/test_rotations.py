"""Rotations on tensors: those of scipy and of rigging, and gradients that are finite differences."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from geometry_cases import rotations
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from torch.autograd import gradcheck

from baselines.geometry.rotations import (
    IDENTITY_6D,
    from_6d,
    from_axis_angle,
    swing,
    to_6d,
    to_axis_angle,
    to_quaternion,
)
from rigging.geometry import rotations as rigging_rotations

FEW = settings(max_examples=40, deadline=None)
SEEDS = st.integers(0, 10**6)
DOUBLE = {"dtype": torch.float64}


def drawn(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), **DOUBLE)


def units(seed: int, count: int) -> torch.Tensor:
    return torch.nn.functional.normalize(drawn(seed, count, 3), dim=-1)


def test_six_numbers_by_hand():
    """(2, 0, 0) becomes x; of (1, 3, 0) the part along x is taken away, the rest is y; z is their cross product."""
    assert from_6d(torch.tensor([2.0, 0, 0, 1, 3, 0])).equal(torch.eye(3))
    turned = from_6d(torch.tensor([0.0, 5, 0, 0, 7, -2]))
    assert turned.equal(torch.tensor([[0.0, 0, -1], [1, 0, 0], [0, -1, 0]]))
    assert from_6d(torch.tensor(IDENTITY_6D)).equal(torch.eye(3))


@FEW
@given(SEEDS)
def test_six_numbers_are_a_rotation_and_those_of_a_rotation_give_it_back(seed):
    made = from_6d(drawn(seed, 5, 6))
    torch.testing.assert_close(made @ made.mT, torch.eye(3, **DOUBLE).expand(5, 3, 3))
    torch.testing.assert_close(torch.linalg.det(made), torch.ones(5, **DOUBLE))
    turn = rotations(5, torch.Generator().manual_seed(seed))
    torch.testing.assert_close(from_6d(to_6d(turn)), turn)


@FEW
@given(SEEDS, st.sampled_from([0.0, 1e-9, 1e-4, 1.0, 3.1415, 6.0]))
def test_axis_and_angle_as_in_scipy(seed, angle):
    vectors = angle * units(seed, 4)
    np.testing.assert_allclose(from_axis_angle(vectors), Rotation.from_rotvec(vectors).as_matrix(), atol=1e-12)


@FEW
@given(SEEDS, st.sampled_from([0.0, 1e-9, 1e-4, 1.0, 3.1415]))
def test_axis_and_angle_come_back(seed, angle):
    vectors = angle * units(seed, 4)
    np.testing.assert_allclose(to_axis_angle(from_axis_angle(vectors)), vectors, atol=1e-7)
    np.testing.assert_allclose(to_axis_angle(from_axis_angle(5.0 * units(seed, 4))).norm(dim=-1), 2 * np.pi - 5)


def test_gradients_to_axis_and_angle_at_the_identity_too():
    assert gradcheck(lambda vectors: to_axis_angle(from_axis_angle(vectors)), units(1, 3).requires_grad_())
    assert gradcheck(
        lambda numbers: to_axis_angle(from_6d(numbers)), torch.tensor(IDENTITY_6D, **DOUBLE).requires_grad_()
    )


@pytest.mark.parametrize("angle", [0.0, 1e-3, 2.0])
def test_gradients_of_axis_and_angle(angle):
    assert gradcheck(from_axis_angle, (angle * units(1, 3)).requires_grad_())


def test_gradients_of_six_numbers_and_of_quaternions():
    assert gradcheck(from_6d, drawn(0, 3, 6).requires_grad_())
    assert gradcheck(lambda numbers: to_quaternion(from_6d(numbers)), drawn(1, 8, 6).requires_grad_())


@FEW
@given(SEEDS, st.booleans())
def test_quaternions_as_in_scipy_but_for_the_sign(seed, half_turns):
    axes = units(seed, 6)
    turn = from_axis_angle(torch.pi * axes) if half_turns else rotations(6, torch.Generator().manual_seed(seed))
    expected = np.roll(Rotation.from_matrix(turn.numpy()).as_quat(), 1, axis=-1)
    found = to_quaternion(turn).numpy()
    signs = np.sign((found * expected).sum(-1, keepdims=True))
    np.testing.assert_allclose(found * signs, expected, atol=1e-7)


@FEW
@given(SEEDS)
def test_swings_as_in_rigging(seed):
    a, b = units(seed, 6), units(seed + 1, 6)
    b[0], b[1] = a[0], -a[1]
    fallback = torch.linalg.cross(a, units(seed + 2, 6))
    expected = rigging_rotations.swing(a.numpy(), b.numpy(), fallback.numpy())
    found = swing(a, b, fallback)
    np.testing.assert_allclose(found, expected, atol=1e-9)
    torch.testing.assert_close((found @ a[..., None])[..., 0], b)


def test_a_direction_that_is_none_turns_nothing():
    a = units(0, 3)
    torch.testing.assert_close(swing(a, torch.zeros_like(a), a), torch.eye(3, **DOUBLE).expand(3, 3, 3))
