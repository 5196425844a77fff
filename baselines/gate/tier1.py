"""Tier 1: every estimator can learn a few views by heart. One that cannot says that labels and pictures disagree."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from rigging.errors import InputError

from ..config import Augment, Config
from ..evaluate.predict import Predictions
from ..metrics.errors import mean_error
from .arms import relative_errors
from .runs import Runs, Training, first
from .settings import GateSettings, Overfit

WARMUP = 20  # steps


@dataclass(frozen=True)
class Overfitted:
    """An estimator on the very views it was trained on: root-relative, in camera axes, without an oracle."""

    estimator: str
    views: int
    error: float  # mm
    mean_pose: float  # mm, the error of the mean of the views' poses
    limit: float  # mm, that the error has to stay below

    @property
    def problem(self) -> str:
        """A line, if the limit is not met."""
        if self.error < self.limit:
            return ""
        return f"{self.estimator} does not overfit {self.views} views: {self.error:.1f} mm, {self.limit:.1f} allowed"


def overfit_config(config: Config, settings: GateSettings, overfit: Overfit, views: int) -> Config:
    """The preset's settings for the first samples alone, of `views` views each, which are not augmented.

    Raises InputError where the preset has no such stage.
    """
    stages = {stage.name: stage for stage in config.stages}
    if overfit.stage not in stages:
        raise InputError(
            f"preset: {config.estimator} is to overfit in stage {overfit.stage!r}; there are {', '.join(stages)}"
        )
    samples = max(1, settings.overfit_views // views)
    batch = min(samples * views, config.data.batch // views * views or views)
    stage = stages[overfit.stage]
    stage = dataclasses.replace(
        stage, epochs=overfit.epochs, lr=overfit.lr, losses=overfit.losses, warmup=WARMUP,
        learns=overfit.learns or stage.learns,
    )  # fmt: skip
    data = dataclasses.replace(config.data, samples=samples, batch=batch)
    return dataclasses.replace(
        config, stages=(stage,), data=data, augment=Augment(), train=dataclasses.replace(config.train, ema=0.0)
    )


def overfitted(run: Predictions, settings: GateSettings, estimator: str) -> Overfitted:
    """Judge predictions on the views that were trained on."""
    error = mean_error(relative_errors(run.joints_cam, run.true_joints_cam))
    mean_pose = mean_pose_error(run.true_joints_cam)
    limits = [share for share in (settings.overfit_share * mean_pose, settings.overfit_mm) if share]
    return Overfitted(estimator, len(run), error, mean_pose, min(limits))


def mean_pose_error(truth: np.ndarray) -> float:
    """Error, mm, of saying the mean of all poses (n, 21, 3), relative to the wrist in camera axes, whatever is seen."""
    relative = truth - truth[:, :1]
    return mean_error(relative_errors(np.broadcast_to(relative.mean(axis=0), relative.shape), relative))


def overfitted_all(runs: Runs, settings: GateSettings) -> tuple[Overfitted, ...]:
    """Train each estimator on the first few views of the release, and judge it on them."""
    trainings: dict[str, Training] = {}
    for overfit in settings.overfits:
        on = runs.release("train", overfit.estimator)
        config = overfit_config(runs.config(overfit.estimator), settings, overfit, on.source.views)
        init = runs.place(trainings[overfit.init]) if overfit.init else None
        trainings[overfit.estimator] = Training(f"{overfit.estimator} by heart", config, on, init)
    places = runs.train_all(list(trainings.values()))
    return tuple(
        overfitted(runs.predict(place, first(one.on, one.config.data.samples)), settings, name)
        for place, (name, one) in zip(places, trainings.items())
    )
