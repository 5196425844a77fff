"""Furniture along a wall: x along the wall, the wall at y = 0 and the room at y > 0, the floor at z = 0; metres."""

from __future__ import annotations

import numpy as np

from .scene import BOX, CYLINDER, ELLIPSOID, Solid, about_z, limb, moved
from .spectra import pick
from .things import cable, lamp, pale, thing

BOARDS = ("wood", "dark wood", "paint", "paint")


def board(rng: np.random.Generator) -> dict[str, object]:
    """What a piece of furniture is made of: page, tint, repeat and gloss of its boards."""
    page = pick(rng, BOARDS)
    look = pale(rng) if page == "paint" else (1.0, 1.0, 1.0)
    return {"texture": page, "tint": look, "repeat": 0.0 if page == "paint" else 1.1, "gloss": rng.uniform(0.05, 0.5)}


def books(rng: np.random.Generator, left: float, right: float, y: float, z: float) -> list[Solid]:
    """A row of books that stand from x = left to right, some leaning."""
    row, x = [], left
    while x < right - 0.03:
        thick, tall, deep = rng.uniform(0.008, 0.028), rng.uniform(0.085, 0.15), rng.uniform(0.06, 0.1)
        patch = (int(rng.integers(16)) / 16, 0.0, 1 / 16, 1.0)
        half, place = (thick, deep, tall), (x + thick, y + rng.uniform(-0.03, 0.02), z + tall)
        row.append(Solid(BOX, place, half, "spines", patch=patch, radius=0.003, gloss=rng.uniform(0, 0.5)))
        x += 2 * thick + (rng.uniform(0, 0.12) if rng.random() < 0.1 else 0.001)
    return row


def load(rng: np.random.Generator, half: tuple[float, float], y: float, z: float, often: float) -> list[Solid]:
    """Things on a board of half extents (x, y) metres around (0, y, z), about `often` of them per metre."""
    made: list[Solid] = []
    for x in np.arange(-half[0] + 0.08, half[0] - 0.08, 1 / often):
        if rng.random() < 0.8:
            made += thing(rng, x + rng.uniform(-0.05, 0.05), y + rng.uniform(-0.5, 0.5) * half[1], z)
    return made


def bookcase(rng: np.random.Generator) -> list[Solid]:
    """Shelves between two sides, with books and other things."""
    w, d, tall, made_of = rng.uniform(0.35, 0.7), rng.uniform(0.12, 0.17), rng.uniform(1.2, 2.2), board(rng)
    made = [Solid(BOX, (side * w, d, tall / 2), (0.012, d, tall / 2), **made_of) for side in (-1, 1)]
    made.append(Solid(BOX, (0, 0.005, tall / 2), (w, 0.006, tall / 2), **made_of))
    for z in np.arange(0.08, tall, rng.uniform(0.28, 0.4)):
        made.append(Solid(BOX, (0, d, z - 0.01), (w, d, 0.01), **made_of))
        split = rng.uniform(-w, w) if rng.random() < 0.8 else -w
        made += books(rng, -w + 0.015, split, d, z)
        if w - split > 0.25:
            made += moved(load(rng, ((w - split) / 2, d), d, z, 5.0), 0, ((w + split) / 2, 0, 0))
    return made


def shelf(rng: np.random.Generator) -> list[Solid]:
    """Boards on the wall with things on them."""
    w, d, made_of, made = rng.uniform(0.3, 0.9), rng.uniform(0.09, 0.15), board(rng), []
    for z in rng.uniform(0.9, 1.5) + 0.4 * np.arange(int(rng.integers(1, 4))):
        made.append(Solid(BOX, (0, d, z), (w, d, 0.012), **made_of))
        made += load(rng, (w, d), d, z + 0.012, 6.0)
    return made


def cupboards(rng: np.random.Generator) -> list[Solid]:
    """Kitchen or bathroom cupboards: doors with handles, a worktop with things on it, more doors above."""
    doors, wide, made_of = int(rng.integers(2, 5)), rng.uniform(0.2, 0.3), board(rng)
    w = doors * wide
    made = [Solid(BOX, (0, 0.31, 0.88), (w, 0.31, 0.02), "stone", repeat=0.8, gloss=0.5, radius=0.006)]
    made += _doors(rng, doors, wide, (0.1, 0.85), 0.56, made_of)
    if rng.random() < 0.7:
        made += _doors(rng, doors, wide, (1.4, rng.uniform(1.9, 2.2)), 0.3, made_of)
    return made + load(rng, (w, 0.2), 0.3, 0.9, 5.0)


