"""Cameras on batches of tensors: metres to pixels and back, axes of the camera and of the world, the root's depth.

Cameras are those of OpenCV: x right, y down, z forward; K (..., 3, 3) px, world_to_cam (..., 4, 4) rigid, m. The centre
of the top-left pixel is (0.5, 0.5). Leading dimensions broadcast; nothing loops over them.
"""

from __future__ import annotations

import torch
from torch import Tensor

from rigging.hand.asset import load_asset
from rigging.joints import JOINT_PARENTS

PARENTS = JOINT_PARENTS[1:]  # of joints 1 to 20
SCALE_BONE = 9  # of the 20: middle finger, MCP (joint 9) to PIP (joint 10), Ge's and MVHM's scale of a hand
NEAREST, FARTHEST = 0.05, 20.0  # m, between which a depth is looked for


def to_camera(points: Tensor, world_to_cam: Tensor) -> Tensor:
    """World points (..., N, 3) m in camera axes (..., N, 3)."""
    return points @ world_to_cam[..., :3, :3].mT + world_to_cam[..., None, :3, 3]


def to_world(points: Tensor, world_to_cam: Tensor) -> Tensor:
    """Points (..., N, 3) m in camera axes, in the world."""
    return (points - world_to_cam[..., None, :3, 3]) @ world_to_cam[..., :3, :3]


def project(points: Tensor, K: Tensor) -> Tensor:
    """Pixels (..., N, 2) of points (..., N, 3) in camera axes: u = (K p)_xy / p_z; NaN where p_z is not positive."""
    depth = torch.where(points[..., 2:] > 0, points[..., 2:], torch.nan)
    return (points / depth @ K.mT)[..., :2]


def rays(pixels: Tensor, K: Tensor) -> Tensor:
    """Directions (..., N, 3) with z = 1, in camera axes, of what is seen at pixels (..., N, 2): K^-1 (u, v, 1).

    In closed form, as K is upper triangular: a solver is slower, waits on a GPU, and has no place in ONNX.
    """
    K = K[..., None, :, :]
    y = (pixels[..., 1] - K[..., 1, 2]) / K[..., 1, 1]
    x = (pixels[..., 0] - K[..., 0, 2] - K[..., 0, 1] * y) / K[..., 0, 0]
    return torch.stack([x, y, torch.ones_like(x)], dim=-1)


def unproject(pixels: Tensor, depth: Tensor, K: Tensor) -> Tensor:
    """Points (..., N, 3) m in camera axes of pixels (..., N, 2) at planar depths z (..., N) m."""
    return rays(pixels, K) * depth[..., None]


def cell_centres(cells: Tensor, stride: float) -> Tensor:
    """Image pixels (...) of positions (...) in a heat-map `stride` times smaller, in cells from the first one's centre.

    u = (i + 0.5) stride: cell 0 covers the pixels from 0 to `stride`. i x stride alone is off by half a cell.
    """
    return (cells + 0.5) * stride


def bone_lengths(joints: Tensor) -> Tensor:
    """Lengths (..., 20) of the bones that end in joints 1 to 20, of joints (..., 21, 3)."""
    return (joints[..., 1:, :] - joints[..., list(PARENTS), :]).norm(dim=-1)


def rig_bones(scale: Tensor | float | None = None) -> Tensor:
    """Bones (20,) m of the rig's hand at rest, our stand-in for the mean hand; (..., 20) resized to `scale` (...) m."""
    bones = bone_lengths(torch.from_numpy(load_asset().joints)).float()
    if scale is None:
        return bones
    scale = torch.as_tensor(scale, dtype=torch.float32)
    return scale[..., None] * (bones / bones[SCALE_BONE]).to(scale.device)


def depth_from_size(uv: Tensor, relative_depth: Tensor, K: Tensor, bones: Tensor, steps: int = 5) -> Tensor:
    """z (B,) m of the root, at which the lifted hand has bones as long as those of a hand of known size. No oracle.

    `uv` (B, 21, 2) px; `relative_depth` (B, 21) is (z - z_root) / s; `bones` (20,) or (B, 20) m: those of the mean
    hand, or of the size that is believed of each; s = bones[..., SCALE_BONE]. With r = K^-1 (u, v, 1), a bone from i to
    j is a z + b, a = r_j - r_i, b = s (r_j d_j - r_i d_i). The sum of squared lengths gives z in closed form (for one
    bone: Iqbal et al., ECCV 2018, eq. 5); noise lengthens bones, which that mistakes for nearness, so `steps` of
    Gauss-Newton on sum (|a z + b| - length)^2 follow. Bounded and differentiable whatever is given.
    """
    scaled = relative_depth * bones[..., SCALE_BONE, None]
    direction = rays(uv, K)
    slope, offset = _along_bones(direction), _along_bones(direction * scaled[..., None])
    nearest = (NEAREST - scaled.amin(dim=-1)).clamp(NEAREST, FARTHEST)
    z = _closed_form(slope, offset, bones).clamp(nearest, torch.full_like(nearest, FARTHEST))
    for _ in range(steps):
        bone = slope * z[:, None, None] + offset
        length = bone.norm(dim=-1).clamp_min(1e-9)
        change = (bone * slope).sum(dim=-1) / length
        step = ((length - bones) * change).sum(dim=-1) / (change.square().sum(dim=-1) + 1e-12)
        z = (z - torch.clamp(step, -0.3 * z, 0.3 * z)).clamp(nearest, torch.full_like(nearest, FARTHEST))
    return z


def _along_bones(points: Tensor) -> Tensor:
    """(B, 20, 3): end less start of every bone."""
    return points[..., 1:, :] - points[..., list(PARENTS), :]


def _closed_form(slope: Tensor, offset: Tensor, bones: Tensor) -> Tensor:
    """The larger root z (B,) of sum |a z + b|^2 = sum length^2; where there is none, the z with the least sum."""
    a = slope.square().sum(dim=(-1, -2)).clamp_min(1e-9)
    b = (slope * offset).sum(dim=(-1, -2))
    c = offset.square().sum(dim=(-1, -2)) - bones.square().sum(dim=-1)
    return (-b + (b.square() - a * c).clamp_min(1e-12).sqrt()) / a
