"""Triangulation: exact without noise, equal to the house's, as exact as theory under noise, robust to outliers."""

from __future__ import annotations

import itertools

import pytest
import torch
from geometry_cases import hands, naive_ransac, pixels_of, ring, rotations
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.geometry.simulate import PixelNoise, simulate_detections
from baselines.geometry.triangulate import candidate_errors, covariance, pair_candidates, ransac, refine, triangulate
from rigging.geometry.projection import triangulate as reference

FEW = settings(max_examples=20, deadline=None)

SOLVERS = ("svd", "eigh", "normal")


def noisy(views: int, count: int, sigma: float, seed: int = 0, **kinds: float):
    """Cameras, hands (B, 21, 3) and detections (B, V, 21, 2) with noise."""
    K, cameras = ring(views)
    points = hands(count, seed)
    generator = torch.Generator().manual_seed(seed)
    pixels = pixels_of(points, K, cameras)
    return K, cameras, points, simulate_detections(pixels, PixelNoise(sigma=sigma, **kinds), generator)[0]


@pytest.mark.parametrize("solver", SOLVERS)
@FEW
@given(seed=st.integers(0, 10**6), views=st.integers(2, 8))
def test_without_noise_points_come_back_exactly(solver, seed, views):
    K, cameras, points, pixels = noisy(views, 1, 0.0, seed)
    assert (triangulate(pixels, K, cameras, solver=solver) - points).norm(dim=-1).max() < 1e-7


@FEW
@given(seed=st.integers(0, 10**6))
def test_equals_the_triangulation_of_the_house(seed):
    K, cameras, _, pixels = noisy(6, 1, 2.0, seed)
    seen = torch.rand(6, 21, generator=torch.Generator().manual_seed(seed)) < 0.7
    seen[:3] = True
    ours = triangulate(pixels, K, cameras, seen[None].double(), "normal")
    ours = refine(ours, pixels, K, cameras, seen[None].double(), steps=2)
    theirs = reference(pixels[0].numpy(), K.numpy(), cameras.numpy(), seen.numpy())
    assert (ours[0] - torch.from_numpy(theirs)).abs().max() < 1e-9


def test_solvers_agree_under_noise():
    K, cameras, _, pixels = noisy(8, 4, 2.0)
    found = [triangulate(pixels, K, cameras, solver=solver) for solver in SOLVERS]
    assert (found[0] - found[1]).norm(dim=-1).max() < 1e-9
    assert (found[0] - found[2]).norm(dim=-1).max() < 3e-5


