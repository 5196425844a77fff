"""Smooth steps between two values."""

from __future__ import annotations

import numpy as np


def smoothstep(low: float, high: float, value: np.ndarray) -> np.ndarray:
    """0 below `low`, 1 above `high` (or the reverse if high < low), with zero slope at both; any shape."""
    t = np.clip((value - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)
