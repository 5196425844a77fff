"""Draw docs/images/quality_time.png: quality against time of three ways of rendering, by skin tone.

`make bench` draws it; again from what it measured: python -m docs.figures.quality out/bench
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from tests.benchmarks.summary import TONES, Curve, curve

OUT = Path(__file__).parents[1] / "images" / "quality_time.png"
STYLES = {  # label, colour, marker
    "ours": ("mvhm", "#0072b2", "o"),
    "typical": ("typical script", "#d55e00", "s"),
    "blenderproc": ("BlenderProc 2.8.0", "#009e73", "^"),
}
TICKS = (1, 2, 5, 10, 20)  # seconds


def draw_quality(quality: dict, path: Path) -> None:
    """Four panels, all cases and the three tones, of what `tests.benchmarks.bench_quality` measured."""
    figure, axes = plt.subplots(1, 4, figsize=(13, 4.2), dpi=100, sharey=True, layout="constrained")
    for axis, tone in zip(axes, (None, *TONES)):
        for way in quality["psnr"]:
            draw_curve(axis, curve(quality, way, tone), *STYLES[way])
        axis.set(xscale="log", xlabel="seconds per 8-view sample", title=f"{tone} skin" if tone else "mean of all")
        axis.set_xticks(TICKS, [str(tick) for tick in TICKS])
        axis.minorticks_off()
        axis.margins(y=0.1)
        axis.grid(color="0.9")
    axes[0].set_ylabel("PSNR to 1024 samples per pixel (dB)")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=len(STYLES), frameon=False)
    figure.savefig(path, metadata={"Software": None})
    plt.close(figure)


def draw_curve(axis: plt.Axes, one: Curve, label: str, colour: str, marker: str) -> None:
    """A line whose points are labelled with their samples per pixel."""
    axis.plot(one.seconds, one.decibels, color=colour, marker=marker, markersize=5, lw=1.5, label=label)
    for samples, seconds, decibels in zip(one.samples, one.seconds, one.decibels):
        axis.annotate(str(samples), (seconds, decibels), (0, 6), textcoords="offset points", ha="center", fontsize=8,
                      color=colour)  # fmt: skip


def main() -> None:
    """Draw the page's picture."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "out/bench")
    draw_quality(json.loads((folder / "quality.json").read_text(encoding="utf-8")), OUT)


if __name__ == "__main__":
    main()
