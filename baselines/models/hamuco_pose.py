"""Where the hands are that HaMuCo says from joint 9: by the cameras of several views, by a mean size, by an oracle."""

from __future__ import annotations

import torch
from torch import Tensor

from ..batch import Batch, Pose
from ..estimator import Output
from ..geometry.camera import SCALE_BONE, bone_lengths, unproject
from .hamuco_hand import UNIT
from .hamuco_single import in_pixels, root_in_camera
from .multi_view import triangulated
from .uvd import true_root, true_scale

REACH = 2.0  # halves of the crop's side from its centre, beyond which no joint is
SIZES = (0.5, 2.0)  # of the hand that the model says; children of six have 0.7


def placed(output: Output, batch: Batch, who: str, extrinsics: bool, oracle: bool = False) -> Pose:
    """The pose of WHO_joints (B, 21, 3) and WHO_vertices, with an oracle or without; joints_2d are the model's (uv).

    Of one view alone the hand is as large as the model made it: the mean hand. Several calibrated views know better.
    """
    seen = "single" if who == "single" else "interact"
    pixels = in_pixels(output[f"{seen}_uv"].clamp(-REACH, REACH), batch)
    joints = output[f"{who}_joints"]
    if oracle:
        scale, root = by_oracle(joints, pixels, batch)
    elif who != "single" and extrinsics and batch.views > 1:
        scale, root = by_cameras(joints, pixels, batch)
    else:
        scale, root = joints.new_full((len(joints),), UNIT), root_in_camera(output[f"{seen}_camera"], batch)
    points = (root + scale[:, None, None] * output[f"{who}_{kind}"] for kind in ("joints", "vertices"))
    joints_cam, vertices_cam = points
    return Pose(joints_cam, pixels, torch.ones_like(pixels[..., 0]), vertices_cam)


def by_oracle(joints: Tensor, pixels: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
    """Scale (B,) m and root (B, 1, 3) m of joints (B, 21, 3), the wrist at its pixel, size and depth of the labels."""
    scale = true_scale(batch) / bone_lengths(joints)[:, SCALE_BONE]
    wrist = unproject(pixels[:, :1], true_root(batch)[:, None], batch.K)
    return scale, wrist - scale[:, None, None] * joints[:, :1]


def by_cameras(joints: Tensor, pixels: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
    """Scale (B,) m and root (B, 1, 3) m that bring joints (B, 21, 3) onto those triangulated from pixels (B, 21, 2).

    By least squares, the same for all views of a sample but for what they say.
    """
    points = triangulated(pixels, torch.ones_like(pixels[..., 0]), batch)
    here, there = joints.mean(1, keepdim=True), points.mean(1, keepdim=True)
    centred = joints - here
    scale = (centred * (points - there)).sum((1, 2)) / centred.square().sum((1, 2))
    scale = scale.clamp(*(UNIT * size for size in SIZES))
    return scale, there - scale[:, None, None] * here