def wardrobe(rng: np.random.Generator) -> list[Solid]:
    """Tall doors side by side."""
    return _doors(rng, int(rng.integers(2, 5)), rng.uniform(0.2, 0.3), (0.05, rng.uniform(1.8, 2.2)), 0.55, board(rng))


def _doors(
    rng: np.random.Generator, count: int, wide: float, heights: tuple[float, float], deep: float, made_of: dict
) -> list[Solid]:
    low, high = heights
    middle, tall, inset = (low + high) / 2, (high - low) / 2, rng.random() < 0.5
    made = [Solid(BOX, (0, deep / 2, middle), (count * wide, deep / 2, tall), **made_of)]
    grip = rng.uniform(0.03, 0.1)
    for k in range(count):
        x = (2 * k + 1 - count) * wide
        made.append(Solid(BOX, (x, deep + 0.008, middle), (wide - 0.003, 0.01, tall - 0.003), **made_of, radius=0.006))
        if inset:
            half = (wide - 0.06, 0.012, tall - 0.06)
            made.append(Solid(BOX, (x, deep + 0.012, middle), half, **made_of, radius=0.012))
        at = (x + (1 if k % 2 else -1) * (0.03 - wide), deep + 0.035, middle + 0.5 * tall)
        up = np.array([0, 0, grip])
        made.append(limb(at - up, at + up, 0.006, "metal", gloss=0.8))
    return made


def desk(rng: np.random.Generator) -> list[Solid]:
    """A desk with a screen, a keyboard, a lamp, papers and cables; a chair before it."""
    w, made_of = rng.uniform(0.5, 0.8), board(rng)
    made = [Solid(BOX, (0, 0.35, 0.73), (w, 0.35, 0.015), **made_of)]
    made += [Solid(BOX, (x, 0.35, 0.36), (0.02, 0.3, 0.36), **made_of) for x in (-w + 0.04, w - 0.04)]
    x, s = rng.uniform(-0.2, 0.2), rng.uniform(0.2, 0.33)
    made += moved(monitor(rng, s), rng.normal(0, 0.2), (x, 0.25, 0.745))
    keys = Solid(BOX, (x, 0.5, 0.755), (0.2, 0.07, 0.01), "page", (0.1, 0.1, 0.1), radius=0.006, gloss=0.3)
    made += [keys, *moved(lamp(rng), 0, (pick(rng, [-1, 1]) * (w - 0.15), 0.2, 0.745))]
    made += cable(rng, (x, 0.2, 0.75), (rng.uniform(-w, w), 0.02, 0.3), 0.3)
    made += load(rng, (w, 0.25), 0.4, 0.745, 4.0)
    return made + (moved(chair(rng), rng.normal(np.pi, 0.4), (x, 0.95, 0)) if rng.random() < 0.7 else [])


def monitor(rng: np.random.Generator, size: float) -> list[Solid]:
    """A screen on a foot, twice `size` metres wide, that shows something or is dark; it looks along +y."""
    lit, black = (1.1, (1, 1, 1)) if rng.random() < 0.75 else (0.0, (0.03, 0.03, 0.03))
    case = Solid(
        BOX, (0, 0, 0.12 + 0.6 * size), (size, 0.02, 0.6 * size), "paint", (0.02, 0.02, 0.02), radius=0.01, gloss=0.6
    )
    picture = Solid(BOX, (0, 0.015, 0.12 + 0.6 * size), (size - 0.012, 0.008, 0.6 * size - 0.014), "screen", black,
                    radius=0.0, gloss=0.8, glow=lit, wear=0.1)  # fmt: skip
    foot = Solid(BOX, (0, 0, 0.008), (0.1, 0.08, 0.008), "metal", gloss=0.5)
    return [case, picture, foot, limb((0, -0.01, 0), (0, -0.01, 0.2), 0.02, "metal", gloss=0.5)]


def chair(rng: np.random.Generator) -> list[Solid]:
    """A chair that looks along +y."""
    made_of, page = board(rng), pick(rng, ["leather", "checked", "printed", "plain"])
    legs = [
        limb((x, y, 0), (0.9 * x, 0.9 * y, 0.43), 0.015, "wood", gloss=0.3) for x in (-0.2, 0.2) for y in (-0.2, 0.2)
    ]
    seat = Solid(BOX, (0, 0, 0.46), (0.22, 0.22, 0.03), page, radius=0.025, repeat=0.5)
    rail = Solid(BOX, (0, -0.2, 0.82), (0.21, 0.015, rng.uniform(0.06, 0.25)), **made_of, radius=0.012)
    posts = [limb((x, -0.2, 0.4), (x, -0.21, 0.95), 0.015, "wood", gloss=0.3) for x in (-0.19, 0.19)]
    return [*legs, seat, rail, *posts]


