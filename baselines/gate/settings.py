"""Settings of a gate: a preset's `gate.toml`, beside the settings of its estimators."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from rigging.errors import InputError
from rigging.settings import from_table, nearest

from ..config import PRESETS
from ..evaluate.measures import MEASURES
from ..geometry.simulate import PixelNoise
from .claims import ARMS, FUSION, ONE, Claim

On = Literal["release", "other"]  # the release that is judged, or the data of `--other`
NOISE = "noise"  # labels: the release's own with a detector's errors
LISTS = {"overfits": "estimator", "extras": "name", "claims": "name", "tables": "title"}  # and what names their rows


@dataclass(frozen=True)
class Overfit:
    """How an estimator is made to learn few views by heart: a stage of its preset, without augmentation."""

    estimator: str
    stage: str  # of the preset, which says what learns unless `learns` does
    losses: dict[str, float]  # weights
    epochs: int
    lr: float
    learns: tuple[str, ...] = ()  # parts of the estimator
    init: str = ""  # an estimator that was made to before: its weights are begun with


@dataclass(frozen=True)
class Extra:
    """One more training: an arm of tier 2 where a claim names it, a row where a table does."""

    name: str
    estimator: str
    preset: str = ""  # FILE of FILE.toml beside gate.toml (default: the estimator's)
    sets: tuple[str, ...] = ()  # settings that are changed, as `--set` has them
    init: str = ""  # an extra before, mvhm_sv or mvhm_mv: the run of the same seed whose weights are begun with
    of: str = ""  # an extra before whose weights are tested anew with `sets`; nothing is trained
    labels: str = ""  # pseudo labels are all it learns from: "noise", or an extra before whose estimates they are
    on: On = "release"  # what is trained on
    made: str = ""  # how, in words
    seeds: int = 0  # of its training; 0: `extra_seeds`, or as many as mvhm_sv has

    def __post_init__(self) -> None:
        if self.name == NOISE:
            raise ValueError(f"{NOISE!r} is what labels with simulated errors are called")
        if self.of and (self.init or self.labels or self.preset or self.on != "release" or not self.sets):
            raise ValueError(f"{self.name!r}: with `of` nothing is trained, so `sets` and no other choice is wanted")

    @property
    def before(self) -> tuple[str, ...]:
        """The extras whose runs of the same seed it needs."""
        labels = "" if self.labels == NOISE else self.labels
        return tuple(one for one in (self.init, self.of, labels) if one)


@dataclass(frozen=True)
class Table:
    """A table of the report: rows (extras, mvhm_sv or mvhm_mv) on unseen subjects, compared with the first of them."""

    title: str
    rows: tuple[str, ...]
    measures: tuple[str, ...]  # names in `evaluate.measures`
    on: On = "release"  # what is tested on
    says: str = ""  # below the title
    paper: dict[str, str] = field(default_factory=dict)  # row -> a paper's figures, for a column of their own

    def __post_init__(self) -> None:
        if not self.rows:
            raise ValueError("rows: at least one")
        _known(self.measures, [one.name for one in MEASURES], "measures")
        _known(self.paper, self.rows, "paper")


@dataclass(frozen=True)
class GateSettings:
    """What the tiers do."""

    overfits: tuple[Overfit, ...]
    extras: tuple[Extra, ...] = ()
    claims: tuple[Claim, ...] = ()  # besides those that every gate decides
    musts: tuple[str, ...] = ()  # names of claims that must hold here, besides those that say so
    tables: tuple[Table, ...] = ()
    overfit_views: int = 32
    overfit_share: float = 0.0  # of the mean pose's error, that an overfitted one must stay below; 0: no such limit
    overfit_mm: float = 0.0  # likewise in mm
    seeds: int = 3  # of the single-view estimator, each with its fusion
    extra_seeds: int = 0  # of the extras that do not say; 0: as many
    quarter: bool = False  # train on a quarter of the data, too
    mutated: int = 24  # samples of which broken copies are validated
    draws: int = 10000  # of the bootstrap
    noises: int = 10  # seeds of simulated detections
    seed: int = 0  # of draws and simulated detections
    detections: PixelNoise = field(default_factory=lambda: PixelNoise(outliers=0.1))  # simulated, in crops of 256 px

    def __post_init__(self) -> None:
        if not (self.overfit_share or self.overfit_mm):
            raise ValueError("overfit_share or overfit_mm: a limit is wanted")
        if min(self.seeds, self.mutated, self.draws, self.noises) < 1:
            raise ValueError("seeds, mutated, draws and noises are numbers from 1")
        if not 0 <= self.extra_seeds <= self.seeds:
            raise ValueError(f"extra_seeds = {self.extra_seeds}: from 0 to seeds = {self.seeds}")
        _in_order([(one.estimator, *filter(None, [one.init])) for one in self.overfits], [], "overfits")
        names = [one.name for one in self.extras]
        _in_order([(one.name, *one.before) for one in self.extras], [ONE, FUSION], "extras")
        self._check_seeds()
        _known([arm for one in self.claims for arm in (one.better, one.worse)], [*ARMS, *names], "claims")
        _known(self.musts, [one.name for one in self.claims], "musts")
        _known([row for one in self.tables for row in one.rows], [ONE, FUSION, *names], "tables")

    @property
    def own_claims(self) -> tuple[Claim, ...]:
        """`claims`, with what `musts` demands."""
        return tuple(dataclasses.replace(one, must=one.must or one.name in self.musts) for one in self.claims)

    def seeds_of(self, extra: Extra) -> int:
        """How many seeds an extra is trained with."""
        return extra.seeds or self.extra_seeds or self.seeds

    def _check_seeds(self) -> None:
        """Each seed of an extra needs the same seed of what came before."""
        there = {one.name: self.seeds_of(one) for one in self.extras}
        for extra in self.extras:
            most = min([there.get(one, self.seeds) for one in extra.before], default=self.seeds)
            if not 0 < there[extra.name] <= most:
                raise ValueError(f"extras: {extra.name!r}: seeds = {extra.seeds}, where 1 to {most} can be begun with")


def read_settings(presets: Path, tables: Iterable[str] = ()) -> GateSettings:
    """A preset's `gate.toml`, with the lists of more files. Raises InputError.

    Where it says `more = ["FILE"]`, the lists of those files beside it come first; those of `tables`, names in presets/
    or files, come last. What has the name of something before takes its place.
    """
    path = presets / "gate.toml"
    table = _read(path)
    more = table.pop("more", [])
    for name in reversed([more] if isinstance(more, str) else more):
        table = _joined(_lists(presets / str(name)), table)
    for name in tables:
        table = _joined(table, _lists(_listed(name)))
    return from_table(GateSettings, table, str(path))


def _listed(name: str) -> Path:
    """The file that `--tables` names. Raises InputError."""
    known = sorted(path.stem for path in PRESETS.glob("*.toml"))
    if name.endswith(".toml") or "/" in name:
        return Path(name)
    if name not in known:
        raise InputError(f"--tables {name}: no list is called so{nearest(name, known)}; or give a TOML file")
    return PRESETS / f"{name}.toml"


def _joined(table: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """`table` with `more`: of lists those rows last, in place of rows of the same name."""
    rows = {}
    for kind, key in LISTS.items():
        new = more.get(kind, [])
        named = [row.get(key) for row in new]
        rows[kind] = [row for row in table.get(kind, []) if row.get(key) not in named] + new
    return table | more | rows


def _lists(path: Path) -> dict[str, Any]:
    """A file of nothing but lists."""
    found = _read(path)
    for name, rows in found.items():
        if name not in LISTS or not isinstance(rows, list):
            raise InputError(f"{path}: {name!r}: only {', '.join(f'[[{one}]]' for one in LISTS)} are wanted here")
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, IsADirectoryError):
        raise InputError(f"{path}: no such file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not TOML ({error})") from error


def _known(names: Iterable[str], known: Iterable[str], what: str) -> None:
    known = list(known)
    if strange := [name for name in names if name not in known]:
        raise ValueError(f"{what}: there is no {strange[0]!r}{nearest(strange[0], known)}")


def _in_order(rows: Iterable[tuple[str, ...]], before: Iterable[str], what: str) -> None:
    """Names and what each of them needs: every name once, and what it needs before it."""
    seen = list(before)
    for name, *needed in rows:
        if name in seen:
            raise ValueError(f"{what}: there is another {name!r} before")
        _known(needed, seen, f"{what}: {name!r}")
        seen.append(name)
