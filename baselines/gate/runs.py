"""What the tiers ask of training and prediction: each made once, and reused when a gate goes on."""

from __future__ import annotations

import dataclasses
import io
import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dataset_tools.workers import run_jobs

from ..config import Config, as_table, load_config
from ..data.opening import open_source
from ..data.source import Arrays, Source, wanted_fields
from ..estimator import Estimator
from ..evaluate.measures import Measured, measured
from ..evaluate.predict import Predictions, each_batch, predict
from ..registry import estimator_class
from ..train.loop import Sources, train
from ..train.run_folder import load_run
from .kept import Kept

CROPS = 64  # at a time, when predicting


@dataclass(frozen=True)
class Named:
    """A source, or several with their shares of every batch, and what they are called where things are made of them."""

    name: str
    source: Source | Sources


@dataclass(frozen=True)
class OtherData:
    """Data of another look than the release's, with the same splits."""

    path: Path
    name: str  # with the hash of their bytes


@dataclass(frozen=True)
class Training:
    """What is trained, on what, beginning with the weights of which run."""

    name: str
    config: Config
    on: Named
    init: Path | None = None

    @property
    def made_of(self) -> dict[str, Any]:
        """All that decides its weights, besides the release."""
        init = self.init.name if self.init else ""
        return {"config": as_table(self.config), "on": self.on.name, "init": init}


@dataclass(frozen=True)
class Runs:
    """Trainings and predictions of one gate."""

    kept: Kept
    data: Path  # the release
    presets: Path  # folder of the preset: mvhm_sv.toml, mvhm_mv.toml, gate.toml
    device: str = ""
    processes: int = 1  # that train side by side
    other: OtherData | None = None

    def config(self, estimator: str, seed: int = 0, preset: str = "", sets: Sequence[str] = ()) -> Config:
        """The settings of an estimator in its file, or another, of the preset, changed by `sets`, with a seed."""
        config = load_config(self.presets / f"{preset or estimator}.toml", estimator, sets)
        return dataclasses.replace(config, train=dataclasses.replace(config.train, seed=seed))

    def release(self, split: str, estimator: str = "") -> Named:
        """The samples of a split of the release, with what training the estimator needs."""
        return Named(f"release {split}", open_source(self.data, split, _needed(estimator)))

    def samples(self, on: str, split: str, estimator: str = "") -> Named:
        """The same of the release, or where `on` is "other" of the other data."""
        if on != "other":
            return self.release(split, estimator)
        return Named(f"{self.other.name} {split}", open_source(self.other.path, split, _needed(estimator)))

    def train(self, what: Training) -> Path:
        """The folder of a finished run."""

        def make(place: Path) -> None:
            train(what.config, what.on.source, place, resume=True, init=what.init, device=self.device)

        return self.kept.once(f"train {what.name}", what.made_of, make)

    def place(self, what: Training) -> Path:
        """Where the run lies or will lie."""
        return self.kept.place(f"train {what.name}", what.made_of)

    def train_all(self, trainings: Sequence[Training]) -> list[Path]:
        """The folders of finished runs; side by side where `processes` allow it, after those they begin with."""
        left = {self.place(one): one for one in trainings}
        left = {place: one for place, one in left.items() if not self.kept.finished(place)}
        while left:
            ready = {place: one for place, one in left.items() if one.init not in left}
            self._side_by_side(list(ready.values()))
            left = {place: one for place, one in left.items() if place not in ready}
        return [self.train(one) for one in trainings]

    def _side_by_side(self, trainings: Sequence[Training]) -> None:
        if min(self.processes, len(trainings)) > 1:
            jobs = [(self, one) for one in trainings]
            for _ in run_jobs(_train_in_process, jobs, [1] * len(jobs), self.processes, "trainings", "training"):
                pass
        for one in trainings:
            self.train(one)

    def predict(self, run: Path, on: Named) -> Predictions:
        """What a finished run says of every sample of a source, seen by all its cameras."""

        def make(place: Path) -> None:
            predict(*_loaded(run, on), self.device, batch=CROPS).save(place)

        return Predictions.load(self.kept.once(_answers(run, on), {}, make, ".npz", kind="predictions"))

    def measure(self, run: Path, on: Named, sets: Sequence[str] = ()) -> Measured:
        """The errors of a finished run on every sample of a source, meshes included; no prediction is kept.

        `sets` change settings of the model that its weights do not depend on.
        """

        def make(place: Path) -> None:
            measured(each_batch(*_loaded(run, on, sets), self.device, batch=CROPS, vertices=True)).save(place)

        more = {"sets": list(sets)} if sets else {}
        return Measured.load(self.kept.once(f"{_answers(run, on)}, errors", more, make, ".npz", kind="predictions"))


