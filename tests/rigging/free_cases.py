"""Hands at rest with an arm, somewhere in the world, for cameras to be placed around."""

from __future__ import annotations

from functools import cache

import numpy as np

from rigging.geometry.cameras import palm_frame
from rigging.geometry.rotations import random_rotation
from rigging.geometry.stands import Target, forearm_of, held_up, make_target
from rigging.hand.arm import build_arm
from rigging.hand.asset import load_asset
from rigging.hand.shape import RestHand


@cache
def rest() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Hand vertices from the wrist on, arm vertices and joints."""
    asset = load_asset()
    arm = build_arm(asset, RestHand(asset.template, asset.joints), "bare", np.random.default_rng(0))
    return asset.template[np.unique(asset.faces[asset.face_part != 1])], arm, asset.joints


def target(seed: int, held: bool = False) -> Target:
    """The hand turned any way, or `held` as before one's eyes."""
    rng = np.random.default_rng(seed)
    hand, arm, joints = rest()
    turn = random_rotation(rng)
    if held:
        turn = held_up(forearm_of(arm, joints[0]), rng)
    hand, arm, joints = (points @ turn.T for points in (hand, arm, joints))
    return make_target(palm_frame(joints), hand, np.concatenate([hand, arm]), arm, joints[0])


def pixels_of(points: np.ndarray, K: np.ndarray, world_to_cam: np.ndarray) -> np.ndarray:
    """Pixels (V, N, 2) of points (N, 3), point by point as the textbook has it; NaN for what is not before a camera."""
    out = np.full((len(K), len(points), 2), np.nan)
    for view, (k, pose) in enumerate(zip(K, world_to_cam)):
        for row, point in enumerate(points):
            x, y, z = pose[:3, :3] @ point + pose[:3, 3]
            if z > 0:
                out[view, row] = k[0, 0] * x / z + k[0, 1] * y / z + k[0, 2], k[1, 1] * y / z + k[1, 2]
    return out
