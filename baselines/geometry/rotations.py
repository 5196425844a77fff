"""Rotations (..., 3, 3) as tensors, from what networks say and back; they act on columns: a point p goes to R p."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import normalize

from rigging.geometry.rotations import ANTIPARALLEL

IDENTITY_6D = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def from_6d(numbers: Tensor) -> Tensor:
    """Rotations (..., 3, 3) whose first two columns are those of `numbers` (..., 6) after Gram-Schmidt.

    Continuous over all rotations: Zhou et al. (On the Continuity of Rotation Representations, CVPR 2019), section 4.2.
    """
    first, second = numbers.unflatten(-1, (2, 3)).unbind(-2)
    x = normalize(first, dim=-1)
    y = normalize(second - (x * second).sum(-1, keepdim=True) * x, dim=-1)
    return torch.stack([x, y, torch.linalg.cross(x, y)], -1)


def to_6d(rotations: Tensor) -> Tensor:
    """The first two columns (..., 6) of rotations (..., 3, 3)."""
    return rotations[..., :2].mT.flatten(-2)


def from_axis_angle(vectors: Tensor) -> Tensor:
    """Rotations (..., 3, 3) about `vectors` (..., 3) by their lengths in radians (Rodrigues), smooth at zero."""
    angle = vectors.norm(dim=-1)[..., None, None]
    cross = skew(vectors)
    sine, versine = torch.sinc(angle / math.pi), 0.5 * torch.sinc(angle / (2 * math.pi)).square()
    return torch.eye(3).to(vectors) + sine * cross + versine * (cross @ cross)


def to_axis_angle(rotations: Tensor) -> Tensor:
    """Vectors (..., 3) of rotations (..., 3, 3): about which to turn, as long as the angle, 0 to pi rad.

    Differentiable but for half-turns; at the identity, too.
    """
    quaternions = to_quaternion(rotations)
    quaternions = torch.where(quaternions[..., :1] < 0, -quaternions, quaternions)
    w, v = quaternions[..., :1], quaternions[..., 1:]
    squared = v.square().sum(-1, keepdim=True)
    tiny = squared < 1e-12
    sine = torch.where(tiny, 1.0, squared).sqrt()
    return v * torch.where(tiny, 2.0, 2 * torch.atan2(sine, w) / sine)


def skew(vectors: Tensor) -> Tensor:
    """Matrices (..., 3, 3) that take the cross product with `vectors` (..., 3) from the left."""
    x, y, z = vectors.unbind(-1)
    zero = torch.zeros_like(x)
    return torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).unflatten(-1, (3, 3))


def to_quaternion(rotations: Tensor) -> Tensor:
    """Unit quaternions (..., 4) as (w, x, y, z), of either sign, of rotations (..., 3, 3).

    4 q q^T is linear in R; its row with the largest diagonal element is a multiple of q, also for half-turns (Shepperd,
    1978). Differentiable but where that row changes, and there only the sign jumps.
    """
    r = [[rotations[..., i, j] for j in range(3)] for i in range(3)]
    wx, wy, wz = r[2][1] - r[1][2], r[0][2] - r[2][0], r[1][0] - r[0][1]
    xy, xz, yz = r[0][1] + r[1][0], r[0][2] + r[2][0], r[1][2] + r[2][1]
    trace = r[0][0] + r[1][1] + r[2][2]
    ww, (xx, yy, zz) = 1 + trace, (1 + 2 * r[i][i] - trace for i in range(3))
    rows = torch.stack([ww, wx, wy, wz, wx, xx, xy, xz, wy, xy, yy, yz, wz, xz, yz, zz], -1).unflatten(-1, (4, 4))
    largest = rows.diagonal(dim1=-2, dim2=-1).argmax(-1)
    return normalize(rows.take_along_dim(largest[..., None, None], -2).squeeze(-2), dim=-1)


def swing(a: Tensor, b: Tensor, fallback: Tensor) -> Tensor:
    """The smallest rotations (..., 3, 3) from unit vectors a to b (..., 3); about `fallback` (..., 3) if b = -a.

    `fallback` is perpendicular to a. The product of two half-turns, as in `rigging.geometry.rotations.swing`; a
    direction b of length zero, which is none, turns nothing.
    """
    middle = a + b
    opposite = middle.square().sum(-1, keepdim=True) < ANTIPARALLEL**2
    middle = torch.where(opposite, torch.linalg.cross(*torch.broadcast_tensors(fallback, a)), middle)
    return _half_turn(middle) @ _half_turn(a)


def _half_turn(axis: Tensor) -> Tensor:
    """Rotations (..., 3, 3) by 180 degrees about `axis` (..., 3) of any length but zero."""
    outer = axis[..., :, None] * axis[..., None, :]
    return 2 * outer / axis.square().sum(-1)[..., None, None] - torch.eye(3).to(axis)
