"""Whether joints are in metres or millimetres, judged by the size of a hand."""

from __future__ import annotations

import numpy as np

from ..clip import PoseError

SCALES = {"m": 1.0, "mm": 1e-3}
# Wrist (or palm centre) to MCP to PIP to DIP to tip of the middle finger, in metres, toddler to giant.
MIDDLE_RAY_M = (0.07, 0.32)


def unit_scale(joints: np.ndarray, unit: str, where: str) -> float:
    """Factor that turns canonical `joints` (T, 21, 3) into metres; `unit` is "m", "mm" or "auto".

    Raises:
        PoseError: the unit is unknown, or no human hand has that size in it (naming the unit that fits).
    """
    if unit not in ("auto", *SCALES):
        raise PoseError(f"{where}: unit is {unit!r}, allowed are auto, m, mm")
    ray = np.asarray(joints, float)[:, [0, 9, 10, 11, 12]]
    lengths = np.linalg.norm(np.diff(ray, axis=1), axis=-1).sum(-1)
    lengths = lengths[np.isfinite(lengths)]
    if not len(lengths):
        return SCALES.get(unit, 1.0)
    size = float(np.median(lengths))
    fits = [name for name, scale in SCALES.items() if MIDDLE_RAY_M[0] <= size * scale <= MIDDLE_RAY_M[1]]
    if not fits or (unit != "auto" and unit not in fits):
        hint = f"it looks like {fits[0]}" if fits else "neither m nor mm fits"
        raise PoseError(f"{where}: the middle finger and palm measure {size:.4g} {_named(unit)}: {hint}")
    return SCALES[fits[0]]


def _named(unit: str) -> str:
    return "units" if unit == "auto" else unit
