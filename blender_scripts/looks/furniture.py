"""What stands in a made-up room: shelves with things on them, pictures, things on the floor, lamps at the ceiling."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .room import BALL, BOX, CYLINDER

SIDES = 6  # of the room, which take the first textures
THINGS = (
    "poster", "label", "label", "books", "page", "plastic", "plastic", "cloth", "plaid", "wood", "leaves", "poster",
)  # fmt: skip
_TEXTURES = range(SIDES, SIDES + len(THINGS))
_BOARDS = tuple(SIDES + THINGS.index(kind) for kind in ("wood", "plastic"))
_FLATS = tuple(SIDES + index for index, kind in enumerate(THINGS) if kind in ("poster", "page", "leaves"))


@dataclass(frozen=True)
class Thing:
    """An object in the room's frame, metres."""

    kind: int  # BOX, BALL or CYLINDER
    centre: tuple[float, float, float]
    half: np.ndarray  # (3,) half its extent along its own axes
    angle: float  # radians about +z
    texture: int
    tint: np.ndarray  # (3,) linear R, G, B


def furnish(rng: np.random.Generator, half: np.ndarray) -> list[Thing]:
    """Furniture and things of a room that reaches from -half to half (3,), metres."""
    things = []
    for wall in range(4):
        things += _shelves(rng, half, wall)
        things += _pictures(rng, half, wall)
    for _ in range(60):
        spot = rng.uniform(-0.9, 0.9, 2) * half[:2]
        if np.hypot(*spot) > 0.3 * half[:2].min():
            things.append(_thing(rng, *spot, -half[2], rng.uniform(0.05, 0.3)))
    return [*things, *(_ceiling_lamp(rng, half) for _ in range(10))]


def _shelves(rng: np.random.Generator, half: np.ndarray, wall: int) -> Iterator[Thing]:
    """Boards along a wall (-x, +x, -y, +y), one above the other, with things on them."""
    axis, side = wall // 2, (-1, 1)[wall % 2]
    depth, length = rng.uniform(0.12, 0.3), half[1 - axis] * rng.uniform(0.4, 0.95)
    along = rng.uniform(-1, 1) * (half[1 - axis] - length)
    extent = np.array([depth, length, 0.015]) if axis == 0 else np.array([length, depth, 0.015])
    at = np.zeros(2)
    at[axis], at[1 - axis] = side * (half[axis] - depth), along
    for top in np.arange(-half[2] + rng.uniform(0.2, 0.5), half[2] - 0.3, rng.uniform(0.35, 0.7)):
        texture = int(rng.choice(_BOARDS, p=(0.7, 0.3)))
        yield Thing(BOX, (*at, top - extent[2]), extent, 0.0, texture, np.full(3, rng.uniform(0.4, 1.0)))
        for _ in range(int(rng.integers(4, 6 + 14 * max(extent[0], extent[1])))):
            x, y = at + rng.uniform(-0.92, 0.92, 2) * extent[:2]
            yield _thing(rng, x, y, top, rng.uniform(0.03, 0.13))


def _pictures(rng: np.random.Generator, half: np.ndarray, wall: int) -> Iterator[Thing]:
    """Flat things on a wall, some of them as bright as a window or a screen."""
    axis, side = wall // 2, (-1, 1)[wall % 2]
    for _ in range(int(rng.integers(3, 8))):
        frame, flat = rng.uniform(0.1, 0.4, 3), np.zeros(2)
        frame[axis] = 0.01
        flat[axis], flat[1 - axis] = side * (half[axis] - 0.01), rng.uniform(-0.9, 0.9) * half[1 - axis]
        place = (*flat, rng.uniform(-0.6, 0.8) * half[2])
        bright = 4.0 if rng.random() < 0.12 else 1.0
        yield Thing(BOX, place, frame, 0.0, int(rng.choice(_FLATS)), np.full(3, bright))


def _thing(rng: np.random.Generator, x: float, y: float, floor: float, size: float) -> Thing:
    """Some thing of about `size` metres that stands on z = `floor`."""
    kind = int(rng.choice([BOX, BOX, BOX, CYLINDER, CYLINDER, BALL]))
    extent = size * rng.uniform(0.35, 1.0, 3) * (1, 1, 1.6)
    extent[1:2] = extent[:1] if kind != BOX else extent[1:2]
    extent = np.full(3, extent[0]) if kind == BALL else extent
    tint = rng.uniform(0.45, 1.1) * (1 + rng.uniform(-0.15, 0.15, 3))
    angle, texture = rng.uniform(0, np.pi), int(rng.choice(_TEXTURES))
    return Thing(kind, (x, y, floor + extent[2]), extent, angle, texture, tint)


def _ceiling_lamp(rng: np.random.Generator, half: np.ndarray) -> Thing:
    """A flat box under the ceiling that may shine."""
    place = (*(rng.uniform(-0.9, 0.9, 2) * half[:2]), half[2] - 0.02)
    extent = rng.uniform((0.1, 0.1, 0.02), (0.5, 0.2, 0.1))
    texture = int(rng.choice(_TEXTURES))
    return Thing(BOX, place, extent, 0.0, texture, np.full(3, 3.0 if rng.random() < 0.3 else 0.8))
