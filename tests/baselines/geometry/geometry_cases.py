"""Cameras on a ring and hands between them, as tensors; and the naive versions of what baselines.geometry does."""

from __future__ import annotations

import itertools

import numpy as np
import torch
from torch import Tensor

from rigging.hand.asset import load_asset
from rigging.joints import JOINT_PARENTS

PARENTS = list(JOINT_PARENTS[1:])
HAND = torch.from_numpy(load_asset().joints).double()


def ring(views: int, radius: float = 0.6, focal: float = 470.0, tilt: float = 0.3) -> tuple[Tensor, Tensor]:
    """K (V, 3, 3) and world_to_cam (V, 4, 4) float64 of cameras around the origin, every other `tilt` rad higher."""
    K = torch.tensor([[focal, 0, 128], [0, focal, 128], [0, 0, 1]], dtype=torch.float64).expand(views, 3, 3)
    matrices = []
    for v in range(views):
        angle, height = 2 * np.pi * v / views, tilt * (v % 2)
        centre = radius * np.array([np.cos(angle) * np.cos(height), np.sin(angle) * np.cos(height), np.sin(height)])
        forward = -centre / np.linalg.norm(centre)
        right = np.cross(forward, [0, 0, 1])
        right /= np.linalg.norm(right)
        turn = np.stack([right, np.cross(forward, right), forward])
        matrices.append(np.block([[turn, -(turn @ centre)[:, None]], [np.zeros((1, 3)), np.ones((1, 1))]]))
    return K, torch.from_numpy(np.stack(matrices))


def rotations(count: int, generator: torch.Generator) -> Tensor:
    """Random rotations (count, 3, 3) float64."""
    q, _ = torch.linalg.qr(torch.randn(count, 3, 3, dtype=torch.float64, generator=generator))
    return q * torch.linalg.det(q)[:, None, None]


def hands(count: int, seed: int = 0) -> Tensor:
    """The rig's hand at rest, jittered by millimetres and turned about the origin: (count, 21, 3) m in the world."""
    generator = torch.Generator().manual_seed(seed)
    jitter = 0.003 * torch.randn(count, 21, 3, dtype=torch.float64, generator=generator)
    return (HAND - HAND.mean(dim=0) + jitter) @ rotations(count, generator).mT


def pixels_of(points: Tensor, K: Tensor, world_to_cam: Tensor) -> Tensor:
    """(B, V, N, 2) px of points (B, N, 3), one point at a time."""
    out = torch.empty(len(points), len(K), points.shape[1], 2, dtype=points.dtype)
    for b, v, n in itertools.product(range(len(points)), range(len(K)), range(points.shape[1])):
        cam = world_to_cam[v, :3, :3] @ points[b, n] + world_to_cam[v, :3, 3]
        image = K[v] @ cam
        out[b, v, n] = image[:2] / image[2]
    return out


def naive_ransac(pixels: Tensor, K: Tensor, world_to_cam: Tensor, threshold: float) -> tuple[Tensor, Tensor]:
    """Best pair's candidate (3,) and its inliers (V,) for one point's pixels (V, 2), a pair at a time."""
    least, found = float("inf"), None
    for pair in itertools.combinations(range(len(K)), 2):
        rows = []
        for v in pair:
            P = K[v] @ world_to_cam[v, :3]
            for axis in (0, 1):
                row = pixels[v, axis] * P[2] - P[axis]
                rows.append(row / row[:3].norm())
        A = torch.stack(rows)
        point = torch.linalg.lstsq(A[:, :3], -A[:, 3:]).solution[:, 0]
        cam = world_to_cam[:, :3, :3] @ point + world_to_cam[:, :3, 3]
        image = (K @ cam[..., None])[..., 0]
        error = (image[:, :2] / image[:, 2:] - pixels).norm(dim=-1)
        error = torch.where(cam[:, 2] > 0, error, torch.inf)
        cost = error.square().clamp_max(threshold**2).sum()
        if cost < least:
            least, found = cost, (point, error < threshold)
    return found
