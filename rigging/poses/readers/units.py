"""Whether joints are in metres, centimetres or millimetres, judged by the size of a hand."""

from __future__ import annotations

import numpy as np

from ..clip import PoseError
from ..gate.checks import middle_ray

SCALES = {"m": 1.0, "cm": 1e-2, "mm": 1e-3}
# Wrist (or palm centre) to MCP to PIP to DIP to tip of the middle finger, in metres, toddler to giant.
MIDDLE_RAY_M = (0.07, 0.32)


def unit_scale(joints: np.ndarray, unit: str, where: str) -> float:
    """Factor that turns canonical `joints` (T, 21, 3) into metres; `unit` is "m", "cm", "mm" or "auto".

    Judged by the frames that have the size of a hand in some unit; of the others the gate says what they are. With none
    of these, `unit` is believed (and "auto" is metres).

    Raises:
        PoseError: the unit is unknown, or most such frames have the size of a hand in another one (which it names).
    """
    if unit not in ("auto", *SCALES):
        raise PoseError(f"{where}: unit is {unit!r}, allowed are auto, {', '.join(SCALES)}")
    counts = _frames_that_fit(joints)
    likeliest = max(counts, key=counts.__getitem__)
    if not counts[likeliest]:
        return SCALES.get(unit, 1.0)
    if unit != "auto" and counts[unit] < counts[likeliest]:
        size = np.nanmedian(_sizes(joints))
        raise PoseError(f"{where}: the middle finger and palm measure {size:.4g} {unit}: it looks like {likeliest}")
    return SCALES[likeliest if unit == "auto" else unit]


def checked_unit_scale(joints: np.ndarray, unit: str, where: str) -> float:
    """As `unit_scale`, for joints (T, 21, 3) that no gate sees: every frame must have the size of a hand.

    Raises:
        PoseError: as `unit_scale`, or for a frame of another size.
    """
    scale = unit_scale(joints, unit, where)
    sizes = _sizes(joints)
    wrong = np.flatnonzero(~((MIDDLE_RAY_M[0] <= sizes * scale) & (sizes * scale <= MIDDLE_RAY_M[1])))
    if len(wrong):
        raise PoseError(f"{where}: middle finger and palm measure {sizes[wrong[0]] * scale:.4g} m, which no hand does")
    return scale


def _sizes(joints: np.ndarray) -> np.ndarray:
    """Middle finger and palm (T,) in the unit of `joints`; NaN where they are not finite."""
    with np.errstate(invalid="ignore", over="ignore"):
        sizes = middle_ray(joints)
    return np.where(np.isfinite(sizes), sizes, np.nan)


def _frames_that_fit(joints: np.ndarray) -> dict[str, int]:
    """How many frames have the size of a hand in each unit."""
    sizes = _sizes(joints)
    low, high = MIDDLE_RAY_M
    return {name: int(((low <= sizes * scale) & (sizes * scale <= high)).sum()) for name, scale in SCALES.items()}
