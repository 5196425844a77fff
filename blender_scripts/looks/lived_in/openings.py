"""What is in or on a wall: x along the wall, the wall at y = 0 and the room at y > 0, the floor at z = 0; metres."""

from __future__ import annotations

import numpy as np

from .furniture import board, monitor
from .scene import BOX, CYLINDER, ELLIPSOID, Solid, limb, moved
from .spectra import pick
from .things import cable, cutting, pale

_PRINTS = ("poster", "photograph", "photograph", "page")


def window(rng: np.random.Generator) -> list[Solid]:
    """A window with a view, a sill, and curtains or a blind before it; the view is the first."""
    w, h, z, paint = rng.uniform(0.4, 0.9), rng.uniform(0.45, 0.7), rng.uniform(1.35, 1.6), pale(rng)
    lacquer = {"texture": "paint", "tint": paint, "gloss": 0.4}
    made = [
        Solid(BOX, (0, 0.005, z), (w, 0.006, h), "view", radius=0.0, gloss=0.3, glow=rng.uniform(0.9, 2.2), wear=0.0)
    ]
    bars = [0.0] if rng.random() < 0.6 else [-w / 3, w / 3]
    made += [Solid(BOX, (x, 0.02, z), (0.025, 0.02, h), **lacquer) for x in (*bars, -w, w)]
    made += [Solid(BOX, (0, 0.02, z + side * h), (w + 0.025, 0.02, 0.025), **lacquer) for side in (-1, 1)]
    made.append(Solid(BOX, (0, 0.09, z - h - 0.04), (w + 0.08, 0.1, 0.018), **lacquer, radius=0.008))
    if rng.random() < 0.75:
        for side in (-1, 1):
            cover = rng.uniform(0.15, 0.5)
            place = (side * (w + 0.15 - cover / 2), 0.12, z - 0.15)
            half = (cover / 2 + 0.1, 0.03, h + 0.35)
            made.append(Solid(BOX, place, half, "curtain", radius=0.025, gloss=0.0, glow=rng.uniform(0, 0.3)))
        made.append(limb((-w - 0.3, 0.13, z + h + 0.2), (w + 0.3, 0.13, z + h + 0.2), 0.012, "metal", gloss=0.6))
    return made


def door(rng: np.random.Generator) -> list[Solid]:
    """A door with panels and a handle, in its frame."""
    made_of = board(rng)
    made = [Solid(BOX, (0, 0.01, 1.0), (0.42, 0.015, 1.0), **made_of)]
    rows = [(0.5, 0.32), (1.4, 0.42)] if rng.random() < 0.7 else [(1.0, 0.85)]
    columns = [-0.19, 0.19] if rng.random() < 0.5 else [0.0]
    wide = 0.14 if len(columns) == 2 else 0.32
    made += [Solid(BOX, (x, 0.022, z), (wide, 0.014, h), **made_of, radius=0.012) for z, h in rows for x in columns]
    made += [Solid(BOX, (x, 0.02, 1.02), (0.05, 0.03, 1.04), **made_of, radius=0.01) for x in (-0.47, 0.47)]
    made.append(Solid(BOX, (0, 0.02, 2.06), (0.52, 0.03, 0.05), **made_of, radius=0.01))
    made.append(Solid(BOX, (0.36, 0.032, 1.02), (0.02, 0.008, 0.09), "metal", gloss=0.9))
    return [*made, limb((0.36, 0.07, 1.05), (0.25, 0.07, 1.05), 0.01, "metal", gloss=0.9)]


def pictures(rng: np.random.Generator) -> list[Solid]:
    """Framed pictures, posters and notes, some of them crooked."""
    made, x = [], -0.6
    while x < 0.6:
        w, h = rng.uniform(0.06, 0.3, 2)
        lean = rng.normal(0, 0.03)
        axes = np.array([[np.cos(lean), 0, np.sin(lean)], [0, 1, 0], [-np.sin(lean), 0, np.cos(lean)]])
        place, page = np.array((x + w, 0.012, rng.uniform(1.1, 1.8))), pick(rng, _PRINTS)
        if rng.random() < 0.6:
            made.append(
                Solid(BOX, tuple(place), (w + 0.02, 0.014, h + 0.02), **(board(rng) | {"repeat": 0.5}), axes=axes)
            )
            place = place + (0, 0.004, 0)
        made.append(Solid(BOX, tuple(place), (w, 0.0115, h), page, axes=axes, radius=0.0, patch=cutting(rng),
                          gloss=rng.uniform(0, 0.6)))  # fmt: skip
        x += 2 * w + rng.uniform(0.05, 0.3)
    return made


