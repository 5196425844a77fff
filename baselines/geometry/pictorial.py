"""Pictorial structure in space: of each joint's candidates, those that agree with the images and with each other.

The model of Felzenszwalb & Huttenlocher (2005) on the tree of the hand, its candidates triangulated from pairs of views
as in Belagiannis et al. (CVPR 2014). The minimum is exact: costs are summed from the fingertips to the wrist.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .camera import bone_lengths
from .triangulate import candidate_errors, pair_candidates, ransac

FINGERS = torch.arange(1, 21).reshape(5, 4)  # joints, from the palm outwards
NO_CANDIDATE = 1e6  # cost of a candidate that is not there


def pictorial_structure(
    candidates: Tensor, unary: Tensor, bones: Tensor, tolerance: float = 0.004
) -> tuple[Tensor, Tensor]:
    """The joints (B, 21, 3) m, one of the C candidates (B, C, 21, 3) each, with the least cost, and which (B, 21).

    The cost is the sum of `unary` (B, C, 21) and, for every bone, ((length - bones) / tolerance)^2 / 2; `bones` (20,)
    or (B, 20) m, tolerance m. A candidate that is NaN costs NO_CANDIDATE.
    """
    there = ~candidates.isnan().any(dim=-1)
    unary = torch.where(there, unary, NO_CANDIDATE)
    points = candidates.nan_to_num().movedim(-3, -2)  # (B, 21, C, 3)
    lengths = bones.expand(len(points), 20).reshape(-1, 5, 4)
    below = unary.mT[:, FINGERS.to(unary.device)]  # (B, 5, 4, C), of the fingers' joints
    fingers = points[:, FINGERS.to(points.device)]  # (B, 5, 4, C, 3)
    total, picks = below[:, :, 3], []
    for level in (3, 2, 1, 0):  # joint `level` of all fingers at once; before the first comes the wrist
        parent = fingers[:, :, level - 1] if level else points[:, :1].expand(-1, 5, -1, -1)
        cost = _bone_cost(parent, fingers[:, :, level], lengths[:, :, level], tolerance) + total[:, :, None, :]
        least = cost.min(dim=-1)
        picks.append(least.indices)  # (B, 5, C): the best child for each candidate of the parent
        total = least.values + (below[:, :, level - 1] if level else 0.0)
    wrist = (unary[..., 0] + total.sum(dim=1)).argmin(dim=-1)  # (B,)
    choice = _traced(wrist, picks[::-1])
    index = choice[..., None, None].expand(-1, -1, 1, 3)
    chosen = points.gather(2, index)[:, :, 0]
    return torch.where(there.mT.gather(2, choice[..., None]), chosen, torch.nan), choice


def pictorial(
    pixels: Tensor,
    K: Tensor,
    world_to_cam: Tensor,
    bones: Tensor | None = None,
    weights: Tensor | None = None,
    threshold: float = 10.0,
    sigma: float = 3.0,
    tolerance: float = 0.004,
) -> Tensor:
    """Joints (B, 21, 3) m in the world from pixels (B, V, 21, 2), picked among what pairs of views and RANSAC give.

    A candidate costs sum_v e^2 / (2 sigma^2), e its reprojection error cut off at `threshold` px and sigma that of the
    detections. `bones` (20,) or (B, 20) m are resized by the median ratio to those that RANSAC finds; without them the
    lengths are RANSAC's own medians over the batch.
    """
    robust, _ = ransac(pixels, K, world_to_cam, weights, threshold)
    candidates = torch.cat([pair_candidates(pixels, K, world_to_cam, weights), robust[:, None]], dim=1)
    error = candidate_errors(candidates, pixels, K, world_to_cam).nan_to_num(torch.inf).clamp_max(threshold)
    seen = ~pixels.isnan().any(dim=-1) if weights is None else weights > 0
    unary = ((error / sigma).square() / 2 * seen[:, None]).sum(dim=2).to(candidates.dtype)
    found = bone_lengths(robust)
    bones = found.nanmedian(dim=0).values if bones is None else bones.to(found)
    size = (found / bones).nanmedian(dim=-1, keepdim=True).values.nan_to_num(1.0)
    return pictorial_structure(candidates, unary, bones * size, tolerance)[0]


def _bone_cost(parent: Tensor, child: Tensor, lengths: Tensor, tolerance: float) -> Tensor:
    """(B, 5, C, C) of parent's and child's candidates (B, 5, C, 3), for lengths (B, 5) m."""
    found = (parent[..., :, None, :] - child[..., None, :, :]).norm(dim=-1)
    return ((found - lengths[..., None, None]) / tolerance).square() / 2


def _traced(wrist: Tensor, picks: list[Tensor]) -> Tensor:
    """Candidates (B, 21) from the wrist's outwards; picks hold, per level, the best child (B, 5, C) of each parent."""
    current, levels = wrist[:, None].expand(-1, 5), []
    for pick in picks:
        current = pick.gather(2, current[..., None])[..., 0]
        levels.append(current)
    return torch.cat([wrist[:, None], torch.stack(levels, dim=-1).flatten(1)], dim=1)
