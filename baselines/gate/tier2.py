"""Tier 2: trained on the release, do estimators rank as papers and geometry say? On unseen subjects (see `arms`)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..config import Config
from ..evaluate.predict import Predictions
from .arms import fused_arms, network_arms, simulated_arms, single_arm, tensor
from .claims import FUSION, ONE, QUARTER, Arm, Claim, Finding, judge_all, unmet
from .runs import Named, Runs, Training, groups_of_views, quarter, some_views
from .settings import GateSettings

SINGLE = ONE
SPLIT = "test_subject"
VIEWS = (8, 4, 2)  # that the fusion network is given
FIXED = "concat"  # fusion of a fixed number of views


@dataclass(frozen=True)
class Tier2:
    """The arms' mean errors and curves, and what the claims came to."""

    split: str
    samples: int
    subjects: int
    seeds: int
    means: Mapping[str, float]  # mm
    made: Mapping[str, str]  # how each arm is made, in words
    curves: Mapping[str, Sequence[float]] = field(repr=False)  # share of samples' joints within 0, 1, .. 50 mm
    findings: tuple[Finding, ...] = ()

    @property
    def problems(self) -> tuple[str, ...]:
        """A line for every claim that must hold and does not."""
        return unmet(self.findings)


def tier2(arms: Mapping[str, Arm], subjects: np.ndarray, seed: int, draws: int, more: Sequence[Claim] = ()) -> Tier2:
    """Judge all claims, and `more`, on `arms`, whose test samples are of `subjects` (n,)."""
    return Tier2(
        split=SPLIT, samples=len(subjects), subjects=len(np.unique(subjects)),
        seeds=len(arms[ONE].errors),
        means={name: float(arm.errors.mean()) for name, arm in arms.items()},
        made={name: arm.made for name, arm in arms.items()},
        curves={name: arm.curve for name, arm in arms.items() if arm.curve},
        findings=judge_all(arms, subjects, seed, draws, more),
    )  # fmt: skip


# what is trained


@dataclass(frozen=True)
class Trained:
    """Folders of runs, one a seed."""

    singles: tuple[Path, ...]  # mvhm_sv
    fusions: Mapping[int, tuple[Path, ...]]  # mvhm_mv by its number of views, on what single views say of the data
    quarters: tuple[Path, ...]  # mvhm_sv on a quarter of the data, if that is asked for


def train_all(runs: Runs, settings: GateSettings) -> Trained:
    """Train on the release: single-view estimators, on a quarter of it if that is asked for, and a fusion for each."""
    on, count = runs.release("train", SINGLE), settings.seeds
    whole = [Training(f"{SINGLE}, seed {seed}", runs.config(SINGLE, seed), on) for seed in range(count)]
    less = [dataclasses.replace(one, name=f"{one.name}, a quarter", on=quarter(on)) for one in whole]
    singles = runs.train_all([*whole, *(less if settings.quarter else ())])
    fusions = runs.train_all([
        Training(f"{FUSION}, seed {seed}", fusion_config(runs.config(FUSION, seed), views), on, singles[seed])
        for views in VIEWS
        for seed in range(count)
    ])  # fmt: skip
    by_views = {views: tuple(fusions[place * count :][:count]) for place, views in enumerate(VIEWS)}
    return Trained(tuple(singles[:count]), by_views, tuple(singles[count:]))


def fusion_config(config: Config, views: int) -> Config:
    """The stages alone that learn from cached predictions: the single-view estimator stays as it is.

    A fusion of a fixed number of views is made for `views`; one for any number is the same for all.
    """
    stages = tuple(stage for stage in config.stages if stage.cached)
    if config.model.get("fusion") != FIXED:
        return dataclasses.replace(config, stages=stages)
    data, model = dataclasses.replace(config.data, views=views), config.model | {"views": views}
    return dataclasses.replace(config, stages=stages, data=data, model=model)


def arms_of(runs: Runs, trained: Trained, settings: GateSettings) -> tuple[dict[str, Arm], np.ndarray]:
    """All arms on the test subjects, and the subject (n,) of every sample."""
    on, apart = runs.release(SPLIT), runs.release("val")
    tested, other = ([runs.predict(run, named) for run in trained.singles] for named in (on, apart))
    size = runs.config(SINGLE).data.size
    arms = {ONE: single_arm(tested, "each view's own pose")}
    if trained.quarters:
        less = [runs.predict(run, on) for run in trained.quarters]
        arms |= {QUARTER: single_arm(less, "the same, trained on every fourth pair")}
    arms |= network_arms({views: predict_groups(runs, trained, on, views) for views in VIEWS})
    arms |= fused_arms(tested, other, size) | simulated_arms(tested[0], size, settings)
    return arms, tensor(tested[0], "subject")[:, 0].numpy()


def predict_groups(runs: Runs, trained: Trained, on: Named, views: int) -> list[list[Predictions]]:
    """For every seed, what the fusion makes of each group of `views` views; one for a fixed number knows one group."""
    count, fixed = on.source.views, runs.config(FUSION).model.get("fusion") == FIXED
    groups = [[place * count // views for place in range(views)]] if fixed else groups_of_views(count, views)
    return [[runs.predict(run, some_views(on, group)) for group in groups] for run in trained.fusions[views]]
