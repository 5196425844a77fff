"""Alignment: undoes any similarity, equals the house's Kabsch, never mirrors, and nothing near it fits better."""

from __future__ import annotations

import numpy as np
import torch
from geometry_cases import hands, rotations
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.geometry.procrustes import align, aligned
from rigging.geometry.rotations import kabsch

FEW = settings(max_examples=40, deadline=None)


@FEW
@given(st.integers(0, 10**6), st.floats(0.3, 3.0))
def test_undoes_a_similarity(seed, size):
    generator = torch.Generator().manual_seed(seed)
    source, turn = hands(3, seed), rotations(3, generator)
    shift = torch.randn(3, 3, dtype=torch.float64, generator=generator)
    found = align(source, size * source @ turn.mT + shift[:, None])
    assert torch.allclose(found.rotation, turn, atol=1e-9)
    assert torch.allclose(found.scale, torch.full((3,), size, dtype=torch.float64))
    assert torch.allclose(found.shift, shift, atol=1e-9)


@FEW
@given(st.integers(0, 10**6))
def test_rotation_is_the_houses_kabsch_also_for_mirrored_hands(seed):
    generator = torch.Generator().manual_seed(seed)
    source = hands(2, seed)
    target = source * torch.tensor([-1.0, 1, 1]) + 0.005 * torch.randn(2, 21, 3, generator=generator)
    found = align(source, target, scale=False)
    np.testing.assert_allclose(found.rotation.numpy(), kabsch(source.numpy(), target.numpy()), atol=1e-8)
    assert (torch.linalg.det(found.rotation) > 0.999).all() and (found.scale == 1).all()


def test_many_hands_are_aligned_as_in_a_loop_over_them():
    generator = torch.Generator().manual_seed(3)
    source, mirrored = hands(30, 3), torch.tensor([1.0, -1])[torch.arange(30) % 2]
    target = source * torch.stack([mirrored, torch.ones(30), torch.ones(30)], -1)[:, None]
    target = target + 0.01 * torch.randn(30, 21, 3, dtype=torch.float64, generator=generator)
    for one, x, y in zip(aligned(source, target), source.numpy(), target.numpy()):
        x0, y0 = x - x.mean(0), y - y.mean(0)
        u, singular, vt = np.linalg.svd(x0.T @ y0)
        sign = [1, 1, np.sign(np.linalg.det(u @ vt))]
        turned = x0 @ (u * sign) @ vt
        np.testing.assert_allclose(one, turned * (singular @ sign) / (x0**2).sum() + y.mean(0), atol=1e-12)


@FEW
@given(st.integers(0, 10**6))
def test_nothing_near_fits_better(seed):
    generator = torch.Generator().manual_seed(seed)
    source, weights = hands(1, seed), torch.rand(1, 21, dtype=torch.float64, generator=generator)
    target = source + 0.01 * torch.randn(1, 21, 3, dtype=torch.float64, generator=generator)

    def misfit(moved):
        return (weights[..., None] * (moved - target).square()).sum()

    best = aligned(source, target, weights)
    centre = (weights[..., None] * target).sum(dim=1, keepdim=True) / weights.sum()
    small = torch.linalg.matrix_exp(1e-3 * torch.tensor([[0.0, 1, 2], [-1, 0, 1], [-2, -1, 0]], dtype=torch.float64))
    for moved in ((best - centre) @ small + centre, best + 1e-4, 1.001 * (best - centre) + centre):
        assert misfit(best) < misfit(moved)


def test_points_without_weight_do_not_matter():
    source = hands(1)
    target, weights = source.clone(), torch.ones(1, 21)
    target[:, 4], weights[:, 4] = 9.0, 0.0
    assert torch.allclose(aligned(source, target, weights)[:, 5:], target[:, 5:], atol=1e-9)


def test_one_point_many_times_has_no_size():
    source = torch.ones(1, 21, 3)
    assert align(source, hands(1).float()).scale == 1
