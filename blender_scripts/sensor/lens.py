"""What a lens does to all light alike: fall-off towards the corners, glare and haze; linear light."""

from __future__ import annotations

import cv2
import numpy as np


def vignette(picture: np.ndarray, K: np.ndarray, strength: float) -> np.ndarray:
    """A picture (H, W, 3) that darkens away from the axis as cos^4 of the ray's angle, to the power `strength`.

    1 is a simple lens (Kingslake, Optics in Photography, 1992); phones correct most of it (below 1), and a barrel or
    small elements cut off more (above 1). K: (3, 3) pixels, and so exact for a picture cut out of a larger one.
    """
    if strength == 0:
        return picture
    y, x = np.ogrid[: picture.shape[0], : picture.shape[1]]
    down = (y + 0.5 - K[1, 2]) / K[1, 1]
    right = (x + 0.5 - K[0, 2] - K[0, 1] * down) / K[0, 0]
    return picture * ((1 + right**2 + down**2).astype(np.float32) ** np.float32(-2 * strength))[:, :, None]


def glare(picture: np.ndarray, share: float, radius: float) -> np.ndarray:
    """Veiling glare: `share` of the light of a picture (H, W, 3) float32 goes astray between the lens's surfaces.

    It is spread by a Gaussian of `radius` pixels (standard deviation), taken at a lower resolution. As if the picture
    went on mirrored beyond its border: the mean keeps its value.
    """
    return picture if share == 0 else (1 - np.float32(share)) * picture + np.float32(share) * _wide(picture, radius)


def _wide(picture: np.ndarray, sigma: float) -> np.ndarray:
    height, width = picture.shape[:2]
    factor = 1
    while factor * 4 <= sigma and height % (2 * factor) == 0 and width % (2 * factor) == 0:
        factor *= 2
    small = cv2.resize(picture, (width // factor, height // factor), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / factor, borderType=cv2.BORDER_REFLECT)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def haze(picture: np.ndarray, share: float, colour: np.ndarray) -> np.ndarray:
    """A smeared lens: `share` of the light of a picture (H, W, 3) is lost, that of all around comes in for it.

    `colour` (3,) is the mean linear light of the surroundings, exposed.
    """
    return picture if share == 0 else (1 - np.float32(share)) * picture + np.float32(share) * np.float32(colour)