def test_a_batch_is_its_items_one_by_one():
    K, cameras, _, pixels = noisy(4, 3, 2.0)
    weights = torch.rand(3, 4, 21, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    whole = triangulate(pixels, K, cameras, weights)
    for b in range(3):
        for n in range(21):
            one = triangulate(pixels[b, :, n : n + 1], K, cameras, weights[b, :, n : n + 1])
            assert torch.allclose(whole[b, n], one[0], atol=1e-12)


def test_answer_moves_along_with_the_world():
    K, cameras, _, pixels = noisy(4, 1, 1.0)
    turn = torch.eye(4, dtype=torch.float64)
    turn[:3, :3] = rotations(1, torch.Generator().manual_seed(1))[0]
    start = triangulate(pixels, K, cameras)
    before = refine(start, pixels, K, cameras, steps=10)
    after = refine(start @ turn[:3, :3].T, pixels, K, cameras @ torch.linalg.inv(turn), steps=10)
    assert torch.allclose(before @ turn[:3, :3].T, after, atol=1e-9)


def test_views_without_weight_do_not_matter_and_one_view_is_too_few():
    K, cameras, points, pixels = noisy(4, 1, 0.0)
    weights = torch.ones(1, 4, 21)
    weights[:, 2], weights[:, 1:, 5] = 0, 0
    pixels[:, 2] = torch.nan
    found = triangulate(pixels, K, cameras, weights)
    assert found[0, 5].isnan().all() and not found[0, torch.arange(21) != 5].isnan().any()
    good = torch.arange(21) != 5
    assert (found - points)[0, good].norm(dim=-1).max() < 1e-9
    robust, inlier = ransac(pixels, K, cameras, weights)
    assert robust[0, 5].isnan().all() and not inlier[:, 2].any()
    assert (robust - points)[0, good].norm(dim=-1).max() < 1e-9


@pytest.mark.parametrize("views", [2, 4, 8])
def test_error_is_what_theory_says(views):
    """Root mean squares within 4 % of the first order's covariance: with 8 cameras half those of 2."""
    K, cameras, points, pixels = noisy(views, 150, 1.0)
    found = refine(triangulate(pixels, K, cameras), pixels, K, cameras)
    measured = (found - points).square().sum(dim=-1).mean().sqrt()
    predicted = covariance(points, K, cameras, sigma=1.0).diagonal(dim1=-2, dim2=-1).sum(dim=-1).mean().sqrt()
    assert measured == pytest.approx(float(predicted), rel=0.04)


def test_error_falls_with_the_root_of_the_number_of_views():
    """sigma / sqrt(V), once the ring is even: 4, 8 and 16 cameras."""
    errors = []
    for views in (4, 8, 16):
        K, cameras = ring(views, tilt=0.0)
        points = hands(20)
        trace = covariance(points, K, cameras, 1.0).diagonal(dim1=-2, dim2=-1).sum(dim=-1)
        errors.append(float(trace.mean().sqrt()) * views**0.5)
    assert errors[1] == pytest.approx(errors[0], rel=0.01) and errors[2] == pytest.approx(errors[0], rel=0.01)


def test_covariance_scales_with_the_noise_and_is_nan_for_one_view():
    K, cameras = ring(4)
    weights = torch.ones(1, 4, 21)
    weights[:, 1:, 0] = 0
    once, twice = (covariance(hands(1), K, cameras, sigma, weights) for sigma in (1.0, 2.0))
    assert torch.allclose(4 * once[:, 1:], twice[:, 1:])
    assert not (once[0, 0].diagonal() < 1.0).all()  # NaN, or nothing known along the ray


def test_weights_that_know_the_noise_help():
    K, cameras, points, _ = noisy(8, 60, 0.0)
    generator = torch.Generator().manual_seed(0)
    visible = torch.rand(60, 8, 21, generator=generator) < 0.6
    exact = pixels_of(points, K, cameras)
    pixels, confidence = simulate_detections(exact, PixelNoise(2.0, hidden=6.0), generator, visible)
    plain, weighted = triangulate(pixels, K, cameras), triangulate(pixels, K, cameras, confidence)
    assert (weighted - points).norm(dim=-1).mean() < 0.8 * (plain - points).norm(dim=-1).mean()


@pytest.mark.parametrize("solver", SOLVERS)
def test_slopes_to_pixels_and_weights_are_right(solver):
    K, cameras, _, pixels = noisy(3, 1, 1.0)
    pixels = pixels[:, :, :2].clone().requires_grad_()
    weights = (0.5 + torch.rand(1, 3, 2, dtype=torch.float64)).requires_grad_()
    torch.autograd.gradcheck(lambda p, w: triangulate(p, K, cameras, w, solver), (pixels, weights), eps=1e-5, rtol=1e-3)


def test_slopes_are_finite_where_no_point_is_found():
    K, cameras, _, pixels = noisy(3, 1, 1.0)
    weights = torch.ones(1, 3, 21, dtype=torch.float64)
    weights[:, 1:, 0] = 0
    pixels.requires_grad_()
    triangulate(pixels, K, cameras, weights).nansum().backward()
    assert pixels.grad.isfinite().all() and (pixels.grad[:, :, 0] == 0).all()


@FEW
@given(seed=st.integers(0, 10**6))
def test_ransac_picks_the_pair_that_the_naive_search_picks(seed):
    K, cameras, _, pixels = noisy(5, 1, 1.0, seed, outliers=0.3, outlier=60.0)
    found, inlier = ransac(pixels, K, cameras, threshold=8.0)
    for n in (0, 7, 20):
        candidate, agrees = naive_ransac(pixels[0, :, n], K, cameras, 8.0)
        assert torch.equal(inlier[0, :, n], agrees)
        if agrees.sum() >= 2:
            kept, seen = agrees[None, :, None].double(), pixels[:, :, n : n + 1]
            start = triangulate(seen, K, cameras, kept, "normal")
            candidate = refine(start, seen, K, cameras, kept, steps=5, huber=4.0)[0, 0]
        assert torch.allclose(found[0, n], candidate, atol=1e-6)


def test_ransac_beats_linear_triangulation_under_outliers_and_costs_little_without():
    for outliers, low, high in ((0.2, 0.0, 0.25), (0.0, 0.9, 1.1)):
        K, cameras, points, pixels = noisy(8, 40, 1.0, outliers=outliers, outlier=40.0)
        robust = (ransac(pixels, K, cameras)[0] - points).norm(dim=-1).mean()
        linear = (triangulate(pixels, K, cameras) - points).norm(dim=-1).mean()
        assert low < robust / linear < high


def test_ransac_finds_the_outliers():
    K, cameras, points, _ = noisy(8, 2, 0.0)
    exact = pixels_of(points, K, cameras)
    pixels = exact.clone()
    pixels[:, 3, 4] += 50.0
    robust, inlier = ransac(pixels, K, cameras)
    expected = torch.ones(2, 8, 21, dtype=torch.bool)
    expected[:, 3, 4] = False
    assert torch.equal(inlier, expected)
    assert (robust - points).norm(dim=-1).max() < 1e-6


def test_refining_never_raises_the_error_and_ends_where_its_slope_is_zero():
    K, cameras, _, pixels = noisy(4, 2, 3.0)
    start = (triangulate(pixels, K, cameras) + 0.05).requires_grad_()

    def cost(points):
        return candidate_errors(points[:, None], pixels, K, cameras)[:, 0].square().sum(dim=-2)

    costs = [cost(refine(start, pixels, K, cameras, steps=steps)) for steps in range(6)]
    assert all((after <= before).all() for before, after in itertools.pairwise(costs))
    end = refine(start.detach(), pixels, K, cameras, steps=15).requires_grad_()
    (slope,) = torch.autograd.grad(cost(end).sum(), end)
    assert slope.abs().max() < 1e-3  # px^2 / m, of some 1e6 at the start


def test_hubers_error_bounds_what_one_outlier_does():
    K, cameras, points, _ = noisy(8, 2, 0.0)
    pixels = pixels_of(points, K, cameras)
    pixels[:, 0] += 40.0
    start = triangulate(pixels, K, cameras)
    off = [(refine(start, pixels, K, cameras, steps=30, huber=h) - points).norm(dim=-1).mean() for h in (None, 1.0)]
    assert off[1] < off[0] / 10


def test_candidates_are_one_for_each_pair():
    K, cameras, points, pixels = noisy(4, 2, 0.0)
    candidates = pair_candidates(pixels, K, cameras)
    assert candidates.shape == (2, 6, 21, 3)
    assert candidate_errors(points[:, None], pixels, K, cameras).max() < 1e-6


def test_cameras_that_face_each_other_are_no_trouble():
    """On the line between two cameras their pair says nothing; the others do."""
    K, cameras = ring(4, tilt=0.0)
    points = torch.zeros(1, 1, 3, dtype=torch.float64)
    found, inlier = ransac(pixels_of(points, K, cameras), K, cameras)
    assert found.norm() < 1e-9 and inlier.all()
