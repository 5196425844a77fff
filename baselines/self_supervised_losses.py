"""Losses of EpipolarPose and CanonPose, which HaMuCo is compared with: pure, scalar, averages.

Kocabas et al. (CVPR 2019) and Wandt et al. (CVPR 2021). Points are from joint 9, in units of 0.2 m, in camera axes;
places in the crop are -1 to 1.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import smooth_l1_loss

from .losses import masked_mean

KNEE = 0.05  # of smooth L1, 1 cm, or 1/40 of the crop: beyond it an error counts linearly
TINY = 1e-8


def pseudo_pose_loss(joints: Tensor, pseudo: Tensor, known: Tensor) -> Tensor:
    """EpipolarPose: smooth L1 between joints (B, 21, 2 or 3) and pseudo truth, where it is `known` (B, 21) bool."""
    pseudo = torch.where(known[..., None], pseudo, 0.0)
    return masked_mean(smooth_l1_loss(joints, pseudo, reduction="none", beta=KNEE).mean(-1), known)


def mixed_reprojection_loss(joints: Tensor, turns: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """CanonPose, equation 5, over all pairs of views: a view's hand, turned as another stands, looks as seen there.

    joints (S, V, N, 3) in the axes of each view, turns (S, V, V, 3, 3), [s, i, j] from the axes of view j to those of
    view i, labels (S, V, N, 2) and weights (S, V, N). |c (W / |W| - X / |X|)|_1 of labels W and turned joints X without
    depth, each about its mean (`without_scale`).
    """
    turned = torch.einsum("sijab,sjnb->sijna", turns[..., :2, :], joints)
    weights = weights[:, :, None].expand(turned.shape[:-1])
    seen = without_scale(labels[:, :, None].expand_as(turned), weights)
    distance = (without_scale(turned, weights) - seen).abs().mean(-1)
    return (weights * distance).sum() / weights.sum().clamp_min(TINY)


def without_scale(points: Tensor, weights: Tensor) -> Tensor:
    """Points (..., N, 2) about their weighted mean, over the root of their weighted mean square; weights (..., N)."""
    share = (weights / weights.sum(-1, keepdim=True).clamp_min(TINY))[..., None]
    centred = points - (share * points).sum(-2, keepdim=True)
    return centred / (share * centred.square()).sum((-2, -1), keepdim=True).clamp_min(TINY).sqrt()
