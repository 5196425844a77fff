"""What stands where in a lived-in room: pieces along the walls, a table near the hand, people, plants, lamps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from . import furniture, living, openings
from .scene import BOX, Solid, moved
from .spectra import pick
from .things import lamp, pale, thing

Piece = Callable[[np.random.Generator], list[Solid]]
PIECES: tuple[tuple[Piece, float, float], ...] = (  # a piece, metres it takes of a wall, how often it is met
    (furniture.bookcase, 1.5, 2.0), (furniture.cupboards, 2.0, 1.5), (furniture.wardrobe, 2.0, 1.0),
    (furniture.desk, 1.7, 1.5), (furniture.sofa, 2.4, 1.5), (furniture.bed, 1.8, 0.7), (furniture.shelf, 1.5, 1.0),
    (openings.door, 1.2, 1.2), (openings.pictures, 1.6, 2.0), (openings.hanging_rug, 2.0, 0.6),
    (openings.television, 1.8, 0.7), (openings.radiator, 1.4, 0.6), (openings.sockets, 1.0, 1.0),
    (living.coats, 1.2, 0.8),
)  # fmt: skip
_TURNS = (-np.pi / 2, np.pi / 2, 0.0, np.pi)  # of a wall's frame, whose y points into the room: -x, +x, -y, +y
_HUNG: tuple[Piece, ...] = (openings.pictures, openings.pictures, openings.sockets, furniture.shelf)
_OVER = (furniture.sofa, furniture.bed, openings.television, openings.radiator)  # which leave the wall above them free
_CLEAR = 0.75  # metres around the hand in which nobody stands


def furnish(rng: np.random.Generator, half: np.ndarray, hand: np.ndarray) -> tuple[list[Solid], np.ndarray]:
    """Solids of a room that reaches from -half to half (3,) m, and its lights (L, 7) as in `Scene`, strongest first.

    `hand` (3,) m is where the hand is held.
    """
    solids, lights, view = [], [], int(rng.integers(4))
    for wall in range(4):
        along_wall, deep = half[1 - wall // 2], half[wall // 2]
        pieces, centre = _along(rng, 2 * along_wall, wall == view)
        shift = np.array([0.0, 0.0, -half[2]])
        shift[wall // 2] = (-1, 1)[wall % 2] * deep
        solids += moved(pieces, _TURNS[wall], tuple(shift))
        if centre is not None:
            lights.append(_light(moved(pieces[:1], _TURNS[wall], tuple(shift))[0], (0.95, 1.0, 1.08), 1.4))
    lights += _ceiling(rng, half, solids)
    solids += _midst(rng, half, hand)
    return solids, np.array(lights)


def _along(rng: np.random.Generator, length: float, has_window: bool) -> tuple[list[Solid], float | None]:
    """Pieces side by side along a wall of `length` metres, and where its window is; the window's view comes first."""
    window, centre, made = [], None, []
    if has_window:
        centre = rng.uniform(-0.25, 0.25) * length
        window = moved(openings.window(rng), 0.0, (centre, 0, 0))
    weights = np.array([often for _, _, often in PIECES])
    x = -length / 2 + rng.uniform(0, 0.4)
    while x < length / 2 - 0.6:
        piece, wide, _ = PIECES[int(rng.choice(len(PIECES), p=weights / weights.sum()))]
        middle, x = x + wide / 2, x + wide + rng.uniform(0, 0.25)
        before_window = centre is not None and abs(middle - centre) < wide / 2 + 0.9
        if middle + wide / 2 > length / 2 + 0.2 or (before_window and piece not in _OVER):
            continue
        made += moved(piece(rng), 0.0, (middle, 0, 0))
        if piece in _OVER and not before_window and rng.random() < 0.6:
            made += moved(openings.pictures(rng), 0.0, (middle, 0, 0.1))
    for spot in rng.uniform(-0.45, 0.45, 4) * length:  # and whatever else is on the wall
        if centre is None or abs(spot - centre) > 1.6:
            made += moved(pick(rng, _HUNG)(rng), 0.0, (spot, 0, rng.uniform(-0.2, 0.7)))
    return [*window, *made], centre


