"""Estimators that need no training to be as good as they are, hands in memory, and a preset for both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from baselines.batch import Batch, Pose
from baselines.estimator import Estimator, Output
from baselines.geometry.fuse import in_camera_axes, in_world_axes, mean
from rigging.geometry.projection import project, to_camera
from rigging.hand.asset import load_asset

REST = load_asset().joints - load_asset().joints.mean(0)  # (21, 3) m
ERROR = 0.002  # m, standard deviation of what a single view says
VIEWS = 8


class QuickSingle(Estimator):
    """Says the labels with noise that sample, view and the weights decide."""

    name = "mvhm_sv"
    fields = ("joints_cam",)

    @dataclass(frozen=True)
    class Config:
        error: float = ERROR

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.eye = nn.Linear(3, 3)

    def forward(self, batch: Batch, wanted: frozenset[str] | None = None) -> Output:
        seed = int(1e6 * abs(float(self.eye.bias.detach()[0])))
        noise = [_noise(seed, int(s), int(v)) for s, v in zip(batch.sample, batch.view)]
        return {"joints": self.config.error * torch.stack(noise) + batch.joints_cam, "seen": self.eye(batch.joints_cam)}

    def losses(self, output: Output, batch: Batch) -> dict[str, Tensor]:
        return {"pose": output["seen"].square().mean()}

    def pose(self, output: Output, batch: Batch, oracle: bool = False) -> Pose:
        joints = output["joints"]
        image = joints @ batch.K.mT
        return Pose(joints, image[..., :2] / image[..., 2:], torch.ones(joints.shape[:2]))


class QuickHamr(QuickSingle):
    """The same by HAMR's name."""

    name = "hamr"


class QuickMulti(Estimator):
    """The mean of what single views say."""

    name = "mvhm_mv"
    fields = QuickSingle.fields
    multi_view = True

    @dataclass(frozen=True)
    class Config:
        fusion: str = "set"
        views: int = VIEWS
        error: float = ERROR

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.single = QuickSingle(QuickSingle.Config(config.error))
        self.fusion = nn.Linear(3, 3)

    def precompute(self, batch: Batch) -> Output:
        return {"joints": self.single(batch)["joints"]}

    def forward(self, batch: Batch, wanted: frozenset[str] | None = None, precomputed: Output | None = None) -> Output:
        joints = (precomputed or self.precompute(batch))["joints"]
        poses = in_world_axes(joints, batch.world_to_cam).unflatten(0, (-1, batch.views))
        fused = in_camera_axes(mean(poses).repeat_interleave(batch.views, 0), batch.world_to_cam)
        return {"joints": fused + joints[:, :1], "learned": self.fusion(fused)}

    def losses(self, output: Output, batch: Batch) -> dict[str, Tensor]:
        return {"fused": output["learned"].square().mean()}

    def pose(self, output: Output, batch: Batch, oracle: bool = False) -> Pose:
        return Pose(output["joints"])


def _noise(*numbers: int) -> Tensor:
    return torch.from_numpy(np.random.default_rng(numbers).normal(size=(21, 3))).float()


class Hands:
    """A source of turned hands between eight cameras; `counts` are samples of each split, in pairs of one subject."""

    def __init__(self, counts: dict[str, int], views: int = VIEWS, size: int = 24, without: Sequence[str] = ()) -> None:
        self.name, self.views, self.image_size = "hands", views, (size, size)
        self.splits = np.repeat(list(counts), list(counts.values()))
        self.samples = len(self.splits)
        self.numbers, self.subjects = np.arange(self.samples), np.arange(self.samples) // 2
        self.fields = frozenset(self.read(0)) - set(without)

    def read(self, sample: int, views: Sequence[int] | None = None) -> dict[str, np.ndarray]:
        chosen, rng = list(range(self.views) if views is None else views), np.random.default_rng(sample)
        turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
        joints = REST @ turn.T + 0.01 * rng.normal(size=(21, 3))
        K = np.repeat([[[50.0, 0, 12], [0, 50, 12], [0, 0, 1]]], len(chosen), 0)
        pose = np.stack([camera(view, self.views) for view in chosen])
        return {
            "rgb": rng.integers(0, 256, (self.views, *self.image_size, 3), np.uint8)[chosen],
            "K": K, "world_to_cam": pose, "joints_cam": to_camera(joints, pose).astype(np.float32),
            "joints_2d": project(joints, K, pose).astype(np.float32),
        }  # fmt: skip


def camera(view: int, views: int) -> np.ndarray:
    """world_to_cam (4, 4) of a camera on a ring, half a metre from the origin, which it looks at."""
    angle = 2 * np.pi * view / views
    turn = [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]]
    pose = np.eye(4)
    pose[:3, :3], pose[2, 3] = turn, 0.5
    return pose


def write_preset(folder: Path, **gate: object) -> Path:
    """A preset of the two estimators that takes no time; `gate` are settings of its gate.toml."""
    folder.mkdir()
    settings = {"overfit_views": 16, "overfit_share": 0.1, "seeds": 3, "mutated": 4, "draws": 500, "noises": 3} | gate
    lines = [f"{name} = {str(value).lower()}\n" for name, value in settings.items()]
    overfit = '[[overfits]]\nestimator = "{}"\nstage = "{}"\nlosses = {{{} = 1.0}}\nepochs = 1\nlr = 1e-3\n'
    overfits = [overfit.format(*one) for one in (("mvhm_sv", "all", "pose"), ("mvhm_mv", "fusion", "fused"))]
    (folder / "gate.toml").write_text("".join([*lines, *overfits]))
    stage = 'estimator = "{}"\n[data]\nsize = 16\nbatch = 16\nviews = 8\n[[stages]]\nname = "{}"\nlearns = ["{}"]\n'
    stage += "losses = {{{} = 1.0}}\nepochs = 1\nlr = 1e-3\ncached = {}\n"
    (folder / "mvhm_sv.toml").write_text(stage.format("mvhm_sv", "all", "eye", "pose", "false"))
    (folder / "mvhm_mv.toml").write_text(stage.format("mvhm_mv", "fusion", "fusion", "fused", "true"))
    return folder
