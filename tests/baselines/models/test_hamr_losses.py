"""HAMR's losses: values by hand, loops over everything, units, and samples that do not count."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from baselines.geometry.camera import project
from baselines.hamr_losses import (
    camera_loss,
    geometry_loss,
    image_loss,
    joint_loss,
    map_loss,
    silhouette_loss,
    true_camera,
    weak_projection,
)
from rigging.joints import JOINT_PARENTS

SEEDS = st.integers(0, 2**31)


def hands(count: int, seed: int = 0) -> Tensor:
    """Joints (count, 21, 3) m anywhere within a hand's reach of the wrist."""
    joints = 0.05 * torch.randn(count, 21, 3, generator=torch.Generator().manual_seed(seed))
    return joints - joints[:, :1]


def finger(*points: tuple[float, float, float]) -> Tensor:
    """Hands (1, 21, 3) whose fingers but the thumb all have these four joints; the thumb is nonsense."""
    joints = torch.randn(1, 21, 3)
    for first in (5, 9, 13, 17):
        joints[0, first : first + 4] = torch.tensor(points)
    return joints


def test_the_geometry_loss_by_hand():
    """Unit bones along x, then y: the cross product is z.

    The third along x lies in the plane but bends back: z . (y x x) = -1. Along z it leaves the plane by 1 and bends
    sideways: z . (y x z) = z . x = 0. Along -x it bends on: nothing to say.
    """
    straight = ((0.0, 0, 0), (1.0, 0, 0), (1.0, 1, 0))
    assert geometry_loss(finger(*straight, (2.0, 1, 0))).item() == pytest.approx(1)
    assert geometry_loss(finger(*straight, (1.0, 1, 1))).item() == pytest.approx(1)
    assert geometry_loss(finger(*straight, (0.0, 1, 0))).item() == pytest.approx(0)
    slanted = finger(*straight, (1 + 1 / math.sqrt(2), 1, 1 / math.sqrt(2)))
    assert geometry_loss(slanted).item() == pytest.approx(2 / math.sqrt(2))


@given(SEEDS)
@settings(max_examples=20, deadline=None)
def test_the_geometry_loss_is_a_loop_over_fingers(seed):
    joints, total = hands(3, seed), 0.0
    for hand in joints:
        for first in (5, 9, 13, 17):
            bones = [hand[first + i + 1] - hand[first + i] for i in range(3)]
            ab, bc, cd = (bone / bone.norm() for bone in bones)
            normal, next_normal = torch.linalg.cross(ab, bc), torch.linalg.cross(bc, cd)
            total += abs(float(normal @ cd)) - min(0.0, float(normal @ next_normal))
    assert geometry_loss(joints).item() == pytest.approx(total / 12, rel=1e-4)
    assert geometry_loss(0.3 * joints).item() == pytest.approx(total / 12, rel=1e-4)  # of directions, not lengths


def test_losses_of_joints_are_loops_over_those_with_labels():
    joints, true = hands(2), hands(2, 1)
    seen, true_seen = joints[..., :2], true[..., :2]
    valid = torch.rand(2, 21, generator=torch.Generator().manual_seed(2)) < 0.7
    space = flat = 0.0
    for hand in range(2):
        for joint in range(21):
            if valid[hand, joint]:
                space += sum(float(joints[hand, joint, k] - true[hand, joint, k]) ** 2 for k in range(3))
                flat += sum(abs(float(seen[hand, joint, k] - true_seen[hand, joint, k])) for k in range(2))
    assert joint_loss(joints, true, valid).item() == pytest.approx(space / int(valid.sum()), rel=1e-5)
    assert image_loss(seen, true_seen, valid).item() == pytest.approx(flat / int(valid.sum()), rel=1e-5)


def test_a_hand_off_by_three_centimetres_costs_nine_ten_thousandths_of_a_square_metre():
    true = hands(1)
    assert joint_loss(true + torch.tensor([0.01, 0.02, 0.02]), true).item() == pytest.approx(9e-4)


def test_the_map_loss_is_a_mean_over_elements_stacks_and_joints_with_a_label():
    maps, true = torch.zeros(1, 2, 3, 4, 4), torch.zeros(1, 3, 4, 4)
    maps[0, 0, 1, 2, 2] = 2.0  # of 16 elements in 2 stacks
    maps[0, :, 2] = 9.0
    valid = torch.tensor([[True, True, False]])
    assert map_loss(maps, true, valid).item() == pytest.approx(4 / 16 / 2 / 2)


def test_a_weak_perspective_by_hand():
    """s = 2, t = (0.5, -1): a point 2 cm right and 5 cm down, 0.2 and 0.5 dm, is seen at (1.4, -1)."""
    seen = weak_projection(torch.tensor([[[0.02, 0.05, 7.0]]]), torch.tensor([[2.0, 0.5, -1]]))
    torch.testing.assert_close(seen, torch.tensor([[[1.4, -1.0]]]))


@given(SEEDS)
@settings(max_examples=20, deadline=None)
def test_the_labels_camera_is_the_one_that_they_were_seen_by(seed):
    joints = hands(3, seed)
    camera = torch.tensor([[0.7, 0.1, -0.3], [1.5, -1, 0.4], [1, 0, 0]])
    torch.testing.assert_close(true_camera(joints, weak_projection(joints, camera)), camera, atol=1e-3, rtol=1e-3)


def test_the_labels_camera_is_a_loop_over_bones_and_joints():
    joints = hands(1)
    K = torch.tensor([[[2.0, 0, 0], [0, 2, 0], [0, 0, 1]]])
    seen = project(joints + torch.tensor([0.02, 0, 0.5]), K)
    near, flat = 0.0, 0.0
    for joint in range(1, 21):
        parent = JOINT_PARENTS[joint]
        near += float((seen[0, joint] - seen[0, parent]).norm())
        flat += float(10 * (joints[0, joint, :2] - joints[0, parent, :2]).norm())
    s, x, y = true_camera(joints, seen)[0].tolist()
    assert s == pytest.approx(near / flat, rel=1e-4)
    for got, axis in ((x, 0), (y, 1)):
        assert got == pytest.approx(
            sum(float(seen[0, j, axis] / s - 10 * joints[0, j, axis]) for j in range(21)) / 21, abs=1e-4
        )


def test_a_camera_that_is_not_known_does_not_count():
    camera, true = torch.tensor([[1.0, 0, 0], [9, 9, 9]]), torch.tensor([[2.0, 0.5, 0], [0, 0, 0]])
    assert camera_loss(camera, true, torch.tensor([True, False])).item() == pytest.approx(1.25)


def test_the_silhouette_loss_is_off_for_samples_without_a_mask():
    """Shown 0.25 everywhere on 2 x 2 px; of the mask's 16 px those 4 of one pixel and 2 of another are the hand's."""
    shown = torch.full((2, 2, 2), 0.25, requires_grad=True)
    mask = torch.zeros(2, 4, 4, dtype=torch.bool)
    mask[0, :2, :2] = True
    mask[0, 0, 2:] = True
    loss = silhouette_loss(shown, mask)
    assert loss.item() == pytest.approx((0.75 + 0.25 + 0.25 + 0.25) / 4)
    loss.backward()
    assert shown.grad[0].abs().min() > 0 and shown.grad[1].abs().max() == 0
    assert silhouette_loss(shown, torch.zeros_like(mask)).item() == 0
