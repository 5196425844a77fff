"""The user's own real data sets in MVHM's Table 2: estimators trained on them alone, and on them and the release."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..adapters import ADAPTERS, open_real
from ..config import Config
from ..data.source import Source
from .runs import Named, Runs, Training, first, spread
from .table2 import PAPER, Row
from .tier2 import SINGLE, fusion_config
from .tier3 import table2_figures

OF_MESHES = ("mesh", "single_mesh")  # losses: real pictures have joints alone
VIEWS = 8  # of a sample of a release: a preset's number of samples means so many pictures


@dataclass(frozen=True)
class RealSet:
    """A data set by its name, and where the user has it."""

    name: str  # one of ADAPTERS' titles
    path: Path

    def open(self, split: str) -> Source:
        """Its samples. Raises FileNotFoundError, InputError."""
        adapter = next(adapter for adapter, name in ADAPTERS.items() if name == self.name)
        return open_real(f"{adapter}:{self.path}", split)


def real_sets(paths: Mapping[str, Path | None]) -> tuple[RealSet, ...]:
    """Those that were given, by their names in ADAPTERS, opened once to see that they can be.

    Raises FileNotFoundError, InputError.
    """
    given = tuple(RealSet(name, paths[adapter]) for adapter, name in ADAPTERS.items() if paths.get(adapter))
    for one in given:
        one.open("val")
    return given


def real_rows(runs: Runs, real: Sequence[RealSet]) -> tuple[Row, ...]:
    """Table 2; a row whose data set was not given says so."""
    given = {one.name: one for one in real}
    return tuple(
        _run(runs, row, given[row.data])
        if row.data in given
        else dataclasses.replace(row, why=f"not run: needs {row.data}")
        for row in PAPER
    )


def _run(runs: Runs, row: Row, real: RealSet) -> Row:
    """A row with its figures: train as it says, predict what validates."""
    on, views = training_data(runs, row, real)
    run = runs.train(Training(f"{SINGLE} on {row.trained_on}", real_config(runs.config(SINGLE), row), on))
    if row.estimator != SINGLE:
        config = with_views(real_config(fusion_config(runs.config(row.estimator), views), row), views)
        run = runs.train(Training(f"{row.estimator} on {row.trained_on}", config, on, run))
    tested = Named(f"{real.name} val", real.open("val"))
    return dataclasses.replace(row, ours=table2_figures(runs.predict(run, tested)))


def training_data(runs: Runs, row: Row, real: RealSet) -> tuple[Named, int]:
    """As many pictures of the real set as a preset trains on, spread over it, and the release where the row has it.

    Half of every batch each; and the real set's number of views.
    """
    source, samples = real.open("train"), runs.config(SINGLE).data.samples
    own = spread(Named(f"{real.name} train", source), samples * VIEWS // source.views)
    if not row.release:
        return own, source.views
    release = runs.release("train", row.estimator)
    release = first(release, samples) if samples else release
    return Named(f"{own.name} and {release.name}", [(own.source, 0.5), (release.source, 0.5)]), source.views


def real_config(config: Config, row: Row) -> Config:
    """A preset's settings for all samples given; without the release there are no meshes to learn from."""
    data = dataclasses.replace(config.data, samples=0)
    if row.release:
        return dataclasses.replace(config, data=data)
    kept = ((stage, {name: w for name, w in stage.losses.items() if name not in OF_MESHES}) for stage in config.stages)
    stages = tuple(dataclasses.replace(stage, losses=losses) for stage, losses in kept if losses)
    return dataclasses.replace(config, data=data, stages=stages)


def with_views(config: Config, views: int) -> Config:
    """Settings of a multi-view estimator for data of so many views."""
    return dataclasses.replace(config, data=dataclasses.replace(config.data, views=views))
