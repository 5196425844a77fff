"""A source of random pictures that notes what was read of it."""

from __future__ import annotations

import time

import numpy as np

from rigging.geometry.projection import project, to_camera


class StandInSource:
    """n samples of V views, consistent in their labels; `lacks` are fields it does not have."""

    def __init__(self, samples=6, views=4, size=(24, 32), lacks=(), seconds=0.0, seed=0) -> None:
        self.name, self.samples, self.views, self.image_size = "stand-in", samples, views, size
        self.numbers, self.subjects = 100 + np.arange(samples), np.arange(samples) // 2
        self.splits = np.full(samples, "train")
        everything = {"rgb", "alpha", "mask", "K", "world_to_cam", "joints_cam", "joints_2d", "vertices_world",
                      "joint_visible", "depth"}  # fmt: skip
        self.fields = frozenset(everything - set(lacks))
        self.seconds, self.seed, self.reads = seconds, seed, []

    def read(self, sample, views=None):
        views = list(range(self.views) if views is None else views)
        self.reads.append((sample, tuple(views)))
        time.sleep(self.seconds)
        values = self.everything(sample)
        per_view = {name: value if name == "vertices_world" else value[views] for name, value in values.items()}
        return {name: value for name, value in per_view.items() if name in self.fields}

    def everything(self, sample):
        rng = np.random.default_rng((self.seed, sample))
        shape = (self.views, *self.image_size)
        K = np.repeat([[[30.0, 0, 16], [0, 30, 12], [0, 0, 1]]], self.views, 0)
        pose = np.repeat(np.eye(4)[None], self.views, 0)
        pose[:, :3, 3] = [0, 0, 0.5] + 0.02 * rng.normal(size=(self.views, 3))
        joints = (0.05 * rng.normal(size=(21, 3))).astype(np.float32)
        return {
            "rgb": rng.integers(0, 256, (*shape, 3), dtype=np.uint8),
            "alpha": rng.integers(0, 2, shape, dtype=np.uint8) * 255,
            "mask": rng.random(shape) < 0.5,
            "K": K, "world_to_cam": pose,
            "joints_cam": to_camera(joints, pose).astype(np.float32),
            "joints_2d": project(joints, K, pose).astype(np.float32),
            "joint_visible": rng.random((self.views, 21)) < 0.7,
            "depth": rng.uniform(0.4, 0.6, shape).astype(np.float32) * (rng.random(shape) < 0.9),
            "vertices_world": (0.05 * rng.normal(size=(50, 3))).astype(np.float32),
        }  # fmt: skip
