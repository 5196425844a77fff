"""What walls, floors and ceilings are painted with: each function returns sRGB values (N, N, 3) that tile."""

from __future__ import annotations

import cv2
import numpy as np

from .palette import brick_tone, colour, wall_paint, wood_tones
from .scene import SIZE
from .spectra import Fields, dead_leaves, grey, lit, mix, ornament, pick, rgb, stretched, tiled


def relief(field: np.ndarray, depth: float) -> np.ndarray:
    """How a surface of the height `field` (H, W) is shaded by light from above left: (H, W) float32 about 1."""
    slope = field - np.roll(field, (1, 1), (0, 1))
    return 1 + np.clip(np.float32(depth) * slope, -0.5, 0.5)


def plaster(rng: np.random.Generator, fields: Fields) -> np.ndarray:
    """A painted wall, smooth or rough-cast, with stains: (N, N, 3)."""
    rough = rng.uniform(0.01, 0.08) if rng.random() < 0.4 else 0.004
    shade = relief(fields.take(rng, "pink"), rough) * (1 + 0.015 * fields.take(rng, "smooth"))
    return lit(wall_paint(rng), shade)


def concrete(rng: np.random.Generator, fields: Fields) -> np.ndarray:
    """Bare concrete or stone: (N, N, 3)."""
    base = rng.uniform(0.4, 0.7) * rgb(1, rng.uniform(0.94, 1), rng.uniform(0.86, 1))
    shade = 1 + 0.06 * fields.take(rng, "pink") + 0.05 * fields.take(rng, "smooth")
    return lit(base, shade * relief(fields.take(rng, "pink"), 0.08))


def wallpaper(rng: np.random.Generator, fields: Fields) -> np.ndarray:
    """Printed ornaments in two or three tones on a ground, each half of them the other's mirror image: (N, N, 3)."""
    across = pick(rng, [2, 4])
    field = ornament(fields.take(rng, "smooth") + 0.3 * fields.take(rng, "pink"), across, across, rng.random() < 0.4)
    field = field / field.std()
    ground, ink, third = wall_paint(rng), colour(rng, 0.8), colour(rng, 0.7)
    ink = ground + rng.uniform(0.25, 0.9) * (ink - ground)
    first, second = (1 / (1 + np.exp(np.clip((edge - field) * 14, -30, 30))) for edge in rng.uniform(-0.3, 0.9, 2))
    picture = mix(mix(ground, ink, first), ground + 0.6 * (third - ground), second * 0.8)
    return lit(picture, 1 + 0.03 * fields.take(rng, "rough"))


def flowers(rng: np.random.Generator, fields: Fields) -> np.ndarray:
    """Blossoms and leaves scattered over a ground, as on wallpaper and cloth: (N, N, 3)."""
    scale = fields.size / SIZE
    picture = tiled(wall_paint(rng) if rng.random() < 0.6 else colour(rng, 0.8), fields.size)
    petals, leaf = colour(rng, 1.0), rgb(0.3, 0.42, 0.22) * rng.uniform(0.6, 1.5)
    for _ in range(int(rng.integers(14, 40))):
        (x, y), size = rng.uniform(0.08, 0.92, 2) * fields.size, rng.uniform(8, 24) * scale
        for turn in rng.uniform(0, 360, 3):
            tip = (float(x + 1.8 * size * np.cos(turn)), float(y + 1.8 * size * np.sin(turn)))
            cv2.ellipse(picture, (tip, (2 * size, 0.7 * size), np.degrees(turn)), leaf.tolist(), -1)
        for k in range(5):
            turn = 2 * np.pi * k / 5
            place = (float(x + 0.7 * size * np.cos(turn)), float(y + 0.7 * size * np.sin(turn)))
            shade = np.clip(petals * rng.uniform(0.75, 1.2), 0, 1).tolist()
            cv2.ellipse(picture, (place, (1.3 * size, 0.9 * size), np.degrees(turn)), shade, -1)
        cv2.circle(picture, (int(x), int(y)), int(0.3 * size), (0.75, 0.6, 0.25), -1)
    picture = cv2.blur(picture, (3, 3), borderType=cv2.BORDER_REPLICATE)
    return lit(picture, 1 + 0.05 * fields.take(rng, "pink"))


def stripes(rng: np.random.Generator, fields: Fields) -> np.ndarray:
    """Upright stripes of several tones: (N, N, 3)."""
    base, bands = wall_paint(rng), np.zeros(SIZE)
    period = pick(rng, [64, 128, 256])
    edges = np.sort(rng.integers(0, period, 2 * int(rng.integers(1, 4))))
    for number, (start, end) in enumerate(zip(edges[::2], edges[1::2])):
        bands[np.arange(SIZE) % period >= start] = 0 if number % 2 else 1
        bands[np.arange(SIZE) % period >= end] = 0
    picture = mix(base, base + rng.uniform(0.2, 0.8) * (colour(rng, 0.7) - base), np.tile(bands, (SIZE, 1)))
    return lit(picture, 1 + 0.03 * fields.take(rng, "rough"))


