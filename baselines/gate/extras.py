"""What a preset trains besides MVHM's estimators: more arms for claims, and the rows of its tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..evaluate.compare import Comparison, compare
from ..evaluate.measures import JOINTS, Measured
from .claims import FUSION, LABEL_DLT, LABEL_RANSAC, ONE, Arm
from .pseudo_labels import label_arms, noisy, relabelled
from .runs import Named, Runs, Training
from .settings import NOISE, Extra, GateSettings, Table
from .tier2 import SPLIT, VIEWS, Trained

Folders = Mapping[str, Sequence[Path]]  # of runs, one a seed, by the names that rows and arms have
NO_OTHER = "not run: needs data of another look (--other)"


@dataclass(frozen=True)
class Found:
    """A table of the preset, and what it came to."""

    table: Table
    comparison: Comparison | None = None  # rows and measures that could be had
    why: str = ""  # it was not run, or rows were not


def train_extras(runs: Runs, trained: Trained, settings: GateSettings) -> Folders:
    """Train the extras; those on other data only where there are such, and what needs them likewise."""
    found: dict[str, list[Path]] = {ONE: list(trained.singles), FUSION: list(trained.fusions[VIEWS[0]])}
    ons: dict[Path, Named] = {}  # what each was trained on
    trainings: list[Training] = []
    for extra in settings.extras:
        if (extra.on == "other" and runs.other is None) or any(one not in found for one in extra.before):
            continue
        if extra.of:
            found[extra.name] = found[extra.of][: settings.seeds_of(extra)]
            continue
        if extra.labels not in ("", NOISE):
            runs.train_all(trainings)  # what labels is finished first
        own = [_training(runs, extra, seed, found, ons) for seed in range(settings.seeds_of(extra))]
        found[extra.name] = [runs.place(one) for one in own]
        ons |= {runs.place(one): one.on for one in own}
        trainings += own
    runs.train_all(trainings)
    return found


def _training(runs: Runs, extra: Extra, seed: int, found: Folders, ons: Mapping[Path, Named]) -> Training:
    config = runs.config(extra.estimator, seed, extra.preset, extra.sets)
    init = found[extra.init][seed] if extra.init else None
    return Training(f"{extra.name}, seed {seed}", config, _learnt_from(runs, extra, seed, found, ons), init)


def _learnt_from(runs: Runs, extra: Extra, seed: int, found: Folders, ons: Mapping[Path, Named]) -> Named:
    """Pictures with their labels, or pseudo labels; those of an estimator lie about what it was trained on."""
    on = runs.samples(extra.on, "train", extra.estimator)
    if not extra.labels:
        return on
    if extra.labels == NOISE:
        return noisy(runs.kept, on, seed)
    run = found[extra.labels][seed]
    return relabelled(runs.kept, on, ons.get(run, on), run, runs.device)


def extra_arms(runs: Runs, folders: Folders, settings: GateSettings) -> dict[str, Arm]:
    """The arms that the preset's own claims name: of extras that were trained on the release, and of pseudo labels."""
    named = {arm for claim in settings.claims for arm in (claim.better, claim.worse)}
    labels = label_arms(runs.samples("release", SPLIT), settings.seeds) if named & {LABEL_DLT, LABEL_RANSAC} else {}
    return labels | {
        extra.name: arm_of(_measured(runs, folders, extra.name, settings), extra.made or extra.estimator)
        for extra in settings.extras
        if extra.name in named and extra.name in folders
    }


def arm_of(seeds: Sequence[Measured], made: str) -> Arm:
    """The root-relative errors of a way of estimating, measured once a seed."""
    curve = np.mean([one.curve for one in seeds], axis=0)
    errors = np.stack([one.values[JOINTS] for one in seeds])
    return Arm(errors, f"{made}; one seed" if len(seeds) == 1 else made, tuple(float(f"{y:.4f}") for y in curve))


def _measured(runs: Runs, folders: Folders, name: str, settings: GateSettings, on: str = "release") -> list[Measured]:
    tested = runs.samples(on, SPLIT)
    sets = next((one.sets for one in settings.extras if one.name == name and one.of), ())
    return [runs.measure(folder, tested, sets) for folder in folders[name]]


def tables_of(runs: Runs, folders: Folders, settings: GateSettings) -> tuple[Found, ...]:
    """The preset's tables; a row that nobody ran is left out, and the table says so."""
    return tuple(_found(runs, folders, table, settings) for table in settings.tables)


def _found(runs: Runs, folders: Folders, table: Table, settings: GateSettings) -> Found:
    if table.on == "other" and runs.other is None:
        return Found(table, why=NO_OTHER)
    lacking = [row for row in table.rows if row not in folders]
    if lacking == list(table.rows):
        return Found(table, why=NO_OTHER)
    ways = {row: _measured(runs, folders, row, settings, table.on) for row in table.rows if row in folders}
    return Found(table, compare(ways, draws=settings.draws), f"{', '.join(lacking)}: {NO_OTHER}" if lacking else "")
