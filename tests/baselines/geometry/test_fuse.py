"""Fusion of single views without learning, and the errors it is tried on."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from geometry_cases import hands, ring
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.geometry import fuse
from baselines.geometry.camera import to_camera
from baselines.geometry.simulate import PixelNoise, ViewNoise, simulate_detections, simulate_single_views

FEW = settings(max_examples=40, deadline=None)

CAMERAS = ring(8)[1]


def single_views(count: int, noise: ViewNoise, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """True joints (S, V, 21, 3) in camera axes, what single views say, and true root-relative poses (S, 21, 3)."""
    world = hands(count, seed)
    cam = to_camera(world[:, None], CAMERAS)
    said = simulate_single_views(cam, noise, torch.Generator().manual_seed(seed))
    return cam, said, world - world[:, :1]


def error(fused: torch.Tensor, true: torch.Tensor) -> float:
    return float((fused - true).norm(dim=-1).mean())


@pytest.mark.parametrize("way", [fuse.mean, fuse.median])
def test_views_that_agree_are_fused_to_what_they_say(way):
    cam, _, true = single_views(3, ViewNoise())
    assert error(way(fuse.in_world_axes(cam, CAMERAS)), true) < 1e-12


def test_axes_go_there_and_back():
    cam, _, true = single_views(2, ViewNoise())
    assert torch.allclose(fuse.in_camera_axes(true[:, None], CAMERAS), cam - cam[..., :1, :], atol=1e-12)


@FEW
@given(st.integers(0, 10**6), st.integers(1, 8))
def test_mean_and_median_are_numpys_over_the_valid_views(seed, views):
    rng = np.random.default_rng(seed)
    poses, valid = rng.normal(size=(2, views, 21, 3)), rng.random((2, views, 21)) < 0.6
    naive = np.where(valid[..., None], poses, np.nan)
    missing = ~valid.any(axis=1)
    naive[:, 0][missing] = 0
    for way, theirs in ((fuse.mean, np.nanmean), (fuse.median, np.nanmedian)):
        fused = way(torch.from_numpy(poses), torch.from_numpy(valid)).numpy()
        assert np.isnan(fused[missing]).all()
        np.testing.assert_allclose(fused[~missing], theirs(naive, axis=1)[~missing], atol=1e-12)


def test_weighting_by_covariance_is_solving_for_each_joint():
    rng = np.random.default_rng(0)
    roots = rng.normal(size=(2, 4, 21, 3, 3))
    covariances = roots @ roots.swapaxes(-1, -2) + 0.1 * np.eye(3)
    poses, valid = rng.normal(size=(2, 4, 21, 3)), rng.random((2, 4)) < 0.7
    valid[0], valid[1, 0] = [False] * 4, True
    fused = fuse.covariance_weighted(*map(torch.from_numpy, (poses, covariances, valid))).numpy()
    assert np.isnan(fused[0]).all()
    for joint in range(21):
        parts = [np.linalg.inv(covariances[1, v, joint]) for v in range(4) if valid[1, v]]
        right = sum(w @ poses[1, v, joint] for w, v in zip(parts, np.flatnonzero(valid[1])))
        np.testing.assert_allclose(fused[1, joint], np.linalg.solve(sum(parts), right), atol=1e-10)


def test_knowing_that_depth_is_poor_helps():
    noise = ViewNoise(shared=0.0, outliers=0.0)
    cam, said, _ = single_views(80, noise)
    covariance = fuse.view_covariance((said - cam)[:40].flatten(0, 1))
    _, said, true = single_views(80, noise, seed=1)
    poses = fuse.in_world_axes(said, CAMERAS)
    weighted = fuse.covariance_weighted(poses, fuse.covariances_in_world(covariance, CAMERAS[None]))
    assert error(weighted[:, 1:], true[:, 1:]) < 0.75 * error(fuse.mean(poses)[:, 1:], true[:, 1:])


def test_any_fusion_beats_one_view_and_the_median_bears_outliers():
    _, said, true = single_views(60, ViewNoise())
    poses = fuse.in_world_axes(said, CAMERAS)
    single = error(poses, true[:, None])
    assert error(fuse.median(poses), true) < error(fuse.mean(poses), true) < 0.6 * single


def test_simulated_views_have_the_errors_that_are_asked_for():
    noise = ViewNoise(across=0.003, along=0.012, shared=0.5, outliers=0.0)
    cam, said, _ = single_views(300, noise)
    off, ray = (said - cam)[..., 1:, :], cam / cam.norm(dim=-1, keepdim=True)
    along = (off * ray[..., 1:, :]).sum(dim=-1)
    across = off - along[..., None] * ray[..., 1:, :]
    assert along.std() == pytest.approx(noise.along, rel=0.03)
    assert across.square().sum(dim=-1).mean().sqrt() == pytest.approx(noise.across * 2**0.5, rel=0.02)
    assert along.mean(dim=-1).var() == pytest.approx(noise.along**2 * (0.5 + 0.5 / 20), rel=0.1)
    assert torch.equal(said[..., 0, :], cam[..., 0, :])


def test_simulated_outliers_are_as_many_as_asked_for():
    cam, said, _ = single_views(100, ViewNoise(0.0, 0.0, outliers=0.08))
    assert ((said - cam).norm(dim=-1)[..., 1:] > 0).double().mean() == pytest.approx(0.08, abs=0.01)


def test_simulated_detections_have_the_noise_that_is_asked_for():
    exact, visible = torch.zeros(40_000, 2, dtype=torch.float64), torch.arange(40_000) < 20_000
    generator = torch.Generator().manual_seed(0)
    pixels, confidence = simulate_detections(exact, PixelNoise(2.0, hidden=3.0), generator, visible)
    assert pixels[:20_000].std() == pytest.approx(2.0, rel=0.02)
    assert pixels[20_000:].std() == pytest.approx(6.0, rel=0.02)
    assert confidence[0] == pytest.approx(1 / 2) and confidence[-1] == pytest.approx(1 / 6)


def test_the_generator_decides_everything():
    cam = to_camera(hands(2)[:, None], CAMERAS)
    first, again, other = (simulate_single_views(cam, ViewNoise(), torch.Generator().manual_seed(s)) for s in (5, 5, 6))
    assert torch.equal(first, again) and not torch.equal(first, other)
