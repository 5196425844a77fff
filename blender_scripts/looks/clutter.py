"""A cluttered room made up from a seed, seen sharply and consistently through real cameras.

A box of a room with furniture along its walls and things on the furniture, all boxes, balls and cylinders with painted
surfaces, cast ray by ray (`caster`). It is lit as the hand is: the irradiance of the panorama and the lamps in
spherical harmonics (Ramamoorthi & Hanrahan 2001), darkened towards corners and below things.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from .caster import cast
from .exposure import light_on, sphere
from .furniture import THINGS, Thing, furnish
from .look import Lamp
from .room import BOX, OBJECT, Camera, Room
from .shading import LEVELS, shade
from .textures import SIZE, paint_textures

_WALLS = ("plaster", "plaster", "bricks", "stripes", "tiles", "books", "wood")
_FLOORS = ("wood", "carpet", "tiles", "plaid")


def light_room(room: Room, light: np.ndarray, lamps: tuple[Lamp, ...]) -> Room:
    """The room under the panorama `light` (64, 128, 3) and the lamps that also light the hand."""
    return room._replace(harmonics=harmonics_of(light, lamps))


@lru_cache(maxsize=1)  # the two samples of a pair share their room
def build_room(seed: int, reach: float = 1.0) -> Room:
    """Make up a room around the origin, evenly lit; `reach` is the distance in metres to the farthest camera."""
    rng = np.random.default_rng(seed)
    kinds = (*rng.choice(_WALLS, 4), rng.choice(_FLOORS), "plaster", *THINGS)
    textures = _mip_maps(paint_textures(rng, kinds))
    half = np.array([rng.uniform(1.3, 2.6), rng.uniform(1.3, 2.6), rng.uniform(1.1, 1.5)]) * max(1.0, reach / 0.8)
    angle = rng.uniform(0, 2 * np.pi)
    turn = (np.cos(angle), np.sin(angle))
    centre = rng.uniform(-0.25, 0.25, 3) * half
    itself = Thing(BOX, (0.0, 0.0, 0.0), half, 0.0, 0, np.ones(3))
    objects = [_place(thing, centre, turn) for thing in [itself, *furnish(rng, half)]]
    brightest = rng.uniform(-0.9, 0.9, 3) * half
    window = centre + _turned(*brightest, turn)
    return Room(np.array(objects, OBJECT), textures, np.eye(3, 9)[[0, 0, 0]], window)


def view_room(room: Room, K: np.ndarray, world_to_cam: np.ndarray, width: int, height: int) -> np.ndarray:
    """The room through a camera: (height, width, 3) float32 linear light."""
    rotation = np.ascontiguousarray(world_to_cam[:3, :3])
    position = -rotation.T @ world_to_cam[:3, 3]
    camera = Camera(np.ascontiguousarray(K), rotation, position, width, height)
    return shade(room, cast(room.objects, room.window, camera), camera)


def _place(thing: Thing, centre: np.ndarray, turn: tuple[float, float]) -> tuple:
    """Bring a thing from the room's frame into the world: an OBJECT."""
    (c, s), own_c, own_s = turn, np.cos(thing.angle), np.sin(thing.angle)
    own_turn = c * own_c - s * own_s, s * own_c + c * own_s
    return thing.kind, centre + _turned(*thing.centre, turn), thing.half, own_turn, thing.texture, thing.tint


def _turned(x: float, y: float, z: float, turn: tuple[float, float]) -> tuple[float, float, float]:
    """A point (x, y, z) turned about +z by the angle of cosine and sine `turn`."""
    c, s = turn
    return c * x - s * y, s * x + c * y, z


def _mip_maps(textures: np.ndarray) -> np.ndarray:
    """Lay the mip levels of textures (T, 256, 256, 3) side by side: (T, 256, 512, 3)."""
    atlas = np.zeros((len(textures), SIZE, 2 * SIZE, 3), np.uint8)
    for page, texture in zip(atlas, textures):
        left = 0
        for level in range(LEVELS):
            size = SIZE >> level
            page[:size, left : left + size] = cv2.resize(texture, (size, size), interpolation=cv2.INTER_AREA)
            left += size
    return atlas


def harmonics_of(light: np.ndarray, lamps: tuple[Lamp, ...]) -> np.ndarray:
    """Fit the irradiance over pi with nine spherical harmonics: (3, 9)."""
    normals = sphere(64)
    total = light_on(normals, lamps, light)
    x, y, z = normals.T
    basis = np.stack([np.ones_like(x), x, y, z, x * y, y * z, z * x, x * x - y * y, 3 * z * z - 1], 1)
    return np.ascontiguousarray(np.linalg.lstsq(basis, total / np.pi, rcond=None)[0].T)
