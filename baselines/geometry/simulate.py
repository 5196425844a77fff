"""What detectors and single-view estimators would say of known hands: labels with noise of a stated kind."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class ViewNoise:
    """How single-view poses err: little across the ray of sight, much along it, and now and then grossly."""

    across: float = 0.003  # m, standard deviation of each of two directions
    along: float = 0.012  # m, standard deviation of the rest, of which
    shared: float = 0.5  # this share of the variance is one error for all joints but the root of a view
    outliers: float = 0.08  # share of joints that are thrown off
    outlier: float = 0.04  # m, standard deviation of each coordinate


@dataclass(frozen=True)
class PixelNoise:
    """How detected pixels err."""

    sigma: float = 3.0  # px, standard deviation of each coordinate
    hidden: float = 3.0  # times as much where a joint is not visible
    outliers: float = 0.0  # share of detections that are thrown off, by
    outlier: float = 30.0  # px, standard deviation of each coordinate


def simulate_detections(
    pixels: Tensor, noise: PixelNoise, generator: torch.Generator, visible: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Detections (..., 2) px of true pixels (..., 2), and confidences (...) from 0 to 1.

    `visible` (...) bool. The confidence is that of the noise's kind, min(1, 1 px / its sigma): it knows nothing of
    outliers, as a detector that takes another joint for this one.
    """
    sigma = torch.full_like(pixels[..., 0], noise.sigma)
    if visible is not None:
        sigma = torch.where(visible, sigma, sigma * noise.hidden)
    off = sigma[..., None] * _normal(pixels, generator)
    thrown = _uniform(sigma, generator) < noise.outliers
    off = torch.where(thrown[..., None], noise.outlier * _normal(pixels, generator), off)
    return pixels + off, 1 / sigma.clamp_min(1.0)


def simulate_single_views(joints_cam: Tensor, noise: ViewNoise, generator: torch.Generator) -> Tensor:
    """Poses (S, V, 21, 3) m in camera axes as single-view estimators would give them, of true joints (S, V, 21, 3).

    The root, joint 0, stays where it is: its depth is another matter. Errors of views are independent.
    """
    ray = joints_cam / joints_cam.norm(dim=-1, keepdim=True)
    spread = _normal(joints_cam, generator)
    across = noise.across * (spread - (spread * ray).sum(dim=-1, keepdim=True) * ray)
    own = (1 - noise.shared) ** 0.5 * _normal(joints_cam[..., :1], generator)
    common = noise.shared**0.5 * _normal(joints_cam[..., :1, :1], generator)
    off = across + noise.along * (own + common) * ray
    thrown = _uniform(joints_cam[..., :1], generator) < noise.outliers
    off = off + torch.where(thrown, noise.outlier * _normal(joints_cam, generator), 0.0)
    off[..., 0, :] = 0
    return joints_cam + off


def _normal(like: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(like.shape, generator=generator, dtype=like.dtype, device=like.device)


def _uniform(like: Tensor, generator: torch.Generator) -> Tensor:
    return torch.rand(like.shape, generator=generator, dtype=like.dtype, device=like.device)
