"""Tier 3: trained on the release, scored on every held-out split; and Table 2 of MVHM, see `table2` and `real`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..evaluate.across import Across
from ..evaluate.predict import Predictions
from ..evaluate.score import scored
from ..metrics.protocol import protocol
from ..metrics.scores import Scores
from .runs import Runs
from .table2 import Figures, Row
from .tier2 import FUSION, SINGLE, VIEWS, Trained

PAPERS, OURS, ABSOLUTE, ALIGNED = "mvhm", "root_relative", "absolute", "procrustes"  # protocols
STEP = 2  # thresholds of `Scores.curve` in a millimetre


@dataclass(frozen=True)
class Score:
    """An estimator on a split of the release."""

    split: str
    estimator: str
    samples: int
    subjects: int
    figures: Mapping[str, float | None]  # by the names of FIGURES
    curve: Sequence[float] = field(repr=False)  # PCK under the papers' protocol, within 0, 1, .. 50 mm


# name in reports: protocol, figure
FIGURES = {
    "EPE, oracle, mm": (PAPERS, "epe"),
    "AUC 0-50, oracle": (PAPERS, "auc_0_50"),
    "AUC 20-50, oracle": (PAPERS, "auc_20_50"),
    "root-relative, mm": (OURS, "epe"),
    "absolute, mm": (ABSOLUTE, "epe"),
    "Procrustes, mm": (ALIGNED, "epe"),
}


@dataclass(frozen=True)
class Tier3:
    """Scores by split and estimator, Table 2, and figures across real data sets."""

    scores: tuple[Score, ...]
    table2: tuple[Row, ...]
    across: tuple[Across, ...] = ()  # estimators on the user's real sets

    @property
    def curves(self) -> dict[str, dict[str, Sequence[float]]]:
        """PCK by estimator and split."""
        names = dict.fromkeys(one.estimator for one in self.scores)
        return {name: {one.split: one.curve for one in self.scores if one.estimator == name} for name in names}


def score(split: str, estimator: str, run: Predictions) -> Score:
    """The scores of predictions on a split."""
    scores = _scores(run)
    table = scores.table()
    figures = {name: table[under][figure] for name, (under, figure) in FIGURES.items()}
    curve = [float(f"{share:.4f}") for share in scores.curve(PAPERS)[1][::STEP]]
    return Score(split, estimator, len(np.unique(run.sample)), len(np.unique(run.subject)), figures, curve)


def table2_figures(run: Predictions) -> Figures:
    """The figures of a cell of Table 2."""
    row = _scores(run).table()[PAPERS]
    return Figures(row["auc_0_50"], row["auc_20_50"], row["epe"])


def _scores(run: Predictions) -> Scores:
    return scored(run, [protocol(name) for name in (PAPERS, OURS, ABSOLUTE, ALIGNED)])


def scores_of(runs: Runs, trained: Trained) -> tuple[Score, ...]:
    """Both estimators of the first seed on every split that was not trained on."""
    return tuple(
        score(split, estimator, runs.predict(run, runs.release(split)))
        for estimator, run in ((SINGLE, trained.singles[0]), (FUSION, trained.fusions[VIEWS[0]][0]))
        for split in held_out(runs)
    )


def held_out(runs: Runs) -> list[str]:
    """Splits of the release other than the one that is trained on, tests first."""
    splits = np.unique(runs.release("").source.splits).tolist()
    return sorted((split for split in splits if split != "train"), key=lambda split: (split == "val", split))
