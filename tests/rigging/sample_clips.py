"""Clips and a strange rig for the tests of posing."""

from __future__ import annotations

from functools import cache

import numpy as np

from rigging.hand.asset import load_asset
from rigging.joints import JOINT_PARENTS
from rigging.poses.clip import PoseClip
from rigging.poses.registry import open_source
from rigging.posing.rig import Rig, make_rig


@cache
def sampled_clip(frames: int = 5, number: int = 0) -> PoseClip:
    """A clip of the built-in source."""
    return list(open_source(f"procedural?count={number + 1},frames={frames}").clips())[number]


def clip_of(joints: np.ndarray, **values: object) -> PoseClip:
    """A clip of joints (T, 21, 3) m."""
    return PoseClip(joints, **({"name": "a/b", "subject": "s", "source": "npz", "licence": "CC0"} | values))


def stick_arrays(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """A rig that is not ours: a tetrahedron around each bone of our joints, turned, with up to six bones a vertex."""
    joints = load_asset().joints * 0.9
    starts = np.where(np.array(JOINT_PARENTS)[:, None] < 0, joints - [0, 0.05, 0], joints[np.maximum(JOINT_PARENTS, 0)])
    corners = 0.006 * np.array([(1, 0, 1), (-1, 0, 1), (0, 0, -1)])
    vertices = np.concatenate([np.concatenate([start + corners, end[None]]) for start, end in zip(starts, joints)])
    weights = np.repeat(np.eye(21), 4, axis=0)
    weights[rng.choice(84, 30, replace=False)] = rng.dirichlet(np.ones(6), 30) @ np.eye(21)[rng.permutation(21)[:6]]
    faces = np.array([(0, 1, 2), (0, 3, 1), (1, 3, 2), (2, 3, 0)])
    faces = np.concatenate([faces + 4 * bone for bone in range(21)])
    return {"joints": joints, "vertices": vertices, "weights": weights, "faces": faces}


def stick_rig(seed: int = 0) -> Rig:
    """The rig of `stick_arrays`."""
    return make_rig(**stick_arrays(np.random.default_rng(seed)))
