"""Leakage between splits: what a split holds out must occur in none that does not hold it out.

With plain splits (train, val, test) every split has subjects of its own. With splits that hold out one factor each,
the levels of that factor in test_X occur in no split that does not hold X out; all else is shared. No pair, and no
recorded frame, is ever in two splits.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rigging.errors import InputError
from rigging.npz import read_npz

from .finding import Finding, called, places_of

CHECK = "leakage"
# Said here again on purpose: a plan that holds out too little must not be checked by its own words.
HOLDS_OUT = {
    "test_subject": ("subject",),
    "test_pose": ("pose",),
    "test_background": ("background",),
    "test_camera": ("camera",),
    "test_all": ("subject", "pose", "background", "camera"),
}
PANORAMA = "hdri"  # the kind of background that is a panorama; `light` is then its name
EDGE = 1e-9  # of a band: rounding
NAMED = 4  # levels that a message names

Columns = Mapping[str, np.ndarray]  # of the index: equally long


@dataclass(frozen=True, eq=False)
class Strata:
    """What a plan says of its P pairs of L poses that the index does not."""

    pose_cluster: np.ndarray  # (P, L) int
    ring_phase: np.ndarray  # (P,) azimuth of the first camera, in steps between cameras
    ring_tilt: np.ndarray  # (P,) rad
    held: Mapping[str, Any]  # `phase` and `tilt`: [low, high] or None


def read_strata(plan: Path) -> Strata | None:
    """The strata of a plan.npz; None of one without splits that hold factors out. Raises InputError, OSError."""
    try:
        data = read_npz(plan)
        if "hold_out" not in data:
            return None
        arrays = {name: data[name] for name in ("pose_cluster", "ring_phase", "ring_tilt")}
        return Strata(**arrays, held=json.loads(str(data["hold_out"])))
    except (ValueError, KeyError) as error:
        raise InputError(f"{plan}: not a whole plan ({str(error).splitlines()[0]})") from None


def leakage(columns: Columns, strata: Strata | None = None) -> list[Finding]:
    """Findings of a release from the columns of its index; without `strata`, poses and cameras are not looked at.

    `columns` has shard, row, split, pair, subject, clip, pose_source, source_frame, background (kind) and light
    (panorama), and pair_role with `strata`.
    """
    split = columns["split"]
    found = _shared(columns, "pair", columns["pair"], split)
    frame = np.array(["/".join(parts) for parts in zip(*(columns[c] for c in ("pose_source", "clip", "source_frame")))])
    found += _shared(columns, "recorded frame", frame, split)
    if not set(np.unique(split)) & set(HOLDS_OUT):
        return found + _shared(columns, "subject", columns["subject"], split)
    if strata is not None:
        unplanned = (columns["pair"] < 0) | (columns["pair"] >= len(strata.pose_cluster))
        unplanned |= columns["pair_role"] >= strata.pose_cluster.shape[1]
        found += _finding(columns, "pair {} is not in the plan", np.unique(columns["pair"][unplanned]), unplanned)
        columns = {name: column[~unplanned] for name, column in columns.items()}
    for name in HOLDS_OUT:
        if (columns["split"] == name).any():
            for factor in HOLDS_OUT[name]:
                found += _of_factor(columns, strata, name, factor)
    return found


def _shared(columns: Columns, what: str, level: np.ndarray, split: np.ndarray) -> list[Finding]:
    """A finding for the levels that occur in several splits."""
    levels, which = np.unique(level, return_inverse=True)
    splits, number = np.unique(split, return_inverse=True)
    met = np.zeros((len(levels), len(splits)), bool)
    met[which.reshape(-1), number.reshape(-1)] = True
    torn = met.sum(1) > 1
    among = ", ".join(splits[met[torn].any(0)]) if torn.any() else ""
    return _finding(columns, f"{what} {{}} in several splits ({among})", levels[torn], torn[which.reshape(-1)])


def _of_factor(columns: Columns, strata: Strata | None, name: str, factor: str) -> list[Finding]:
    """What split `name` shares of `factor` with splits that do not hold it out."""
    holds = np.isin(columns["split"], [split for split, factors in HOLDS_OUT.items() if factor in factors])
    own = columns["split"] == name
    if factor == "subject":
        return _common(columns, f"{name}: subject", columns["subject"], own, ~holds)
    if factor == "background":
        return _backgrounds(columns, name, own, ~holds)
    if strata is None:
        return []
    pair = columns["pair"]
    if factor == "pose":
        cluster = strata.pose_cluster[pair, columns["pair_role"]]
        return _common(columns, f"{name}: pose cluster", cluster, own, ~holds)
    return _bands(columns, strata, name, own, ~holds)


def _common(columns: Columns, what: str, level: np.ndarray, own: np.ndarray, others: np.ndarray) -> list[Finding]:
    """A finding for the levels of samples `own` that some of the `others` have too."""
    common = np.intersect1d(level[own], level[others])
    both = np.isin(level, common) & (own | others)
    among = ", ".join(np.unique(columns["split"][both & others]))
    return _finding(columns, f"{what} {{}} also in {among}", common, both)


def _backgrounds(columns: Columns, name: str, own: np.ndarray, others: np.ndarray) -> list[Finding]:
    """Kinds of background; of panoramas, where others have some, each is one, and may not light the others either."""
    kind, light = columns["background"], columns["light"]
    panorama = kind == PANORAMA
    if not (panorama & others).any():
        return _common(columns, f"{name}: background", kind, own, others)
    found = _common(columns, f"{name}: background", kind, own & ~panorama, others)
    return found + _common(columns, f"{name}: panorama", light, own & panorama, others)


def _bands(columns: Columns, strata: Strata, name: str, own: np.ndarray, others: np.ndarray) -> list[Finding]:
    """Rings of `own` outside the held-out bands of phase and tilt, and of `others` inside one."""
    found = []
    for what, values in (("phase", strata.ring_phase), ("tilt", strata.ring_tilt)):
        band = strata.held.get(what)
        if band is None:
            continue
        value = values[columns["pair"]]
        beyond = np.maximum(band[0] - value, value - band[1])  # distance from the band; within it below 0
        wrong = (own & (beyond > EDGE)) | (others & (beyond < -EDGE))
        found += _finding(columns, f"{name}: ring {what} {{}}, held out is {band[0]:.3f} to {band[1]:.3f}",
                          np.unique(value[wrong]).round(3), wrong)  # fmt: skip
    return found


def _finding(columns: Columns, message: str, levels: np.ndarray, chosen: np.ndarray) -> list[Finding]:
    if not len(levels):
        return []
    rows = np.flatnonzero(chosen)
    names = ", ".join(map(str, levels[:NAMED])) + (f" and {len(levels) - NAMED} more" if len(levels) > NAMED else "")
    return [Finding(CHECK, f"{message.format(names)}: {called(columns, rows)}", places_of(columns, rows))]
