"""People, clothes and plants of a lived-in room; people have no hands, which only the hand in front shall have."""

from __future__ import annotations

import numpy as np

from .pages import CLOTHES
from .scene import BOX, CYLINDER, ELLIPSOID, Solid, about_z, along, limb, moved
from .spectra import pick
from .things import pale

_CHEEK = (0.03, 0.35, 0.15, 0.15)  # of a face's page, which is skin alone


def person(rng: np.random.Generator, seated: bool) -> list[Solid]:
    """Someone on the floor at the origin who looks along +x: head, trunk, limbs in sleeves that end behind the back,
    in pockets or in the lap.
    """
    top, below = pick(rng, CLOTHES), pick(rng, ["denim", "plain", "checked"])
    tall, broad = rng.uniform(0.92, 1.1), rng.uniform(0.85, 1.25)
    hip = 0.45 if seated else 0.9 * tall
    shoulder = hip + 0.5 * tall
    trunk = [
        Solid(
            BOX,
            (0, 0, hip + 0.26 * tall),
            (0.11 * broad, 0.19 * broad, 0.29 * tall),
            top,
            radius=0.1,
            repeat=0.45,
            gloss=0.0,
        ),
        Solid(BOX, (0, 0, hip), (0.12 * broad, 0.18 * broad, 0.13), below, radius=0.11, repeat=0.45, gloss=0.0),
    ]
    arms = []
    for side in (-1, 1):
        start = np.array([0.0, side * 0.2 * broad, shoulder - 0.05])
        elbow = start + (rng.uniform(-0.1, 0.1), side * rng.uniform(0.03, 0.1), -0.28 * tall)
        end = np.array([rng.uniform(-0.12, 0.12), side * 0.14 * broad, hip + rng.uniform(-0.05, 0.08)])
        arms += [
            limb(start, elbow, 0.055, top, repeat=0.45, gloss=0.0),
            limb(elbow, end, 0.045, top, repeat=0.45, gloss=0.0),
        ]
    return [*trunk, *arms, *_legs(seated, hip, below), *_head(rng, shoulder)]


def _legs(seated: bool, hip: float, page: str) -> list[Solid]:
    cloth, legs = {"repeat": 0.45, "gloss": 0.0}, []
    for side in (-0.1, 0.1):
        knee = (0.42, side, hip) if seated else (0.03, side, hip / 2)
        foot = (0.42, side, 0.06) if seated else (0.0, side, 0.06)
        legs += [limb((0, side, hip), knee, 0.085, page, **cloth), limb(knee, foot, 0.065, page, **cloth)]
        shoe = (foot[0] + 0.06, side, 0.045)
        legs.append(Solid(ELLIPSOID, shoe, (0.14, 0.05, 0.05), "leather", gloss=0.4))
    return legs


def _head(rng: np.random.Generator, shoulder: float) -> list[Solid]:
    turn, up = about_z(rng.normal(0, 0.5)), np.array([0, 0, shoulder + 0.2])
    skin = {"texture": "face", "patch": _CHEEK, "gloss": 0.2, "wear": 0.1}
    made = [
        limb((0, 0, shoulder - 0.05), up, 0.055, **skin),
        Solid(ELLIPSOID, up, (0.1, 0.078, 0.125), "face", axes=turn.T, gloss=0.2, wear=0.1),
    ]
    nose, ear = (0.022, 0.013, 0.026), (0.018, 0.01, 0.03)
    for at, half in (((0.098, 0, -0.012), nose), ((0, 0.076, 0), ear), ((0, -0.076, 0), ear)):
        made.append(Solid(ELLIPSOID, turn @ at + up, half, axes=turn.T, **skin))
    cap = turn @ (-0.022, 0, 0.028) + up
    made.append(Solid(ELLIPSOID, cap, (0.1, 0.088, 0.118), "hair", axes=turn.T, gloss=0.3, wear=0.1))
    if rng.random() < 0.4:  # long hair
        made.append(Solid(ELLIPSOID, turn @ (-0.06, 0, -0.08) + up, (0.06, 0.09, 0.19), "hair", axes=turn.T))
    return made


def coats(rng: np.random.Generator) -> list[Solid]:
    """Coats, bags and scarves on hooks along a wall: x along it, the room at y > 0."""
    made = [Solid(BOX, (0, 0.015, 1.7), (0.5, 0.012, 0.05), "wood", repeat=1.0)]
    for x in np.linspace(-0.4, 0.4, int(rng.integers(3, 6))):
        cloth, long = pick(rng, CLOTHES), rng.uniform(0.2, 0.45)
        body = {"repeat": 0.4, "gloss": 0.0}
        made.append(
            Solid(BOX, (x, 0.1, 1.62 - long), (rng.uniform(0.1, 0.16), 0.07, long), cloth, radius=0.065, **body)
        )
        for side in (-0.13, 0.13):
            end = (x + 1.3 * side, 0.1, 1.62 - 1.5 * long)
            made.append(limb((x + 0.5 * side, 0.1, 1.6), end, 0.05, cloth, **body))
    return made


def plant(rng: np.random.Generator, size: float) -> list[Solid]:
    """A plant in a pot on the floor at the origin, `size` metres high: broad leaves, or long ones from the middle."""
    r, green = 0.16 * size + 0.03, (1.0, 1.0, 1.0)
    made = [
        Solid(
            CYLINDER, (0, 0, 0.8 * r), (r, r, 0.8 * r), "stone" if rng.random() < 0.5 else "paint", pale(rng), gloss=0.4
        ),
        Solid(CYLINDER, (0, 0, 1.62 * r), (0.9 * r, 0.9 * r, 0.01), "clutter", (0.12, 0.08, 0.05), gloss=0),
    ]
    slim = rng.uniform(0.1, 0.5)
    for _ in range(int(rng.integers(14, 34))):
        turn, rise = rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 1.3)
        out = np.array([np.cos(turn) * np.cos(rise), np.sin(turn) * np.cos(rise), np.sin(rise)])
        stem = np.array([0, 0, 1.6 * r]) + out * rng.uniform(0.15, 0.5) * size
        long = rng.uniform(0.07, 0.18) * size
        tip = along(out + (0, 0, rng.uniform(-0.6, 0.3)))
        half = (long * slim, 0.004, long)
        made.append(Solid(ELLIPSOID, tuple(stem + long * tip[2]), half, "leaf", green, axes=tip, gloss=0.5, wear=0.6))
        if rng.random() < 0.5:
            made.append(limb((0, 0, 1.6 * r), stem, 0.004, "leaf", gloss=0.2))
    return made


def shoes(rng: np.random.Generator) -> list[Solid]:
    """A pair of shoes on the floor."""
    pair = [Solid(ELLIPSOID, (0, y, 0.04), (0.14, 0.05, 0.06), "leather", gloss=0.4) for y in (-0.07, 0.07)]
    return moved(pair, rng.uniform(0, 6), (0, 0, 0))
