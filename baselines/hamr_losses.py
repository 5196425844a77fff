"""The losses of HAMR (Zhang et al., ICCV 2019, section 3.4), one function an equation, in units for its weights.

Joints come in metres, relative to the wrist, in camera axes. The camera's are decimetres, and a crop from -1 to 1 in
both directions: so s and t are about 1, which the regression begins with. Joints without annotation do not count.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from rigging.joints import JOINT_PARENTS

from .losses import masked_mean

DM = 10.0  # in a metre
WITHOUT_THUMB = [[5, 6, 7, 8], [9, 10, 11, 12], [13, 14, 15, 16], [17, 18, 19, 20]]  # MCP, PIP, DIP, tip
PARENTS = list(JOINT_PARENTS[1:])  # of joints 1 to 20


def joint_loss(joints: Tensor, true: Tensor, valid: Tensor | None = None) -> Tensor:
    """L_3D: squared distance, m^2, of joints (B, 21, 3) m from the labels, both relative to the wrist."""
    return masked_mean((joints - true).square().sum(-1), valid)


def image_loss(seen: Tensor, true: Tensor, valid: Tensor | None = None) -> Tensor:
    """L_2D: |du| + |dv| of projected joints (B, 21, 2), the crop from -1 to 1."""
    return masked_mean((seen - true).abs().sum(-1), valid)


def geometry_loss(joints: Tensor) -> Tensor:
    """L_geo of joints (B, 21, 3): each finger but the thumb lies in a plane, and bends one way only.

    |(V_ab x V_bc) . V_cd| - min(0, (V_ab x V_bc) . (V_bc x V_cd)), with unit vectors V along the finger's bones from
    MCP a to tip d (that they are of unit length is ours); mean over fingers.
    """
    ab, bc, cd = F.normalize(joints[:, WITHOUT_THUMB].diff(dim=2), dim=-1).unbind(2)  # (B, 4, 3) each
    first, second = torch.linalg.cross(ab, bc), torch.linalg.cross(bc, cd)
    return ((first * cd).sum(-1).abs() + F.relu(-(first * second).sum(-1))).mean()


def camera_loss(camera: Tensor, true: Tensor, known: Tensor | None = None) -> Tensor:
    """L_cam: |s - s^|^2 + |t - t^|^2 of cameras (B, 3) (s, t_x, t_y); those not known (B,) bool do not count."""
    return masked_mean((camera - true).square().sum(-1), known)


def map_loss(maps: Tensor, true: Tensor, valid: Tensor | None = None) -> Tensor:
    """L_ht: squared difference of an element, mean over maps (B, stacks, 21, h, h); true (B, 21, h, h)."""
    return masked_mean((maps - true[:, None]).square().mean((-2, -1)).mean(1), valid)


def silhouette_loss(shown: Tensor, mask: Tensor) -> Tensor:
    """L_seg: |S - M|, mean over the pixels of silhouettes (B, h, h), 0 to 1; masks (B, S, S) bool, S a multiple of h.

    A mask's share of each pixel is what counts. A sample without a mask, whose mask is empty, does not.
    """
    share = F.avg_pool2d(mask.float()[:, None], mask.shape[-1] // shown.shape[-1])[:, 0]
    return masked_mean((shown - share).abs().mean((-2, -1)), mask.flatten(1).any(1))


def weak_projection(points: Tensor, camera: Tensor) -> Tensor:
    """(B, N, 2), the crop from -1 to 1, of points (B, N, 3) m relative to the wrist: s (x + t), x in dm.

    camera (B, 3): s, t_x, t_y.
    """
    return camera[:, None, :1] * (DM * points[..., :2] + camera[:, None, 1:])


def true_camera(joints: Tensor, seen: Tensor) -> Tensor:
    """The camera (B, 3) of the labels: joints (B, 21, 3) m relative to the wrist, seen (B, 21, 2) from -1 to 1.

    s is the mean length of the bones in the picture over that of the bones along it, t the mean of u / s - x: exact
    where the projection is a weak perspective.
    """
    flat = DM * joints[..., :2]
    lengths = [(one[:, 1:] - one[:, PARENTS]).norm(dim=-1).mean(1) for one in (seen, flat)]
    scale = lengths[0] / lengths[1].clamp_min(1e-6)
    shift = (seen / scale[:, None, None].clamp_min(1e-6) - flat).mean(1)
    return torch.cat([scale[:, None], shift], 1)
