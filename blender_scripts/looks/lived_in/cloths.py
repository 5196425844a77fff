"""What people wear and what hangs or lies in a room: each function returns sRGB values (N, N, 3)."""

from __future__ import annotations

import cv2
import numpy as np

from .palette import colour, rug_dyes, wall_paint
from .scene import SIZE
from .spectra import Fields, lit, mix, ornament, pick, rgb, stretched, tiled
from .walls import flowers, relief


def folds(rng: np.random.Generator, fields: Fields, count: int, depth: float) -> np.ndarray:
    """Shading (512, 512) of `count` folds that hang down, about 1."""
    bend = stretched(fields.take(rng, "smooth"), 200, 60)
    across = np.linspace(0, count, fields.size, False, dtype=np.float32)[None] + 0.25 * bend
    wave = np.sin(2 * np.pi * across) + 0.4 * np.sin(2 * np.pi * (2.3 * across + bend))
    return 1 + np.float32(depth) * wave


def creases(rng: np.random.Generator, fields: Fields, depth: float) -> np.ndarray:
    """Shading (512, 512) of cloth that creases where it bends: ridges of smooth noise, about 1."""
    ridged = 1 - np.abs(fields.take(rng, "smooth"))
    return relief(cv2.GaussianBlur(ridged, (0, 0), 3), depth)


def weave(fields: Fields, rng: np.random.Generator, threads: int, depth: float) -> np.ndarray:
    """Shading (512, 512) of threads over and under each other, about 1."""
    wave = np.sin(np.linspace(0, 2 * np.pi * threads, fields.size, False, dtype=np.float32))
    return 1 + np.float32(depth) * (np.outer(wave, wave) + 0.6 * fields.take(rng, "rough"))


def plain(rng: np.random.Generator, fields: Fields) -> np.ndarray:
    """Clothes of one colour, creased: (N, N, 3)."""
    shade = creases(rng, fields, rng.uniform(0.6, 1.8)) * weave(fields, rng, 60, 0.05)
    return lit(colour(rng, 0.65), shade)


def printed(rng: np.random.Generator, fields: Fields) -> np.ndarray:
    """Flowered or patterned cloth, creased: (N, N, 3)."""
    if rng.random() < 0.5:
        picture = flowers(rng, fields)
    else:
        motif = ornament(fields.take(rng, "smooth"), 4, 4, rng.random() < 0.5) > rng.uniform(-0.2, 0.8)
        picture = mix(colour(rng, 0.6), colour(rng, 0.7), motif)
    return lit(picture, creases(rng, fields, 1.2))


def checked(rng: np.random.Generator, fields: Fields) -> np.ndarray:
    """Stripes across stripes, as on shirts and blankets: (N, N, 3)."""
    period = pick(rng, [64, 128])
    tones = [colour(rng, 0.6) for _ in range(3)]
    place = np.arange(fields.size) * (SIZE / fields.size) % period / period
    band = (place < rng.uniform(0.2, 0.5)).astype(float) + (np.abs(place - 0.75) < rng.uniform(0.02, 0.08))
    across, down = np.tile(band, (len(band), 1)), np.tile(band, (len(band), 1)).T * (rng.random() < 0.7)
    picture = mix(mix(tones[0], tones[1], 0.7 * across.clip(0, 1)), tones[2], 0.6 * down.clip(0, 1))
    return lit(picture, creases(rng, fields, 1.2) * weave(fields, rng, 60, 0.06))


def knit(rng: np.random.Generator, fields: Fields) -> np.ndarray:
    """Rows of stitches: (N, N, 3)."""
    stitches = pick(rng, [24, 40])
    x = np.linspace(0, stitches, fields.size, False, dtype=np.float32)
    slant = np.abs((x % 1) - 0.5)
    rows = np.sin(2 * np.pi * (x[:, None] + 0.8 * slant)) * (0.35 + slant)
    shade = 1 + 0.28 * rows + 0.07 * fields.take(rng, "rough")
    return lit(wall_paint(rng) * rng.uniform(0.3, 1), shade * creases(rng, fields, 1.0))


def denim(rng: np.random.Generator, fields: Fields) -> np.ndarray:
    """Jeans: blue over white, worn pale in places, (N, N, 3)."""
    x = np.linspace(0, 2 * np.pi * 100, fields.size, False, dtype=np.float32)
    pale = np.clip(0.25 + 0.18 * np.sin(x + x[:, None]) + 0.14 * fields.take(rng, "pink"), 0, 1)
    blue = rgb(0.16, 0.22, 0.34) * rng.uniform(0.5, 1.4)
    return lit(mix(blue, rgb(0.6, 0.66, 0.74), pale), creases(rng, fields, 1.0))


def curtain(rng: np.random.Generator, fields: Fields) -> np.ndarray:
    """A curtain in folds, plain or patterned: (N, N, 3)."""
    base = flowers(rng, fields) if rng.random() < 0.3 else tiled(wall_paint(rng), fields.size)
    shade = folds(rng, fields, int(rng.integers(5, 14)), rng.uniform(0.1, 0.25)) * weave(fields, rng, 60, 0.04)
    return lit(base, shade)


def rug(rng: np.random.Generator, fields: Fields) -> np.ndarray:
    """A rug in the oriental manner: mirrored figures in a few dyes, borders around a field, (N, N, 3)."""
    dyes = rug_dyes(rng)
    small = ornament(fields.take(rng, "pink") + fields.take(rng, "smooth"), 8, 8, True)
    large = ornament(fields.take(rng, "smooth"), pick(rng, (1, 2)), pick(rng, (1, 2)), True)
    dye = np.where(small > 1.1, 3, np.where(small > 0.4, 2, large > 0.3))
    inner = np.minimum(np.arange(fields.size), fields.size - 1 - np.arange(fields.size)) * (SIZE // fields.size)
    edge = np.minimum(inner[:, None], inner[None])
    border = np.where((edge < 10) | (edge >= 60), 2, np.where(small > 0.3, 3, 4))
    picture = dyes[np.where(edge < 68, border, dye)]
    return lit(picture, weave(fields, rng, 60, 0.1) * (1 + 0.06 * fields.take(rng, "pink")))
