"""Plots of a report: intervals of the claims, and curves of the percentage of correct keypoints (PCK).

All is drawn from the report's table, so an earlier report's curves can stand beside, dashed.
"""

from __future__ import annotations

import io
import itertools
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.ticker import NullLocator

from rigging.files import write_atomic

from .claims import ARMS, FOUR, HOLDS, MANY, MEAN, MEDIAN, ONE, OWN_DLT, QUARTER, TWO

COLOURS = {  # of the arms that are drawn
    ONE: "#d55e00", QUARTER: "#e69f00", TWO: "#56b4e9", FOUR: "#0072b2", MANY: "#00305a", MEAN: "#b0b0b0",
    MEDIAN: "#666666", OWN_DLT: "#cc79a7",
}  # fmt: skip
MORE = ("#009e73", "#b8a600", "#7f3c8d", "#e73f74", "#80461b", "#17becf")  # of the preset's own arms, in turn
VERDICTS = {HOLDS: "#009e73", "opposite": "#d55e00"}  # of a claim; any other is grey
GREY = "#8a8f98"
TICKS = (0.5, 1, 3, 10, 30, 100)  # mm
WRAPPED = 56  # characters in a line of a claim

Table = Mapping[str, Any]


def draw_claims(path: Path, findings: Sequence[Table]) -> None:
    """A line for each claim: mean difference of the errors with its interval; left of zero the claim holds."""
    shown = [one for one in findings if one["interval"]][::-1]
    figure, axis = plt.subplots(figsize=(10.5, 1.2 + 0.46 * len(shown)), dpi=100, layout="constrained")
    for y, one in enumerate(shown):
        interval, colour = one["interval"], VERDICTS.get(one["verdict"], GREY)
        axis.plot([interval["low"], interval["high"]], [y, y], color=colour, lw=2.5, solid_capstyle="butt")
        axis.plot(interval["mean"], y, "o", color=colour, markersize=6)
    names = [one["claim"]["says"] + (" (must)" if one["claim"]["must"] else "") for one in shown]
    axis.set_yticks(range(len(shown)), [textwrap.fill(name, WRAPPED) for name in names])
    axis.axvline(0, color="0.3", lw=1)
    axis.set(ylim=(-0.6, len(shown) - 0.4), xlabel="difference of mean errors, mm (left of zero: as claimed)")
    axis.set_xscale("symlog", linthresh=1.0)
    largest = max((abs(one["interval"][end]) for one in shown for end in ("low", "high")), default=1.0)
    ticks = [tick for tick in TICKS if tick <= largest * 1.5]
    axis.set_xticks([*(-tick for tick in ticks[::-1]), 0, *ticks])
    axis.xaxis.set_major_formatter("{x:g}")
    axis.xaxis.set_minor_locator(NullLocator())
    axis.grid(axis="x", color="0.9")
    _save(figure, path)


def draw_arms(path: Path, curves: Mapping[str, Sequence[float]], earlier: Mapping[str, Sequence[float]]) -> None:
    """PCK of each arm, root-relative, without an oracle: shares of joints within 0, 1, .. mm; earlier ones dashed."""
    figure, axis = plt.subplots(figsize=(8.6, 4.6), dpi=100, layout="constrained")
    own = [name for name in curves if name not in ARMS]
    for name, colour in (COLOURS | dict(zip(own, itertools.cycle(MORE)))).items():
        curve = curves.get(name, ())
        axis.plot(range(len(curve)), curve, color=colour, lw=1.8, label=name if curve else None)
        if name in earlier:
            axis.plot(range(len(earlier[name])), earlier[name], color=colour, lw=1.2, ls="--")
    note = "\ndashed: the report before" if set(earlier) & set(curves) else ""
    _pck_axis(axis, f"joints relative to the wrist, no oracle{note}")
    figure.legend(frameon=False, loc="outside right center")
    _save(figure, path)


def draw_splits(path: Path, curves: Mapping[str, Mapping[str, Sequence[float]]], title: str) -> None:
    """PCK by estimator and split: a panel an estimator, a curve a split."""
    size, count = (4.8 * len(curves) + 1.4, 4.2), len(curves)
    figure, axes = plt.subplots(1, count, figsize=size, dpi=100, sharey=True, squeeze=False, layout="constrained")
    for axis, (estimator, by_split) in zip(axes[0], curves.items()):
        for place, (split, curve) in enumerate(by_split.items()):
            axis.plot(range(len(curve)), curve, color=plt.cm.tab10(place), lw=1.6, label=split)
        _pck_axis(axis, f"{estimator}: {title}")
    figure.legend(*axes[0][0].get_legend_handles_labels(), frameon=False, loc="outside right center")
    _save(figure, path)


def draw_across(path: Path, rows: Sequence[Table]) -> None:
    """PCK in space and in the image of each estimator on each real set (HAMR's Figures 6 and 7)."""
    figure, axes = plt.subplots(1, 2, figsize=(11.5, 4.2), dpi=100, sharey=True, layout="constrained")
    kinds = (
        ("curve", 100, "joints in space, no oracle", "mm"),
        ("image_curve", 30, "joints in the image", "px of 256"),
    )
    names = list(dict.fromkeys(row["data"] for row in rows))
    ways = list(dict.fromkeys((row["estimator"], row["trained_on"]) for row in rows))
    for axis, (kind, most, title, unit) in zip(axes, kinds):
        for row in rows:
            label = f"{row['data']}: {row['estimator']}, trained on {row['trained_on']}"
            style = ("-", "--", ":")[ways.index((row["estimator"], row["trained_on"])) % 3]
            axis.plot(range(most + 1), row[kind], style, color=plt.cm.tab10(names.index(row["data"])), label=label)
        _pck_axis(axis, title, most, unit)
    figure.legend(*axes[0].get_legend_handles_labels(), frameon=False, loc="outside right center")
    _save(figure, path)


def _pck_axis(axis: plt.Axes, title: str, most: int = 50, unit: str = "mm") -> None:
    axis.set(xlabel=f"error threshold, {unit}", ylabel="share of joints within it", ylim=(0, 1.01), title=title)
    axis.set_xlim(0, most)
    axis.grid(color="0.9")


def _save(figure: plt.Figure, path: Path) -> None:
    """Write a PNG, all of it or nothing; the same for the same figure."""
    data = io.BytesIO()
    figure.savefig(data, format="png", metadata={"Software": None})
    plt.close(figure)
    write_atomic(path, data.getvalue())
