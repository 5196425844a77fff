"""The user's real data sets across: what estimators say of each, in the form of HAMR's Figures 6 and 7.

Those that a gate trained on the release have seen none of them. Where RHD and STB are given and the preset has `hamr`,
it is also trained on these two, as the paper does, and Dexter+Object is a set it never saw.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ..evaluate.across import Across, across
from ..train.run_folder import load_run
from .real import RealSet
from .runs import Named, Runs, Training, spread
from .tier2 import SINGLE

HAMR, PAIR = "hamr", ("RHD", "STB")
CROPS = 4096  # of a data set, at most, evenly spread


def across_sets(runs: Runs, real: Sequence[RealSet], folders: Mapping[str, Sequence[Path]]) -> tuple[Across, ...]:
    """Every estimator on every set; `folders` are the gate's runs by name. Raises what reading and training raise."""
    tested = [(one.name, validating(one)) for one in real]
    return tuple(
        _figures(runs, name, on, run, trained_on)
        for run, trained_on in _trained(runs, real, folders)
        for name, on in tested
    )


def validating(real: RealSet) -> Named:
    """What validates of a set, no more than CROPS of it."""
    source = real.open("val")
    return spread(Named(f"{real.name} val", source), max(CROPS // source.views, 1))


def _trained(runs: Runs, real: Sequence[RealSet], folders: Mapping[str, Sequence[Path]]) -> Iterator[tuple[Path, str]]:
    """Runs and what they were trained on."""
    if not real:
        return
    yield from ((folders[name][0], "the release") for name in (SINGLE, HAMR) if name in folders)
    given = {one.name: one for one in real}
    if all(name in given for name in PAIR) and (runs.presets / f"{HAMR}.toml").is_file():
        yield runs.train(on_the_pair(runs, [given[name] for name in PAIR])), " and ".join(PAIR)


def on_the_pair(runs: Runs, pair: Sequence[RealSet]) -> Training:
    """HAMR on two real sets, half of every batch each."""
    config = runs.config(HAMR)
    sources = [(one.open("train"), 0.5) for one in pair]
    return Training(
        f"{HAMR} on {' and '.join(PAIR)}", config, Named(" and ".join(f"{name} train" for name in PAIR), sources)
    )


def _figures(runs: Runs, name: str, on: Named, run: Path, trained_on: str) -> Across:
    config = load_run(run)[1]
    return across(name, config.estimator, trained_on, runs.predict(run, on), config.data.size)
