"""Camera directions on the sphere, in cells of equal area (Archimedes: bands of equal height have equal area)."""

from __future__ import annotations

from typing import Any

import numpy as np

from rigging.geometry.cameras import hand_frame

from .poses import effective_number, quantiles

BANDS, SECTORS = 12, 24  # cells: 288, each 0.0436 sr, about 12 degrees across
FACE = np.cos(np.radians(45))  # within so much of its normal the palm, or the back, is seen from the front


def palm_axes(joints: np.ndarray, hand: str) -> np.ndarray:
    """Axes (3, 3) of the palm of joints (21, 3) as columns: across, along, out of the back, of either hand."""
    return hand_frame(joints, hand == "left")[1]


def direction_table(palm: np.ndarray, world: np.ndarray) -> dict[str, Any]:
    """Cells, faces of the hand and elevation of directions (S, V, 3), in the palm's axes and in the world."""
    flat = palm.reshape(-1, 3)
    elevation = np.degrees(np.arcsin(np.clip(world[..., 2], -1, 1)))
    return {
        "palm": cell_table(flat), "world": cell_table(world.reshape(-1, 3)), "faces": faces(flat),
        "elevation_degrees": quantiles(elevation.ravel()),
    }  # fmt: skip


def cell_table(directions: np.ndarray) -> dict[str, Any]:
    """Counts in cells of directions (N, 3), the share of cells that is met, and how many equal ones are as diverse."""
    counts = cells(directions)
    return {
        "counts": counts.tolist(), "cells_met": float((counts > 0).mean()),
        "effective_cells": effective_number(counts.ravel().astype(float)),
    }  # fmt: skip


def cells(directions: np.ndarray) -> np.ndarray:
    """Counts (BANDS, SECTORS) of unit directions (N, 3): bands by z from -1, sectors by azimuth from -pi."""
    band = np.clip((directions[:, 2] + 1) / 2 * BANDS, 0, BANDS - 1e-9).astype(int)
    azimuth = np.arctan2(directions[:, 1], directions[:, 0])
    sector = np.clip((azimuth + np.pi) / (2 * np.pi) * SECTORS, 0, SECTORS - 1e-9).astype(int)
    return np.bincount(band * SECTORS + sector, minlength=BANDS * SECTORS).reshape(BANDS, SECTORS)


def faces(directions: np.ndarray) -> dict[str, float]:
    """Share of directions (N, 3), in the palm's axes, from which the palm, the back, or an edge of the hand is seen."""
    z = directions[:, 2]
    shares = {"palm": z < -FACE, "back": z > FACE, "edge": np.abs(z) <= FACE}
    return {name: float(mask.mean()) for name, mask in shares.items()}
