"""What is printed, shown or photographed: each function returns sRGB values (N, N, 3)."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np

from .palette import colour
from .scene import SIZE
from .spectra import Fields, dead_leaves, grey, lit, mix, pick, rgb, stretched, tiled

_FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_TRIPLEX)
_STARTS = ("b", "c", "d", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "t", "v", "w", "br", "st", "pl", "tr", "sh")
_VOWELS = ("a", "e", "i", "o", "u", "ai", "ea", "ou", "io")
_ENDS = ("n", "r", "s", "t", "l", "m", "nd", "rs", "ng", "ck", "th", *[""] * 8)


def words(rng: np.random.Generator, count: int) -> list[str]:
    """Words of one to three syllables that could be some."""
    made, draws = [], rng.integers(0, 2**16, (count, 8)).tolist()
    for first, *drawn, last in draws:
        pairs = zip(drawn[:3], drawn[3:])
        syllables = [_STARTS[a % len(_STARTS)] + _VOWELS[b % len(_VOWELS)] for a, b in pairs]
        made.append("".join(syllables[: 1 + first % 3]) + _ENDS[last % len(_ENDS)])
    return made


def write(
    picture: np.ndarray, rng: np.random.Generator, box: tuple[int, int, int, int], size: float, ink: np.ndarray
) -> None:
    """Write lines of words into `box` (left, top, right, bottom) of a picture (H, W, 3), letters `size` pixels high."""
    left, top, right, bottom = box
    font, scale, heavy = pick(rng, _FONTS), size / 22, max(1, round(size / 11))
    page = np.zeros((max(bottom - top, 1), max(right - left, 1)), np.uint8)
    letters = max(2, int((right - left) / (0.85 * size)))
    lines = max(1, int((bottom - top) / (1.6 * size)))
    text = " ".join(words(rng, lines * (letters // 4 + 1))).capitalize()
    starts = np.cumsum([0, *(letters * rng.uniform(0.4, 1.0, lines) ** 0.3).astype(int)])
    for line, (start, end) in enumerate(pairwise(starts)):
        place = (0, int((1.6 * line + 1.1) * size))
        cv2.putText(page, text[start:end].strip(), place, font, scale, 255, heavy, cv2.LINE_AA)
    part = picture[top:bottom, left:right]
    part[:] = mix(part, ink, page[: part.shape[0], : part.shape[1]] / np.float32(255))


def page(rng: np.random.Generator, fields: Fields) -> np.ndarray:
    """A printed page: heading, columns, perhaps a picture, (N, N, 3)."""
    sheet = tiled(rng.uniform(0.8, 0.95) * rgb(1, 0.99, 0.95))
    ink = colour(rng, 0.2) * 0.3
    write(sheet, rng, (36, 24, 470, 70), rng.uniform(18, 34), ink)
    columns, top = int(rng.integers(1, 3)), int(rng.integers(90, 250))
    if top > 130:
        sheet[96 : top - 8, 40:470] = photograph(rng, fields)[96 : top - 8, 40:470]
    width = 440 // columns
    for column in range(columns):
        left = 36 + column * width
        write(sheet, rng, (left, top, left + width - 16, 490), rng.uniform(9, 15), ink)
    return lit(sheet, 1 + 0.01 * fields.take(rng, "pink"))


def photograph(rng: np.random.Generator, fields: Fields) -> np.ndarray:
    """Something like a photograph: a landscape, a crowd of things, or someone before a blurred ground, (N, N, 3)."""
    small = fields.smaller
    picture = pick(rng, (_landscape, _landscape, _things, _things, _things, _portrait))(rng, small)
    light = 1 + 0.12 * small.take(rng, "smooth") + 0.06 * small.take(rng, "pink")
    return cv2.resize(np.clip(lit(picture, light), 0, 1), (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)


def _landscape(rng: np.random.Generator, fields: Fields) -> np.ndarray:
    """Sky with clouds, ridges one before the other, each paler the farther it is."""
    low, size = rgb(0.85, 0.8, 0.75) * rng.uniform(0.7, 1.1), fields.size
    down = np.tile(np.linspace(0, 1, size, dtype=np.float32)[:, None], (1, size))
    sky = mix(rgb(0.35, 0.52, 0.75) * rng.uniform(0.6, 1.2), low, down**0.7)
    picture = mix(sky, grey(0.95), np.clip(0.6 * stretched(fields.take(rng, "smooth"), 400, 120), 0, 0.8))
    ground = rgb(0.28, 0.33, 0.2) * rng.uniform(0.5, 1.3) + rng.normal(0, 0.04, 3)
    for step in range(4):
        line = 0.45 + 0.14 * step + 0.05 * fields.take(rng, "smooth")[0] * (1 + step / 2)
        texture = 1 + (0.08 + 0.07 * step) * fields.take(rng, "pink")
        tone = (0.75 - 0.25 * step) * low * 0.8 + (0.25 + 0.25 * step) * ground
        picture = mix(picture, lit(np.clip(tone, 0.02, 1), texture), down > line)
    return picture


def _things(rng: np.random.Generator, fields: Fields) -> np.ndarray:
    """Many things that hide each other."""
    palette = np.array([colour(rng, 0.9) for _ in range(8)])
    picture = dead_leaves(rng, palette, 300, rng.uniform(30, 80), fields.size)
    return cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1))


def _portrait(rng: np.random.Generator, fields: Fields) -> np.ndarray:
    """Head and shoulders before a blurred ground."""
    size = fields.size
    ground = cv2.resize(
        dead_leaves(rng, np.array([colour(rng) for _ in range(5)]), 80, 150), (8, 8), interpolation=cv2.INTER_AREA
    )
    picture = cv2.resize(ground, (size, size), interpolation=cv2.INTER_CUBIC)
    coat, skin, hair = colour(rng, 0.8), skin_tone(rng), rgb(0.2, 0.14, 0.1) * rng.uniform(0.3, 2.5)
    middle, unit = rng.uniform(0.38, 0.62), size / 512
    for across, down, wide, tall, ink in (  # in 512ths: shoulders, hair, neck, face, eyes, brows, mouth
        (0, 520, 400, 340, coat), (0, 190, 190, 250, hair), (0, 330, 90, 150, 0.85 * skin), (0, 225, 158, 215, skin),
        (-36, 210, 32, 14, 0.35 * skin), (36, 210, 32, 14, 0.35 * skin), (-36, 192, 44, 8, hair),
        (36, 192, 44, 8, hair), (0, 285, 58, 18, skin * rgb(0.85, 0.6, 0.58)),
    ):  # fmt: skip
        place, axes = (middle * size + across * unit, down * unit), (wide * unit, tall * unit)
        cv2.ellipse(picture, (place, axes, 0.0), ink.tolist(), -1)
    return cv2.blur(picture, (3, 3))


def skin_tone(rng: np.random.Generator) -> np.ndarray:
    """A skin colour, sRGB (3,), from dark to light."""
    share = rng.random()
    return (1 - share) * rgb(0.3, 0.2, 0.15) + share * rgb(0.9, 0.72, 0.62)


def poster(rng: np.random.Generator, fields: Fields) -> np.ndarray:
    """A picture with large letters, or flat shapes with them: (N, N, 3)."""
    plain = rng.random() < 0.4
    picture = tiled(colour(rng, 1.0)) if plain else photograph(rng, fields)
    ink = grey(0.95) if picture.mean() < 0.5 else colour(rng, 0.8) * 0.4
    top = pick(rng, [16, 330])
    write(picture, rng, (30, top, 490, top + 100), rng.uniform(34, 70), ink)
    write(picture, rng, (30, top + 110, 490, top + 160), rng.uniform(10, 18), ink)
    return picture


def screen(rng: np.random.Generator, fields: Fields) -> np.ndarray:
    """A monitor that shows a photograph, or windows with text and pictures: (N, N, 3)."""
    picture = photograph(rng, fields)
    for _ in range(int(rng.integers(0, 4))):
        left, top = rng.integers(0, 280, 2)
        right, bottom = left + int(rng.integers(120, 232)), top + int(rng.integers(100, 230))
        dark = rng.random() < 0.5
        picture[top:bottom, left:right] = 0.13 if dark else 0.93
        picture[top : top + 14, left:right] = colour(rng, 0.6)
        ink = colour(rng, 0.4) * 0.5 + 0.5 if dark else colour(rng, 0.3) * 0.4
        write(picture, rng, (left + 8, top + 20, right - 6, bottom - 4), rng.uniform(9, 14), ink)
    return picture


def spines(rng: np.random.Generator, fields: Fields) -> np.ndarray:
    """Sixteen spines of books, each 32 pixels wide, with titles along them: (N, N, 3)."""
    colours = np.stack([colour(rng, 0.9) for _ in range(16)])
    light = colours.mean(1, keepdims=True) < 0.45
    inks = np.where(light, 0.9 - 0.25 * rng.random((16, 3)), 0.3 * colours).astype(np.float32)
    titles, printed = words(rng, 48), np.zeros((SIZE, SIZE), np.uint8)  # spines lie here; they are stood up at the end
    for number in range(16):
        low, scale = 32 * number + 24, rng.uniform(0.5, 0.9)
        title = " ".join(titles[3 * number : 3 * number + 3]).title()
        start = int(rng.integers(20, 150))
        cv2.putText(printed, title, (start, low), pick(rng, _FONTS), scale, 255, pick(rng, (1, 2)), cv2.LINE_AA)
        for left in rng.integers(0, SIZE, 2):
            printed[low - 24 : low + 8, left : left + int(rng.integers(3, 24))] = rng.integers(60, 180)
    page = mix(
        *(np.repeat(tones[:, None], 32, 0).repeat(SIZE, 1) for tones in (colours, inks)), printed / np.float32(255)
    )
    return lit(np.rot90(page, 3), 1 + 0.04 * fields.take(rng, "pink"))


def package(rng: np.random.Generator, fields: Fields) -> np.ndarray:
    """A box or bottle: a colour, a brand in large letters, a picture, small print, a bar code, (N, N, 3)."""
    picture = tiled(colour(rng, 1.0))
    ink = grey(0.95) if picture.mean() < 0.55 else colour(rng, 0.9) * 0.4
    band = int(rng.integers(120, 240))
    picture[band : band + 170] = photograph(rng, fields)[band : band + 170] if rng.random() < 0.6 else colour(rng, 1.0)
    write(picture, rng, (40, 30, 480, 110), rng.uniform(40, 64), ink)
    write(picture, rng, (40, band + 190, 330, 500), rng.uniform(10, 16), ink)
    bars = np.repeat(rng.random(32) < 0.5, 4)[None, :, None]
    picture[430:495, 360:488] = np.where(bars, 0.1, 0.92)
    return picture


def view(rng: np.random.Generator, fields: Fields) -> np.ndarray:
    """What is seen through a window: sky, houses with windows of their own, or trees, (N, N, 3)."""
    picture = cv2.resize(_landscape(rng, fields.smaller), (SIZE, SIZE), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.6:
        for left in np.cumsum(rng.integers(50, 140, 8)) - 60:
            width, top = int(rng.integers(60, 130)), int(rng.integers(120, 330))
            tone = 0.4 + 0.35 * colour(rng, 0.5)
            cv2.rectangle(picture, (int(left), top), (int(left) + width, SIZE), tone.tolist(), -1)
            for y in range(top + 14, SIZE, 34):
                for x in range(int(left) + 10, int(left) + width - 14, 24):
                    cv2.rectangle(picture, (x, y), (x + 11, y + 17), (tone * rng.uniform(0.3, 0.7)).tolist(), -1)
    return 0.2 + lit(0.8 * cv2.blur(picture, (3, 3)), 1 + 0.05 * fields.take(rng, "pink"))
