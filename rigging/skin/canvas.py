"""What painters paint on: pigment, blood, relief and roughness per texel."""

from __future__ import annotations

import numpy as np


class Canvas:
    """Accumulated layers over N texels. Optical densities add up, so painters may come in any order."""

    def __init__(self, count: int) -> None:
        self.melanin = np.zeros(count, np.float32)  # density, see tone.MELANIN
        self.blood = np.zeros(count, np.float32)  # density, see tone.BLOOD
        self.height = np.zeros(count, np.float32)  # metres above the mesh
        self.roughness = np.full(count, 0.5, np.float32)
        self.crease = np.zeros(count, np.float32)  # 0..1, how deep in a fold
        self.colour_over = np.zeros((count, 3), np.float32)  # linear sRGB of opaque paint (nails)
        self.cover = np.zeros(count, np.float32)  # 0..1 its opacity
