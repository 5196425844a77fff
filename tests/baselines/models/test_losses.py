"""Losses against their equations, written out in loops."""

from __future__ import annotations

import math

import pytest
import torch

from baselines.losses import depth_loss, fused_loss, heatmap_loss, masked_mean, mesh_loss, size_loss


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_heatmap_loss(generator):
    maps = torch.rand(2, 2, 3, 4, 4, generator=generator)
    true = torch.rand(2, 3, 4, 4, generator=generator)
    sums = [((maps[b, s, k] - true[b, k]) ** 2).sum() for b in range(2) for s in range(2) for k in range(3)]
    torch.testing.assert_close(heatmap_loss(maps, true), sum(sums) / (2 * 2 * 3))


def test_mesh_loss(generator):
    mesh, true = torch.rand(2, 2, 7, 3, generator=generator)
    total = sum(math.dist(mesh[b, n].tolist(), true[b, n].tolist()) ** 2 for b in range(2) for n in range(7))
    assert mesh_loss(mesh, true).item() == pytest.approx(total / 14, rel=1e-5)


def test_meshes_that_are_not_known_do_not_count(generator):
    mesh, true = torch.rand(3, 7, 3, generator=generator).requires_grad_(), torch.rand(3, 7, 3, generator=generator)
    expected = mesh_loss(mesh[:2], true[:2])
    true[2] = torch.nan
    loss = mesh_loss(mesh, true)
    loss.backward()
    torch.testing.assert_close(loss, expected)
    assert mesh.grad.isfinite().all() and (mesh.grad[2] == 0).all() and (mesh.grad[:2] != 0).all()


def test_depth_and_fused_loss_leave_out_joints_without_annotation(generator):
    depth, true_depth = torch.randn(2, 2, 21, generator=generator)
    joints, true = torch.randn(2, 2, 21, 3, generator=generator)
    valid = torch.rand(2, 21, generator=generator) < 0.6
    there = [(b, k) for b in range(2) for k in range(21) if valid[b, k]]
    squares = [(depth[at] - true_depth[at]).item() ** 2 for at in there]
    distances = [math.dist(joints[at].tolist(), true[at].tolist()) ** 2 for at in there]
    assert depth_loss(depth, true_depth, valid).item() == pytest.approx(sum(squares) / len(there), rel=1e-5)
    assert fused_loss(joints, true, valid).item() == pytest.approx(sum(distances) / len(there), rel=1e-5)


def test_the_size_counts_in_logarithms():
    assert size_loss(torch.tensor([2.0]), torch.tensor([1.0])).item() == pytest.approx(math.log(2) ** 2)
    assert size_loss(torch.tensor([2.0]), torch.tensor([1.0])) == size_loss(torch.tensor([0.5]), torch.tensor([1.0]))


def test_the_mean_of_nothing_is_zero_and_has_a_gradient():
    values = torch.ones(2, 3, requires_grad=True)
    mean = masked_mean(values, torch.zeros(2, 3, dtype=torch.bool))
    mean.backward()
    assert mean == 0 and (values.grad == 0).all()
    torch.testing.assert_close(masked_mean(values, torch.ones(2, 3, dtype=torch.bool)), masked_mean(values, None))
