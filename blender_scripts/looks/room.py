"""What a cluttered room is made of, and what the rays of a camera meet in it: arrays that compiled loops understand."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

Vector = tuple[float, float, float]

BOX, BALL, CYLINDER = 0, 1, 2
OBJECT = np.dtype(
    [
        ("kind", "i8"),
        ("centre", "f8", 3),  # world, metres
        ("half", "f8", 3),  # metres: half the extent along its own axes; of what is round, the radius comes first
        ("turn", "f8", 2),  # cosine and sine of its angle about +z
        ("texture", "i8"),  # index into Room.textures; the room's own sides take the first six
        ("tint", "f8", 3),  # linear R, G, B that the texture is multiplied with
    ]
)


class Room(NamedTuple):
    """A room and what is in it."""

    objects: np.ndarray  # (N,) OBJECT; the first is the room itself
    textures: np.ndarray  # (T, 256, 512, 3) uint8 sRGB, mip levels side by side; first -x, +x, -y, +y, floor, ceiling
    harmonics: np.ndarray  # (3, 9) irradiance / pi
    window: np.ndarray  # (3,) world, metres: where the room is brightest


class Camera(NamedTuple):
    """An OpenCV camera without skew."""

    K: np.ndarray  # (3, 3) pixels
    rotation: np.ndarray  # (3, 3) world to camera
    position: np.ndarray  # (3,) world, metres
    width: int
    height: int


class First(NamedTuple):
    """What the rays through the pixels' centres meet first."""

    rays: np.ndarray  # (H, W, 3) world directions of planar depth 1
    depth: np.ndarray  # (H, W) planar, metres; inf where nothing is met
    owner: np.ndarray  # (H, W) int32, row of the object; 0: the room itself


class Hits(NamedTuple):
    """Where that is, and how much light things beside it leave."""

    first: First
    local: np.ndarray  # (H, W, 3) in the object's own frame, -1 to 1 along each half extent
    light: np.ndarray  # (H, W) float32, 0..1