def _ceiling(rng: np.random.Generator, half: np.ndarray, solids: list[Solid]) -> list[np.ndarray]:
    """Hang lamps below the ceiling, into `solids`; the lights (7,) of those that glow."""
    lights, made_of = [], furniture.board(rng)
    if rng.random() < 0.4:  # beams
        for x in np.arange(-half[0] + rng.uniform(0, 0.5), half[0], rng.uniform(0.4, 0.9)):
            solids.append(Solid(BOX, (x, 0, half[2] - 0.05), (0.05, half[1], 0.06), **made_of, radius=0.01))
    for axis, side, z in ((a, s, z) for a in (0, 1) for s in (-1, 1) for z in (-1, 1)):  # skirting and cornice
        edge, place = np.array([half[0], half[1], rng.uniform(0.03, 0.06)]), np.zeros(3)
        edge[axis], place[axis], place[2] = 0.012, side * (half[axis] - 0.012), z * (half[2] - edge[2])
        solids.append(Solid(BOX, tuple(place), tuple(edge), "paint", pale(rng), radius=0.008, gloss=0.3))
    for _ in range(int(rng.integers(1, 3))):
        x, y = rng.uniform(-0.7, 0.7, 2) * half[:2]
        hung = moved(openings.ceiling_lamp(rng, 2 * half[2]), 0.0, (x, y, -half[2]))
        solids += hung
        if hung[0].glow > 1 or not lights:
            lights.append(_light(hung[0], (1.1, 1.0, 0.78), 0.8 if hung[0].glow > 1 else 0.3))
    return lights


def _light(solid: Solid, colour: tuple[float, float, float], strength: float) -> np.ndarray:
    """A light (7,) where a glowing solid is."""
    return np.array([*solid.centre, *(strength * value for value in colour), 1.3])


def _midst(rng: np.random.Generator, half: np.ndarray, hand: np.ndarray) -> list[Solid]:
    """What stands freely: a table near the hand, chairs, people, plants, a rug, things left on the floor."""
    floor, made = -half[2], []
    if rng.random() < 0.75:
        top = hand[2] - rng.uniform(0.15, 0.45) - floor
        at = hand[:2] + rng.uniform(0.0, 0.8) * _direction(rng)
        made += moved(furniture.table(rng, top), rng.uniform(0, np.pi), (*at, floor))
    if rng.random() < 0.6:
        wide = rng.uniform(0.5, 1.2, 2)
        rug = Solid(BOX, (*(0.3 * rng.uniform(-1, 1, 2) * half[:2]), floor + 0.005), (*wide, 0.006), "rug", gloss=0)
        made.append(rug)
    for _ in range(int(rng.choice([0, 1, 2, 3], p=(0.15, 0.3, 0.35, 0.2)))):
        seated = rng.random() < 0.4
        at = hand[:2] + rng.uniform(_CLEAR, 1.6) * _direction(rng)
        made += moved(living.person(rng, seated), rng.uniform(0, 2 * np.pi), (*at, floor))
    for place in _free(rng, half, hand, 3, 0.8):
        made += moved(living.plant(rng, rng.uniform(0.4, 1.4)), 0.0, (*place, floor))
    for place in _free(rng, half, hand, 4, 0.5):
        made += moved(furniture.chair(rng), rng.uniform(0, 6), (*place, floor))
    for place in _free(rng, half, hand, 24, 0.3):
        made += living.shoes(rng) if rng.random() < 0.1 else thing(rng, *place, floor)
    for place in _free(rng, half, hand, 1, 0.7):
        made += moved(lamp(rng), 0.0, (*place, floor + 0.6))
    return made


def _direction(rng: np.random.Generator) -> np.ndarray:
    angle = rng.uniform(0, 2 * np.pi)
    return np.array([np.cos(angle), np.sin(angle)])


def _free(rng: np.random.Generator, half: np.ndarray, hand: np.ndarray, most: int, clear: float) -> list[np.ndarray]:
    """Up to `most` places (2,) m on the floor, at least `clear` metres from below the hand."""
    places = rng.uniform(-0.85, 0.85, (int(rng.integers(most + 1)), 2)) * half[:2]
    return [place for place in places if np.hypot(*(place - hand[:2])) > clear]
