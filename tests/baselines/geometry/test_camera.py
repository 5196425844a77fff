"""Projection and back, axes, heat-map cells, and the root's depth from the hand's size."""

from __future__ import annotations

import pytest
import torch
from geometry_cases import HAND, hands, pixels_of, ring
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.geometry.camera import (
    SCALE_BONE,
    bone_lengths,
    cell_centres,
    depth_from_size,
    project,
    rig_bones,
    to_camera,
    to_world,
    unproject,
)
from baselines.geometry.triangulate import triangulate
from rigging.joints import JOINT_NAMES

FEW = settings(max_examples=40, deadline=None)

K, CAMERAS = ring(8)


def seen_by_one(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Hands (B, 21, 3) in camera axes and their relative depths (B, 21), in units of their scale."""
    cam = to_camera(hands(count, seed), CAMERAS[torch.arange(count) % 8])
    scale = bone_lengths(cam)[:, SCALE_BONE, None]
    return cam, (cam[..., 2] - cam[:, :1, 2]) / scale


def test_project_is_the_pinhole_equation_point_by_point():
    points = hands(3)
    assert torch.allclose(project(to_camera(points[:, None], CAMERAS), K), pixels_of(points, K, CAMERAS), atol=1e-9)


def test_a_point_behind_the_camera_has_no_pixel():
    assert project(torch.tensor([[0.0, 0.0, -1.0], [0.0, 0.0, 0.0]]), torch.eye(3)).isnan().all()


@FEW
@given(st.integers(0, 10**6))
def test_unproject_and_to_world_go_back(seed):
    points = hands(2, seed)
    cam = to_camera(points[:, None], CAMERAS)
    back = unproject(project(cam, K), cam[..., 2], K)
    assert torch.allclose(to_world(back, CAMERAS), points[:, None].expand_as(back), atol=1e-12)


def test_the_scale_is_the_first_phalanx_of_the_middle_finger():
    assert JOINT_NAMES[SCALE_BONE + 1] == "middle_pip"
    assert bone_lengths(HAND)[SCALE_BONE] == pytest.approx(float((HAND[10] - HAND[9]).norm()))
    assert rig_bones(0.04)[SCALE_BONE] == pytest.approx(0.04)
    assert torch.allclose(rig_bones(torch.tensor([0.03, 0.06]))[1], 2 * rig_bones(0.03))


@pytest.mark.parametrize("stride", [2, 4, 8])
def test_heat_map_cells_lie_half_a_cell_in(stride):
    """Cells' centres are the means of the pixels' centres they cover; without the half they shift what is found."""
    centres = (torch.arange(16 * stride, dtype=torch.float64) + 0.5).reshape(16, stride).mean(dim=1)
    assert torch.equal(cell_centres(torch.arange(16), stride), centres)
    pixels = pixels_of(hands(1), K, CAMERAS)
    cells = pixels / stride - 0.5
    good = triangulate(cell_centres(cells, stride), K, CAMERAS)
    bad = triangulate(cells * stride, K, CAMERAS)
    assert (good - hands(1)).norm(dim=-1).max() < 1e-9
    assert (bad - hands(1)).norm(dim=-1).mean() > 0.0005 * stride / 2  # 0.6 m / 470 px and half a cell off


@FEW
@given(st.integers(0, 10**6), st.floats(0.7, 1.4))
def test_depth_follows_exactly_from_the_true_size(seed, size):
    cam, relative = seen_by_one(4, seed)
    cam = cam * size  # a larger hand, farther away: the same picture
    depth = depth_from_size(project(cam, K[0]), relative, K[:4], bone_lengths(cam))
    assert torch.allclose(depth, cam[:, 0, 2], atol=1e-7)


def test_a_hand_of_another_size_than_the_mean_is_taken_for_nearer_or_farther():
    cam, relative = seen_by_one(4, 0)
    depth = depth_from_size(project(cam, K[0]), relative, K[:4], 1.1 * bone_lengths(cam))
    assert torch.allclose(depth, 1.1 * cam[:, 0, 2], atol=1e-6)


def test_refining_on_lengths_beats_the_closed_form_under_noise():
    cam, relative = seen_by_one(64, 3)
    generator = torch.Generator().manual_seed(0)
    uv = project(cam, K[0]) + 3 * torch.randn(64, 21, 2, generator=generator)
    relative = relative + 0.3 * torch.randn(64, 21, generator=generator)
    bones = bone_lengths(cam)
    off = [(depth_from_size(uv, relative, K[:1], bones, steps) - cam[:, 0, 2]).abs().mean() for steps in (0, 5)]
    assert off[1] < 0.8 * off[0]


def test_depth_minimises_the_misfit_of_lengths():
    cam, relative = seen_by_one(8, 5)
    relative = relative + 0.2 * torch.randn(8, 21, generator=torch.Generator().manual_seed(1))
    uv, bones = project(cam, K[0]), bone_lengths(cam)

    def misfit(root):
        z = root[:, None] + relative * bones[:, SCALE_BONE, None]
        return (bone_lengths(unproject(uv, z, K[:1])) - bones).square().sum(dim=-1)

    best = depth_from_size(uv, relative, K[:1], bones, steps=30)
    assert (misfit(best) <= misfit(best + 1e-3)).all() and (misfit(best) <= misfit(best - 1e-3)).all()


@pytest.mark.parametrize("spread", [0.0, 1e-3, 1e3, 1e5])
def test_depth_of_nonsense_is_finite_and_has_finite_slopes(spread):
    generator = torch.Generator().manual_seed(0)
    uv = (128 + spread * torch.randn(6, 21, 2, generator=generator)).requires_grad_()
    relative = (10 * torch.randn(6, 21, generator=generator)).requires_grad_()
    depth = depth_from_size(uv, relative, K[:1].float(), rig_bones())
    depth.sum().backward()
    assert ((depth >= 0.05) & (depth <= 20)).all()
    assert uv.grad.isfinite().all() and relative.grad.isfinite().all()
