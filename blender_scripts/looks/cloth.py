"""The sleeve's cloth, painted: colours and height of plain, striped, checked, knitted and denim fabric."""

from __future__ import annotations

import cv2
import numpy as np

from .look import Cloth

SIZE = 512  # texels; u runs around the arm, v along it


def paint_cloth(cloth: Cloth) -> tuple[np.ndarray, np.ndarray]:
    """Albedo (512, 512, 3) float32 sRGB values and height (512, 512) float32, both in 0..1."""
    rng = np.random.default_rng(cloth.seed)
    v, u = np.meshgrid(np.arange(SIZE) / SIZE, np.arange(SIZE) / SIZE, indexing="ij")
    first, second, third = (np.array(colour, np.float32) for colour in cloth.colours)
    albedo = np.broadcast_to(first, (SIZE, SIZE, 3)).astype(np.float32)
    height = _threads(rng, u, v)
    if cloth.pattern == "striped":
        albedo = _bands(albedo, v, round(10 * cloth.repeats), second, third, rng)
    elif cloth.pattern == "checked":
        albedo = (_bands(albedo, v, round(7 * cloth.repeats), second, third, rng)
                  + _bands(albedo, u, round(6 * cloth.repeats), second, third, rng)) / 2  # fmt: skip
    elif cloth.pattern == "knit":
        height = _stitches(u, v, round(44 * cloth.repeats))
    elif cloth.pattern == "denim":
        twill = np.clip(0.3 * np.sin(2 * np.pi * 56 * (u + v)) + 0.35 * _clouds(rng, 128) + 0.2, 0, 1)
        albedo = first + (second - first) * twill[..., None]
    shade = 1 + 0.12 * _clouds(rng, 6) + 0.08 * _clouds(rng, 90) - 0.3 * (1 - height)
    return np.clip(albedo * shade[..., None], 0, 1).astype(np.float32), height.astype(np.float32)


def _bands(
    albedo: np.ndarray, along: np.ndarray, count: int, second: np.ndarray, third: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Stripes of two widths across `along` (0..1)."""
    phase = (along * max(count, 2) + rng.random()) % 1
    wide, thin = phase < rng.uniform(0.2, 0.6), (phase > 0.8) & (phase < 0.87)
    return np.where(wide[..., None], second, np.where(thin[..., None], third, albedo)).astype(np.float32)


def _threads(rng: np.random.Generator, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """A fine irregular weave; a regular one would make moire in small pictures."""
    wavy = 0.02 * _clouds(rng, 30)
    grid = np.sin(2 * np.pi * 48 * (u + wavy)) * np.sin(2 * np.pi * 48 * (v - wavy))
    return 0.6 + 0.12 * grid + 0.15 * _clouds(rng, 128) + 0.12 * _clouds(rng, 40)


def _stitches(u: np.ndarray, v: np.ndarray, count: int) -> np.ndarray:
    """Rows of V-shaped stitches: two slanted loops side by side."""
    column = (u * count) % 1
    slant = np.abs(column - 0.5)
    row = (v * count * 1.3 + slant * 1.2) % 1
    return np.abs(np.sin(np.pi * row)) ** 0.7 * np.sin(np.pi * (2 * slant)) ** 0.6 * 0.8 + 0.2


def _clouds(rng: np.random.Generator, cells: int) -> np.ndarray:
    """Smooth noise (SIZE, SIZE) that wraps around u, about -1..1."""
    grid = rng.uniform(-1, 1, (cells, cells)).astype(np.float32)
    grid = np.pad(grid, ((1, 1), (1, 1)), mode="wrap")
    step = SIZE // cells + 1
    smooth = cv2.resize(grid, ((cells + 2) * step,) * 2, interpolation=cv2.INTER_CUBIC)
    return smooth[step : step + SIZE, step : step + SIZE]
