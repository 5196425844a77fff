"""One hand seen by several cameras: by a multi-view estimator, or fused from what a single-view one says of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rigging.geometry.projection import project
from rigging.spin.posed import MIRROR

from ..batch import Batch, Pose
from ..config import Config
from ..estimator import Estimator
from ..geometry.camera import to_world
from ..geometry.fuse import median
from ..geometry.procrustes import align
from ..geometry.triangulate import ransac
from .estimate import Hand, View, batch_of, hands_in, mirrored, mirrored_hand, pose_of

REACH = 10 / 256  # of a crop's side: RANSAC's threshold


@dataclass(frozen=True)
class FusedHand:
    """A hand in the world, and as each view has it."""

    joints_world: np.ndarray  # (21, 3) float64 m
    vertices_world: np.ndarray | None  # (2651, 3) float64 m
    views: tuple[Hand, ...]  # joints_cam and vertices_cam are the fused ones; joints_2d as found in each picture


def fused_hand(
    estimator: Estimator, config: Config, views: Sequence[View], device: torch.device, left: bool = False
) -> FusedHand:
    """The hand that all `views` show; a `left` one is looked at in a mirror. Raises InputError.

    Of a single-view estimator's answers the joints are triangulated (RANSAC over pairs of views), and the meshes,
    each moved by the similarity that brings its joints onto those, are joined by their median.
    """
    seen = [mirrored(view) for view in views] if left else list(views)
    batch, maps = batch_of(seen, config.data.size, together=True)
    pose = pose_of(estimator, config, batch, device)
    if estimator.multi_view:
        joints = to_world(pose.joints_cam.double(), batch.world_to_cam.double()).mean(0)
        single = getattr(estimator, "single", None)  # fusion of poses has no mesh of its own
        if pose.vertices_cam is None and isinstance(single, Estimator):
            pose = _with_mesh(pose, pose_of(single, config, batch, device))
    else:
        joints = triangulated(pose, batch)
    vertices = None if pose.vertices_cam is None else mean_mesh(pose, joints)
    hand = FusedHand(joints.numpy(), None if vertices is None else vertices.numpy(), tuple(hands_in(pose, seen, maps)))
    return _as_seen(_unmirrored(hand, views) if left else hand, views)


def triangulated(pose: Pose, batch: Batch) -> Tensor:
    """Joints (21, 3) m in the world from where the views see them, or have them if they do not look in the picture."""
    pixels = pose.joints_2d
    if pixels is None:
        image = pose.joints_cam @ batch.K.mT
        pixels = image[..., :2] / image[..., 2:]
    return ransac(pixels.double(), batch.K, batch.world_to_cam, pose.confidence, REACH * batch.size)[0]


def mean_mesh(pose: Pose, joints_world: Tensor) -> Tensor:
    """(2651, 3) m in the world: the median of the views' meshes, each brought with its joints onto joints (21, 3)."""
    own, target = pose.joints_cam.double(), joints_world.expand_as(pose.joints_cam).double()
    return median(align(own, target)(pose.vertices_cam.double())[None])[0]


def _with_mesh(fused: Pose, single: Pose) -> Pose:
    """The fused pose with the meshes of single views, each brought with its joints onto the fused ones."""
    mesh = single.vertices_cam
    if mesh is not None:
        mesh = align(single.joints_cam.double(), fused.joints_cam.double())(mesh.double()).float()
    return Pose(fused.joints_cam, fused.joints_2d, fused.confidence, mesh)


def _unmirrored(hand: FusedHand, views: Sequence[View]) -> FusedHand:
    vertices = None if hand.vertices_world is None else hand.vertices_world * MIRROR
    own = tuple(mirrored_hand(one, view.rgb.shape[1]) for one, view in zip(hand.views, views))
    return FusedHand(hand.joints_world * MIRROR, vertices, own)


def _as_seen(hand: FusedHand, views: Sequence[View]) -> FusedHand:
    """The same with the fused joints and mesh in the axes of every view."""
    own = []
    for one, view in zip(hand.views, views):
        turn, shift = view.world_to_cam[:3, :3], view.world_to_cam[:3, 3]
        mesh = None if hand.vertices_world is None else hand.vertices_world @ turn.T + shift
        own.append(Hand(hand.joints_world @ turn.T + shift, one.joints_2d, one.confidence, mesh))
    return FusedHand(hand.joints_world, hand.vertices_world, tuple(own))


def reprojection_errors(hand: FusedHand, views: Sequence[View]) -> np.ndarray:
    """(V,) px: how far, in the median over joints, the fused joints lie from where each view sees them."""
    K, poses = (np.stack([getattr(view, name) for view in views]) for name in ("K", "world_to_cam"))
    seen = np.stack([one.joints_2d for one in hand.views])
    return np.median(np.linalg.norm(project(hand.joints_world, K, poses) - seen, axis=-1), axis=1)
