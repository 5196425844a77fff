"""Figures of predictions by protocol, and how they are told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from ..metrics import PROTOCOLS, Protocol, Scores
from .predict import Predictions

NEAREST = 0.01  # m; what is nearer or behind the camera is seen as if it were there
Table = dict[str, dict[str, float | int | str | None]]
ORACLE = (0, 9, 10)  # joints that root depth and scale of the labels are made of
COLUMNS = {
    "epe": "EPE",
    "auc_0_50": "AUC 0-50",
    "auc_20_50": "AUC 20-50",
    "pck_20": "PCK 20",
    "f_5": "F@5",
    "f_15": "F@15",
    "iou": "IoU",
}


def scores(predictions: Predictions | Iterable[Predictions], protocols: Sequence[Protocol] = PROTOCOLS) -> Table:
    """The figures of each protocol (`metrics.Scores.table`) of predictions, whole or batch by batch."""
    return scored(predictions, protocols).table()


def scored(predictions: Predictions | Iterable[Predictions], protocols: Sequence[Protocol] = PROTOCOLS) -> Scores:
    """The same, to be merged with others or asked for curves."""
    total = Scores(protocols)
    for part in [predictions] if isinstance(predictions, Predictions) else predictions:
        known = part.joint_valid[:, ORACLE].all(1)
        for rows, oracle in ((known, True), (~known, False)):
            if rows.any():
                _add(total, part.rows(rows), oracle)
    return total


def _add(total: Scores, part: Predictions, oracle: bool) -> None:
    """Score crops; without `oracle` they lack the labels that one is made with."""
    image = None if part.joints_2d is None else (part.joints_2d, part.true_joints_2d)
    overlaps = {"mask": part.iou, "mask_oracle": part.oracle_iou if oracle else None}
    whole = part.vertices_cam is not None and part.true_vertices_cam is not None
    total.add(
        part.joints_cam,
        part.true_joints_cam,
        part.joint_valid,
        oracle=part.oracle_joints_cam if oracle else None,
        vertices=(part.vertices_cam, part.true_vertices_cam) if whole else None,
        oracle_vertices=part.oracle_vertices_cam if whole and oracle else None,
        image=image,
        projected=(projected(part), part.true_joints_2d),
        overlaps={name: one for name, one in overlaps.items() if one is not None},
    )


def projected(told: Predictions) -> np.ndarray:
    """(n, 21, 2) px: the joints, without an oracle, as the crops' cameras see them."""
    points = told.joints_cam / told.joints_cam[..., 2:].clip(NEAREST)
    return (points @ told.K.swapaxes(1, 2))[..., :2]


def curves(total: Scores) -> dict[str, list[float]]:
    """Shares of points within 0, CURVE_STEP, 2 CURVE_STEP ... mm or px, by each protocol that was scored."""
    return {name: total.curve(name)[1].round(5).tolist() for name, tally in total.tallies.items() if tally.samples}


def table_text(tables: Mapping[str, Table]) -> str:
    """Tables by split, in Markdown: a row for every split and protocol that was scored, and what protocols are."""
    rows = [["split", "protocol", "unit", "crops", *COLUMNS.values()]]
    told: dict[str, str] = {}
    for split, table in tables.items():
        for name, row in table.items():
            if row["samples"]:
                figures = [_figure(row.get(column), column == "epe") for column in COLUMNS]
                rows.append([split, name, str(row.get("unit", "")), str(row["samples"]), *figures])
                told[name] = str(row["protocol"])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join([*lines, "", *(f"- {name}: {text}" for name, text in told.items())])


def _figure(value: float | int | str | None, is_error: bool) -> str:
    if value is None:
        return ""
    return f"{value:.2f}" if is_error else f"{value:.3f}"
