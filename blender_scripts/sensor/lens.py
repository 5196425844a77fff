"""What a lens does to all light alike: fall-off towards the corners, glare and haze; linear light."""

from __future__ import annotations

import cv2
import numpy as np

from .layers import scaled


def vignette(picture: np.ndarray, K: np.ndarray, strength: float) -> np.ndarray:
    """A picture (H, W, 3) that darkens away from the axis as cos^4 of the ray's angle, to the power `strength`.

    1 is a simple lens (Kingslake, Optics in Photography, 1992); phones correct most of it (below 1), and a barrel or
    small elements cut off more (above 1). K: (3, 3) pixels, and so exact for a picture cut out of a larger one.
    """
    if strength == 0:
        return picture
    y, x = (np.arange(size, dtype=np.float32) + np.float32(0.5) for size in picture.shape[:2])
    (fx, skew, cx), (_, fy, cy) = np.float32(K[:2])
    down = ((y - cy) / fy)[:, None]
    right = (x - cx - skew * down) / fx
    return scaled(picture, cv2.pow(1 + right**2 + down**2, -2 * strength))


def glare(picture: np.ndarray, share: float, radius: float) -> np.ndarray:
    """Veiling glare: `share` of the light of a picture (H, W, 3) float32 goes astray between the lens's surfaces.

    It is spread by a Gaussian of `radius` pixels (standard deviation, 1 or more), taken at a lower resolution. The
    picture goes on mirrored beyond its border, so that its mean stays.
    """
    return picture if share == 0 else cv2.addWeighted(picture, 1 - share, _wide(picture, radius), share, 0)


def _wide(picture: np.ndarray, sigma: float) -> np.ndarray:
    height, width = picture.shape[:2]
    factor = max(1, 2 ** int(np.log2(sigma / 2)))  # leaves two pixels and more to the deviation
    small = cv2.resize(picture, (-(-width // factor), -(-height // factor)), interpolation=cv2.INTER_AREA)
    sides = (sigma * few / many for few, many in zip(small.shape[1::-1], (width, height)))
    small = cv2.GaussianBlur(small, (0, 0), *sides, borderType=cv2.BORDER_REFLECT)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def haze(picture: np.ndarray, share: float, colour: np.ndarray) -> np.ndarray:
    """A smeared lens: `share` of the light of a picture (H, W, 3) is lost, that of all around comes in for it.

    `colour` (3,) is the mean linear light of the surroundings, exposed.
    """
    return picture if share == 0 else cv2.transform(picture, np.c_[(1 - share) * np.eye(3), share * colour])
