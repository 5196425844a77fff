"""Fields with the spectra of photographs, which the surfaces of a lived-in room are painted with.

Natural images have amplitude spectra that fall as one over frequency (Field 1987), which sums of noise over octaves
and pictures of things that hide each other (dead leaves: Lee, Mumford & Huang 2001) share.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy import fft

from .scene import SIZE



def fractal(rng: np.random.Generator, slope: float = 1.0, lowest: float = 1.0) -> np.ndarray:
    """Noise (512, 512) float32 that tiles, of mean 0 and standard deviation 1.

    Its amplitude falls as frequency to the power -slope from `lowest` cycles per side upwards.
    """
    white = fft.rfft2(rng.standard_normal((SIZE, SIZE), np.float32))
    y, x = np.fft.fftfreq(SIZE, 1 / SIZE)[:, None], np.arange(SIZE // 2 + 1)[None]
    radius = np.hypot(x, y).astype(np.float32)
    white *= np.where(radius < lowest, 0, np.maximum(radius, 1) ** -slope)
    field = fft.irfft2(white, (SIZE, SIZE))
    return ((field - field.mean()) / field.std()).astype(np.float32)


@dataclass(frozen=True)
class Fields:
    """A few fractal fields that a room's pages share, as none sees two of them in the same place."""

    pink: np.ndarray  # (512, 512), slope 1
    smooth: np.ndarray  # (512, 512), slope 1.6: larger blotches
    rough: np.ndarray  # (512, 512), slope 0.5, no large blotches

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Fields:
        """New fields from a generator."""
        return cls(fractal(rng), fractal(rng, 1.6), fractal(rng, 0.5, 8.0))

    def take(self, rng: np.random.Generator, name: str) -> np.ndarray:
        """A field (512, 512) shifted, turned and perhaps mirrored at random."""
        field = np.roll(getattr(self, name), tuple(rng.integers(0, SIZE, 2)), (0, 1))
        field = np.rot90(field, int(rng.integers(4)))
        return np.ascontiguousarray(field[:, ::-1] if rng.random() < 0.5 else field)


def stretched(field: np.ndarray, across: int, down: int) -> np.ndarray:
    """The corner of a field (512, 512) of `across` x `down` pixels, stretched to all of it."""
    return cv2.resize(field[:down, :across], (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)


def ornament(field: np.ndarray, across: int, down: int, fold: bool) -> np.ndarray:
    """A motif (512, 512) that repeats `across` x `down` times, each its own mirror image, from a smooth field.

    Half of the columns are shifted by half a motif, as on wallpaper; with `fold` it is mirrored up and down, too.
    """
    w, h = SIZE // across, SIZE // down
    part = field[: h // 2 if fold else h, : w // 2]
    motif = np.concatenate([part, part[:, ::-1]], 1)
    motif = np.concatenate([motif, motif[::-1]], 0) if fold else motif
    motif = cv2.resize(motif, (w, h), interpolation=cv2.INTER_LINEAR)
    column = np.tile(motif, (down, 1))
    columns = [column if k % 2 == 0 else np.roll(column, h // 2, 0) for k in range(across)]
    return cv2.resize(np.concatenate(columns, 1), (SIZE, SIZE), interpolation=cv2.INTER_LINEAR)


def dead_leaves(rng: np.random.Generator, colours: np.ndarray, count: int, largest: float) -> np.ndarray:
    """Discs, ovals and boxes (512, 512, 3) float32 that hide each other, radii r as r^-3 up to `largest` pixels,
    in `colours` (C, 3), each graded from one side to the other.
    """
    picture = np.tile(colours[0].astype(np.float32), (SIZE, SIZE, 1))
    smallest = max(3.0, largest / 24)
    radii = 1 / np.sqrt(rng.uniform(1 / largest**2, 1 / smallest**2, count))
    places, shades, kinds = rng.integers(0, SIZE, (count, 2)), rng.integers(0, len(colours), count), rng.random(count)
    tones, turns, flat = rng.uniform(0.65, 1.2, count), rng.uniform(0, 180, count), rng.uniform(0.4, 1, count)
    for radius, place, shade, kind, tone, turn, squeeze in zip(radii, places, shades, kinds, tones, turns, flat):
        ink = np.clip(colours[shade] * tone, 0, 1).tolist()
        size = (float(2 * radius), float(2 * radius * squeeze))
        if kind < 0.6:
            cv2.ellipse(picture, (tuple(map(float, place)), size, float(turn)), ink, -1)
        else:
            corners = cv2.boxPoints((tuple(map(float, place)), size, float(turn)))
            cv2.fillConvexPoly(picture, corners.astype(np.int32), ink)
    return picture
