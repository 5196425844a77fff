"""Pseudo labels of a data set by what was trained before: a detector's joints, or estimated hands projected."""

from __future__ import annotations

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
from ..data.label_file import identity
from ..data.make import make_batch
from ..data.reading import Raw, SampleCache, read_crops
from ..data.source import Source
from ..estimator import Estimator, Output
from ..geometry.camera import SCALE_BONE, bone_lengths, project, rays
from ..train.faults import memory_for
from ..train.forward import forward
from ..train.ranks import choose_device
from ..train.run_folder import RunFolder

Take = Literal["", "2d", "3d"]
AGREED = 0.3  # of the middle finger's MCP-PIP bone, 10 mm: views so far from their fusion are half as sure
OWN, FUSED = "interact_joints", "fused_joints"  # (B, 21, 3): of estimators that fuse what each view says


@torch.inference_mode()
def estimated_labels(
    estimator: Estimator, source: Source, config: Config, take: Take = "", *, device: str = "", batch: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Joints (n, V, 21, 2) float32 px of the stored pictures, and their confidence (n, V, 21) float32, 0 to 1.

    "2d" takes joints as they were found in the picture, "3d" the estimated hand projected, as sure as views agree; ""
    is "3d" of an estimator that fuses views. Crops lie about the source's joints_2d; no other label is looked at.
    Raises InputError where the estimator does not say what is wanted.
    """
    chosen = choose_device(device)
    estimator = estimator.to(chosen).eval()
    parts = []
    for raw, one in _batches(estimator, source, config, chosen, batch):
        with memory_for(len(one)):
            output = forward(estimator, one, config.train)
        parts.append(labels_of(estimator.pose(output, one), output, one, raw["K"].float(), take))
    joints, sure = (torch.cat(column).cpu().numpy() for column in zip(*parts))
    shape = (source.samples, source.views, 21)
    return joints.reshape(*shape, 2).astype(np.float32), sure.reshape(shape).astype(np.float32)


def _batches(
    estimator: Estimator, source: Source, config: Config, device: torch.device, batch: int
) -> Iterator[tuple[Raw, Batch]]:
    """Every crop once, in order, with the pictures it was cut from."""
    cache, views = SampleCache(source, 0), source.views if estimator.multi_view else 1
    crops = np.stack(np.divmod(np.arange(source.samples * source.views), source.views), -1)
    count = max(batch or config.data.batch, views) // views * views
    with Progress("label", len(crops)) as progress:
        for start in range(0, len(crops), count):
            raw = {name: one.to(device) for name, one in read_crops(cache, crops[start : start + count]).items()}
            yield raw, make_batch(raw, config.data, views)
            progress.add(len(raw["K"]))


def labels_of(pose: Pose, output: Output, batch: Batch, K: Tensor, take: Take) -> tuple[Tensor, Tensor]:
    """Joints (B, 21, 2) px of pictures with the cameras K (B, 3, 3) px, and how sure they are (B, 21), 0 to 1."""
    fused = OWN in output and FUSED in output
    if take == "2d" or not (take or fused):
        if pose.joints_2d is None or pose.confidence is None:
            raise InputError("--take 2d: this estimator does not say where in the pictures it finds joints")
        return (rays(pose.joints_2d, batch.K) @ K.mT)[..., :2], pose.confidence
    if not fused:
        raise InputError("--take 3d: this estimator does not fuse what each view says, as hamuco does")
    pixels, sure = project(pose.joints_cam, K), agreement(output[OWN], output[FUSED], batch.views)
    there = pixels.isfinite().all(-1)
    return pixels.nan_to_num(0), sure * there


def agreement(own: Tensor, fused: Tensor, views: int) -> Tensor:
    """(B, 21), 0 to 1: 1 / (1 + (e / AGREED)^2), e the mean over a sample's views of |own - fused| / bone.

    Both (B, 21, 3) in the axes of each view's camera, relative to the same root and in any unit; the bone is fused's.
    """
    bone = bone_lengths(fused)[:, SCALE_BONE, None].clamp_min(1e-6)
    apart = ((own - fused).norm(dim=-1) / bone).unflatten(0, (-1, views)).mean(1, keepdim=True)
    return (1 / (1 + (apart / AGREED).square())).expand(-1, views, -1).flatten(0, 1)


def check_apart(run: Path, source: Source) -> dict[str, Any]:
    """What the run's record says; raises InputError if it learnt from true labels of subjects of the source.

    So do runs that it began from. A run that was trained on pseudo labels has not seen the truth.
    """
    path = RunFolder(run.parent if run.suffix == ".safetensors" else run).about
    if not path.is_file():
        raise InputError(f"{run}: no run.json in it: what it was trained on is not known")
    about = json.loads(path.read_text(encoding="utf-8"))
    for row in about["data"]:
        if "labels" not in row and _same(row, source):
            _check_subjects(run, row, source)
    if about.get("init") and (Path(about["init"]) / path.name).is_file():
        check_apart(Path(about["init"]), source)
    return about


def _same(row: dict[str, Any], source: Source) -> bool:
    here = identity(source)["configuration_hash"]
    there = row.get("configuration_hash")
    return there == here if there and here else row["name"] == source.name


def _check_subjects(run: Path, row: dict[str, Any], source: Source) -> None:
    if "subjects" not in row:
        raise InputError(f"{run}: its run.json does not say which subjects it was trained on; train it anew")
    shared = set(row["subjects"]) & set(source.subjects.tolist())
    if shared:
        raise InputError(
            f"{run}: it was trained on {len(shared)} of the subjects to be labelled (subject {min(shared)}); train it "
            "on another data set, or on a split with subjects of its own, such as test_all"
        )
