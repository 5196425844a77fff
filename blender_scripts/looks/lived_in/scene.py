"""What a lived-in room is made of, as arrays that compiled loops understand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

BOX, ELLIPSOID, CYLINDER, CAPSULE, SIDE = 0, 1, 2, 3, 4
SIZE, LEVELS = 512, 7  # pixels of a page, and mip levels of it
SIDES = 6  # of the room, which are the first rows of a scene's solids: -x, +x, -y, +y, floor, ceiling
SOLID = np.dtype(
    [
        ("kind", "i8"),
        ("centre", "f8", 3),  # world, metres
        ("half", "f8", 3),  # metres, along its own axes; cylinder and capsule: radius, radius, half the length
        ("axes", "f8", (3, 3)),  # rows: its own axes in the world
        ("radius", "f8"),  # metres, of a box's rounded edges
        ("texture", "i8"),  # page of Scene.textures
        ("patch", "f8", 4),  # the part of the page that a face shows: left, top, width, height, 0 to 1
        ("repeat", "f8"),  # metres after which the page repeats; 0: the patch is stretched over each face
        ("tint", "f8", 3),  # linear R, G, B that the page is multiplied with
        ("gloss", "f8"),  # 0 matt to 1 a mirror's finish
        ("glow", "f8"),  # light of its own, by that of a white surface in the middle of the room
        ("wear", "f8"),  # 0 new to 1 dirty
    ]
)
WHOLE = (0.0, 0.0, 1.0, 1.0)
UPRIGHT = np.eye(3)


class Scene(NamedTuple):
    """A room and what is in it."""

    solids: np.ndarray  # (N,) SOLID; the first six are the room's sides
    textures: np.ndarray  # (T, 512, 768, 3) uint8 sRGB, with mip levels on the right
    grain: np.ndarray  # (512, 768) uint8, likewise, mean 128: dirt and wear
    harmonics: np.ndarray  # (3, 9) irradiance / pi
    lights: np.ndarray  # (L, 7) world position in metres, R, G, B, reach in metres: windows and lamps


class Hits(NamedTuple):
    """What P rays meet first."""

    rays: np.ndarray  # (P, 3) world directions of planar depth 1
    depth: np.ndarray  # (P,) planar, metres
    owner: np.ndarray  # (P,) int32, row of the solid
    light: np.ndarray  # (P,) float32, share that things beside it leave


class Solid(NamedTuple):
    """A solid before it stands in the world; see SOLID. Its frame is that of the furniture it belongs to."""

    kind: int
    centre: Sequence[float]
    half: Sequence[float]
    texture: str  # name of a page
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    axes: np.ndarray = UPRIGHT
    radius: float = 0.004
    patch: tuple[float, float, float, float] = WHOLE
    repeat: float = 0.0
    gloss: float = 0.1
    glow: float = 0.0
    wear: float = 0.4


def moved(solids: Sequence[Solid], angle: float, shift: Sequence[float]) -> list[Solid]:
    """Solids turned by `angle` radians about +z and then shifted by (3,) metres."""
    turn = about_z(angle)
    centres = np.array([solid.centre for solid in solids], float).reshape(-1, 3) @ turn.T + shift
    axes = np.array([solid.axes for solid in solids]).reshape(-1, 3, 3) @ turn.T
    return [solid._replace(centre=at, axes=own) for solid, at, own in zip(solids, centres, axes)]


def about_z(angle: float) -> np.ndarray:
    """The rotation (3, 3) by `angle` radians about +z."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def along(direction: np.ndarray) -> np.ndarray:
    """Axes (3, 3), as rows, whose z is the unit vector of `direction` (3,)."""
    z = np.asarray(direction, float) / np.linalg.norm(direction)
    x = np.cross(z, UPRIGHT[np.argmin(np.abs(z))])
    x /= np.linalg.norm(x)
    return np.stack([x, np.cross(z, x), z])


def limb(start: np.ndarray, end: np.ndarray, radius: float, texture: str, **others: object) -> Solid:
    """A capsule from `start` to `end` (3,) metres, such as an arm or a piece of cable."""
    start, end = np.asarray(start, float), np.asarray(end, float)
    half = (radius, radius, float(np.linalg.norm(end - start)) / 2 + radius)
    return Solid(CAPSULE, tuple((start + end) / 2), half, texture, axes=along(end - start), **others)  # type: ignore[arg-type]
