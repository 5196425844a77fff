"""What several views say of the same points, brought into the axes of each: all pairs of views at once."""

from __future__ import annotations

import torch
from torch import Tensor

from .procrustes import Similarity, kabsch


@torch.no_grad()
def between_views(points: Tensor, rotations: Tensor | None = None) -> Similarity:
    """A_i of HaMuCo (Zheng et al., ICCV 2023, section 3.4): similarities (S, V, V), [s, i, j] takes view j onto view i.

    points (S, V, N, 3) in the axes of each camera; `rotations` (S, V, 3, 3) from common axes to each camera's: the turn
    is then R_i R_j^T, and without them the one of least squares (Procrustes). Scale, at least 0, and shift are of least
    squares, as a view knows neither size nor place. Constants: no gradient goes through.
    """
    centre = points.mean(2)  # (S, V, 3)
    centred = points - centre[:, :, None]
    covariance = torch.einsum("sina,sjnb->sijab", centred, centred)
    if rotations is None:
        turn, strength = kabsch(covariance)
    else:
        turn = torch.einsum("siab,sjcb->sijac", rotations, rotations)
        strength = (turn * covariance).sum((-2, -1))
    spread = centred.square().sum((-2, -1))[:, None]  # (S, 1, V): of view j
    scale = torch.where(spread > 0, strength.clamp_min(0) / spread.clamp_min(1e-30), 1.0)
    moved = scale[..., None] * torch.einsum("sijab,sjb->sija", turn, centre)
    return Similarity(turn, scale, centre[:, :, None] - moved)


def onto_each(points: Tensor, between: Similarity, axes: int = 3) -> Tensor:
    """A_i(M_j) (S, V, V, N, axes): [s, i, j] are the points (S, V, N, 3) of view j in the axes of view i, or x, y."""
    maps = (between.scale[..., None, None] * between.rotation)[..., :axes, :]
    return torch.einsum("sijab,sjnb->sijna", maps, points) + between.shift[..., None, :axes]


def fused_in_each(points: Tensor, between: Similarity) -> Tensor:
    """mean_j A_i(M_j) (S, V, N, 3) of points (S, V, N, 3): what all views together say, in the axes of each."""
    maps = between.scale[..., None, None] * between.rotation / points.shape[1]
    return torch.einsum("sijab,sjnb->sina", maps, points) + between.shift.mean(2)[:, :, None]
