"""HaMuCo's losses: by hand, against loops over views and points, and where their gradients go."""

from __future__ import annotations

import itertools

import pytest
import torch

from baselines.geometry.procrustes import Similarity
from baselines.geometry.view_alignment import between_views, fused_in_each, onto_each
from baselines.hamuco_losses import fused_loss, label_loss, pairwise_loss, pose_prior, shape_prior


def views(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Points (2, 3, 5, 3) that three views of two samples say, and turns (2, 3, 3, 3) of their cameras."""
    generator = torch.Generator().manual_seed(seed)
    turns = torch.linalg.qr(torch.randn(2, 3, 3, 3, generator=generator)).Q
    return torch.randn(2, 3, 5, 3, generator=generator), turns * torch.linalg.det(turns)[..., None, None]


def test_labels_by_hand():
    """Joint 0 is 0.2 and 0.4 off, in the mean 0.3; joint 1 0.1 and 0.1, half as sure; joint 2 has no label."""
    uv = torch.tensor([[[0.2, -0.4], [0.6, 0.5], [9.0, 9.0]]])
    labels = torch.tensor([[[0.0, 0.0], [0.5, 0.4], [0.0, 0.0]]])
    sure, valid = torch.tensor([[1.0, 0.5, 1.0]]), torch.tensor([[True, True, False]])
    assert label_loss(uv, labels, sure, valid) == pytest.approx((0.3 + 0.5 * 0.1) / 2)
    assert label_loss(uv[:, :2], labels[:, :2]) == pytest.approx((0.3 + 0.1) / 2)


def test_a_label_of_no_confidence_teaches_nothing():
    uv = torch.zeros(1, 2, 2, requires_grad=True)
    label_loss(uv, torch.ones(1, 2, 2), torch.tensor([[1.0, 0.0]])).backward()
    assert uv.grad[0, 0].tolist() == [-0.25, -0.25] and uv.grad[0, 1].tolist() == [0, 0]


def test_pairs_by_hand():
    """Two views of one point, at x = 1 and x = 3, mapped by nothing: both pairs are 2 apart in x, 0 in y; z is free."""
    points = torch.tensor([[[[1.0, 0, 5]], [[3.0, 0, 9]]]])
    eye = torch.eye(3).expand(1, 2, 2, 3, 3)
    same = Similarity(eye, torch.ones(1, 2, 2), torch.zeros(1, 2, 2, 3))
    assert pairwise_loss(onto_each(points, same, 2), points) == pytest.approx((0 + 2 + 2 + 0) / 4 / 2)


@pytest.mark.parametrize("extrinsics", [True, False])
def test_pairs_are_those_of_a_loop_over_views(extrinsics):
    points, turns = views(1)
    between, total = between_views(points, turns if extrinsics else None), 0.0
    for s, i, j, n in itertools.product(range(2), range(3), range(3), range(5)):
        scale, turn, shift = (part[s, i, j] for part in (between.scale, between.rotation, between.shift))
        moved = scale * (turn @ points[s, j, n]) + shift
        total += float((moved[:2] - points[s, i, n, :2]).abs().sum())
    found = float(pairwise_loss(onto_each(points, between, 2), points))
    assert found == pytest.approx(total / (2 * 3 * 3 * 5 * 2), rel=1e-5)


def test_the_fused_loss_is_that_of_a_loop_over_views():
    points, turns = views(2)
    between = between_views(points, turns)
    total = 0.0
    for s, i, n in itertools.product(range(2), range(3), range(5)):
        moved = [
            between.scale[s, i, j] * (between.rotation[s, i, j] @ points[s, j, n]) + between.shift[s, i, j]
            for j in range(3)
        ]
        total += float((points[s, i, n] - sum(moved) / 3).abs().sum())
    assert float(fused_loss(points, fused_in_each(points, between))) == pytest.approx(total / (2 * 3 * 5 * 3), rel=1e-5)


def test_the_view_that_is_looked_from_is_not_drawn():
    """L_c2D holds M_i: with maps onto view 0 alone that keep all in place, view 0 gets no gradient and view 1 does."""
    points = torch.tensor([[[[1.0, 0, 5]], [[3.0, 0, 9]]]], requires_grad=True)
    onto_first = torch.zeros(1, 2, 2, 3, 3)
    onto_first[0, 0, 1] = torch.eye(3)
    shift = torch.zeros(1, 2, 2, 3)
    between = Similarity(onto_first, torch.ones(1, 2, 2), shift)
    pairwise_loss(onto_each(points, between, 2), points).backward()
    assert not points.grad[0, 0].any() and points.grad[0, 1, 0].tolist() == [1 / 8, 0, 0]


def test_what_is_fused_teaches_and_does_not_learn():
    points, fused = (torch.randn(2, 5, 3, requires_grad=True) for _ in range(2))
    fused_loss(points, fused).backward()
    assert fused.grad is None and points.grad.abs().sum() == pytest.approx(1.0)


def test_the_prior_by_hand():
    """alpha = 0.01 and gamma = 100: a mean turn of 0.5 rad costs 0.005, a mean coefficient of 0.5 costs 0.5."""
    assert pose_prior(torch.tensor([[[0.5, -0.5, 0.5]] * 15])) == pytest.approx(0.005)
    assert shape_prior(torch.tensor([[1.0, -0.5, 0.0]])) == pytest.approx(0.5)