def tiles(rng: np.random.Generator, fields: Fields) -> np.ndarray:
    """Glazed tiles with joints, of one colour or of several, some with a picture or an ornament on them: (N, N, 3)."""
    h, w = pick(rng, [64, 128]), pick(rng, [64, 128, 256])
    palette = [wall_paint(rng), *(colour(rng, 0.9) for _ in range(pick(rng, [0, 1, 3])))]
    print_on = dead_leaves(rng, np.array([colour(rng, 0.9) for _ in range(5)]), 160, 40)
    pattern = ornament(fields.take(rng, "smooth"), 4, 4, True) > 0.3
    picture = np.zeros((SIZE, SIZE, 3), np.float32)
    for top in range(0, SIZE, h):
        for left in range(0, SIZE, w):
            part = (slice(top, top + h), slice(left, left + w))
            picture[part] = palette[int(rng.integers(len(palette)))] * rng.uniform(0.94, 1.04)
            if len(palette) > 1 and rng.random() < 0.25:
                chosen = print_on[part] if rng.random() < 0.5 else mix(palette[0], palette[-1], pattern[part])
                picture[part] = chosen
    y, x = np.arange(SIZE) % h, np.arange(SIZE) % w
    joint = np.maximum(np.clip(2.5 - np.minimum(y, h - y), 0, 1)[:, None], np.clip(2.5 - np.minimum(x, w - x), 0, 1))
    picture = mix(picture, grey(rng.uniform(0.3, 0.8)), joint.astype(np.float32))
    return lit(picture, 1 + 0.03 * fields.take(rng, "pink"))


def bricks(rng: np.random.Generator, fields: Fields) -> np.ndarray:
    """Bricks in mortar, or painted over: (N, N, 3)."""
    base, mortar = brick_tone(rng), grey(rng.uniform(0.5, 0.75))
    picture = tiled(mortar)
    height = np.zeros((SIZE, SIZE), np.float32)
    for row in range(16):
        for column in range(-1, 5):
            left, top = column * 128 + (row % 2) * 64 + int(rng.integers(-2, 3)), row * 32
            tone = (base * rng.uniform(0.65, 1.2) * (1 + rng.normal(0, 0.2, 3) * np.ptp(base))).tolist()
            cv2.rectangle(picture, (left + 3, top + 3), (left + 123, top + 28), tone, -1)
            cv2.rectangle(height, (left + 3, top + 3), (left + 123, top + 28), 1.0, -1)
    if rng.random() < 0.4:
        picture = 0.1 * picture + 0.9 * wall_paint(rng)
    shade = relief(cv2.GaussianBlur(height, (0, 0), 1.2) + 0.12 * fields.take(rng, "pink"), 0.6)
    return lit(picture, shade * (1 + 0.09 * fields.take(rng, "pink")))


def wood(rng: np.random.Generator, fields: Fields) -> np.ndarray:
    """Boards side by side, each with a grain of its own: (N, N, 3)."""
    light, dark = wood_tones(rng)
    rings = stretched(fields.take(rng, "smooth"), 24, 200)
    grain = np.sin(2 * np.pi * rng.uniform(1.0, 2.5) * rings) * 0.5 + 0.5
    fibre = stretched(fields.take(rng, "rough"), 16, SIZE) + 0.7 * stretched(fields.take(rng, "pink"), 64, SIZE)
    boards, size = pick(rng, (1, 2, 4, 8)), fields.size
    step = size // boards
    shift, tones = rng.integers(0, size, boards), rng.uniform(0.78, 1.12, boards)
    rows = [np.roll(grain[k * step : (k + 1) * step], int(s), 1) for k, s in enumerate(shift)]
    picture = mix(dark, light, 0.5 * np.concatenate(rows) + 0.4 + 0.11 * fibre)
    place = np.arange(size) % step
    gap = np.clip(1.6 - np.minimum(place, step - place), 0, 1) if boards > 1 else np.zeros(size)
    shade = np.repeat(tones, step) * (1 - 0.6 * gap)
    return lit(picture, np.tile(shade[:, None], (1, size)))


def carpet(rng: np.random.Generator, fields: Fields) -> np.ndarray:
    """Fitted carpet: pile that lies this way and that, (N, N, 3)."""
    base = colour(rng, 0.6)
    pile = 1 + 0.16 * fields.take(rng, "rough") + 0.07 * fields.take(rng, "smooth")
    return lit(mix(base, 0.6 * base + 0.4 * colour(rng), (fields.take(rng, "pink") > 0.8).astype(np.float32)), pile)
