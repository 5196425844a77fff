"""Curves of the percentage of correct keypoints (PCK), in space and in the image, as HAMR's figures 6 and 7."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from rigging.files import write_atomic

PANELS = {  # by unit: heading, and how far the axis goes
    "mm": ("3D PCK, no oracle: from the wrist, or the tips' mean", 50.0),
    "px": ("2D PCK: those joints as the crop's camera sees them", 30.0),
}

Curve = Sequence[float] | None


def draw_pck(
    path: Path, curves: Mapping[str, Mapping[str, Curve]], step: float = 1.0, reach: float = PANELS["mm"][1]
) -> None:
    """A panel up to `reach` mm and one in px; `curves` by name, then unit: shares within 0, step, 2 step, ..."""
    figure, axes = plt.subplots(1, len(PANELS), figsize=(11, 4.2), dpi=100, sharey=True, layout="constrained")
    for axis, (unit, (heading, most)) in zip(axes, PANELS.items()):
        for place, (name, by_unit) in enumerate(curves.items()):
            curve = by_unit.get(unit)
            if curve is not None:
                x = [step * k for k in range(len(curve))]
                axis.plot(x, curve, color=plt.cm.tab10(place % 10), lw=1.6, label=name)
        axis.set(xlabel=f"error threshold, {unit}", xlim=(0, reach if unit == "mm" else most), ylim=(0, 1.01))
        axis.set_title(heading, fontsize=10)
        axis.grid(color="0.9")
    axes[0].set_ylabel("share of joints within it")
    figure.legend(*axes[0].get_legend_handles_labels(), frameon=False, loc="outside right center")
    data = io.BytesIO()
    figure.savefig(data, format="png", metadata={"Software": None})
    plt.close(figure)
    write_atomic(path, data.getvalue())