def sofa(rng: np.random.Generator) -> list[Solid]:
    """A sofa with cushions, a blanket and whatever was left on it."""
    w, page = rng.uniform(0.7, 1.1), pick(rng, ["leather", "plain", "checked", "printed"])
    soft = {"texture": page, "repeat": rng.uniform(0.5, 0.9), "gloss": 0.35 if page == "leather" else 0.0}
    made = [
        Solid(BOX, (0, 0.45, 0.2), (w, 0.42, 0.18), **soft, radius=0.05),
        Solid(BOX, (0, 0.15, 0.55), (w, 0.14, 0.3), **soft, radius=0.1),
        *(Solid(BOX, (side * w, 0.45, 0.35), (0.12, 0.42, 0.25), **soft, radius=0.08) for side in (-1, 1)),
        *(Solid(BOX, (side * w / 2, 0.5, 0.42), (w / 2 - 0.06, 0.36, 0.09), **soft, radius=0.07) for side in (-1, 1)),
    ]
    for _ in range(int(rng.integers(1, 5))):
        cloth = pick(rng, ["printed", "checked", "knit", "plain", "rug"])
        axes = about_z(rng.normal(0, 0.5)) @ np.array([[1, 0, 0], [0, 0.94, 0.34], [0, -0.34, 0.94]])
        place = (rng.uniform(-0.8, 0.8) * w, 0.36, 0.66)
        made.append(Solid(BOX, place, (0.2, 0.075, 0.2), cloth, axes=axes, radius=0.074, gloss=0.0))
    return made + load(rng, (0.7 * w, 0.2), 0.55, 0.51, 1.5)


def bed(rng: np.random.Generator) -> list[Solid]:
    """A bed with a rumpled blanket and pillows, its head at the wall."""
    cloth, w = pick(rng, ["printed", "checked", "plain", "knit"]), rng.uniform(0.4, 0.8)
    pillow = {"texture": "plain", "tint": pale(rng), "gloss": 0.0}
    made = [
        Solid(BOX, (0, 0.02, 0.45), (w + 0.03, 0.02, 0.45), **board(rng)),
        Solid(BOX, (0, 1.0, 0.25), (w, 1.0, 0.2), "plain", radius=0.06, repeat=1.0, gloss=0.0),
        Solid(BOX, (0, 1.25, 0.4), (w + 0.04, 0.75, 0.1), cloth, radius=0.09, repeat=0.8, gloss=0.0),
        Solid(BOX, (0, 0.25, 0.52), (0.32, 0.2, 0.1), **pillow, radius=0.095),
    ]
    for _ in range(4):  # folds
        place = (rng.uniform(-w, w), rng.uniform(0.7, 1.8), 0.47)
        half = (rng.uniform(0.1, 0.35), rng.uniform(0.05, 0.12), 0.06)
        turned = about_z(rng.uniform(0, np.pi))
        made.append(Solid(ELLIPSOID, place, half, cloth, axes=turned, repeat=0.8, gloss=0.0))
    return made


def table(rng: np.random.Generator, top: float) -> list[Solid]:
    """A table of height `top` metres in the room's midst, round the origin, laden with things."""
    w, d, made_of = rng.uniform(0.4, 0.8), rng.uniform(0.3, 0.5), board(rng)
    slab = Solid(BOX, (0, 0, top - 0.015), (w, d, 0.015), **made_of, radius=0.006)
    if rng.random() < 0.3:
        slab = Solid(CYLINDER, (0, 0, top - 0.015), (w, w, 0.015), **made_of)
        d = w
    legs = [limb((x, y, 0.02), (x, y, top - 0.03), 0.025, "wood", gloss=0.3)
            for x in (-0.7 * w, 0.7 * w) for y in (-0.7 * d, 0.7 * d)]  # fmt: skip
    made = [slab, *legs]
    if rng.random() < 0.4:
        cloth = pick(rng, ["checked", "printed", "plain", "rug"])
        made.append(Solid(BOX, (0, 0, top + 0.001), (0.7 * w, 0.7 * d, 0.002), cloth, repeat=0.6, gloss=0.0))
    for _ in range(int(rng.integers(5, 16))):
        made += thing(rng, *(rng.uniform(-0.8, 0.8, 2) * (0.8 * w, 0.8 * d)), top)
    return made
