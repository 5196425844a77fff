"""The report's files: gate.json, report.md, plots and pictures, all in one folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rigging.files import write_atomic

from .arms import relative_errors
from .claims import MANY, ONE
from .compare import caveats, changes
from .page import page
from .pictures import Shown, chosen, draw_predictions, spread_views
from .plots import draw_across, draw_arms, draw_claims, draw_splits
from .report import plain, write_report
from .run import Gated
from .runs import Runs
from .tier2 import SPLIT, VIEWS, Trained

REPORT, PAGE = "gate.json", "report.md"
CLAIMS, CURVES, SPLITS, PREDICTIONS = "claims.png", "pck.png", "splits.png", "predictions.png"
ACROSS = "across.png"


def write_all(folder: Path, gated: Gated, previous: Mapping[str, Any] | None) -> None:
    """Write the report into `folder`, compared with the table of a previous one; its JSON comes last."""
    folder.mkdir(parents=True, exist_ok=True)
    table = gated.report.table()
    drawn = draw_all(folder, gated, table, previous or {})
    changed = changes(previous, table) if previous else ()
    text = page(table, changed, caveats(previous, table) if previous else (), drawn)
    write_atomic(folder / PAGE, text.encode())
    write_report(folder / REPORT, gated.report)


def draw_all(folder: Path, gated: Gated, table: Mapping[str, Any], previous: Mapping[str, Any]) -> list[str]:
    """Draw what the report has figures for; returns the files' names. Drawings of an earlier report are removed."""
    for name in (CLAIMS, CURVES, SPLITS, PREDICTIONS, ACROSS):
        (folder / name).unlink(missing_ok=True)
    if gated.trained is None:
        return []
    ranks = table["tier2"]
    draw_claims(folder / CLAIMS, ranks["findings"])
    draw_arms(folder / CURVES, ranks["curves"], (previous.get("tier2") or {}).get("curves", {}))
    draw_splits(folder / SPLITS, plain(gated.report.tier3.curves), "camera axes, with the oracle")
    draw_some(folder / PREDICTIONS, gated.runs, gated.trained)
    drawn = [CLAIMS, CURVES, SPLITS, PREDICTIONS]
    if rows := table["tier3"]["across"]:
        draw_across(folder / ACROSS, rows)
        drawn.append(ACROSS)
    return drawn


def draw_some(path: Path, runs: Runs, trained: Trained) -> None:
    """The test samples with the least, the median and the greatest error of the fusion, as both estimators see them."""
    on = runs.release(SPLIT)
    views = on.source.views
    said = {ONE: runs.predict(trained.singles[0], on), MANY: runs.predict(trained.fusions[VIEWS[0]][0], on)}
    errors = {
        name: relative_errors(run.joints_cam, run.true_joints_cam).mean(axis=1).reshape(-1, views)
        for name, run in said.items()
    }
    samples = {}
    for title, place in chosen(errors[MANY].mean(axis=1)).items():
        read = on.source.read(place, spread_views(views))
        rows = [(k, view, place * views + view) for k, view in enumerate(spread_views(views))]
        samples[title] = [
            Shown(
                read["rgb"][k], np.asarray(read["K"][k]),
                {"truth": said[ONE].true_joints_cam[row]} | {name: run.joints_cam[row] for name, run in said.items()},
                {name: float(errors[name][place, view]) for name in said},
            )
            for k, view, row in rows
        ]  # fmt: skip
    draw_predictions(
        path, samples, f"{SPLIT}: joints without an oracle, over the photographs; errors relative to the wrist"
    )
