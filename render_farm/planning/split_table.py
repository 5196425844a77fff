"""The splits of a plan as a table for a person."""

from __future__ import annotations

from collections import Counter

import numpy as np

from .hold_out import HoldOut
from .plan import Plan
from .splits import HOLDS_OUT, SPLITS

_HEAD = ("split", "holds out", "samples")
_MORE = ("clusters", "panoramas", "tilt (rad)", "backgrounds")


def split_table(plan: Plan) -> str:
    """One line per split: what it holds out, how much it has, and of how many levels of each factor."""
    present = np.unique(plan.split)
    word = "clips" if plan.poses_per_pair > 2 else "pairs"
    rows = [(*_HEAD, word, "subjects", *(_MORE if plan.strata is not None else ()))]
    rows += [_row(plan, int(number)) for number in present]
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    if plan.strata is not None:
        lines += ["", f"held out: {_levels(plan.strata.hold_out, len(plan.strata.cluster_centres))}"]
    return "\n".join(lines)


def _row(plan: Plan, number: int) -> tuple[str, ...]:
    rows, name = plan.split == number, SPLITS[number]
    factors = HOLDS_OUT.get(name, () if plan.strata is not None else ("subject",))
    held = "everything" if len(factors) > 1 else "".join(factors) or "-"
    counts = (rows.sum() * plan.poses_per_pair, rows.sum(), len(np.unique(plan.subject[rows])))
    row = (name, held, *map(str, counts))
    if (strata := plan.strata) is None:
        return row
    kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(Counter(strata.background[rows]).items()))
    tilts = f"{strata.ring_tilt[rows].min():.2f} to {strata.ring_tilt[rows].max():.2f}"
    levels = (len(np.unique(strata.pose_cluster[rows])), len(np.unique(strata.panorama[rows])))
    return (*row, *map(str, levels), tilts, kinds)


def _levels(held: HoldOut, clusters: int) -> str:
    told = {
        f"pose clusters of {clusters}": held.clusters,
        "backgrounds": held.backgrounds,
        "panoramas": held.panoramas,
    }
    parts = [f"{what}: {', '.join(map(str, levels))}" for what, levels in told.items() if levels]
    bands = {"ring phase": (held.phase, "of a step between cameras"), "ring tilt": (held.tilt, "rad")}
    parts += [f"{what}: {band[0]:.2f} to {band[1]:.2f} {unit}" for what, (band, unit) in bands.items() if band]
    return "; ".join(parts)
