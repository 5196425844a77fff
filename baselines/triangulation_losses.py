"""Losses of learnable triangulation (Iskakov et al., ICCV 2019), one function an equation; joints in metres.

The authors count in centimetres, so these do: what they weigh against each other would else weigh otherwise.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .losses import masked_mean

CM = 100.0  # a metre
TINY = 1e-6  # a probability has no smaller logarithm


def soft_squared_loss(joints: Tensor, true: Tensor, valid: Tensor | None = None, threshold: float = 0.2) -> Tensor:
    """The algebraic approach's, in cm^2: the mean square of a joint's coordinates, softened above a threshold.

    Above e = threshold^2 (m) a square x becomes x^0.1 e^0.9, so that joints that are grossly wrong hardly pull. joints
    and true (B, K, 3) m, valid (B, K) bool.
    """
    squared = (CM * (joints - true)).square().mean(-1)
    most = (CM * threshold) ** 2
    beyond = squared.clamp_min(most).pow(0.1) * most**0.9
    return masked_mean(torch.where(squared > most, beyond, squared), valid)


def absolute_loss(joints: Tensor, true: Tensor, valid: Tensor | None = None) -> Tensor:
    """The volumetric approach's, in cm: mean distance of the coordinates of joints (B, K, 3) m. valid (B, K) bool."""
    return masked_mean((CM * (joints - true)).abs().mean(-1), valid)


def volume_loss(volumes: Tensor, points: Tensor, true: Tensor, valid: Tensor | None = None) -> Tensor:
    """Its second term, without its weight beta: -log of what the voxel nearest to each joint has.

    volumes (n, K, P), probabilities of P voxels with centres (n, P, 3) m; true (n, K, 3) m, valid (n, K) bool.
    """
    nearest = torch.cdist(true, points).argmin(-1, keepdim=True)  # (n, K, 1)
    return masked_mean(-(volumes.gather(-1, nearest).squeeze(-1) + TINY).log(), valid)


def detection_loss(maps: Tensor, true: Tensor, valid: Tensor | None = None) -> Tensor:
    """Ours, to begin with: cross-entropy between a Gaussian and the softmax that joints in the image are the mean of.

    maps (B, K, h, w), logits; true (B, K, h, w), any heights; valid (B, K) bool.
    """
    share = true.flatten(2) / true.flatten(2).sum(-1, keepdim=True).clamp_min(TINY)
    return masked_mean(-(share * maps.flatten(2).log_softmax(-1)).sum(-1), valid)
