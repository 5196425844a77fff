"""Where a hand is in the world, of poses that say only its form: by an optimised centre, and by RANSAC joint by joint.

Both are ways of HaMuCo (Zheng et al., ICCV 2023, table 3) from what each view says to absolute joints. Poses are
(..., V, N, 3) m relative to the root, in the axes of each of V cameras; a pose in world axes becomes so by
`fuse.in_camera_axes`. Pixels (..., V, N, 2), K (..., V, 3, 3), world_to_cam (..., V, 4, 4), weights (..., V, N).
"""

from __future__ import annotations

import torch
from torch import Tensor

from .triangulate import ransac, refine, triangulate


def optimised_centre(
    pose: Tensor,
    pixels: Tensor,
    K: Tensor,
    world_to_cam: Tensor,
    weights: Tensor | None = None,
    steps: int = 10,
    huber: float | None = None,
) -> Tensor:
    """The root t (..., 3) m in the world with the least sum over V and N of (w |u - project(x + t)|)^2, x the pose.

    A joint x seen by [R | T] is t seen by [R | T + x]: V N cameras see one point, which is triangulated and refined.
    One view is enough, as the pose has a size. With `huber` px the error is Huber's. NaN where fewer than two joints
    have weights; a pixel that is NaN has none. Two points on one ray do not tell depth.
    """
    pixels, K, world_to_cam, weights = _one_point(pose, pixels, K, world_to_cam, weights)
    start = triangulate(pixels, K, world_to_cam, weights, "normal")
    return refine(start, pixels, K, world_to_cam, weights, steps, huber)[..., 0, :]


def centred_joints(
    pose: Tensor,
    pixels: Tensor,
    K: Tensor,
    world_to_cam: Tensor,
    weights: Tensor | None = None,
    huber: float | None = None,
) -> Tensor:
    """Joints (..., N, 3) m in the world: the pose, meant over the views, at its optimised centre."""
    centre = optimised_centre(pose, pixels, K, world_to_cam, weights, huber=huber)
    return (pose @ world_to_cam[..., :3, :3]).mean(-3) + centre[..., None, :]


def robust_joints(
    pose: Tensor,
    pixels: Tensor,
    K: Tensor,
    world_to_cam: Tensor,
    weights: Tensor | None = None,
    threshold: float = 10.0,
) -> Tensor:
    """Joints (..., N, 3) m in the world: each by RANSAC on the views' pixels, `threshold` px; the pose only helps out.

    A joint that fewer than two views weigh is that of `centred_joints`, with Huber's error from half the threshold on.
    """
    points, _ = ransac(pixels, K, world_to_cam, weights, threshold)
    return torch.where(points.isnan(), centred_joints(pose, pixels, K, world_to_cam, weights, threshold / 2), points)


def _one_point(
    pose: Tensor, pixels: Tensor, K: Tensor, world_to_cam: Tensor, weights: Tensor | None
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Pixels (..., VN, 1, 2), K (..., VN, 3, 3), world_to_cam (..., VN, 4, 4), weights (..., VN, 1) of one point."""
    moved = world_to_cam[..., None, :, :].expand(*pose.shape[:-1], 4, 4).clone()
    moved[..., :3, 3] += pose
    K = K[..., None, :, :].expand(*pose.shape[:-1], 3, 3)
    weights = torch.ones_like(pixels[..., 0]) if weights is None else weights
    return (
        pixels.flatten(-3, -2)[..., None, :],
        K.flatten(-4, -3),
        moved.flatten(-4, -3),
        weights.flatten(-2)[..., None],
    )
