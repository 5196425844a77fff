"""Image statistics of every variant, and what the outside detector makes of it: all groups, paired differences."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dataset_tools.judge.groups import groupings
from dataset_tools.progress import Progress
from dataset_tools.statistics.bootstrap import mean_interval
from dataset_tools.statistics.collect import Collected, collect
from dataset_tools.statistics.photographs import measure_photographs
from dataset_tools.statistics.picture_measures import mean_and_spread
from dataset_tools.store.quoted import shards_hash
from rigging.errors import InputError

from ..run import ROOT
from .stage import Stage
from .study import Study

PICTURES = 4000  # that are measured, at most about
GROUPINGS = ("seen from", "tones", "arm", "background")
FACE = ("palm", "back")  # of what a view is "onto a face" of the hand


@dataclass(frozen=True)
class Views:
    """The n views of a variant that show a hand."""

    found: np.ndarray  # (n,) bool
    subject: np.ndarray  # (n,)
    groups: Mapping[str, np.ndarray]  # (n,) bool, by name


def measure_pictures(stage: Stage, study: Study, photographs: Path | None) -> dict[str, Any]:
    """Mean and standard deviation of MEASURES by variant, and of a folder of photographs."""
    out = {}
    with Progress("pictures", len(study.variants), "variant") as progress:
        for variant in study.variants:
            measures = collect(stage.variant(variant.name).path, PICTURES).pictures.measures
            out[variant.name] = {"pictures": len(measures), "measures": mean_and_spread(measures)}
            progress.add(1)
    if photographs:
        measures = measure_photographs(photographs).measures
        out["photographs"] = {"pictures": len(measures), "measures": mean_and_spread(measures)}
    return out


def judge_variants(stage: Stage, study: Study, python: Path, workers: int) -> dict[str, Any]:
    """Rates of hands found, by variant and group. `python` is that of an environment with MediaPipe.

    Raises InputError where the judge fails.
    """
    views = {}
    with Progress("judge", len(study.variants), "variant") as progress:
        for variant in study.variants:
            out = judged(stage, variant.name, python, workers)
            views[variant.name] = views_of(collect(stage.variant(variant.name).path, 1), out / "views.npz")
            progress.add(1)
    return {
        variant.name: rates(views[variant.name], other and views[other.name])
        for variant, other in ((variant, study.against(variant)) for variant in study.variants)
    }


def judged(stage: Stage, name: str, python: Path, workers: int) -> Path:
    """The folder of the judge's findings on a variant, made unless it is there and of these very shards."""
    folder = stage.variant(name)
    table = folder.judge_table
    if not (table.is_file() and json.loads(table.read_bytes())["data_hash"] == shards_hash(folder)):
        words = [python, "-m", "dataset_tools", "judge", folder.path, "--workers", workers]
        try:
            subprocess.run(list(map(str, words)), check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
        except (OSError, subprocess.CalledProcessError) as error:
            raise InputError(f"--judge {python}: {error} (make judge makes an environment with MediaPipe)") from error
    return table.parent


def views_of(labels: Collected, place: Path) -> Views:
    """The views that show a hand, with what the judge's `views.npz` says, and the groups they are in."""
    with np.load(place) as file:
        found = file["side"] != ""
    shown = labels.hand_size > 0
    subject = np.repeat(labels.index["subject"][:, None], shown.shape[1], 1)
    groups = {"all": np.ones(shown.sum(), bool)}
    for name, grouping in groupings(labels).items():
        if name in GROUPINGS:
            groups |= {f"{name}: {one}": grouping.of[shown] == k for k, one in enumerate(grouping.names)}
    groups["onto a face"] = np.any([groups[f"seen from: {one}"] for one in FACE], 0)
    return Views(found[shown], subject[shown], groups)


def rates(views: Views, other: Views | None) -> dict[str, Any]:
    """Of each group: views, subjects, the share found and its difference to another variant's on the same views."""
    out = {}
    for name, chosen in views.groups.items():
        if chosen.any():
            one = {"views": int(chosen.sum()), "subjects": len(np.unique(views.subject[chosen]))}
            one["found"] = _mean(views.found[chosen], views.subject[chosen])
            if other is not None and np.array_equal(other.groups.get(name), chosen):
                differences = views.found[chosen].astype(float) - other.found[chosen]
                one["more"] = _mean(differences, views.subject[chosen])
            out[name] = one
    return out


def _mean(values: np.ndarray, subject: np.ndarray) -> dict[str, Any]:
    """The mean of values (n,) with its interval over subjects (n,), None where that cannot be told."""
    interval = mean_interval(values, subject)
    return {"mean": float(np.mean(values)), "interval": interval and [round(end, 4) for end in interval]}