def _needed(estimator: str) -> tuple[str, ...]:
    """Fields of a source, with those that training an estimator needs; without one, with those that are scored."""
    return wanted_fields(estimator_class(estimator).fields if estimator else ("mask",))


def _answers(run: Path, on: Named) -> str:
    return f"{run.name.removeprefix('train-')} on {on.name}"


def _loaded(run: Path, on: Named, sets: Sequence[str] = ()) -> tuple[Estimator, Source, Config]:
    """A run's estimator, the source, and settings to see all its cameras."""
    estimator, config = load_run(run, sets)
    config = dataclasses.replace(config, data=dataclasses.replace(config.data, views=on.source.views))
    return estimator, on.source, config


def _train_in_process(job: tuple[Runs, Training]) -> None:
    """A training in a process of its own, on one core; its log's lines bear its name."""
    runs, what = job
    torch.set_num_threads(1)
    if not isinstance(sys.stderr, Lines):  # a process may train one after another
        sys.stderr = Lines(sys.stderr.buffer, line_buffering=True)
    logging.basicConfig(
        level=logging.INFO, format=f"%(asctime)s {what.name}: %(message)s", datefmt="%H:%M:%S", force=True
    )
    runs.train(what)


class Lines(io.TextIOWrapper):
    """A terminal that several processes write to: lines, no bars."""

    def isatty(self) -> bool:
        return False


class SomeViews:
    """A source of which only some views are seen."""

    def __init__(self, source: Source, chosen: Sequence[int]) -> None:
        self._source, self._chosen = source, tuple(chosen)
        self.name, self.samples, self.views = source.name, source.samples, len(self._chosen)
        self.image_size, self.fields = source.image_size, source.fields
        self.numbers, self.subjects, self.splits = source.numbers, source.subjects, source.splits

    def read(self, sample: int, views: Sequence[int] | None = None) -> Arrays:
        """See Source; views count among those that are seen."""
        chosen = range(self.views) if views is None else views
        return self._source.read(sample, [self._chosen[view] for view in chosen])


class SomeSamples:
    """A source of which only some samples are there, by their places."""

    def __init__(self, source: Source, chosen: np.ndarray) -> None:
        self._source, self._chosen = source, chosen
        self.name, self.samples, self.views = source.name, len(chosen), source.views
        self.image_size, self.fields = source.image_size, source.fields
        self.numbers, self.subjects, self.splits = (
            values[chosen] for values in (source.numbers, source.subjects, source.splits)
        )

    def read(self, sample: int, views: Sequence[int] | None = None) -> Arrays:
        """See Source."""
        return self._source.read(int(self._chosen[sample]), views)


def groups_of_views(views: int, size: int) -> list[list[int]]:
    """All `views` of a ring in groups of `size`, each in one of them; of a group they are a quarter of the ring apart.

    So two views are at right angles and not opposite each other, where both lack the same depth. Eight in fours: 0, 2,
    4, 6 and 1, 3, 5, 7; in twos: 0, 2; 1, 3; 4, 6; 5, 7.
    """
    step = max(views // max(size, 4), 1)
    block = step * size
    return [
        [start + offset + step * place for place in range(size)]
        for start in range(0, views - block + 1, block)
        for offset in range(step)
    ]


def some_views(on: Named, chosen: Sequence[int]) -> Named:
    """A source seen by some of its views alone."""
    if list(chosen) == list(range(on.source.views)):
        return on
    return Named(f"{on.name}, views {' '.join(map(str, chosen))}", SomeViews(on.source, chosen))


def first(on: Named, samples: int) -> Named:
    """The first samples of a source."""
    return Named(f"{on.name}, first {samples}", SomeSamples(on.source, np.arange(samples)))


def spread(on: Named, samples: int) -> Named:
    """At most so many samples of a source, evenly spread over it."""
    if not 0 < samples < on.source.samples:
        return on
    return Named(
        f"{on.name}, {samples} spread", SomeSamples(on.source, np.arange(samples) * on.source.samples // samples)
    )


def quarter(on: Named) -> Named:
    """Every fourth pair of a source's samples (pairs have neighbouring numbers)."""
    return Named(f"{on.name}, a quarter", SomeSamples(on.source, np.flatnonzero(on.source.numbers // 2 % 4 == 0)))
