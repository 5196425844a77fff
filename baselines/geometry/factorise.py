"""Form of a hand and turns of three or more cameras from the joints' pixels alone, without extrinsics.

Factorisation (Tomasi & Kanade, IJCV 1992) under scaled orthography, corrected for perspective step by step (Christy &
Horaud, PAMI 1996): a joint P from the centre is seen at x = (s r_12 P + x_0) / (1 + s r_3 P), s one over the centre's
depth, so that x (1 + s r_3 P) is linear in P. Batched over everything; solved in float64.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

LEAST = 1e-6  # of the metric's largest eigenvalue, that its others have whatever the noise
TINY = 1e-12
NEAREST = 0.2  # of the centre's depth: no joint is nearer to a camera


class Structure(NamedTuple):
    """Joints about their centre, in any unit, and how cameras are turned."""

    points: Tensor  # (..., N, 3)
    rotations: Tensor  # (..., V, 3, 3) to each camera's axes
    scales: Tensor  # (..., V) the unit over the centre's depth
    centres: Tensor  # (..., V, 2) where the centre is seen

    def in_cameras(self) -> Tensor:
        """The points (..., V, N, 3) in the axes of each camera."""
        return self.points[..., None, :, :] @ self.rotations.mT

    def in_place(self) -> Tensor:
        """(..., V, N, 3) the same from each camera's centre, in the points' unit, whatever that is."""
        centres = torch.cat([self.centres, torch.ones_like(self.centres[..., :1])], -1) / self.scales[..., None]
        return self.in_cameras() + centres[..., None, :]

    def depths(self) -> Tensor:
        """(..., V, N) over the centre's."""
        return (1 + self.scales[..., None] * self.in_cameras()[..., 2]).clamp_min(NEAREST)

    def flat(self) -> Tensor:
        """(..., V, N, 2) where joints would be seen if all were as deep as the centre."""
        return self.scales[..., None, None] * self.in_cameras()[..., :2] + self.centres[..., None, :]

    def errors(self, seen: Tensor) -> Tensor:
        """(..., V, N) squared distances from where joints are seen (..., V, N, 2)."""
        return (self.flat() / self.depths()[..., None] - seen).square().sum(-1)

    def mirrored(self, which: Tensor) -> Structure:
        """Front and back exchanged where `which` (...) says so: what looks the same without perspective."""
        sign = torch.where(which, -1.0, 1.0)[..., None, None]
        rows = torch.cat([sign, sign, torch.ones_like(sign)], -2)[..., None, :, :]  # (..., 1, 3, 1)
        return self._replace(points=sign * self.points, rotations=rows * self.rotations)


def factorise(
    seen: Tensor, weights: Tensor | None = None, threshold: Tensor | float = float("inf"), steps: int = 20
) -> Structure:
    """The structure of joints seen at (..., V, N, 2) over focal lengths (`camera.rays`); weights (..., V, N), 0 to 1.

    What is seen is mixed, by its weight, with what was found a step before (Srebro & Jaakkola, ICML 2003); a weight
    falls as 1 / (1 + (error / threshold)^2), threshold (..., V). Orthography does not tell front from back: both are
    tried, and perspective decides. Three views or more, no two opposite each other; joints not in a plane.
    """
    seen = seen.double()
    weights = torch.ones_like(seen[..., 0]) if weights is None else weights.double()
    inlier = torch.as_tensor(threshold, dtype=torch.float64, device=seen.device).square()[..., None]
    start = upgraded(seen)
    found = Structure(*(torch.stack([part, part]) for part in start))
    found = found.mirrored(torch.arange(2, device=seen.device).bool().view(2, *[1] * (seen.ndim - 3)))
    for _ in range(steps):
        share = (weights / (1 + found.errors(seen) / inlier))[..., None]
        linear = share * seen * found.depths()[..., None] + (1 - share) * found.flat()
        new = upgraded(linear)
        agree = (new.in_cameras()[..., 2] * found.in_cameras()[..., 2]).sum((-2, -1))
        found = new.mirrored(agree < 0)
    errors = found.errors(seen)
    cost = (weights * errors / (1 + errors / inlier)).sum((-2, -1))
    back = cost[1] < cost[0]
    return Structure(*(torch.where(back.view(*back.shape, *[1] * (a.ndim - back.ndim)), b, a) for a, b in found))


def upgraded(linear: Tensor) -> Structure:
    """The structure that, scaled orthographic, is seen nearest to (..., V, N, 2)."""
    centres = linear.mean(-2)
    rows = (linear - centres[..., None, :]).mT.flatten(-3, -2)  # (..., 2V, N)
    u, size, vh = torch.linalg.svd(rows, full_matrices=False)
    cameras = (u[..., :3] * size[..., None, :3]).unflatten(-2, (-1, 2))  # (..., V, 2, 3)
    metric = _metric(cameras)
    u, size, right = torch.linalg.svd(cameras @ metric[..., None, :, :], full_matrices=False)
    first = u @ right
    rotations = torch.cat([first, torch.linalg.cross(first[..., :1, :], first[..., 1:, :])], -2)
    points = torch.linalg.solve(metric, vh[..., :3, :]).mT
    return Structure(points, rotations, size.mean(-1), centres)


def _metric(cameras: Tensor) -> Tensor:
    """L (..., 3, 3) that makes both rows of each camera (..., V, 2, 3) L as long as each other and perpendicular."""
    m, n = cameras[..., 0, :], cameras[..., 1, :]
    length = (m.square() + n.square()).sum(-1, keepdim=True).clamp_min(1e-30)
    equal, across = (_pairs(m, m) - _pairs(n, n)) / length, _pairs(m, n) / length
    unit = ((_pairs(m, m) + _pairs(n, n)) / length).mean(-2, keepdim=True)
    matrix = torch.cat([equal, across, unit], -2)  # (..., 2V + 1, 6)
    normal, right = matrix.mT @ matrix, unit.mT
    damping = TINY * normal.diagonal(dim1=-2, dim2=-1).sum(-1).clamp_min(TINY)  # two lines of sight leave it singular
    normal = normal + damping[..., None, None] * torch.eye(6).to(normal)
    a, b, c, d, e, f = torch.linalg.solve(normal, right)[..., 0].unbind(-1)
    metric = torch.stack([a, b, c, b, d, e, c, e, f], -1).unflatten(-1, (3, 3))
    values, vectors = torch.linalg.eigh(metric)
    return vectors * values.maximum(LEAST * values[..., -1:].abs()).clamp_min(TINY).sqrt()[..., None, :]


def _pairs(a: Tensor, b: Tensor) -> Tensor:
    """(..., 6): what a^T Q b (..., 3) takes of each of a symmetric Q's six numbers."""
    (ax, ay, az), (bx, by, bz) = a.unbind(-1), b.unbind(-1)
    return torch.stack([ax * bx, ax * by + ay * bx, ax * bz + az * bx, ay * by, ay * bz + az * by, az * bz], -1)
