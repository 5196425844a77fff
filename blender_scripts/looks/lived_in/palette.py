"""Colours of what is in rooms, sRGB (3,) float32 in 0..1: paint, wood, brick, dyes.

Hands have to be told from what is behind them by their shape, but not by that alone: skin is orange in hue (25 to 80
degrees of CIELAB, whatever its tone), and so are raw pine, oak and red brick. Rooms hold those beside much else:
painted walls are mostly white, grey, blue or green, wood is stained or limed as often as it is left as it grew.
"""

from __future__ import annotations

import numpy as np

from ..colour import hsv_to_rgb
from .spectra import grey, rgb

Tones = tuple[tuple[tuple[float, float, float], float], ...]  # colours and how often each is met
WOODS: Tones = (
    ((0.82, 0.80, 0.77), 2.0), ((0.60, 0.59, 0.57), 1.5), ((0.44, 0.45, 0.46), 0.5),  # limed, weathered, grey-stained
    ((0.20, 0.19, 0.19), 1.5), ((0.35, 0.42, 0.46), 0.5), ((0.48, 0.54, 0.46), 0.5),  # wenge; stained blue or green
    ((0.78, 0.70, 0.58), 1.0), ((0.72, 0.53, 0.36), 1.0), ((0.36, 0.26, 0.20), 1.0), ((0.42, 0.20, 0.14), 0.5),
)  # fmt: skip  # as it grew: ash, oak or pine, walnut, mahogany
BRICKS: Tones = (
    ((0.52, 0.31, 0.24), 1.0), ((0.60, 0.59, 0.57), 1.0), ((0.30, 0.30, 0.33), 1.0), ((0.78, 0.77, 0.74), 1.0)
)  # fmt: skip  # red, sand-lime, blue engineering, whitewashed
HUES = (  # least and most hue (1 is once around), the most saturation, how often it is met
    (-0.05, 0.02, 1.0, 2.0), (0.02, 0.11, 1.0, 1.5), (0.11, 0.17, 0.9, 1.5), (0.2, 0.42, 0.45, 2.0),  # red to green
    (0.43, 0.53, 0.4, 1.0), (0.54, 0.68, 0.85, 3.5), (0.7, 0.95, 0.5, 1.0),  # teal, blue, violet to pink
)  # fmt: skip
DYES = np.float32([(0.42, 0.08, 0.1), (0.12, 0.14, 0.25), (0.72, 0.6, 0.44), (0.5, 0.3, 0.16), (0.2, 0.26, 0.2)])
_TRADITIONAL = 0.3  # share of rugs in DYES: madder, indigo, wool as it is, walnut shells, weld over indigo


def colour(rng: np.random.Generator, vivid: float = 0.5) -> np.ndarray:
    """A colour (3,) of dye or print, mostly muted; `vivid` (0..1) says how far it may leave grey."""
    weights = np.array([often for *_, often in HUES])
    low, high, strong, _ = HUES[int(rng.choice(len(HUES), p=weights / weights.sum()))]
    saturation = vivid * strong * rng.random() ** 1.5
    return hsv_to_rgb(rng.uniform(low, high), saturation, rng.uniform(0.12, 0.9)).astype(np.float32)


def wall_paint(rng: np.random.Generator) -> np.ndarray:
    """What people paint walls in, (3,): mostly light and little saturated, blue and green more often than orange."""
    white, strong = rng.uniform(0.72, 0.95), rng.random() < 0.25
    if not strong:
        return (0.8 * white + 0.2 * colour(rng, 0.4)).astype(np.float32)
    hue = rng.uniform(0.25, 0.7) if rng.random() < 0.7 else rng.random()
    return (white * hsv_to_rgb(hue, rng.uniform(0.05, 0.35), rng.uniform(0.35, 1.0))).astype(np.float32)


def wood_tones(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Wood between its rings and in them, both (3,); rings are darker and as much more coloured as the wood is."""
    light = _one_of(rng, WOODS) * np.float32(rng.uniform(0.75, 1.12))
    return light, 0.62 * light * (light / light.mean()) ** 0.3


def brick_tone(rng: np.random.Generator) -> np.ndarray:
    """What a wall's bricks are like on average, (3,)."""
    return _one_of(rng, BRICKS) * np.float32(rng.uniform(0.75, 1.2))


def rug_dyes(rng: np.random.Generator) -> np.ndarray:
    """Five dyes (5, 3) of a rug."""
    dyes = DYES if rng.random() < _TRADITIONAL else np.stack([colour(rng, 0.8) for _ in DYES])
    return rng.permutation(dyes) * np.float32(rng.uniform(0.7, 1.2, (len(dyes), 1)))


def cardboard(rng: np.random.Generator) -> tuple[float, float, float]:
    """Linear light of a box's board: brown as it is, or white or grey."""
    bleached = grey(rng.uniform(0.35, 0.9)) if rng.random() < 0.6 else rgb(0.45, 0.3, 0.18) * rng.uniform(0.6, 1)
    return tuple(float(value) for value in bleached)


def _one_of(rng: np.random.Generator, tones: Tones) -> np.ndarray:
    weights = np.array([often for _, often in tones])
    return rgb(*tones[int(rng.choice(len(tones), p=weights / weights.sum()))][0])
