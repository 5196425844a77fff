"""Pseudo labels of a gate's training data: made once, by simulated errors or by what was trained before."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from ..data.label_file import Labels, identity, load_labels
from ..data.label_noise import Noise, noise_labels
from ..data.labels import PseudoLabelled
from ..evaluate.label import estimated_labels
from ..train.run_folder import load_run
from .kept import Kept
from .runs import CROPS, Named


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


def _labelled(kept: Kept, on: Named, by: str, make: object) -> Named:
    place = kept.once(f"labels of {on.name}, {by}", {}, make, ".npz", kind="pseudo labels")
    return Named(f"{on.name}, labels {by}", PseudoLabelled(on.source, load_labels(place)))
