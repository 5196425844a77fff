"""Plots of what a release's pictures show: people, light, occlusion, and the pictures' own statistics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import MaxNLocator

from .hand_sizes import adult_density
from .photographs import Pictures
from .picture_measures import MEASURES, RINGS, resolved
from .plots import BLUE, GREY, ORANGE, new_figure, plain, png

MONK = ("#f6ede4", "#f3e7db", "#f7ead0", "#eadaba", "#d7bd96", "#a07e56", "#825c43", "#604134", "#3a312a", "#292420")


def plot_people(table: Mapping[str, Any]) -> bytes:
    """Hand lengths against published ones, and skin tones."""
    figure, axes = new_figure(1, 2, 11, 3.6)
    lengths = np.array(table["hands"]["lengths_mm"])
    axes[0, 0].hist(lengths, np.arange(120, 232, 4), density=True, color=BLUE, alpha=0.6, label="subjects")
    grid = np.linspace(120, 232, 200)
    women, men = adult_density(grid / 1000) / 2000  # of either half the adults, per mm
    for density, name, style in ((women + men, "adults", "-"), (women, "women", "--"), (men, "men", ":")):
        axes[0, 0].plot(grid, density, color=ORANGE, ls=style, label=f"{name}, published")
    plain(axes[0, 0], "Hand length of the subjects; adults as published (Greiner 1991)", "mm", "density")
    axes[0, 0].set_yticks([])
    axes[0, 0].legend(fontsize=8, frameon=False)
    counts = table["skin"]["monk_subjects"]
    axes[0, 1].bar(range(1, 11), list(counts.values()), color=MONK, edgecolor=GREY, lw=0.5)
    axes[0, 1].set_xticks(range(1, 11))
    axes[0, 1].yaxis.set_major_locator(MaxNLocator(integer=True))
    plain(axes[0, 1], "Skin tones", "Monk scale", "subjects")
    return png(figure)


def plot_looks(table: Mapping[str, Any]) -> bytes:
    """What light and backgrounds there are, each entry of a few values as bars and each number as its spread."""
    entries = {f"light: {name}": entry for name, entry in table["light"].items()}
    entries |= {f"background: {name}": entry for name, entry in table["backgrounds"].items()}
    named = {name: entry for name, entry in entries.items() if "counts" in entry}
    numbers = {name: entry for name, entry in entries.items() if "p50" in entry}
    figure, axes = new_figure(1, 2, 11, 1.5 + 0.24 * max(len(numbers), sum(len(e["counts"]) for e in named.values())))
    _bars(axes[0, 0], named)
    _spreads(axes[0, 1], numbers)
    return png(figure)


def _bars(axis: plt.Axes, named: Mapping[str, Any]) -> None:
    lines = [
        (f"{name.split(': ')[1]} {value}", n, ORANGE if name.startswith("background") else BLUE)
        for name, entry in named.items()
        for value, n in entry["counts"].items()
    ]
    axis.barh([text for text, _, _ in lines], [n for _, n, _ in lines], color=[colour for _, _, colour in lines])
    axis.invert_yaxis()
    plain(axis, "Kinds of light (blue) and background (orange)", "samples, or lamps")


def _spreads(axis: plt.Axes, numbers: Mapping[str, Any]) -> None:
    """The 5, 50 and 95 % quantiles as text, and as a line over the entry's own range from 5 to 95 %."""
    names = list(numbers)
    for y, name in enumerate(names):
        low, middle, high = (numbers[name][q] for q in ("p5", "p50", "p95"))
        axis.plot([0, 1], [y, y], color=BLUE, lw=2)
        axis.plot([(middle - low) / (high - low) if high > low else 0.5], [y], "o", color=ORANGE, ms=6)
        axis.annotate(_short(low), (0, y), (-6, 0), textcoords="offset points", ha="right", va="center", fontsize=8)
        axis.annotate(_short(high), (1, y), (6, 0), textcoords="offset points", va="center", fontsize=8)
    axis.set_yticks(range(len(names)), names)
    axis.set(xlim=(-0.35, 1.35), xticks=[])
    axis.set_ylim(len(names) - 0.5, -0.5)
    plain(axis, "Numbers: 5 to 95 %, and the median")


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def plot_views(table: Mapping[str, Any]) -> bytes:
    """Hidden joints, joints seen per view, and the hand's size in the picture."""
    figure, axes = new_figure(1, 3, 11, 4, width_ratios=(1.6, 1, 1))
    hidden = table["occlusion"]["hidden"]
    names = [name.replace("_", " ") for name in hidden]
    axes[0, 0].barh(names, [100 * share for share in hidden.values()], color=BLUE)
    axes[0, 0].invert_yaxis()
    plain(axes[0, 0], "Views in which a joint is hidden", "%")
    counts = table["occlusion"]["joints_seen_counts"]
    axes[0, 1].bar(range(len(counts)), counts, color=BLUE)
    plain(axes[0, 1], "Joints seen in a view", "of 21", "views")
    size = table["size"]
    if "counts" in size:
        edges = np.linspace(0, 1.5, len(size["counts"]) + 1)
        axes[0, 2].bar(edges[:-1], size["counts"], np.diff(edges), align="edge", color=BLUE)
        axes[0, 2].set_xlim(0, 1.1)
    plain(axes[0, 2], "Longer side of the visible hand", f"of the picture's {size['picture_px']} px", "views")
    return png(figure)


