"""Small things that stand or lie on a surface. Each stands on z = 0 at the origin; frames in metres, +z up."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from ..colour import srgb_to_linear
from .palette import cardboard, colour
from .scene import BOX, CYLINDER, ELLIPSOID, Solid, about_z, along, limb, moved
from .spectra import pick

Tint = tuple[float, float, float]


def tint(rng: np.random.Generator, vivid: float = 0.9) -> Tint:
    """A linear colour to tint lacquer or glaze with."""
    return tuple(float(value) for value in srgb_to_linear(colour(rng, vivid)))


def pale(rng: np.random.Generator) -> Tint:
    """A colour that furniture is lacquered in: mostly whites and greys."""
    white = rng.uniform(0.3, 0.95)
    return tuple(float(value) for value in white * (1 - 0.15 * rng.random(3)))


def shade(rng: np.random.Generator) -> Tint:
    """A tint that lets a print differ from another of the same page."""
    return tuple(float(value) for value in rng.uniform(0.35, 1.15, 3))


def cutting(rng: np.random.Generator) -> tuple[float, float, float, float]:
    """A part of a page, so that two pictures of the same page differ."""
    size = rng.uniform(0.3, 1.0)
    left, low = rng.uniform(0, 1 - size, 2)
    return (left, low, size, size)


def _book(rng: np.random.Generator) -> list[Solid]:
    """A few books or notebooks that lie on each other."""
    pile, top = [], 0.0
    for _ in range(int(rng.integers(1, 5))):
        thick = rng.uniform(0.006, 0.02)
        half = (rng.uniform(0.08, 0.12), rng.uniform(0.1, 0.15), thick)
        page = pick(rng, ["poster", "page", "package", "photograph", "paint"])
        look = tint(rng) if page == "paint" else (1.0, 1.0, 1.0)
        pile.append(Solid(BOX, (0, 0, top + thick), half, page, look, about_z(rng.normal(0, 0.3)), 0.002, gloss=0.25))
        top += 2 * thick
    return pile


def _sheets(rng: np.random.Generator) -> list[Solid]:
    """Printed sheets that lie over each other."""
    sheets = []
    for number in range(int(rng.integers(1, 5))):
        place = (*rng.normal(0, 0.05, 2), 0.001 + 0.001 * number)
        sheets.append(Solid(BOX, place, (0.105, 0.148, 0.001), "page", axes=about_z(rng.normal(0, 0.5)), radius=0.0))
    return sheets


def _package(rng: np.random.Generator) -> list[Solid]:
    half = rng.uniform((0.03, 0.02, 0.04), (0.1, 0.05, 0.14))
    look = shade(rng)
    return [Solid(BOX, (0, 0, half[2]), tuple(half), "package", look, radius=0.003, gloss=rng.uniform(0, 0.4))]


def _carton(rng: np.random.Generator) -> list[Solid]:
    """A cardboard box."""
    half, shade = rng.uniform(0.08, 0.2, 3), cardboard(rng)
    label = Solid(BOX, (0.3 * half[0], -half[1], half[2]), (half[0] / 3, 0.002, half[2] / 3), "page", radius=0.0)
    return [Solid(BOX, (0, 0, half[2]), tuple(half), "paint", shade, radius=0.003, gloss=0, wear=0.7), label]


def _bottle(rng: np.random.Generator) -> list[Solid]:
    r, tall, glass = rng.uniform(0.025, 0.045), rng.uniform(0.12, 0.24), tint(rng)
    neck, look = r * rng.uniform(0.3, 0.5), shade(rng)
    return [
        Solid(CYLINDER, (0, 0, tall / 2), (r, r, tall / 2), "paint", glass, gloss=0.9, wear=0.1),
        Solid(CYLINDER, (0, 0, 0.45 * tall), (1.02 * r, 1.02 * r, 0.25 * tall), "package", look, gloss=0.2),
        Solid(ELLIPSOID, (0, 0, tall), (r, r, 0.8 * r), "paint", glass, gloss=0.9, wear=0.1),
        Solid(CYLINDER, (0, 0, tall + r), (neck, neck, 1.1 * r), "paint", tint(rng), gloss=0.6, wear=0.1),
    ]


def _mug(rng: np.random.Generator) -> list[Solid]:
    r, tall, glaze = rng.uniform(0.035, 0.045), rng.uniform(0.04, 0.055), tint(rng)
    print_on = "photograph" if rng.random() < 0.25 else "paint"
    body = Solid(CYLINDER, (0, 0, tall), (r, r, tall), print_on, glaze if print_on == "paint" else (1, 1, 1), gloss=0.8)
    inside = Solid(CYLINDER, (0, 0, 2 * tall), (0.88 * r, 0.88 * r, 0.001), "paint", (0.05, 0.03, 0.02), gloss=0.9)
    bow = [(r, 0, 0.4 * tall), (1.6 * r, 0, 0.7 * tall), (1.6 * r, 0, 1.3 * tall), (r, 0, 1.6 * tall)]
    grip = [limb(a, b, 0.005, "paint", tint=glaze, gloss=0.8) for a, b in pairwise(bow)]
    return [body, inside, *grip]


def _bowl(rng: np.random.Generator) -> list[Solid]:
    """Fruit in a bowl."""
    r, fruits = rng.uniform(0.09, 0.14), []
    for _ in range(int(rng.integers(3, 9))):
        size, hue = rng.uniform(0.028, 0.045), pick(rng, [0.02, 0.08, 0.13, 0.22])
        shade = (0.75, 0.1 + 3 * float(hue), 0.06)
        turn, out = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.6 * r)
        place = (out * np.cos(turn), out * np.sin(turn), 0.06 + rng.uniform(0, 0.03))
        fruits.append(Solid(ELLIPSOID, place, (size, size, 0.9 * size), "paint", shade, gloss=0.5, wear=0.8))
    return [Solid(ELLIPSOID, (0, 0, 0.035), (r, r, 0.04), "stone", gloss=0.7), *fruits]


def _pens(rng: np.random.Generator) -> list[Solid]:
    """A cup with pens in it."""
    cup = Solid(CYLINDER, (0, 0, 0.05), (0.035, 0.035, 0.05), "paint", tint(rng), gloss=0.4)
    pens = []
    for _ in range(int(rng.integers(2, 8))):
        lean = rng.normal(0, 0.02, 2)
        pens.append(
            limb((*(0.5 * lean), 0.08), (*(1.5 * lean), rng.uniform(0.13, 0.17)), 0.004, "paint", tint=tint(rng))
        )
    return [cup, *pens]


def _telephone(rng: np.random.Generator) -> list[Solid]:
    lit = pick(rng, [0.0, 0.9])
    case = Solid(BOX, (0, 0, 0.004), (0.037, 0.077, 0.004), "paint", (0.02, 0.02, 0.02), radius=0.004, gloss=0.9)
    return [case, Solid(BOX, (0, 0, 0.0085), (0.034, 0.073, 0.001), "screen", radius=0.0, gloss=0.9, glow=lit)]


def _toy(rng: np.random.Generator) -> list[Solid]:
    """A stuffed animal: body, head, ears, all of one plush."""
    size, plush, page = rng.uniform(0.05, 0.1), pale(rng), pick(rng, ["knit", "plain"])
    ball = (
        ((0, 0, 1), (0.8, 0.75, 1)), ((0.1, 0, 2.2), (0.65, 0.65, 0.6)), ((0, 0.5, 2.75), (0.2, 0.25, 0.3)),
        ((0, -0.5, 2.75), (0.2, 0.25, 0.3)), ((0.7, 0.5, 0.4), (0.5, 0.3, 0.3)), ((0.7, -0.5, 0.4), (0.5, 0.3, 0.3)),
    )  # fmt: skip
    body = [Solid(ELLIPSOID, tuple(size * np.array(at)), tuple(size * np.array(half)), page, plush, gloss=0)
            for at, half in ball]  # fmt: skip
    eyes = [Solid(ELLIPSOID, (0.7 * size, side * 0.25 * size, 2.35 * size), (0.08 * size,) * 3, "paint",
                  (0.01, 0.01, 0.01), gloss=1) for side in (-1, 1)]  # fmt: skip
    return [*body, *eyes]


def _ball(rng: np.random.Generator) -> list[Solid]:
    r = rng.uniform(0.03, 0.11)
    page = pick(rng, ["paint", "leather", "poster"])
    look = tint(rng, 1.0) if page == "paint" else (1.0, 1.0, 1.0)
    return [Solid(ELLIPSOID, (0, 0, r), (r, r, r), page, look, gloss=rng.uniform(0, 0.7))]


def _frame(rng: np.random.Generator) -> list[Solid]:
    """A photograph in a frame that leans back."""
    w, h = rng.uniform(0.05, 0.1, 2)
    lean = along((0.0, 0.25, 1.0))
    axes = np.stack([np.array([1.0, 0, 0]), np.cross(lean[2], [1.0, 0, 0]), lean[2]])
    rim = Solid(BOX, (0, 0, h), (w + 0.012, 0.006, h + 0.012), "wood", axes=axes, gloss=0.4)
    return [
        rim,
        Solid(BOX, (0, -0.005, h), (w, 0.006, h), "photograph", axes=axes, radius=0.0, patch=cutting(rng), gloss=0.6),
    ]


def lamp(rng: np.random.Generator) -> list[Solid]:
    """A table lamp that glows or does not."""
    r, tall, lit = rng.uniform(0.08, 0.14), rng.uniform(0.2, 0.4), pick(rng, [0.0, 1.6])
    shade = Solid(CYLINDER, (0, 0, tall + r), (r, r, 0.8 * r), "plain", (1, 0.85, 0.6), gloss=0, glow=lit)
    foot = Solid(CYLINDER, (0, 0, 0.01), (0.6 * r, 0.6 * r, 0.01), "metal", gloss=0.6)
    return [shade, foot, limb((0, 0, 0), (0, 0, tall), 0.012, "metal", gloss=0.6)]


THINGS: tuple[Callable[[np.random.Generator], list[Solid]], ...] = (
    _book, _book, _sheets, _package, _package, _carton, _bottle, _bottle, _mug, _mug, _bowl, _pens, _telephone, _toy,
    _ball, _frame,
)  # fmt: skip


def thing(rng: np.random.Generator, x: float, y: float, z: float) -> list[Solid]:
    """Some small thing that stands at a place, turned anyhow."""
    made = THINGS[int(rng.integers(len(THINGS)))](rng)
    return moved(made, rng.uniform(0, 2 * np.pi), (x, y, z))


def cable(rng: np.random.Generator, start: np.ndarray, end: np.ndarray, sag: float) -> list[Solid]:
    """A cable that hangs between two points (3,) m, `sag` metres lower in the middle."""
    share = np.linspace(0, 1, 8)
    points = np.asarray(start) + share[:, None] * (np.asarray(end) - np.asarray(start))
    points[:, 2] -= 4 * sag * share * (1 - share)
    shade = (0.02, 0.02, 0.02) if rng.random() < 0.6 else (0.7, 0.7, 0.68)
    return [limb(a, b, 0.004, "paint", tint=shade, gloss=0.3) for a, b in pairwise(points)]
