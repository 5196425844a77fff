"""Heat-maps of joints: drawn for training, and read with a precision below their pixels.

A map of side m of a crop of S px has the centre of its element i at (i + 0.5) S / m px: no half pixel is lost.
"""

from __future__ import annotations

import torch
from torch import Tensor

REACH = 1.5  # elements from the centre of the fit, as far as a peak is moved
FLOOR = 1e-6  # values of a map below it count as it: logarithms are taken


def gaussian_maps(joints_2d: Tensor, size: int, side: int, sigma: float) -> Tensor:
    """Gaussians of height 1 and `sigma` elements of the map, (B, K, side, side), at joints (B, K, 2) px of the crop."""
    centres = joints_2d * (side / size) - 0.5  # (B, K, 2), in elements
    grid = torch.arange(side, device=joints_2d.device, dtype=joints_2d.dtype)
    columns, rows = torch.exp(-((grid - centres[..., None]) ** 2) / (2 * sigma**2)).unbind(2)  # (B, K, side)
    return rows[..., :, None] * columns[..., None, :]


def peaks(maps: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Where the maps (B, K, m, m) peak, (B, K, 2) px of a crop of `size`, and how high, (B, K) in 0 to 1.

    A parabola through the logarithms of the largest element and its neighbours, in rows and columns each summed over
    three, which is exact for Gaussians, also at a border. Differentiable almost everywhere.
    """
    side = maps.shape[-1]
    around = _around_peak(maps.float())  # (B, K, 3, 3) and (B, K, 2)
    patch, centre = around
    offset = torch.stack([_vertex(patch.sum(-2)), _vertex(patch.sum(-1))], -1)
    return (centre + offset + 0.5) * (size / side), patch.amax((-2, -1)).clamp(FLOOR, 1.0)


def soft_argmax(maps: Tensor, size: int, sharpness: float) -> Tensor:
    """The mean place (B, K, 2) px, of a crop of `size`, of softmax(sharpness x maps), maps (B, K, m, m).

    As in Iskakov et al. (ICCV 2019); an element's place is its centre, so no half pixel is lost.
    """
    side = maps.shape[-1]
    share = (sharpness * maps.flatten(-2)).softmax(-1).view(maps.shape)
    centres = (torch.arange(side, device=maps.device, dtype=maps.dtype) + 0.5) * (size / side)
    return torch.stack([share.sum(-2) @ centres, share.sum(-1) @ centres], -1)


def _around_peak(maps: Tensor) -> tuple[Tensor, Tensor]:
    """The 3x3 elements around the largest of each map, moved inside at a border, and the middle one's (column, row)."""
    side = maps.shape[-1]
    largest = maps.flatten(-2).argmax(-1)
    centre = torch.stack([largest % side, largest // side], -1).clamp(1, side - 2)  # (B, K, 2)
    steps = torch.arange(-1, 2, device=maps.device)
    columns, rows = (centre[..., None] + steps).unbind(-2)  # (B, K, 3) each
    where = rows[..., :, None] * side + columns[..., None, :]
    patch = maps.flatten(-2).gather(-1, where.flatten(-2)).unflatten(-1, (3, 3))
    return patch.clamp(min=FLOOR), centre


def _vertex(three: Tensor) -> Tensor:
    """Where a parabola through the logarithms of three values (..., 3) at -1, 0, 1 has its top, at most REACH away."""
    left, middle, right = three.log().unbind(-1)
    bend = (2 * middle - left - right).clamp(min=FLOOR)
    return (0.5 * (right - left) / bend).clamp(-REACH, REACH)
