"""The rotation, size and shift that bring points onto others best, batched on tensors."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Similarity(NamedTuple):
    """y = scale R x + shift, for points as rows."""

    rotation: Tensor  # (..., 3, 3), det = +1
    scale: Tensor  # (...)
    shift: Tensor  # (..., 3)

    def __call__(self, points: Tensor) -> Tensor:
        """Points (..., N, 3) moved."""
        return self.scale[..., None, None] * points @ self.rotation.mT + self.shift[..., None, :]


def align(source: Tensor, target: Tensor, weights: Tensor | None = None, scale: bool = True) -> Similarity:
    """The similarity with the least weighted squares between source and target (..., N, 3): Umeyama (1991).

    `scale=False` leaves out the size (Kabsch, 1976). `weights` (..., N). Not differentiable where singular values
    coincide; points that all coincide give scale 1.
    """
    weights = torch.ones_like(source[..., 0]) if weights is None else weights.to(source)
    weights = weights / weights.sum(dim=-1, keepdim=True).clamp_min(1e-30)
    centres = [(weights[..., None] * points).sum(dim=-2) for points in (source, target)]
    x, y = source - centres[0][..., None, :], target - centres[1][..., None, :]
    rotation, strength = kabsch((weights[..., None] * y).mT @ x)
    size = torch.ones_like(strength)
    if scale:
        spread = (weights[..., None] * x.square()).sum(dim=(-1, -2))
        size = torch.where(spread > 0, strength / spread.clamp_min(1e-30), size)
    return Similarity(rotation, size, centres[1] - size[..., None] * (rotation @ centres[0][..., None])[..., 0])


def kabsch(covariance: Tensor) -> tuple[Tensor, Tensor]:
    """The rotation R (..., 3, 3) with the largest trace of R^T C, and that trace (...), of C (..., 3, 3): sum y x^T."""
    u, singular, vh = torch.linalg.svd(covariance)
    sign = torch.ones_like(singular)
    sign[..., 2] = torch.where(torch.linalg.det(u @ vh) < 0, -1.0, 1.0)
    return (u * sign[..., None, :]) @ vh, (singular * sign).sum(dim=-1)


def aligned(source: Tensor, target: Tensor, weights: Tensor | None = None, scale: bool = True) -> Tensor:
    """`source` (..., N, 3) brought onto `target`."""
    return align(source, target, weights, scale)(source)
