"""Views brought into the axes of each: exact where they agree, and as a loop over all pairs of views has it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from geometry_cases import HAND, hands, ring, rotations
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.geometry.procrustes import aligned, kabsch
from baselines.geometry.view_alignment import between_views, fused_in_each, onto_each

VIEWS = 4
FEW = settings(max_examples=20, deadline=None)


def seen(seed: int = 0, noise: float = 0.0) -> tuple[torch.Tensor, torch.Tensor]:
    """Two hands (2, V, 21, 3) as four cameras have them, each of another size and in another place; their turns."""
    generator = torch.Generator().manual_seed(seed)
    turns = ring(VIEWS)[1][:, :3, :3].expand(2, VIEWS, 3, 3)
    points = torch.einsum("svab,snb->svna", turns, hands(2, seed))
    size = 0.5 + torch.rand(2, VIEWS, 1, 1, generator=generator, dtype=torch.float64)
    shift = torch.randn(2, VIEWS, 1, 3, generator=generator, dtype=torch.float64)
    return size * points + shift + noise * torch.randn(points.shape, generator=generator, dtype=torch.float64), turns


@FEW
@given(st.integers(0, 10**6), st.booleans())
def test_views_that_agree_are_brought_onto_each_exactly(seed, extrinsics):
    points, turns = seen(seed)
    between = between_views(points, turns if extrinsics else None)
    torch.testing.assert_close(onto_each(points, between), points[:, :, None].expand(-1, -1, VIEWS, -1, -1))
    torch.testing.assert_close(fused_in_each(points, between), points)


def test_without_extrinsics_as_in_a_loop_of_procrustes_over_pairs_of_views():
    points, _ = seen(1, noise=0.02)
    moved = onto_each(points, between_views(points))
    for s, i, j in itertools.product(range(2), range(VIEWS), range(VIEWS)):
        torch.testing.assert_close(moved[s, i, j], aligned(points[s, j], points[s, i]))


def test_with_extrinsics_as_in_a_loop_of_least_squares_over_pairs_of_views():
    points, turns = seen(2, noise=0.02)
    moved = onto_each(points, between_views(points, turns)).numpy()
    for s, i, j in itertools.product(range(2), range(VIEWS), range(VIEWS)):
        turned = (points[s, j] @ (turns[s, i] @ turns[s, j].T).T).numpy()
        columns = np.concatenate([turned.reshape(-1, 1), np.tile(np.eye(3), (21, 1))], 1)
        solution = np.linalg.lstsq(columns, points[s, i].numpy().reshape(-1), rcond=None)[0]
        np.testing.assert_allclose(moved[s, i, j], solution[0] * turned + solution[1:], atol=1e-10)


def test_the_fused_points_are_the_mean_of_what_all_views_say():
    points, turns = seen(3, noise=0.02)
    between = between_views(points, turns)
    moved, fused = onto_each(points, between), fused_in_each(points, between)
    for i in range(VIEWS):
        torch.testing.assert_close(fused[:, i], sum(moved[:, i, j] for j in range(VIEWS)) / VIEWS)
    torch.testing.assert_close(onto_each(points, between, axes=2), moved[..., :2])


def test_no_gradient_goes_through_the_maps():
    points, turns = seen(4, noise=0.02)
    points.requires_grad_()
    between = between_views(points, turns)
    assert not any(one.requires_grad for one in (between.scale, between.shift, between.rotation))
    fused_in_each(points, between)[0, 0, 5, 2].backward()
    by_hand = between.scale[0, 0, :, None] * between.rotation[0, 0, :, 2] / VIEWS
    torch.testing.assert_close(points.grad[0, :, 5], by_hand)
    assert not points.grad[1].any() and not points.grad[0, :, 4].any()


@pytest.mark.parametrize("extrinsics", [True, False])
def test_points_that_coincide_keep_their_size(extrinsics):
    points, turns = torch.ones(1, VIEWS, 21, 3), seen()[1][:1].float()
    between = between_views(points, turns if extrinsics else None)
    assert (between.scale == 1).all()
    torch.testing.assert_close(fused_in_each(points, between), points)


def test_views_that_say_opposite_things_do_not_mirror_each_other():
    """By least squares the opposite hand fits best at scale -1; without mirrors it fits best as a point."""
    points = torch.stack([HAND - HAND.mean(0), HAND.mean(0) - HAND])[None]
    between = between_views(points, torch.eye(3, dtype=torch.float64).expand(1, 2, 3, 3))
    torch.testing.assert_close(between.scale[0], torch.eye(2, dtype=torch.float64))
    torch.testing.assert_close(fused_in_each(points, between), points / 2)


def test_kabsch_by_hand():
    """Of C = diag(3, 2, -1) the best rotation keeps all axes: a mirror would have trace 6, the identity has 4."""
    turn, strength = kabsch(torch.diag(torch.tensor([3.0, 2.0, -1.0])))
    torch.testing.assert_close(turn, torch.eye(3))
    torch.testing.assert_close(strength, torch.tensor(4.0))
    turned = rotations(3, torch.Generator().manual_seed(0))
    torch.testing.assert_close(kabsch(2 * turned)[0], turned)
