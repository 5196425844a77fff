"""Colours of cameras: from linear sRGB to what a sensor's filters see, and back."""

from __future__ import annotations

import numpy as np

# XYZ (D65) to the camera, as the DNG files of four cameras state it and Brooks et al. 2019 (Unprocessing Images for
# Learned Raw Denoising) use it to make raw pictures.
XYZ_TO_CAMERA = np.array(
    [
        [[1.0234, -0.2969, -0.2266], [-0.5625, 1.6328, -0.0469], [-0.0703, 0.2188, 0.6406]],
        [[0.4913, -0.0541, -0.0202], [-0.6130, 1.3513, 0.2906], [-0.1564, 0.2151, 0.7183]],
        [[0.8380, -0.2630, -0.0639], [-0.2887, 1.0725, 0.2496], [-0.0627, 0.1427, 0.5438]],
        [[0.6596, -0.2079, -0.0562], [-0.4782, 1.3016, 0.1933], [-0.0970, 0.1581, 0.5181]],
    ]
)
SRGB_TO_XYZ = np.array(  # IEC 61966-2-1
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
GAINS = np.array([2.0, 1.0, 1.7])  # of red, green and blue that make daylight's white grey: mid-range of the same paper


def camera_matrix(shares: tuple[float, ...]) -> np.ndarray:
    """Linear sRGB to a camera's colours after white balance, (3, 3): white stays white. `shares` of the cameras."""
    matrix = np.tensordot(np.asarray(shares) / sum(shares), XYZ_TO_CAMERA, 1) @ SRGB_TO_XYZ
    return matrix / matrix.sum(1, keepdims=True)
