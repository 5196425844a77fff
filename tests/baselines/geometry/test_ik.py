"""Bone rotations from joints: those of rigging's spin matching, finite for whatever a network says."""

from __future__ import annotations

import numpy as np
import torch
from geometry_cases import HAND, hands, rotations
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.geometry.ik import bone_rotations
from rigging.spin.match import match

FEW = settings(max_examples=30, deadline=None)


@FEW
@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.003, 0.02]))
def test_they_are_those_of_rigging(seed, noise):
    generator = torch.Generator().manual_seed(seed)
    joints = hands(3, seed) + noise * torch.randn(3, 21, 3, dtype=torch.float64, generator=generator)
    expected = match(HAND.numpy(), joints.numpy(), mode="palm").rotations
    np.testing.assert_allclose(bone_rotations(HAND, joints), expected, atol=1e-7)


def test_a_hand_that_is_turned_as_a_whole_turns_every_bone_alike():
    turn = rotations(2, torch.Generator().manual_seed(1))
    found = bone_rotations(HAND, HAND @ turn.mT + 0.3)
    torch.testing.assert_close(found, turn[:, None].expand(2, 21, 3, 3))


def test_a_finger_bent_by_hand():
    """The index finger's last bone, and nothing else, turned by 90 degrees about the x axis of the hand."""
    joints = HAND.clone()
    turn = torch.tensor([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]], dtype=torch.float64)
    bone = torch.tensor([0, 0.02, 0], dtype=torch.float64)  # along the hand
    rest = HAND.clone()
    rest[8], joints[8] = rest[7] + bone, joints[7] + turn @ bone
    found = bone_rotations(rest, joints[None])[0]
    expected = torch.eye(3, dtype=torch.float64).repeat(21, 1, 1)
    expected[8] = turn
    torch.testing.assert_close(found, expected)


def test_bones_bent_back_on_themselves_and_bones_without_length_have_rotations():
    joints = hands(2)
    joints[0, 7] = joints[0, 6]  # no length
    joints[1] = HAND
    joints[1, 8] = 2 * HAND[7] - HAND[8]  # back
    found = bone_rotations(HAND, joints)
    torch.testing.assert_close(found @ found.mT, torch.eye(3, dtype=torch.float64).expand_as(found))
    torch.testing.assert_close(found[0, 7], found[0, 6])
    torch.testing.assert_close(found[1, 8] @ (HAND[8] - HAND[7]), HAND[7] - HAND[8])
    assert torch.isfinite(bone_rotations(HAND, torch.zeros(1, 21, 3, dtype=torch.float64))).all()


def test_gradients_are_finite_differences():
    generator = torch.Generator().manual_seed(0)
    mix = torch.randn(3, 21, dtype=torch.float64, generator=generator)
    joints = hands(1).requires_grad_()

    def mixed(joints: torch.Tensor) -> torch.Tensor:
        return torch.einsum("mj,bjxy->bmxy", mix, bone_rotations(HAND, joints))

    assert torch.autograd.gradcheck(mixed, joints)
