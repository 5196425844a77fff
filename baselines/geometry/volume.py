"""Cubes of points in the world and what views show at them (Iskakov et al., ICCV 2019, the volumetric approach)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from .camera import to_camera


def cube(side: float, resolution: int, device: torch.device | None = None) -> Tensor:
    """The centres (P, 3) m of the P = R^3 voxels of a cube of `side` m about 0; the first axis changes slowest."""
    steps = (torch.arange(resolution, device=device) + 0.5) * (side / resolution) - side / 2
    return torch.cartesian_prod(steps, steps, steps)


def seen_at(maps: Tensor, points: Tensor, K: Tensor, world_to_cam: Tensor, size: int) -> Tensor:
    """What maps (B, C, m, m) show at world points (B, P, 3) m: (B, C, P), bilinear.

    K (B, 3, 3) px is that of crops of `size` px. What is outside the picture or behind the camera shows 0.
    """
    image = to_camera(points, world_to_cam) @ K.mT  # (B, P, 3)
    ahead = image[..., 2:] > 0
    pixels = image[..., :2] / torch.where(ahead, image[..., 2:], 1.0)
    at = torch.where(ahead, 2 * pixels / size - 1, 2.0)  # -1 to 1 from edge to edge, beyond for what is behind
    return grid_sample(maps, at[:, None], padding_mode="zeros", align_corners=False)[:, :, 0]


def random_turns(count: int, device: torch.device | None = None) -> Tensor:
    """Rotations (count, 3, 3), evenly drawn from torch's generator (of random quaternions)."""
    w, x, y, z = torch.nn.functional.normalize(torch.randn(count, 4, device=device), dim=-1).unbind(-1)
    rows = [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)]
    rows += [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)]
    rows += [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)]
    return torch.stack(rows, -1).unflatten(-1, (3, 3))
