"""A tiny estimator and data in memory, for tests of everything around them; run as a script, a command line with them.

`python standing_in.py COMMAND ...` knows the estimator `standing_in` and takes its own data for DATA.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

import numpy as np
import torch
from torch import Tensor, nn

from baselines.batch import Batch, Pose
from baselines.config import Augment, Config, Data, Stage, Training
from baselines.estimator import Estimator, Output
from baselines.registry import ESTIMATORS

STAGES = (
    Stage("first", ("eye",), {"pose": 1.0}, 2, 1e-2),
    Stage("second", ("head",), {"pose": 1.0, "size": 0.1}, 2, 1e-2),
)


class StandingIn(Estimator):
    """Pooled pictures, a normed layer, a head: `joints` (B, 21, 3)."""

    name = "standing_in"
    fields = ("joints_cam",)

    @dataclass(frozen=True)
    class Config:
        width: int = 8
        dropout: float = 0.1
        norm: bool = True
        bad: int = -1  # the sample whose loss is no number
        most: int = 0  # crops that fit into memory
        shape: tuple[int, int] = (4, 4)

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        rows, columns = config.shape
        norm = nn.BatchNorm2d(config.width) if config.norm else nn.Identity()
        convolution, pool = nn.Conv2d(3, config.width, 3, padding=1), nn.AdaptiveAvgPool2d((rows, columns))
        self.eye = nn.Sequential(convolution, norm, nn.ReLU(), pool, nn.Flatten())
        self.head = nn.Sequential(nn.Dropout(config.dropout), nn.Linear(config.width * rows * columns, 63))

    def precompute(self, batch: Batch) -> Output:
        return {"seen": self.eye(batch.rgb)}

    def forward(self, batch: Batch, wanted: frozenset[str] | None = None, precomputed: Output | None = None) -> Output:
        if self.training_any() and 0 < self.config.most < len(batch):
            raise torch.OutOfMemoryError("CUDA out of memory.")
        seen = self.eye(batch.rgb) if precomputed is None else precomputed["seen"]
        return {"joints": self.head(seen).reshape(-1, 21, 3)}

    def training_any(self) -> bool:
        return any(part.training for part in self.children())

    def losses(self, output: Output, batch: Batch) -> dict[str, Tensor]:
        size = {"size": output["joints"].square().mean()}
        if batch.joints_cam is None:
            return size
        error = (output["joints"] - batch.joints_cam).square().mean((1, 2))
        if self.training_any():
            error = torch.where(batch.sample == self.config.bad, torch.nan, error)
        return {"pose": error.mean()} | size

    def pose(self, output: Output, batch: Batch, oracle: bool = False) -> Pose:
        joints = output["joints"]
        return Pose(joints + (batch.joints_cam - joints)[:, :1] if oracle else joints)


class Memory:
    """A source of n samples of V views with random pictures, in memory."""

    name = "memory"

    def __init__(self, samples: int = 6, views: int = 2, size: int = 24, without: Sequence[str] = ()) -> None:
        rng = np.random.default_rng(5)
        self.samples, self.views, self.image_size = samples, views, (size, size)
        self.numbers = np.arange(samples) + 100
        self.subjects = np.arange(samples) // 2
        self.splits = np.array(["train"] * samples)
        self._rgb = rng.integers(0, 256, (samples, views, size, size, 3), np.uint8)
        self._world = rng.normal(0, 0.04, (samples, 21, 3)).astype(np.float32)
        self.fields = frozenset(self.read(0)) - set(without)

    def read(self, sample: int, views: Sequence[int] | None = None) -> dict[str, np.ndarray]:
        chosen = list(range(self.views) if views is None else views)
        K = np.array([[30.0, 0, 12], [0, 30, 12], [0, 0, 1]])
        poses = np.tile(np.eye(4), (len(chosen), 1, 1))
        poses[:, 2, 3] = 0.5 + 0.01 * np.array(chosen)
        joints = self._world[sample] + poses[:, None, :3, 3].astype(np.float32)
        pixels = joints @ K.T
        arrays = {
            "rgb": self._rgb[sample][chosen],
            "joints_cam": joints.astype(np.float32),
            "joints_2d": (pixels[..., :2] / pixels[..., 2:]).astype(np.float32),
            "joint_visible": np.ones((len(chosen), 21), bool),
            "K": np.tile(K, (len(chosen), 1, 1)),
            "world_to_cam": poses,
        }
        return {name: value for name, value in arrays.items() if name in getattr(self, "fields", arrays)}


def a_config(
    stages: tuple[Stage, ...] = STAGES,
    batch: int = 4,
    augment: Augment | None = None,
    model: dict | None = None,
    **train: object,
) -> Config:
    """Settings of a training of the stand-in that takes a moment."""
    data = Data(size=16, batch=batch, views=2, workers=1)
    model = {"width": 8, "dropout": 0.1, "norm": True, "bad": -1, "most": 0, "shape": (4, 4)} | (model or {})
    return Config("standing_in", stages, model, data, augment or Augment(), Training(**train))


def register() -> None:
    """Make the estimator known by its name."""
    module = ModuleType("baselines.models.standing_in")
    module.StandingIn = StandingIn
    sys.modules[module.__name__] = module
    ESTIMATORS["standing_in"] = ("standing_in", "StandingIn")


def killed_after(saves: int) -> None:
    """Let this process be killed, as by kill -9, when it has kept its state so many times."""
    from baselines.train import keeper

    save, left = keeper.save_state, [saves]

    def counting(*arguments: object) -> None:
        save(*arguments)
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)

    keeper.save_state = counting


def main() -> int:
    from rigging.command_line import main as command_line

    register()
    from baselines.data import opening

    opening.open_source = lambda *_, **__: Memory()
    torch.set_num_threads(1)
    if "KILLED_AFTER" in os.environ:
        killed_after(int(os.environ["KILLED_AFTER"]))
    return command_line(packages=("baselines",))


if __name__ == "__main__":
    sys.exit(main())