def hanging_rug(rng: np.random.Generator) -> list[Solid]:
    """A rug on the wall."""
    w, h = rng.uniform(0.6, 1.1), rng.uniform(0.45, 0.75)
    return [Solid(BOX, (0, 0.01, 1.3), (w, 0.01, h), "rug", radius=0.004, gloss=0.0)]


def television(rng: np.random.Generator) -> list[Solid]:
    """A television on a low board."""
    made_of, size = board(rng), rng.uniform(0.4, 0.6)
    low = [Solid(BOX, (0, 0.22, 0.22), (0.8, 0.2, 0.2), **made_of)]
    return [*low, *moved(monitor(rng, size), 0.0, (0, 0.22, 0.42)), *cable(rng, (0.2, 0.1, 0.5), (0.9, 0.02, 0.3), 0.2)]


def radiator(rng: np.random.Generator) -> list[Solid]:
    """A radiator with its pipe."""
    ribs, white = int(rng.integers(8, 16)), pale(rng)
    places = [(0.08 * (k - ribs / 2), 0.08, 0.42) for k in range(ribs)]
    made = [Solid(BOX, at, (0.032, 0.05, 0.28), "paint", white, radius=0.028, gloss=0.4) for at in places]
    end = 0.04 * ribs + 0.1
    return [*made, limb((-end, 0.06, 0.2), (end, 0.06, 0.2), 0.015, "paint", tint=white, gloss=0.4),
            limb((end, 0.06, 0.2), (end, 0.06, 2.6), 0.015, "paint", tint=white, gloss=0.4)]  # fmt: skip


def sockets(rng: np.random.Generator) -> list[Solid]:
    """Switches and sockets, a clock, a cable between them."""
    places = [(rng.uniform(-0.4, 0.4), 0.006, z) for z in (0.3, 1.1)]
    made = [Solid(BOX, at, (0.04, 0.008, 0.04), "paint", (0.85, 0.85, 0.82), radius=0.006) for at in places]
    made += cable(rng, made[0].centre, (0.8, 0.02, 0.05), 0.05)
    r, face = rng.uniform(0.1, 0.16), np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    made.append(Solid(CYLINDER, (0.3, 0.015, 1.7), (r, r, 0.015), "metal", axes=face, gloss=0.6))
    made.append(Solid(CYLINDER, (0.3, 0.02, 1.7), (0.9 * r, 0.9 * r, 0.0115), "paint", axes=face, gloss=0.5))
    made.append(limb((0.3, 0.032, 1.7), (0.3, 0.032, 1.7 + 0.7 * r), 0.003, "paint", tint=(0.02, 0.02, 0.02)))
    return [*made, limb((0.3, 0.032, 1.7), (0.3 + 0.5 * r, 0.032, 1.7), 0.003, "paint", tint=(0.02, 0.02, 0.02))]


def ceiling_lamp(rng: np.random.Generator, height: float) -> list[Solid]:
    """A lamp below a ceiling at z = `height` metres; its glowing body is the first."""
    lit = float(rng.choice([0.15, 3.0], p=(0.6, 0.4)))
    if rng.random() < 0.5:
        r, hang = rng.uniform(0.1, 0.2), rng.uniform(0.3, 0.6)
        ball = Solid(ELLIPSOID, (0, 0, height - hang), (r, r, 0.8 * r), "paint", (1, 0.92, 0.8), gloss=0.3, glow=lit)
        return [ball, limb((0, 0, height - hang), (0, 0, height), 0.004, "paint", tint=(0.05, 0.05, 0.05))]
    half = rng.uniform((0.1, 0.1, 0.02), (0.5, 0.2, 0.05))
    return [Solid(BOX, (0, 0, height - half[2]), tuple(half), "paint", radius=0.01, gloss=0.3, glow=lit)]
