"""The curve of sRGB (IEC 61966-2-1), both ways."""

from __future__ import annotations

import numpy as np


def linear_to_srgb(rgb: np.ndarray) -> np.ndarray:
    """Linear sRGB (...) to display sRGB, both in 0..1."""
    rgb = np.clip(rgb, 0.0, 1.0)
    return np.where(rgb <= 0.0031308, 12.92 * rgb, 1.055 * np.maximum(rgb, 1e-9) ** (1 / 2.4) - 0.055)


def srgb_to_linear(srgb: np.ndarray) -> np.ndarray:
    """Display sRGB (...) in 0..1 to linear sRGB."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
