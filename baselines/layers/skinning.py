"""Skinning on tensors: bones move vertices by blended maps or by blended dual quaternions, as in rigging.hand.skinning.

Both take vertices at rest, how much each hangs on each of J bones, and per bone the map v -> R v + t.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..geometry.rotations import to_quaternion


def linear_blend(vertices: Tensor, weights: Tensor, linear: Tensor, shift: Tensor) -> Tensor:
    """v' = sum_b w_b (A_b v + t_b), (B, V, 3) m: linear blend skinning (Magnenat-Thalmann et al. 1988).

    vertices (B or 1, V, 3), weights (V, J), linear (B, J, 3, 3), which need not be rotations, shift (B, J, 3).
    """
    maps = torch.cat([linear, shift[..., None]], -1).flatten(-2)
    blended = (weights @ maps).unflatten(-1, (3, 4))  # (B, V, 3, 4)
    return (blended[..., :3] * vertices[..., None, :]).sum(-1) + blended[..., 3]


def dual_quaternion(vertices: Tensor, weights: Tensor, rotations: Tensor, shift: Tensor) -> Tensor:
    """(B, V, 3) m by dual quaternion skinning (Kavan et al., Skinning with Dual Quaternions, I3D 2007, section 4).

    Arguments as for `linear_blend`, of the 21 bones of a hand: v' = v + 2 r x (r x v + w v) + 2 (w d - d0 r + r x d)
    for the blended real part (w, r) and dual part (d0, d).
    """
    real = same_hemisphere(to_quaternion(rotations))
    blended = weights @ torch.cat([real, _half_product(shift, real)], -1)  # (B, V, 8)
    blended = blended / blended[..., :4].norm(dim=-1, keepdim=True)
    w, r, d0, d = blended.split([1, 3, 1, 3], -1)
    turned = torch.linalg.cross(r, torch.linalg.cross(r, vertices.expand_as(r)) + w * vertices)
    return vertices + 2 * turned + 2 * (w * d - d0 * r + torch.linalg.cross(r, d))


def same_hemisphere(quaternions: Tensor) -> Tensor:
    """Quaternions (B, 21, 4) of a hand's bones, each with the sign that brings it near that of the bone before it."""
    forearm = quaternions[:, :1]
    before, levels = forearm, []
    for level in range(1, 5):
        own = quaternions[:, level::4]
        before = torch.where((own * before).sum(-1, keepdim=True) < 0, -own, own)
        levels.append(before)
    return torch.cat([forearm, torch.stack(levels, 2).flatten(1, 2)], 1)


def _half_product(shift: Tensor, quaternions: Tensor) -> Tensor:
    """Dual parts (B, J, 4): half the quaternion product of translations (B, J, 3) and rotations (B, J, 4)."""
    w, v = quaternions[..., :1], quaternions[..., 1:]
    vector = w * shift + torch.linalg.cross(shift, v)
    return 0.5 * torch.cat([-(shift * v).sum(-1, keepdim=True), vector], -1)
