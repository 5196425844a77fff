"""Cubes of voxels, and what views show at them: to a pixel's half, and nothing from behind or outside."""

from __future__ import annotations

import math

import torch

from baselines.geometry.camera import project, to_camera
from baselines.geometry.volume import cube, random_turns, seen_at

SIZE, SIDE = 64, 16


def camera(turn: float = 0.0) -> tuple[torch.Tensor, torch.Tensor]:
    """K (1, 3, 3) px and world_to_cam (1, 4, 4) of a camera 0.5 m from the origin, which it sees at (30, 34)."""
    K = torch.tensor([[[90.0, 0, 30], [0, 90, 34], [0, 0, 1]]])
    pose = torch.eye(4)[None].clone()
    pose[0, :3, :3] = torch.tensor(
        [[math.cos(turn), 0, math.sin(turn)], [0, 1, 0], [-math.sin(turn), 0, math.cos(turn)]]
    )
    pose[0, 2, 3] = 0.5
    return K, pose


def shown(maps: torch.Tensor, u: float, v: float) -> torch.Tensor:
    """(C,) of maps (C, m, m) at a pixel, bilinear between the centres of the elements, 0 outside: written out."""
    x, y = u * SIDE / SIZE - 0.5, v * SIDE / SIZE - 0.5
    total = torch.zeros(len(maps))
    for column in (math.floor(x), math.floor(x) + 1):
        for row in (math.floor(y), math.floor(y) + 1):
            if 0 <= column < SIDE and 0 <= row < SIDE:
                total += (1 - abs(x - column)) * (1 - abs(y - row)) * maps[:, row, column]
    return total


def test_voxels_fill_the_cube_evenly():
    points = cube(0.3, 4)
    assert points.shape == (64, 3)
    torch.testing.assert_close(points.mean(0), torch.zeros(3), atol=1e-7, rtol=0)
    torch.testing.assert_close(points[0], torch.full((3,), -0.15 + 0.0375))
    torch.testing.assert_close(points[1 * 16 + 2 * 4 + 3], torch.tensor([-0.0375, 0.0375, 0.1125]))


def test_points_show_what_is_at_their_pixels():
    generator = torch.Generator().manual_seed(0)
    maps, (K, pose) = torch.rand(1, 3, SIDE, SIDE, generator=generator), camera(0.4)
    points = 0.4 * torch.rand(1, 200, 3, generator=generator) - 0.2
    pixels = project(to_camera(points, pose), K)[0].tolist()
    expected = torch.stack([shown(maps[0], u, v) for u, v in pixels], -1)
    outside = sum(not (0 <= u < SIZE and 0 <= v < SIZE) for u, v in pixels)
    assert 20 < outside < 180
    torch.testing.assert_close(seen_at(maps, points, K, pose, SIZE)[0], expected, atol=1e-5, rtol=0)


def test_no_half_pixel_is_lost():
    """The centre of element (3, 5) of a map of stride 4 is at pixel (14, 22), where a point shows it alone."""
    maps, (K, pose) = torch.zeros(1, 1, SIDE, SIDE), camera()
    maps[0, 0, 5, 3] = 1
    point = torch.tensor([[[(14.0 - 30) / 90 * 0.5, (22.0 - 34) / 90 * 0.5, 0.0]]])
    assert seen_at(maps, point, K, pose, SIZE).item() > 1 - 1e-5


def test_what_is_behind_the_camera_shows_nothing_and_pulls_at_nothing():
    maps, (K, pose) = torch.ones(1, 1, SIDE, SIDE), camera()
    points = torch.tensor([[[0, 0, 0.0], [0, 0, -0.6], [0, 0, -0.5]]]).requires_grad_()
    values = seen_at(maps, points, K, pose, SIZE)
    assert values.tolist() == [[[1.0, 0.0, 0.0]]]
    values.sum().backward()
    assert points.grad.isfinite().all() and (points.grad[0, 1:] == 0).all()


def test_turns_are_rotations_and_even():
    torch.manual_seed(0)
    turns = random_turns(4000)
    torch.testing.assert_close(turns.mT @ turns, torch.eye(3).expand(4000, 3, 3), atol=1e-5, rtol=0)
    torch.testing.assert_close(torch.linalg.det(turns), torch.ones(4000))
    assert turns.mean(0).abs().max() < 0.05
