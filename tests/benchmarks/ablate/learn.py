"""One small estimator trained on each variant, with several seeds, and tested on every variant's held-out subjects."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from baselines.adapters import open_real
from baselines.config import Config, load_config
from baselines.data.opening import open_source
from baselines.data.source import wanted_fields
from baselines.evaluate.measures import Measured
from baselines.gate.kept import Kept
from baselines.gate.runs import Named, Runs, Training
from baselines.metrics.intervals import Interval, paired_interval
from baselines.registry import estimator_class
from dataset_tools.store.quoted import shards_hash
from dataset_tools.workers import run_jobs
from rigging.errors import InputError

from .stage import Stage
from .study import HERE, Study

PRESET = HERE / "estimator.toml"
TRAINED, TESTED, REAL_SPLIT = "train", "test_subject", "val"
MEASURES = ("joints, mm", "PA joints, mm")
DRAWS = 2000

OWN, OTHERS, AGAINST = "own pictures", "the others' pictures", "pictures of what it is compared with"

Seeds = dict[str, list[Measured]]  # tested on: one a seed
Errors = dict[str, Seeds]  # by what was trained on


@dataclass(frozen=True)
class Lessons:
    """What is trained and tested, and where that is kept."""

    stage: Stage
    names: tuple[str, ...]  # of variants
    seeds: int
    real: tuple[tuple[str, str], ...] = ()  # a name, and ADAPTER:PATH
    sets: tuple[str, ...] = ()  # changes of PRESET
    processes: int = 2

    @property
    def runs(self) -> Runs:
        """Finished trainings and tests are not made again."""
        folder = self.stage.folder / "runs"
        return Runs(Kept(folder, {"preset": PRESET.stem}), self.stage.folder, HERE, "cpu", self.processes)

    def config(self, seed: int) -> Config:
        """The settings of a training."""
        config = load_config(PRESET, "", self.sets)
        return dataclasses.replace(config, train=dataclasses.replace(config.train, seed=seed))

    def trainings(self, name: str) -> list[Training]:
        """Of a variant, one a seed."""
        on = self.source(name, TRAINED, estimator_class(self.config(0).estimator).fields)
        return [Training(f"{name} seed {seed}", self.config(seed), on) for seed in range(self.seeds)]

    def source(self, name: str, split: str, fields: Sequence[str] = ()) -> Named:
        """A split of a variant; other pictures have another name."""
        folder = self.stage.variant(name)
        wanted = wanted_fields(fields, self.config(0).augment)
        return Named(f"{name} {split} {shards_hash(folder)[:8]}", open_source(folder.path, split, wanted))

    def tests(self) -> dict[str, Named]:
        """What every run is tested on, by name."""
        ours = {name: self.source(name, TESTED) for name in self.names}
        return ours | {name: real_source(name, spec) for name, spec in self.real}


def real_set(text: str) -> tuple[str, str]:
    """NAME=PATH of an adapter, such as hanco=/data/HanCo: what it is called, and how adapters name it."""
    name, equals, path = text.partition("=")
    if not (name and equals and path):
        raise InputError(f"--real {text}: NAME=PATH is wanted, such as hanco=/data/HanCo (docs/real_data.md)")
    return name, f"{name}:{path}"


def real_source(name: str, spec: str) -> Named:
    """A real data set, called so that what was measured on one of another place is not taken for it."""
    place = hashlib.sha256(spec.encode()).hexdigest()[:8]
    return Named(f"{name} {REAL_SPLIT} {place}", open_real(spec, REAL_SPLIT))


def learn(lessons: Lessons) -> Errors:
    """Train and test all that is not finished, side by side."""
    torch.set_num_threads(1)
    lessons.tests()  # a real data set that cannot be opened is told before the trainings
    wanted = [one for name in lessons.names for one in lessons.trainings(name)]
    runs, tests = lessons.runs, lessons.tests()
    places = runs.train_all(wanted)
    jobs = [(lessons, place) for place in places]
    for _ in run_jobs(_test, jobs, [len(tests)] * len(jobs), lessons.processes, "tests", "test"):
        pass
    told = [{test: runs.measure(place, on) for test, on in tests.items()} for place in places]
    return {
        name: _by_test(told[start : start + lessons.seeds])
        for name, start in zip(lessons.names, range(0, len(told), lessons.seeds))
    }


def _by_test(seeds: list[dict[str, Measured]]) -> Seeds:
    return {test: [one[test] for one in seeds] for test in seeds[0]}


def _test(job: tuple[Lessons, Path]) -> None:
    """A run on every test, in a process of its own."""
    lessons, place = job
    torch.set_num_threads(1)
    for on in lessons.tests().values():
        lessons.runs.measure(place, on)


def learned_table(errors: Errors, study: Study, lessons: Lessons) -> dict[str, Any]:
    """All figures of the page: mm on the own pictures, on those of the others, on real ones, and differences."""
    rows = {name: _row(errors, study, lessons, name) for name in errors}
    tests = {test: _size(seeds[0]) for test, seeds in next(iter(errors.values())).items()}
    cross = {
        name: {test: round(float(stacked(seeds, MEASURES[0]).mean()), 2) for test, seeds in of.items()}
        for name, of in errors.items()
    }
    return {"seeds": lessons.seeds, "sets": list(lessons.sets), "tests": tests, "rows": rows, "cross": cross}


def _size(measured: Measured) -> dict[str, int]:
    return {"samples": len(measured.sample), "subjects": len(np.unique(measured.subject))}


def _row(errors: Errors, study: Study, lessons: Lessons, name: str) -> dict[str, Any]:
    """Figures of what was trained on a variant, and differences to what it is compared with."""
    variant, other = study.named(name), study.against(study.named(name))
    against = other.name if other and other.name in errors else ""
    others = [one for one in lessons.names if one != name]
    real = {one: [one] for one, _ in lessons.real}
    columns = {OWN: [name], OTHERS: others} | real
    both = {AGAINST: [against], OTHERS: [one for one in others if one != against]} | real if against else {}
    return {
        "says": variant.says, "section": variant.section, "against": against,
        "mm": {column: _measures(errors[name], None, tests) for column, tests in columns.items() if tests},
        "less": {column: _measures(errors[name], errors[against], tests) for column, tests in both.items() if tests},
    }  # fmt: skip


def _measures(run: Seeds, other: Seeds | None, tests: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Of each of MEASURES the error of `run`, or with `other` the difference to it."""
    return {
        measure: told(figure(run, tests, measure) if other is None else difference(run, other, tests, measure))
        for measure in MEASURES
    }


def figure(run: Seeds, tests: Sequence[str], measure: str) -> Interval:
    """The error of a variant's runs, mean over `tests`, with its interval over subjects and seeds."""
    values = np.mean([stacked(run[test], measure) for test in tests], 0)
    return paired_interval(values, run[tests[0]][0].subject, np.random.default_rng(0), DRAWS)


def difference(run: Seeds, other: Seeds, tests: Sequence[str], measure: str) -> Interval:
    """How much larger the error of `run` is than that of `other` on the same tests: paired by sample and seed."""
    values = np.mean([stacked(run[test], measure) - stacked(other[test], measure) for test in tests], 0)
    return paired_interval(values, run[tests[0]][0].subject, np.random.default_rng(0), DRAWS)


def stacked(seeds: Sequence[Measured], measure: str) -> np.ndarray:
    """Errors (seeds, S) of one test."""
    return np.stack([one.values[measure] for one in seeds])


def told(interval: Interval) -> dict[str, Any]:
    """An interval as JSON."""
    values = {name: round(float(getattr(interval, name)), 3) for name in ("mean", "low", "high")}
    return values | {"verdict": interval.verdict}
