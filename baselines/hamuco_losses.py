"""HaMuCo's losses (Zheng et al., ICCV 2023, section 3.4), one function each: pure, scalar, averages.

Points are from joint 9 in units of 0.2 m, vertices before joints; uv is -1 to 1 over the crop.
"""

from __future__ import annotations

from torch import Tensor

from .losses import masked_mean

POSE_WEIGHT = 0.01  # alpha of L_p; the shape's is a hundred times (gamma) as large, 1


def label_loss(uv: Tensor, labels: Tensor, confidence: Tensor | None = None, valid: Tensor | None = None) -> Tensor:
    """L_2D: c |uv - uv^|_1 of joints (B, 21, 2) and what labels say, by their confidence (B, 21), 0 to 1."""
    distance = (uv - labels).abs().mean(-1)
    return masked_mean(distance if confidence is None else confidence * distance, valid)


def pairwise_loss(moved: Tensor, points: Tensor) -> Tensor:
    """L_c2D: |A_i(M_j)_xy - sg(M_i)_xy|_1 over all pairs of views: each is to look right from where the others stand.

    moved (S, V, V, N, 2), [s, i, j] is A_i(M_j)_xy; points (S, V, N, 3) stay, the others are drawn to them.
    """
    return (moved - points.detach()[:, :, None, :, :2]).abs().mean()


def fused_loss(points: Tensor, fused: Tensor) -> Tensor:
    """L_cf, and L_d of the single views: |M_i - sg(mean_j A_i(M_j))|_1 of points and fused points (B, N, 3)."""
    return (points - fused.detach()).abs().mean()


def pose_prior(vectors: Tensor) -> Tensor:
    """alpha |theta|_1 of L_p, averaged: turns of the fingers' bones (B, 15, 3) rad as axis-angle, not the palm's."""
    return POSE_WEIGHT * vectors.abs().mean()


def shape_prior(shape: Tensor) -> Tensor:
    """alpha gamma |beta|_1 of L_p, averaged: shape (B, K) in standard deviations."""
    return shape.abs().mean()