def plot_pictures(ours: Pictures, photographs: Pictures | None, release: str) -> bytes:
    """Spectra with their spread over pictures, and the other measures, of the release and of photographs."""
    figure, axes = new_figure(1, 4, 11, 3.6, width_ratios=(2.2, 1, 1, 1))
    sets = [(ours, release, BLUE)] + ([(photographs, "photographs", ORANGE)] if photographs else [])
    for pictures, name, colour in sets:
        _spectrum(axes[0, 0], pictures, f"{len(pictures.measures)} {name}", colour)
    plain(axes[0, 0], "Spectrum, mean and standard deviation", "cycles per picture", "log10 of mean |FFT| / 256")
    axes[0, 0].legend(fontsize=8, frameon=False)
    for axis, names in zip(axes[0, 1:], (("noise",), ("contrast", "saturation"), ("exposure", "clipped"))):
        _boxes(axis, names, sets)
    return png(figure)


def _spectrum(axis: plt.Axes, pictures: Pictures, name: str, colour: str) -> None:
    """Rings of MEASURES (P, 12); hollow where the pictures are too small to hold anything."""
    rings = np.ma.masked_invalid(pictures.measures[:, : len(RINGS)])
    mean, spread = rings.mean(0), rings.std(0)
    middle = np.sqrt([low * high for low, high in RINGS])
    known = np.array(resolved(float(np.median(pictures.sides))))
    axis.plot(middle, mean, color=colour, lw=1.5, label=name)
    axis.fill_between(middle, mean - spread, mean + spread, color=colour, alpha=0.18, lw=0)
    axis.plot(middle[known], mean[known], "o", color=colour, ms=5)
    axis.plot(middle[~known], mean[~known], "o", color=colour, mfc="white", ms=5)
    axis.set_xscale("log", base=2)
    axis.set_xticks([2, 4, 8, 16, 32, 64, 128], ["2", "4", "8", "16", "32", "64", "128"])


def _boxes(axis: plt.Axes, names: tuple[str, ...], sets: list[tuple[Pictures, str, str]]) -> None:
    for k, (pictures, _, colour) in enumerate(sets):
        columns = [pictures.measures[:, MEASURES.index(name)] for name in names]
        places = np.arange(len(names)) + 0.22 * (2 * k - len(sets) + 1)
        boxes = axis.boxplot(columns, positions=places, widths=0.32, sym="", whis=(5, 95), patch_artist=True)
        for box in boxes["boxes"]:
            box.set(facecolor=colour, alpha=0.5)
        for line in boxes["medians"]:
            line.set_color("black")
    axis.set_xticks(range(len(names)), names)
    plain(axis, ", ".join(names), "", "levels of 255" if names == ("noise",) else "0 to 1")
