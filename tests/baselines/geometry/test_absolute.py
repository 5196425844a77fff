"""A hand's place in the world: exact without noise, the optimum of the reprojection under it, robust to outliers."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from geometry_cases import hands, pixels_of, ring
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import least_squares
from torch import Tensor

from baselines.geometry.absolute import centred_joints, optimised_centre, robust_joints
from baselines.geometry.fuse import in_camera_axes
from baselines.geometry.triangulate import ransac

FEW = settings(max_examples=20, deadline=None)


def placed(views: int, count: int = 1, seed: int = 0, noise: float = 0.0):
    """K, cameras, roots (B, 3), poses in each camera's axes (B, V, 21, 3), pixels (B, V, 21, 2)."""
    K, cameras = ring(views)
    generator = torch.Generator().manual_seed(seed)
    pose = hands(count, seed)
    pose = pose - pose[:, 9:10]
    roots = 0.1 * torch.randn(count, 3, dtype=torch.float64, generator=generator)
    pixels = pixels_of(pose + roots[:, None], K, cameras)
    pixels = pixels + noise * torch.randn(pixels.shape, dtype=torch.float64, generator=generator)
    return K, cameras, roots, in_camera_axes(pose[:, None], cameras), pixels


def naive_centre(pose: Tensor, pixels: Tensor, K: Tensor, cameras: Tensor, weights: Tensor) -> np.ndarray:
    """(3,) m: scipy's least squares from the world's origin, a joint of a view at a time."""

    def residuals(t: np.ndarray) -> list[float]:
        found = []
        for v, n in itertools.product(range(len(K)), range(pose.shape[1])):
            point = pose[v, n].numpy() + cameras[v, :3, :3].numpy() @ t + cameras[v, :3, 3].numpy()
            seen = K[v].numpy() @ point
            found += list(float(weights[v, n]) * (pixels[v, n].numpy() - seen[:2] / seen[2]))
        return found

    return least_squares(residuals, np.zeros(3), xtol=1e-12, ftol=1e-12, gtol=1e-12).x


@FEW
@given(seed=st.integers(0, 10**6), views=st.integers(1, 8))
def test_without_noise_the_root_comes_back_exactly_even_from_one_view(seed, views):
    K, cameras, roots, pose, pixels = placed(views, 2, seed)
    assert (optimised_centre(pose, pixels, K, cameras) - roots).norm(dim=-1).max() < 1e-8


@FEW
@given(seed=st.integers(0, 10**6), views=st.integers(1, 4))
def test_under_noise_it_is_what_scipy_finds(seed, views):
    K, cameras, _, pose, pixels = placed(views, 1, seed, noise=3.0)
    weights = torch.rand(1, views, 21, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    found = optimised_centre(pose, pixels, K, cameras, weights)[0]
    assert np.allclose(found.numpy(), naive_centre(pose[0], pixels[0], K, cameras, weights[0]), atol=1e-6)


def test_each_view_may_bring_a_pose_of_its_own():
    K, cameras, _, pose, pixels = placed(3, 1, noise=1.0)
    pose = pose + 0.005 * torch.randn(pose.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(5))
    found = optimised_centre(pose, pixels, K, cameras)[0]
    assert np.allclose(found.numpy(), naive_centre(pose[0], pixels[0], K, cameras, torch.ones(3, 21)), atol=1e-6)


def test_a_batch_is_its_items_one_by_one_and_cameras_may_differ():
    K, cameras, _, pose, pixels = placed(4, 3, noise=2.0)
    whole = optimised_centre(pose, pixels, K.expand(3, -1, -1, -1), cameras.expand(3, -1, -1, -1))
    for b in range(3):
        assert torch.allclose(whole[b], optimised_centre(pose[b], pixels[b], K, cameras), atol=1e-10)


def test_a_point_on_the_axis_is_seen_at_the_principal_point_not_half_a_pixel_beside():
    """cx = 128 px: between the 128th and the 129th pixel, whose centres are 127.5 and 128.5."""
    K, cameras = ring(1)
    pose = torch.tensor([[[0.0, 0, 0], [0.05, 0, 0], [0, 0.05, 0]]], dtype=torch.float64)
    depth, focal = 0.6, 470.0
    pixels = 128 + focal / depth * pose[..., :2]
    found = optimised_centre(pose, pixels, K, cameras)
    assert found.norm() < 1e-9  # the camera looks at the origin, from 0.6 m
    beside = optimised_centre(pose, pixels + 0.5, K, cameras)
    assert float(beside.norm()) == pytest.approx(0.5 * 2**0.5 * depth / focal, rel=1e-6)


def test_what_has_no_weight_or_is_not_a_number_does_not_count():
    K, cameras, roots, pose, pixels = placed(3, 1)
    weights = torch.ones(1, 3, 21, dtype=torch.float64)
    weights[:, 0], pixels[:, 0] = 0, 500.0
    pixels[:, 1, 4] = torch.nan
    assert (optimised_centre(pose, pixels, K, cameras, weights) - roots).norm() < 1e-8
    assert optimised_centre(pose, pixels, K, cameras, 0 * weights).isnan().all()


def test_hubers_error_bounds_what_outliers_do():
    K, cameras, roots, pose, pixels = placed(4, 8, noise=1.0)
    pixels[:, 0, :5] += 60.0
    off = [(optimised_centre(pose, pixels, K, cameras, huber=h) - roots).norm(dim=-1).mean() for h in (None, 2.0)]
    assert off[1] < off[0] / 4


def test_views_meet_in_the_mean_pose_at_the_centre():
    K, cameras, roots, pose, pixels = placed(4, 2)
    world = pose @ cameras[:, :3, :3]
    expected = world[:, 0] + roots[:, None]
    assert torch.allclose(centred_joints(pose, pixels, K, cameras), expected, atol=1e-8)
    longer = pose.clone()
    longer[:, 0, 12] *= 1.2
    moved = centred_joints(longer, pixels, K, cameras) - optimised_centre(longer, pixels, K, cameras)[:, None]
    assert torch.allclose(moved[:, 12], 1.05 * world[:, 0, 12], atol=1e-9)


def test_robust_joints_are_ransacs_and_the_pose_stands_in_for_what_one_view_sees():
    K, cameras, roots, pose, pixels = placed(4, 2, noise=0.5)
    weights = torch.ones(2, 4, 21, dtype=torch.float64)
    weights[:, 1:, 5] = 0
    found = robust_joints(pose, pixels, K, cameras, weights)
    points, _ = ransac(pixels, K, cameras, weights)
    rest = torch.arange(21) != 5
    assert points[:, 5].isnan().all() and torch.equal(found[:, rest], points[:, rest])
    expected = (pose @ cameras[:, :3, :3])[:, 0, 5] + roots
    assert (found[:, 5] - expected).norm(dim=-1).max() < 1e-3


def test_robust_joints_withstand_outliers():
    K, cameras, roots, pose, pixels = placed(8, 8, noise=0.5)
    bad = torch.rand(8, 8, 21, generator=torch.Generator().manual_seed(3)) < 0.15
    pixels[bad] += 50.0
    expected = (pose @ cameras[:, :3, :3])[:, 0] + roots[:, None]
    assert (robust_joints(pose, pixels, K, cameras) - expected).norm(dim=-1).mean() < 1e-3
