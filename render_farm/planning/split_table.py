"""The splits of a plan as a table for a person."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np

from .hold_out import HoldOut
from .plan import Plan
from .splits import HOLDS_OUT, SPLITS


def split_table(plan: Plan) -> str:
    """One line per split: what it holds out, how much it has, and of how many levels of each factor."""
    cells = [_cells(plan, int(number)) for number in np.unique(plan.split)]
    rows = [tuple(cells[0]), *(tuple(map(str, row.values())) for row in cells)]
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    if plan.strata is not None:
        lines += ["", f"held out: {_levels(plan.strata.hold_out, len(plan.strata.cluster_centres), _rig(plan))}"]
    return "\n".join(lines)


def _cells(plan: Plan, number: int) -> dict[str, object]:
    """What the table says of split `number`, by column."""
    rows, name, strata = plan.split == number, SPLITS[number], plan.strata
    factors = HOLDS_OUT.get(name, () if strata is not None else ("subject",))
    cells = {
        "split": name,
        "holds out": "everything" if len(factors) > 1 else "".join(factors) or "-",
        "samples": rows.sum() * plan.poses_per_pair,
        "clips" if plan.poses_per_pair > 2 else "pairs": rows.sum(),
        "subjects": len(np.unique(plan.subject[rows])),
    }
    if plan.left is not None:
        cells["left hands"] = plan.left[rows].sum() * plan.poses_per_pair
    if strata is None:
        return cells
    tilt = f"{strata.ring_tilt[rows].min():.2f} to {strata.ring_tilt[rows].max():.2f}"
    return cells | {
        "clusters": len(np.unique(strata.pose_cluster[rows])),
        "panoramas": len(np.unique(strata.panorama[rows])),
        **({"tilt (rad)": tilt} if _rig(plan) == "ring" else {}),
        "backgrounds": ", ".join(f"{kind} {count}" for kind, count in sorted(Counter(strata.background[rows]).items())),
    }


def _rig(plan: Plan) -> str:
    return json.loads(plan.release)["cameras"].get("rig", "ring")


def _levels(held: HoldOut, clusters: int, rig: str) -> str:
    told = {
        f"pose clusters of {clusters}": held.clusters,
        "backgrounds": held.backgrounds,
        "panoramas": held.panoramas,
    }
    parts = [f"{what}: {', '.join(map(str, levels))}" for what, levels in told.items() if levels]
    azimuth = ("ring phase", "of a step between cameras") if rig == "ring" else ("azimuth", "of a turn")
    bands = {azimuth[0]: (held.phase, azimuth[1]), "ring tilt": (held.tilt, "rad")}
    parts += [f"{what}: {band[0]:.2f} to {band[1]:.2f} {unit}" for what, (band, unit) in bands.items() if band]
    return "; ".join(parts)
