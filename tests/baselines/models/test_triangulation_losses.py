"""Losses of learnable triangulation: values by hand, and their equations in loops."""

from __future__ import annotations

import math

import pytest
import torch

from baselines.triangulation_losses import absolute_loss, detection_loss, soft_squared_loss, volume_loss


def test_the_squared_loss_counts_in_centimetres_and_is_soft_beyond_its_threshold():
    """3 cm along one axis: 9 / 3 = 3 cm^2. With a threshold of 1 cm (e = 1 cm^2): 3^0.1."""
    joints, true = torch.zeros(1, 1, 3), torch.tensor([[[0.03, 0.0, 0.0]]])
    assert soft_squared_loss(joints, true).item() == pytest.approx(3.0)
    assert soft_squared_loss(joints, true, threshold=0.01).item() == pytest.approx(3**0.1)
    metre = soft_squared_loss(joints, torch.tensor([[[1.0, 0.0, 0.0]]]))  # beyond 20 cm, the paper's threshold
    assert metre.item() == pytest.approx((1e4 / 3) ** 0.1 * 400**0.9, rel=1e-5)


def test_the_squared_loss_has_no_step_and_finite_slopes():
    at = torch.tensor([[[0.2 * math.sqrt(3), 0.0, 0.0]]])
    low, high = (soft_squared_loss(factor * at, torch.zeros(1, 1, 3)).item() for factor in (0.9999, 1.0001))
    assert high == pytest.approx(low, rel=1e-3) and low == pytest.approx(400.0, rel=1e-3)
    joints = torch.stack([torch.zeros(3), torch.full((3,), 50.0)])[None].requires_grad_()
    soft_squared_loss(joints, torch.zeros(1, 2, 3)).backward()
    assert joints.grad.isfinite().all() and (joints.grad[0, 0] == 0).all() and (joints.grad[0, 1] > 0).all()


def test_the_absolute_loss_is_a_mean_of_distances_in_centimetres():
    joints = torch.tensor([[[0.01, -0.02, 0.03], [1.0, 1.0, 1.0]]])
    valid = torch.tensor([[True, False]])
    assert absolute_loss(joints, torch.zeros(1, 2, 3), valid).item() == pytest.approx(2.0)


def test_the_volume_loss_looks_at_the_voxel_next_to_each_joint():
    generator = torch.Generator().manual_seed(0)
    points = torch.rand(2, 30, 3, generator=generator)
    true = torch.rand(2, 4, 3, generator=generator)
    volumes = torch.rand(2, 4, 30, generator=generator).softmax(-1)
    valid = torch.tensor([[True, True, False, True], [True, False, True, True]])
    total = []
    for n in range(2):
        for k in range(4):
            distances = [math.dist(points[n, p].tolist(), true[n, k].tolist()) for p in range(30)]
            if valid[n, k]:
                total.append(-math.log(volumes[n, k, distances.index(min(distances))].item() + 1e-6))
    assert volume_loss(volumes, points, true, valid).item() == pytest.approx(sum(total) / 6, rel=1e-5)


def test_the_detection_loss_is_a_cross_entropy_and_least_for_the_gaussian_itself():
    generator = torch.Generator().manual_seed(0)
    true = torch.rand(2, 3, 4, 4, generator=generator)
    maps = torch.randn(2, 3, 4, 4, generator=generator)
    total = 0.0
    for b in range(2):
        for k in range(3):
            share = true[b, k] / true[b, k].sum()
            found = maps[b, k].exp() / maps[b, k].exp().sum()
            total -= sum(share[i, j] * found[i, j].log() for i in range(4) for j in range(4))
    torch.testing.assert_close(detection_loss(maps, true), total / 6)
    assert detection_loss(true.log(), true) < detection_loss(true.log() + 0.1 * maps, true)
