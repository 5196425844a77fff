"""One pose from the single-view poses of several cameras, without learning.

Poses are (S, V, 21, 3) m, relative to the root and in world axes: S samples, V views; `valid` (S, V) or (S, V, 21) bool
says which to use (default: all). A joint that no view has is NaN.
"""

from __future__ import annotations

import torch
from torch import Tensor


def in_world_axes(joints_cam: Tensor, world_to_cam: Tensor) -> Tensor:
    """Joints (..., 21, 3) m in camera axes as poses relative to joint 0 in world axes; world_to_cam (..., 4, 4)."""
    return (joints_cam - joints_cam[..., :1, :]) @ world_to_cam[..., :3, :3]


def in_camera_axes(pose: Tensor, world_to_cam: Tensor) -> Tensor:
    """Poses (..., 21, 3) relative to the root in world axes, as camera axes have them (still relative)."""
    return pose @ world_to_cam[..., :3, :3].mT


def mean(poses: Tensor, valid: Tensor | None = None) -> Tensor:
    """The views' mean (S, 21, 3)."""
    return torch.where(_mask(poses, valid), poses, torch.nan).nanmean(dim=1)


def median(poses: Tensor, valid: Tensor | None = None) -> Tensor:
    """The views' median (S, 21, 3), coordinate by coordinate; of an even number, the mean of the middle two."""
    mask = _mask(poses, valid)
    count = mask.sum(dim=1, keepdim=True)
    ranked = torch.where(mask, poses, torch.inf).sort(dim=1).values
    middle = [ranked.gather(1, index.clamp_min(0)) for index in ((count - 1) // 2, (count // 2).clamp_max(count - 1))]
    return torch.where(count > 0, (middle[0] + middle[1]) / 2, torch.nan)[:, 0]


def covariance_weighted(poses: Tensor, covariances: Tensor, valid: Tensor | None = None) -> Tensor:
    """The best linear unbiased mean (S, 21, 3): (sum C^-1)^-1 sum C^-1 x, covariances (S, V, 21 or 1, 3, 3) m^2.

    In world axes, as `covariances_in_world` makes them. Best for independent errors without outliers.
    """
    mask = _mask(poses, valid)
    information = torch.linalg.inv(covariances.double()).expand(*poses.shape, 3) * mask[..., :1, None]
    right = (information @ torch.where(mask, poses, 0.0).double()[..., None]).sum(dim=1)
    total, seen = information.sum(dim=1), mask[..., 0].any(dim=1)
    total = torch.where(seen[..., None, None], total, torch.eye(3, dtype=total.dtype, device=total.device))
    fused = torch.linalg.solve(total, right)[..., 0]
    return torch.where(seen[..., None], fused, torch.nan).to(poses.dtype)


def view_covariance(errors: Tensor, ridge: float = 1e-8) -> Tensor:
    """Mean squares (21, 3, 3) m^2 of errors (n, 21, 3) m of root-relative single-view poses, in camera axes.

    Measured on samples that are not scored. `ridge` m^2 keeps the root, which has no error, invertible.
    """
    eye = torch.eye(3, dtype=errors.dtype, device=errors.device)
    return torch.einsum("nji,njk->jik", errors, errors) / len(errors) + ridge * eye


def covariances_in_world(covariance: Tensor, world_to_cam: Tensor) -> Tensor:
    """Covariances (S, V, 21, 3, 3) in world axes, of covariance (21, 3, 3) or (1, 3, 3) in the axes of every camera."""
    turn = world_to_cam[..., None, :3, :3]
    return turn.mT @ covariance.to(turn) @ turn


def _mask(poses: Tensor, valid: Tensor | None) -> Tensor:
    """(S, V, 21, 3) bool; what is NaN is not valid."""
    mask = ~poses.isnan().any(dim=-1, keepdim=True).expand_as(poses)
    if valid is None:
        return mask
    return mask & (valid[..., None] if valid.dim() == 3 else valid[..., None, None])
