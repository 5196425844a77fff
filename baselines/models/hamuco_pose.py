"""Where the hands are that HaMuCo says from joint 9: by the cameras of several views, by a mean size, by an oracle."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from ..batch import Batch, Pose
from ..estimator import Output
from ..geometry.absolute import optimised_centre, robust_joints
from ..geometry.camera import SCALE_BONE, bone_lengths, unproject
from .hamuco_hand import UNIT
from .hamuco_single import in_pixels, root_in_camera
from .learnable_triangulation import by_sample, in_each_camera
from .multi_view import triangulated
from .uvd import true_root, true_scale

REACH = 2.0  # halves of the crop's side from its centre, beyond which no joint is
SIZES = (0.5, 2.0)  # of the hand that the model says; children of six have 0.7
THRESHOLD = 10 / 256  # of the crop's side: RANSAC's

Absolute = Literal["centre", "ransac"]


def placed(output: Output, batch: Batch, who: str, absolute: Absolute | None, oracle: bool = False) -> Pose:
    """The pose of WHO_joints (B, 21, 3) and WHO_vertices, with an oracle or without; joints_2d are the model's (uv).

    Of one view alone, or with None for `absolute`, the hand is as large as the model made it: the mean hand. Several
    calibrated views know better: "centre" puts it where it projects best, "ransac" takes each joint from the pixels.
    """
    seen = "single" if who == "single" else "interact"
    pixels = in_pixels(output[f"{seen}_uv"].clamp(-REACH, REACH), batch)
    joints = output[f"{who}_joints"]
    if oracle:
        scale, root = by_oracle(joints, pixels, batch)
    elif who != "single" and absolute is not None and batch.views > 1:
        scale, root = by_cameras(joints, pixels, batch)
        if absolute == "ransac":
            joints = (robust(scale, joints, pixels, batch) - root) / scale[:, None, None]
    else:
        scale, root = joints.new_full((len(joints),), UNIT), root_in_camera(output[f"{seen}_camera"], batch)
    joints_cam, vertices = (root + scale[:, None, None] * points for points in (joints, output[f"{who}_vertices"]))
    return Pose(joints_cam, pixels, torch.ones_like(pixels[..., 0]), vertices)


def by_oracle(joints: Tensor, pixels: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
    """Scale (B,) m and root (B, 1, 3) m of joints (B, 21, 3), the wrist at its pixel, size and depth of the labels."""
    scale = true_scale(batch) / bone_lengths(joints)[:, SCALE_BONE]
    wrist = unproject(pixels[:, :1], true_root(batch)[:, None], batch.K)
    return scale, wrist - scale[:, None, None] * joints[:, :1]


def by_cameras(joints: Tensor, pixels: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
    """Scale (B,) m and root (B, 1, 3) m of joints (B, 21, 3), which all views of a sample see at pixels (B, 21, 2).

    The scale brings them onto the triangulated pixels by least squares; the root is HaMuCo's optimised centre.
    """
    points = triangulated(pixels, torch.ones_like(pixels[..., 0]), batch)
    centred, there = joints - joints.mean(1, keepdim=True), points - points.mean(1, keepdim=True)
    scale = (centred * there).sum((1, 2)) / centred.square().sum((1, 2))
    scale = scale.clamp(*(UNIT * size for size in SIZES))
    return scale, in_each_camera(optimised_centre(*_each_view(scale, joints, pixels, batch))[:, None], batch)


def robust(scale: Tensor, joints: Tensor, pixels: Tensor, batch: Batch) -> Tensor:
    """Joints (B, 21, 3) m in each crop's camera axes by RANSAC on pixels (B, 21, 2), all views' of a sample.

    The pose, scale (B,) m times joints (B, 21, 3), is that of joints which too few views agree on.
    """
    found = robust_joints(*_each_view(scale, joints, pixels, batch), threshold=THRESHOLD * batch.size)
    return in_each_camera(found, batch)


def _each_view(scale: Tensor, joints: Tensor, pixels: Tensor, batch: Batch) -> tuple[Tensor, ...]:
    """Poses (S, V, 21, 3) m, pixels (S, V, 21, 2), K and world_to_cam of all views of each sample."""
    poses = scale[:, None, None] * joints
    return tuple(by_sample(one, batch) for one in (poses, pixels, batch.K, batch.world_to_cam))
