"""Pseudo labels of a data set by what was trained before: a detector's joints, or estimated hands projected."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from dataset_tools.progress import Progress
from rigging.errors import InputError

from ..batch import Batch, Pose
from ..config import Config
from ..data.batches import Batches
from ..data.source import Source
from ..estimator import Estimator, Output
from ..geometry.camera import project, rays
from ..train.forward import forward
from ..train.ranks import choose_device
from ..train.run_folder import RunFolder

Take = Literal["2d", "3d"]
AGREED = 0.01  # m, by which views differ of whose hand we are half sure
VIEWS_SAY = "interact_joints"  # (B, 21, 3) m from the root, each view's own, of estimators that fuse them


@torch.inference_mode()
def estimated_labels(
    estimator: Estimator, source: Source, config: Config, take: Take, *, device: str = "", batch: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Joints (n, V, 21, 2) float32 px of the stored pictures, and their confidence (n, V, 21) float32, 0 to 1.

    With "2d" joints as they were found in the picture, with "3d" the estimated hand projected, as sure as the views
    agree. Crops lie about the source's joints_2d; nothing else is looked at of its labels. Raises InputError where the
    estimator does not say what is taken.
    """
    chosen = choose_device(device)
    estimator = estimator.to(chosen).eval()
    parts = list(_each(estimator, source, config, take, chosen, batch))
    joints, sure = (torch.cat(column).cpu().numpy() for column in zip(*parts))
    shape = (source.samples, source.views, 21)
    return joints.reshape(*shape, 2).astype(np.float32), sure.reshape(shape).astype(np.float32)


def _each(
    estimator: Estimator, source: Source, config: Config, take: Take, device: torch.device, batch: int
) -> Iterator[tuple[Tensor, Tensor]]:
    views = source.views if estimator.multi_view else 1
    crops = max(batch or config.data.batch, views) // views * views
    data = dataclasses.replace(config.data, batch=crops, views=source.views, samples=0)
    batches = Batches(source, data, multi_view=estimator.multi_view, device=device)
    K = [torch.from_numpy(np.asarray(source.read(row)["K"])).float() for row in range(source.samples)]
    stored = torch.cat(K).to(device)
    with Progress("label", batches.crops) as progress:
        for one in batches.ordered():
            output = forward(estimator, one, config.train)
            pose = estimator.pose(output, one)
            yield labels_of(pose, output, one, stored[progress.done : progress.done + len(one)], take)
            progress.add(len(one))
