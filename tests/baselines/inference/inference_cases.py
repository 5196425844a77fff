"""Runs that were never trained, pictures on disk, and a source of them with labels, for tests of prediction."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from model_cases import SMALL, settings

from baselines.config import Config, complete
from baselines.registry import create_estimator
from baselines.train.checkpoint import save_weights
from baselines.train.run_folder import RunFolder
from rigging.geometry.projection import project, to_camera
from rigging.hand.asset import load_asset

QUICK = SMALL | {"levels": 1, "width": 8}
STAGE = {"name": "all", "learns": ["single"], "losses": {"fused": 1.0}, "epochs": 1, "lr": 1e-3}
VIEWS = 3
MODELS = {
    "mvhm_sv": QUICK,
    "mvhm_mv": {"fusion": "set", "views": VIEWS, "width": 8, "single": QUICK},
    "hamuco": settings("hamuco"),
}


def a_config(name: str = "mvhm_sv") -> Config:
    """Settings of an estimator that takes no time."""
    data = {"size": 64, "views": VIEWS, "batch": VIEWS}
    return complete({"estimator": name, "stages": [STAGE], "model": MODELS[name], "data": data}, "test")


def a_run(folder: Path, name: str = "mvhm_sv") -> Path:
    """The folder of a run whose weights are as they were drawn."""
    config, run = a_config(name), RunFolder(folder)
    torch.manual_seed(1)
    run.begin(config, {})
    save_weights(run.weights, create_estimator(name, **config.model))
    return folder


class Views:
    """A source of one sample: a hand at rest, seen by VIEWS cameras that make noise of it."""

    name, samples, views, image_size = "views", 1, VIEWS, (96, 128)
    numbers, subjects, splits = np.arange(1), np.arange(1), np.array(["train"])
    fields = frozenset({"rgb", "K", "world_to_cam", "joints_cam", "joints_2d"})

    def __init__(self) -> None:
        rng = np.random.default_rng(3)
        self.joints = load_asset().joints - load_asset().joints.mean(0)
        self.rgb = cv2.GaussianBlur(rng.integers(0, 256, (96, 128, 3 * VIEWS), np.uint8), (0, 0), 2)
        self.rgb = np.ascontiguousarray(self.rgb.reshape(96, 128, VIEWS, 3).transpose(2, 0, 1, 3))
        self.K = np.repeat([[[300.0, 0, 66], [0, 310, 45], [0, 0, 1]]], VIEWS, 0)
        self.world_to_cam = np.repeat(np.eye(4)[None], VIEWS, 0)
        for view in range(VIEWS):
            turn, _ = cv2.Rodrigues(np.array([0.1, 0.5 * (view - 1), 0.05 * view]))
            self.world_to_cam[view, :3] = np.column_stack([turn, [0.01, 0, 0.7]])

    def read(self, sample: int, views: Sequence[int] | None = None) -> dict[str, np.ndarray]:
        """As sources do."""
        chosen = list(range(VIEWS) if views is None else views)
        arrays = {
            "rgb": self.rgb,
            "K": self.K,
            "world_to_cam": self.world_to_cam,
            "joints_cam": to_camera(self.joints, self.world_to_cam).astype(np.float32),
            "joints_2d": project(self.joints, self.K, self.world_to_cam).astype(np.float32),
        }
        return {name: array[chosen] for name, array in arrays.items()}

    def boxes(self) -> list[list[float]]:
        """The joints' boxes, x0, y0, x1, y1 px."""
        pixels = self.read(0)["joints_2d"].astype(float)
        return np.concatenate([pixels.min(1), pixels.max(1)], axis=1).tolist()

    def write(self, folder: Path) -> list[Path]:
        """The pictures as files."""
        paths = [folder / f"view{view}.png" for view in range(VIEWS)]
        for path, picture in zip(paths, self.rgb):
            cv2.imwrite(str(path), picture[..., ::-1])
        return paths
