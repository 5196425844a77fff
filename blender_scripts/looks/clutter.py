"""A cluttered room made up from a seed, seen sharply and consistently through real cameras.

A box of a room with furniture along its walls and things on the furniture, all boxes, balls and cylinders with painted
surfaces, cast ray by ray (`caster`). It is lit as the hand is: the irradiance of the panorama and the lamps in
spherical harmonics (Ramamoorthi & Hanrahan 2001), darkened towards corners and below things.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np

from .caster import BALL, BOX, CYLINDER, LEVELS, X, Z, cast
from .exposure import light_on, sphere
from .look import Lamp
from .textures import SIZE, paint_textures

_WALLS = ("plaster", "plaster", "bricks", "stripes", "tiles", "books", "wood")
_FLOORS = ("wood", "carpet", "tiles", "plaid")
_THINGS = (
    "poster", "label", "label", "books", "page", "plastic", "plastic", "cloth", "plaid", "wood", "leaves", "poster",
)  # fmt: skip


@dataclass(frozen=True)
class Room:
    """The room is the box -half..half about `centre`, turned by `turn` (cosine, sine) about +z, as every object is."""

    objects: np.ndarray  # (N, 13) float64, columns as above; the first is the room itself
    wall_textures: np.ndarray  # (6,) int32: -x, +x, -y, +y, floor, ceiling
    textures: np.ndarray  # (T, 256, 512, 3) uint8 sRGB, mip levels side by side
    harmonics: np.ndarray  # (3, 9) irradiance / pi
    window: np.ndarray  # (3,) world, metres: where the room is brightest


def light_room(room: Room, light: np.ndarray, lamps: tuple[Lamp, ...]) -> Room:
    """The room under the panorama `light` (64, 128, 3) and the lamps that also light the hand."""
    return replace(room, harmonics=_harmonics(light, lamps))


@lru_cache(maxsize=1)  # the two samples of a pair share their room
def build_room(seed: int, reach: float = 1.0) -> Room:
    """Make up a room around the origin, evenly lit; `reach` is the distance in metres to the farthest camera."""
    rng = np.random.default_rng(seed)
    kinds = (*rng.choice(_WALLS, 4), rng.choice(_FLOORS), "plaster", *_THINGS)
    textures = _mip_maps(paint_textures(rng, kinds))
    half = np.array([rng.uniform(1.3, 2.6), rng.uniform(1.3, 2.6), rng.uniform(1.1, 1.5)]) * max(1.0, reach / 0.8)
    angle = rng.uniform(0, 2 * np.pi)
    turn = (np.cos(angle), np.sin(angle))
    centre = rng.uniform(-0.25, 0.25, 3) * half
    objects = [np.array([BOX, *centre, *half, *turn, 0, 1, 1, 1])]
    objects += [_place(local, centre, turn) for local in _furnish(rng, half, len(kinds))]
    window = _place((BOX, rng.uniform(-0.9, 0.9, 3) * half, half, 0.0, 0, np.ones(3)), centre, turn)[X : Z + 1]
    walls = np.arange(6, dtype=np.int32)
    return Room(np.array(objects), walls, textures, np.eye(3, 9)[[0, 0, 0]], window)


def view_room(room: Room, K: np.ndarray, world_to_cam: np.ndarray, width: int, height: int) -> np.ndarray:
    """The room through a camera: (height, width, 3) float32 linear light."""
    rotation = np.ascontiguousarray(world_to_cam[:3, :3])
    position = -rotation.T @ world_to_cam[:3, 3]
    return cast(room.objects, room.wall_textures, room.textures, room.harmonics, room.window,
                 np.ascontiguousarray(K), rotation, position, width, height)  # fmt: skip


def _furnish(rng: np.random.Generator, half: np.ndarray, textures: int) -> list[tuple]:
    """Furniture and things in the room's frame: tuples (kind, centre, half, angle, texture, tint)."""
    things = range(6, textures)
    boards = tuple(6 + _THINGS.index(kind) for kind in ("wood", "plastic"))
    flats = tuple(6 + index for index, kind in enumerate(_THINGS) if kind in ("poster", "page", "leaves"))
    found: list[tuple] = []

    def thing(x, y, floor, size):
        kind = int(rng.choice([BOX, BOX, BOX, CYLINDER, CYLINDER, BALL]))
        extent = size * rng.uniform(0.35, 1.0, 3) * (1, 1, 1.6)
        extent[1:2] = extent[:1] if kind != BOX else extent[1:2]
        extent = np.full(3, extent[0]) if kind == BALL else extent
        tint = rng.uniform(0.45, 1.1) * (1 + rng.uniform(-0.15, 0.15, 3))
        found.append((kind, (x, y, floor + extent[2]), extent, rng.uniform(0, np.pi), int(rng.choice(things)), tint))

    def board(x, y, top, extent, texture):
        found.append((BOX, (x, y, top - extent[2]), extent, 0.0, texture, np.full(3, rng.uniform(0.4, 1.0))))
        for _ in range(int(rng.integers(4, 6 + 14 * max(extent[0], extent[1])))):
            at = rng.uniform(-0.92, 0.92, 2) * extent[:2]
            thing(x + at[0], y + at[1], top, rng.uniform(0.03, 0.13))

    for wall in range(4):
        axis, side = wall // 2, (-1, 1)[wall % 2]
        depth, length = rng.uniform(0.12, 0.3), half[1 - axis] * rng.uniform(0.4, 0.95)
        along = rng.uniform(-1, 1) * (half[1 - axis] - length)
        extent = np.array([depth, length, 0.015]) if axis == 0 else np.array([length, depth, 0.015])
        at = np.zeros(2)
        at[axis], at[1 - axis] = side * (half[axis] - depth), along
        for top in np.arange(-half[2] + rng.uniform(0.2, 0.5), half[2] - 0.3, rng.uniform(0.35, 0.7)):
            board(at[0], at[1], top, extent, int(rng.choice(boards, p=(0.7, 0.3))))
        for _ in range(int(rng.integers(3, 8))):
            frame, flat = rng.uniform(0.1, 0.4, 3), np.zeros(2)
            frame[axis] = 0.01
            flat[axis], flat[1 - axis] = side * (half[axis] - 0.01), rng.uniform(-0.9, 0.9) * half[1 - axis]
            place = (flat[0], flat[1], rng.uniform(-0.6, 0.8) * half[2])
            bright = 4.0 if rng.random() < 0.12 else 1.0  # a window or a screen
            found.append((BOX, place, frame, 0.0, int(rng.choice(flats)), np.full(3, bright)))
    for _ in range(60):
        spot = rng.uniform(-0.9, 0.9, 2) * half[:2]
        if np.hypot(*spot) > 0.3 * half[:2].min():
            thing(spot[0], spot[1], -half[2], rng.uniform(0.05, 0.3))
    for _ in range(10):
        spot = rng.uniform(-0.9, 0.9, 2) * half[:2]
        found.append((BOX, (*spot, half[2] - 0.02), rng.uniform((0.1, 0.1, 0.02), (0.5, 0.2, 0.1)), 0.0,
                      int(rng.choice(things)), np.full(3, 3.0 if rng.random() < 0.3 else 0.8)))  # fmt: skip
    return found


def _place(local: tuple, centre: np.ndarray, turn: tuple[float, float]) -> np.ndarray:
    """Bring an object from the room's frame into the world: a row of Room.objects."""
    kind, (x, y, z), half, angle, texture, tint = local
    (c, s), own_c, own_s = turn, np.cos(angle), np.sin(angle)
    position = centre + (c * x - s * y, s * x + c * y, z)
    return np.array([kind, *position, *half, c * own_c - s * own_s, s * own_c + c * own_s, texture, *tint])


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


def _harmonics(light: np.ndarray, lamps: tuple[Lamp, ...]) -> np.ndarray:
    """Fit the irradiance over pi with nine spherical harmonics: (3, 9)."""
    normals = sphere(64)
    total = light_on(normals, lamps, light)
    x, y, z = normals.T
    basis = np.stack([np.ones_like(x), x, y, z, x * y, y * z, z * x, x * x - y * y, 3 * z * z - 1], 1)
    return np.ascontiguousarray(np.linalg.lstsq(basis, total / np.pi, rcond=None)[0].T)
