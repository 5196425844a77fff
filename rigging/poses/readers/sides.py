"""Whether hands are what their labels say, judged by which way they bend."""

from __future__ import annotations

import numpy as np

from ..gate.checks import chirality

NOISE_M = 0.005  # evidence below this says nothing


def evidence(joints: np.ndarray, left: np.ndarray) -> float:
    """Median evidence in metres that hands, joints (N, 21, 3), are the left (N,) or right ones they are called.

    Positive: they are; negative: they are the other hand, or mirrored; 0: flat hands, which do not tell.
    """
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        bend = chirality(joints) * np.where(left, -1, 1)
    telling = bend[np.isfinite(bend) & (np.abs(bend) > NOISE_M)]
    return float(np.median(telling)) if len(telling) else 0.0
