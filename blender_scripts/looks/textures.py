"""Surfaces of a made-up room, painted: each function returns (256, 256, 3) sRGB values in 0..1 that may be tiled."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from .colour import hsv_to_rgb

SIZE = 256


def paint_textures(rng: np.random.Generator, kinds: tuple[str, ...]) -> np.ndarray:
    """Textures (len(kinds), 256, 256, 3) uint8 sRGB."""
    pages = [(np.clip(PAINTERS[kind](rng), 0.02, 0.97) * 255).astype(np.uint8) for kind in kinds]
    return np.stack(pages)


def colour(rng: np.random.Generator, vivid: float = 0.5) -> np.ndarray:
    """A random sRGB colour (3,): mostly grey, brown or muted blue; `vivid` (0..1) says how far it may leave grey."""
    hue = rng.normal(0.08, 0.06) if rng.random() < 0.55 else rng.choice([0.58, 0.36, 0.0, 0.13]) + rng.normal(0, 0.05)
    value, saturation = rng.uniform(0.12, 0.9), vivid * rng.random() ** 1.5
    return hsv_to_rgb(hue, saturation, value).astype(np.float32)


def noise(rng: np.random.Generator, across: int, down: int) -> np.ndarray:
    """Smooth noise (256, 256) float32 in 0..1 of `across` x `down` cells."""
    cells = rng.random((down, across)).astype(np.float32)
    return np.clip(cv2.resize(cells, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC), 0, 1)


def _mix(first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
    return first + (second - first) * share[..., None]


def _plaster(rng: np.random.Generator) -> np.ndarray:
    base = 0.55 + 0.4 * colour(rng, 0.5)
    return base * (0.88 + 0.07 * noise(rng, 4, 4) + 0.08 * noise(rng, 90, 90))[..., None]


def _wood(rng: np.random.Generator) -> np.ndarray:
    light, dark = np.array([(0.72, 0.52, 0.34), (0.5, 0.32, 0.18)], np.float32) * rng.uniform(0.5, 1.25)
    rows = np.arange(SIZE)[:, None] / SIZE
    grain = np.sin(2 * np.pi * (rows * rng.integers(8, 20) + 2.5 * noise(rng, 2, 6))) * 0.5 + 0.5
    picture = _mix(dark, light, 0.6 * grain + 0.4 * noise(rng, 4, 120))
    for row in range(0, SIZE, int(rng.choice([32, 64, 128]))):
        picture[row : row + 2] *= 0.45
    return picture


def _bricks(rng: np.random.Generator) -> np.ndarray:
    base, mortar = np.array([0.55, 0.3, 0.23]) * rng.uniform(0.6, 1.3), np.full(3, rng.uniform(0.4, 0.75))
    picture = np.tile(mortar, (SIZE, SIZE, 1)).astype(np.float32)
    for row in range(8):
        for column in range(-1, 4):
            left = column * 64 + (row % 2) * 32
            shade = base * rng.uniform(0.7, 1.15)
            cv2.rectangle(picture, (left + 2, row * 32 + 2), (left + 61, row * 32 + 29), shade.tolist(), -1)
    return picture * (0.8 + 0.3 * noise(rng, 80, 80))[..., None]


def _tiles(rng: np.random.Generator) -> np.ndarray:
    first, second = colour(rng), colour(rng, 0.2)
    step = int(rng.choice([32, 64]))
    y, x = np.mgrid[:SIZE, :SIZE] // step
    picture = np.where(((x + y) % 2)[..., None] == 0, first, second).astype(np.float32)
    gap = (np.arange(SIZE) % step) < 2
    picture[gap], picture[:, gap] = 0.35, 0.35
    return picture * (0.85 + 0.2 * noise(rng, 30, 30))[..., None]


def _stripes(rng: np.random.Generator) -> np.ndarray:
    edges = np.sort(rng.integers(0, SIZE, 14))
    picture = np.zeros((SIZE, SIZE, 3), np.float32)
    base = colour(rng, 0.6)
    shades = [base + 0.35 * (colour(rng, 0.6) - base) for _ in range(4)]
    for index, (start, end) in enumerate(zip(np.r_[0, edges], np.r_[edges, SIZE])):
        picture[:, start:end] = shades[index % 4]
    return picture * (0.85 + 0.2 * noise(rng, 120, 120))[..., None]


def _plaid(rng: np.random.Generator) -> np.ndarray:
    return 0.25 * colour(rng, 0.9) + 0.4 * (_stripes(rng) + _stripes(rng).transpose(1, 0, 2))


def _carpet(rng: np.random.Generator) -> np.ndarray:
    base = colour(rng)
    pile = 0.75 + 0.3 * noise(rng, 200, 200)
    return _mix(base, 0.6 * base + 0.4 * colour(rng), noise(rng, 12, 12)) * pile[..., None]


def _books(rng: np.random.Generator) -> np.ndarray:
    """Spines side by side on a dark shelf, with titles."""
    picture = np.full((SIZE, SIZE, 3), 0.05, np.float32)
    left = 0
    while left < SIZE:
        width, top = int(rng.integers(9, 30)), int(rng.integers(0, 80))
        spine, ink = colour(rng, 0.85), colour(rng, 0.6)
        cv2.rectangle(picture, (left, top), (left + width - 2, SIZE), spine.tolist(), -1)
        band = int(rng.integers(top + 15, 180))
        cv2.rectangle(picture, (left + 3, band), (left + width - 5, band + int(rng.integers(4, 60))), ink.tolist(), -1)
        picture[:, left : left + 2] *= 0.6
        left += width
    return picture


def _poster(rng: np.random.Generator) -> np.ndarray:
    """Shapes over a graded ground, with lines of print."""
    down = np.linspace(0, 1, SIZE, dtype=np.float32)[:, None].repeat(SIZE, 1)
    picture = _mix(colour(rng, 0.9), colour(rng, 0.9), down)
    for _ in range(int(rng.integers(4, 12))):
        (x, y), size, shade = rng.integers(0, SIZE, 2), int(rng.integers(10, 80)), colour(rng, 0.85).tolist()
        if rng.random() < 0.5:
            cv2.circle(picture, (int(x), int(y)), size, shade, -1)
        else:
            corners = (np.array([x, y]) + rng.normal(0, size, (4, 2))).astype(np.int32)
            cv2.fillConvexPoly(picture, cv2.convexHull(corners), shade)
    return _print(picture, rng, int(rng.integers(0, 8)))


def _page(rng: np.random.Generator) -> np.ndarray:
    return _print(np.full((SIZE, SIZE, 3), rng.uniform(0.75, 0.92), np.float32), rng, 22)


def _print(picture: np.ndarray, rng: np.random.Generator, lines: int) -> np.ndarray:
    ink = (colour(rng, 0.3) * 0.3).tolist()
    top = int(rng.integers(8, max(9, SIZE - 11 * lines)))
    for line in range(lines):
        x = 16
        while x < SIZE - 30:
            word = int(rng.integers(5, 28))
            cv2.rectangle(picture, (x, top + 11 * line), (x + word, top + 11 * line + 4), ink, -1)
            x += word + 6
    return picture


def _leaves(rng: np.random.Generator) -> np.ndarray:
    picture = np.full((SIZE, SIZE, 3), 0.08, np.float32)
    for step in range(900):  # the last ones catch the light
        centre = tuple(int(v) for v in rng.integers(0, SIZE, 2))
        green = np.array([0.27, 0.38, 0.17]) * rng.uniform(0.4, 1.0) * (0.5 + step / 900) + rng.normal(0, 0.03, 3)
        axes = (int(rng.integers(4, 11)), int(rng.integers(2, 5)))
        cv2.ellipse(picture, centre, axes, float(rng.uniform(0, 180)), 0, 360, np.clip(green, 0.02, 0.9).tolist(), -1)
    return picture


def _cloth(rng: np.random.Generator) -> np.ndarray:
    folds = np.sin(2 * np.pi * (np.arange(SIZE) / SIZE * rng.integers(3, 9) + noise(rng, 4, 2))) * 0.25 + 0.75
    return colour(rng, 0.8) * folds[..., None]


def _plastic(rng: np.random.Generator) -> np.ndarray:
    return colour(rng, 0.85) * (0.9 + 0.1 * noise(rng, 3, 3))[..., None]


def _label(rng: np.random.Generator) -> np.ndarray:
    """A package: plain colour with a printed label around it."""
    picture = np.tile(colour(rng, 0.85), (SIZE, SIZE, 1)).astype(np.float32)
    top, bottom = int(rng.integers(30, 100)), int(rng.integers(140, 230))
    picture[top:bottom] = _poster(rng)[top:bottom]
    return picture


PAINTERS: dict[str, Callable[[np.random.Generator], np.ndarray]] = {
    "plaster": _plaster, "wood": _wood, "bricks": _bricks, "tiles": _tiles, "stripes": _stripes, "plaid": _plaid,
    "carpet": _carpet, "books": _books, "poster": _poster, "page": _page, "leaves": _leaves, "cloth": _cloth,
    "plastic": _plastic, "label": _label,
}  # fmt: skip
