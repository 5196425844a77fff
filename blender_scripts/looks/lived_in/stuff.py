"""What things, plants and people are made of: each function returns sRGB values (N, N, 3)."""

from __future__ import annotations

import cv2
import numpy as np

from .palette import colour
from .prints import skin_tone
from .scene import SIZE
from .spectra import Fields, dead_leaves, grey, lit, mix, rgb, stretched
from .walls import relief


def paint(rng: np.random.Generator, fields: Fields) -> np.ndarray:
    """White lacquer or plastic with faint stains, to be tinted: (N, N, 3)."""
    return lit(grey(0.9), 1 + 0.025 * fields.take(rng, "pink") + 0.02 * fields.take(rng, "smooth"))


def metal(rng: np.random.Generator, fields: Fields) -> np.ndarray:
    """Brushed metal: (N, N, 3)."""
    brushed = stretched(fields.take(rng, "rough"), 24, SIZE)
    return lit(rng.uniform(0.35, 0.75) * rgb(1, 0.98, 0.95), 1 + 0.06 * brushed)


def leather(rng: np.random.Generator, fields: Fields) -> np.ndarray:
    """Leather: a grain of cells, paler where it is worn, (N, N, 3)."""
    cells = cv2.GaussianBlur(np.abs(fields.take(rng, "rough")), (0, 0), 1.5)
    shade = relief(cells, 0.8) * (1 + 0.06 * fields.take(rng, "pink"))
    return lit(colour(rng, 0.6) * 0.7, shade)


def stone(rng: np.random.Generator, fields: Fields) -> np.ndarray:
    """Marble or granite, as of a worktop, or clay as of a pot: (N, N, 3)."""
    veins = np.exp(-((fields.take(rng, "smooth") * 5) ** 2)) * rng.uniform(0, 0.8)
    base = lit(colour(rng, 0.5), 1 + 0.1 * fields.take(rng, "rough"))
    return mix(base, 0.6 * colour(rng, 0.2) + 0.2, veins)


def leaf(rng: np.random.Generator, fields: Fields) -> np.ndarray:
    """A leaf: a midrib upwards, veins to both sides, (N, N, 3)."""
    x = np.linspace(0, 1, fields.size, False, dtype=np.float32)
    y = x[:, None]
    off = np.abs((4 * x) % 1 - 0.5)
    veins = np.maximum(np.exp(-((off / 0.02) ** 2)), 0.5 * np.clip(np.sin(60 * (y - 0.8 * off)) * 6 - 5, 0, 1))
    green = rgb(0.23, 0.36, 0.15) * rng.uniform(0.6, 1.6) * (1 + rng.normal(0, 0.1, 3))
    shade = 1 + 0.14 * fields.take(rng, "pink")
    return lit(mix(green, 1.6 * green + 0.08, 0.7 * veins), shade)


def _skin(rng: np.random.Generator, fields: Fields, tone: np.ndarray) -> np.ndarray:
    """Skin of a tone (3,), blotched as skin is: (N, N, 3)."""
    blotched = mix(tone, tone * rgb(0.98, 0.95, 0.95), fields.take(rng, "smooth"))
    return lit(blotched, 1 + 0.035 * fields.take(rng, "pink"))


def face(rng: np.random.Generator, fields: Fields) -> np.ndarray:
    """Skin around a head, turned once around, with eyes, brows, nose and mouth in the middle: (N, N, 3)."""
    tone, unit = skin_tone(rng), fields.size / 512
    picture = _skin(rng, fields, tone)
    brow, dark = rgb(0.2, 0.14, 0.1) * rng.uniform(0.3, 2.5), rgb(0.15, 0.1, 0.08)
    eyes = [
        (side * 38 + across, down, wide, tall, ink)
        for side in (-1, 1)
        for across, down, wide, tall, ink in (
            (0, 246, 56, 44, 0.8 * tone), (0, 252, 36, 17, rgb(0.85, 0.83, 0.8)), (0, 252, 16, 16, dark),
            (0, 218, 52, 12, brow), (58, 300, 60, 60, tone * rgb(1.02, 0.9, 0.88)),
        )
    ]  # fmt: skip
    mouth = [
        (0, 326, 40, 12, 0.68 * tone),
        (0, 372, 70, 22, tone * rgb(0.85, 0.55, 0.53)),
        (0, 396, 60, 10, 0.8 * tone),
    ]
    for across, down, wide, tall, ink in (*eyes, *mouth):  # in 512ths
        place = ((256 + across) * unit, down * unit)
        cv2.ellipse(picture, (place, (wide * unit, tall * unit), 0.0), np.clip(ink, 0, 1).tolist(), -1)
    return cv2.blur(picture, (3, 3))


def hair(rng: np.random.Generator, fields: Fields) -> np.ndarray:
    """Strands that hang down: (N, N, 3)."""
    strands = stretched(fields.take(rng, "rough"), SIZE, 40)
    tone = rgb(0.2, 0.14, 0.1) * rng.uniform(0.3, 2.5)
    return lit(tone, 1 + 0.3 * strands + 0.15 * fields.take(rng, "pink"))


def foliage(rng: np.random.Generator, fields: Fields) -> np.ndarray:
    """Leaves upon leaves, as of a bush or an ivy: (N, N, 3)."""
    green = rgb(0.22, 0.34, 0.15) * rng.uniform(0.6, 1.4)
    tones = green * rng.uniform(0.35, 1.7, (9, 1)) * (1 + rng.normal(0, 0.08, (9, 3)))
    return lit(dead_leaves(rng, np.clip(tones, 0.02, 1), 700, 40, fields.size), 1 + 0.12 * fields.take(rng, "pink"))


def clutter(rng: np.random.Generator, fields: Fields) -> np.ndarray:
    """Many small things in a heap, as in an open drawer or a toy box: (N, N, 3)."""
    palette = np.array([colour(rng, 1.0) for _ in range(9)])
    picture = cv2.GaussianBlur(dead_leaves(rng, palette, 420, 90, fields.size), (0, 0), 0.8)
    return lit(picture, relief(cv2.GaussianBlur(picture.mean(2), (0, 0), 2), 3))
