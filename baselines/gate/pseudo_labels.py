"""Pseudo labels of a gate's training data: made once, by simulated errors or by what was trained before."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from ..data.label_file import Labels, identity, load_labels
from ..data.label_noise import Noise, noise_labels, read_truth
from ..data.labels import PseudoLabelled
from ..evaluate.label import estimated_labels
from ..geometry.camera import to_world
from ..geometry.triangulate import ransac, triangulate
from ..metrics.errors import joint_errors
from ..train.run_folder import load_run
from .arms import arm_of_rows
from .claims import LABEL_DLT, LABEL_RANSAC, Arm
from .kept import Kept
from .runs import CROPS, Named

RANSAC_SHARE = 15 / 384  # of the picture's side: the threshold of Iskakov et al.


def noisy(kept: Kept, on: Named, seed: int) -> Named:
    """The pictures of a source, with a detector's errors on its joints as their only labels."""

    def make(place: Path) -> None:
        about = {"kind": "noise", "seed": seed, "noise": dataclasses.asdict(Noise()), "data": identity(on.source)}
        Labels(on.source.numbers, *noise_labels(on.source, seed), about).save(place)

    return _labelled(kept, on, f"noise {seed}", make)


def relabelled(kept: Kept, on: Named, about: Named, run: Path, device: str) -> Named:
    """The pictures of a source, with what a finished run says of them as their only labels.

    Crops lie about the labels of the source `about`, which the run was trained on: the truth is not looked at.
    """

    def make(place: Path) -> None:
        estimator, config = load_run(run)
        found = estimated_labels(estimator, about.source, config, device=device, batch=CROPS)
        known = {"kind": "estimated", "estimator": estimator.name, "checkpoint": run.name}
        Labels(on.source.numbers, *found, known | {"data": identity(on.source)}).save(place)

    return _labelled(kept, on, run.name.removeprefix("train-"), make)


def label_arms(on: Named, seeds: int) -> dict[str, Arm]:
    """Joints triangulated from labels with simulated errors in all views; errors are of their places in the world."""
    truth = read_truth(on.source, range(on.source.samples))
    joints, K, pose = (torch.from_numpy(one).double() for one in (truth.joints_cam, truth.K, truth.world_to_cam))
    places = to_world(joints[:, 0], pose[:, 0]).numpy()
    found: dict[str, list[np.ndarray]] = {LABEL_DLT: [], LABEL_RANSAC: []}
    for seed in range(seeds):
        seen = torch.from_numpy(noise_labels(on.source, seed)[0]).double()
        points = {
            LABEL_DLT: triangulate(seen, K, pose),
            LABEL_RANSAC: ransac(seen, K, pose, threshold=RANSAC_SHARE * max(on.source.image_size))[0],
        }
        for name, value in points.items():
            found[name].append(joint_errors(value.numpy(), places))
    made = "pseudo labels with simulated errors, in all views"
    return {name: arm_of_rows(errors, [1] * seeds, made) for name, errors in found.items()}


def _labelled(kept: Kept, on: Named, by: str, make: Callable[[Path], None]) -> Named:
    place = kept.once(f"labels of {on.name}, {by}", {}, make, ".npz", kind="pseudo labels")
    return Named(f"{on.name}, labels {by}", PseudoLabelled(on.source, load_labels(place)))
