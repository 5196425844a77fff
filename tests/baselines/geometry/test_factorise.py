"""Form and turns without extrinsics: exact under perspective, of the right hand, little hurt by noise and outliers."""

from __future__ import annotations

import torch
from geometry_cases import hands, pixels_of, ring
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from baselines.geometry.camera import rays
from baselines.geometry.factorise import factorise, upgraded
from baselines.geometry.procrustes import align, aligned

FEW = settings(max_examples=15, deadline=None)
FOCAL = 470.0


def seen_by(views: int, count: int, seed: int = 0, noise: float = 0.0) -> tuple[Tensor, Tensor]:
    """Bent hands in each camera's axes (B, V, 21, 3) m, and where they are seen (B, V, 21, 2) over the focal length."""
    K, cameras = ring(views)
    generator = torch.Generator().manual_seed(seed)
    points = hands(count, seed) + 0.02 * torch.randn(count, 21, 3, dtype=torch.float64, generator=generator)
    pixels = pixels_of(points, K, cameras)
    pixels = pixels + noise * torch.randn(pixels.shape, dtype=torch.float64, generator=generator)
    in_cameras = points[:, None] @ cameras[:, :3, :3].mT + cameras[:, None, :3, 3]
    return in_cameras, rays(pixels, K)[..., :2]


def off(found: Tensor, true: Tensor) -> Tensor:
    """Mean distances (B, V) mm after the best similarity."""
    return 1000 * (aligned(found, true) - true).norm(dim=-1).mean(-1)


@FEW
@given(seed=st.integers(0, 10**6), views=st.sampled_from([3, 5, 6, 7, 8]))
def test_without_noise_hands_and_turns_are_exact_but_for_size(seed, views):
    true, seen = seen_by(views, 1, seed)
    found = factorise(seen, steps=60)
    assert off(found.in_cameras(), true).max() < 1e-3
    turn = align(found.in_cameras(), true).rotation  # of what is in a camera's axes already: none
    assert (turn - torch.eye(3, dtype=torch.float64)).abs().max() < 1e-5
    size = true.norm(dim=-1).mean((-2, -1)) / found.in_place().norm(dim=-1).mean((-2, -1))
    assert torch.allclose(size[:, None, None, None] * found.in_place(), true, atol=1e-6)
    depth = true[..., 2].mean(-1)
    assert torch.allclose(found.depths(), true[..., 2] / depth[..., None], atol=1e-3)


@FEW
@given(seed=st.integers(0, 10**6))
def test_orthographic_views_are_solved_at_once_but_for_front_and_back(seed):
    true, _ = seen_by(5, 1, seed)
    found = upgraded(true[..., :2])
    mirrored = found.mirrored(torch.tensor([True]))
    best = torch.minimum(off(found.in_cameras(), true), off(mirrored.in_cameras(), true))
    assert best.max() < 1e-6
    assert torch.allclose(found.flat(), true[..., :2], atol=1e-9)
    assert torch.allclose(mirrored.flat(), found.flat(), atol=1e-12)
    assert torch.allclose(mirrored.in_cameras(), found.in_cameras() * torch.tensor([1.0, 1, -1]).double(), atol=1e-12)
    for one in (found, mirrored):
        assert torch.allclose(torch.linalg.det(one.rotations), torch.ones(1, 5, dtype=torch.float64))


def test_noise_of_a_pixel_costs_a_millimetre_or_two():
    true, seen = seen_by(8, 20, noise=1.0)  # 0.6 m away and 470 px: a pixel is 1.3 mm
    assert off(factorise(seen).in_cameras(), true).mean() < 1.5


def test_weights_and_the_threshold_keep_outliers_out():
    true, seen = seen_by(8, 20, noise=0.5)
    bad = torch.rand(20, 8, 21, generator=torch.Generator().manual_seed(1)) < 0.1
    seen = seen + 0.1 * bad[..., None]
    plain, robust = (off(factorise(seen, threshold=t).in_cameras(), true).mean() for t in (float("inf"), 10 / FOCAL))
    weighed = off(factorise(seen, 1.0 - 0.95 * bad).in_cameras(), true).mean()
    assert robust < 0.5 * plain and weighed < 0.5 * plain


def test_a_batch_is_its_items_one_by_one():
    _, seen = seen_by(5, 3, noise=1.0)
    whole = factorise(seen, threshold=torch.full((3, 5), 0.02)).in_cameras()
    for b in range(3):
        assert torch.allclose(whole[b], factorise(seen[b], threshold=torch.full((5,), 0.02)).in_cameras(), atol=1e-8)


def test_cameras_on_a_circle_that_face_each_other_say_the_same_and_two_are_too_few():
    """Four cameras level with the hand, a right angle apart: two lines of sight. A metric needs three."""
    K, cameras = ring(4, tilt=0.0)
    points = hands(1) + 0.02 * torch.randn(1, 21, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    seen = rays(pixels_of(points, K, cameras), K)[..., :2]
    true = points[:, None] @ cameras[:, :3, :3].mT
    assert off(factorise(seen).in_cameras(), true).min() > 5
