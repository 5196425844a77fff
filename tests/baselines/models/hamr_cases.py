"""Small HAMRs, what a perfect one says of a batch, and hands that are seen from afar."""

from __future__ import annotations

import dataclasses

import model_cases
import torch

from baselines import create_estimator
from baselines.batch import Batch
from baselines.estimator import Output
from baselines.geometry.camera import project
from baselines.hamr_losses import true_camera
from baselines.layers.heatmap import gaussian_maps
from baselines.models.hamr import Hamr


def made(**settings: object) -> Hamr:
    torch.manual_seed(0)
    return create_estimator("hamr", **(model_cases.settings("hamr") | settings))


def truth(batch: Batch) -> Output:
    """What a perfect network says of the batch."""
    wrist = batch.joints_cam[:, :1]
    joints = batch.joints_cam - wrist
    seen = 2 * batch.joints_2d / batch.size - 1
    return {
        "heatmaps": gaussian_maps(batch.joints_2d, batch.size, batch.size // 4, 1.5)[:, None],
        "camera": true_camera(joints, seen),
        "joints": joints,
        "vertices": batch.vertices_cam - wrist,
    }


def far(batch: Batch, times: float = 25.0) -> Batch:
    """The same hands `times` as far away, seen as large: their perspective is all but weak."""
    middle = batch.joints_cam.mean(1, keepdim=True)
    moved = {name: getattr(batch, name) + (times - 1) * middle for name in ("joints_cam", "vertices_cam")}
    K = batch.K.clone()
    K[:, :2, :2] *= times
    seen = project(moved["joints_cam"], K)
    return dataclasses.replace(
        batch, K=K, joints_2d=seen, mask=model_cases.seen_depth(moved["vertices_cam"], K) > 0, **moved
    )
