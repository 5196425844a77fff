"""Hands between cameras as batches, with all labels true; settings of estimators that take no time."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from baselines.batch import Batch
from baselines.geometry.camera import project, rig_bones, to_camera
from baselines.layers.raster import depth_map
from baselines.registry import estimator_class
from rigging.hand.asset import load_asset

SIZE = 64
MEAN_SCALE = 0.0332
SMALL = {"size": SIZE, "stacks": 1, "width": 16, "modules": 1, "hidden": 32, "coarse": 4, "fine": 4, "sigma": 1.0}
LT = {"size": SIZE, "depth": 18, "width": 4, "deconv": 8}
SETTINGS = {  # of estimators that are quick, by name; SMALL of those of one view
    "mvhm_mv": {"single": SMALL, "fusion": "set"},
    "lt_alg": LT,
    "hamuco": {"single": {"size": SIZE, "width": 4, "skinning": "linear"}, "embedding": 4, "maps": 2},
    "epipolar_pose": {"size": SIZE, "width": 8},
    "canon_pose": {"size": SIZE, "width": 8},
    "lt_vol": LT | {"resolution": 8, "levels": 1, "features": 4, "volume_width": 8, "first": 3},
    "hamr": {"size": SIZE, "stacks": 1, "width": 8, "growth": 4, "feature": 16, "hidden": 16, "side": 16, "sigma": 1.5},
}


def settings(name: str) -> dict[str, object]:
    """Those of a small estimator: of SMALL what it has."""
    cls = estimator_class(name).Config
    return dict(SETTINGS.get(name) or {key: value for key, value in SMALL.items() if hasattr(cls, key)})


def rotations(count: int, generator: torch.Generator) -> Tensor:
    """Random rotations (count, 3, 3)."""
    q, _ = torch.linalg.qr(torch.randn(count, 3, 3, generator=generator))
    return q * torch.linalg.det(q)[:, None, None]


def cameras(views: int) -> Tensor:
    """world_to_cam (V, 4, 4) of cameras on a ring, 0.6 m from the origin, which they look at."""
    matrices = torch.eye(4).repeat(views, 1, 1)
    for view in range(views):
        angle = 2 * math.pi * (view + 0.3) / max(views, 3)
        turn = torch.tensor([[math.cos(angle), 0, math.sin(angle)], [0, 1, 0], [-math.sin(angle), 0, math.cos(angle)]])
        matrices[view, :3, :3] = turn
        matrices[view, 2, 3] = 0.6
    return matrices


def batch(samples: int = 2, views: int = 1, seed: int = 0, sizes: tuple[float, ...] | None = None) -> Batch:
    """Rest hands of the mean size times `sizes`, turned at random, in crops that hold them."""
    generator = torch.Generator().manual_seed(seed)
    asset = load_asset()
    scale = MEAN_SCALE / float(rig_bones()[9]) * torch.tensor(sizes or (1.0,) * samples)[:, None, None]
    turn = rotations(samples, generator)
    joints, vertices = torch.from_numpy(asset.joints).float(), torch.from_numpy(asset.template).float()
    centre = joints.mean(0)
    joints, vertices = (scale * ((one - centre) @ turn.mT) for one in (joints, vertices))
    world_to_cam = cameras(views).repeat(samples, 1, 1)
    joints, vertices = (to_camera(one.repeat_interleave(views, 0), world_to_cam) for one in (joints, vertices))
    K = crop_camera(joints)
    depth = seen_depth(vertices, K)
    return Batch(
        rgb=torch.rand(samples * views, 3, SIZE, SIZE, generator=generator),
        K=K,
        world_to_cam=world_to_cam,
        sample=torch.arange(samples).repeat_interleave(views),
        subject=torch.zeros(samples * views, dtype=torch.int64),
        views=views,
        joints_cam=joints,
        joints_2d=project(joints, K),
        joint_valid=torch.ones(samples * views, 21, dtype=torch.bool),
        vertices_cam=vertices,
        depth=depth,
        mask=depth > 0,
    )


def seen_depth(vertices: Tensor, K: Tensor) -> Tensor:
    """Depth (B, S, S) m of the hands (B, 2651, 3) in the crops of cameras K (B, 3, 3)."""
    faces = torch.from_numpy(load_asset().faces).long()
    return depth_map(torch.cat([project(vertices, K), vertices[..., 2:]], -1), faces, SIZE)[0]


def crop_camera(joints: Tensor) -> Tensor:
    """K (B, 3, 3) of crops around joints (B, 21, 3), 1.3 times as large as their boxes."""
    flat = joints[..., :2] / joints[..., 2:]
    low, high = flat.amin(1), flat.amax(1)
    focal = SIZE / (1.3 * (high - low).amax(1))
    K = torch.eye(3).repeat(len(joints), 1, 1)
    K[:, 0, 0] = K[:, 1, 1] = focal
    K[:, :2, 2] = SIZE / 2 - focal[:, None] * (low + high) / 2
    return K
