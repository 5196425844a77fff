"""Fields with the spectra of photographs, which the surfaces of a lived-in room are painted with.

Natural images have amplitude spectra that fall as one over frequency (Field 1987), which sums of noise over octaves
and pictures of things that hide each other (dead leaves: Lee, Mumford & Huang 2001) share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import cv2
import numpy as np
from scipy import fft

from .scene import SIZE

Choice = TypeVar("Choice")


def fractals(rng: np.random.Generator, *slopes: tuple[float, float]) -> list[np.ndarray]:
    """Noises (512, 512) float32 that tile, of mean 0 and standard deviation 1, filtered from the same white one.

    The amplitude falls as frequency to the power -slope from the lowest cycles per side upwards, for each pair of both.
    """
    white = fft.rfft2(rng.standard_normal((SIZE, SIZE), np.float32))
    y, x = np.fft.fftfreq(SIZE, 1 / SIZE)[:, None], np.arange(SIZE // 2 + 1)[None]
    radius = np.hypot(x, y).astype(np.float32)
    made = []
    for slope, lowest in slopes:
        field = fft.irfft2(white * np.where(radius < lowest, 0, np.maximum(radius, 1) ** -slope), (SIZE, SIZE))
        made.append(field / field.std())
    return made


def rgb(red: float, green: float, blue: float) -> np.ndarray:
    """A colour (3,) float32."""
    return np.array([red, green, blue], np.float32)


def grey(value: float) -> np.ndarray:
    """A grey (3,) float32."""
    return np.full(3, value, np.float32)


def lit(colours: np.ndarray, shade: np.ndarray) -> np.ndarray:
    """A colour (3,) or picture (H, W, 3) times a shade (H, W): (H, W, 3) float32."""
    shade = np.ascontiguousarray(shade, np.float32)
    if colours.ndim == 1:
        return cv2.transform(shade, colours.reshape(3, 1).astype(np.float32))
    return cv2.multiply(np.ascontiguousarray(colours, np.float32), cv2.merge([shade] * 3))


def mix(first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Colours between `first` and `second`, each (3,) or (H, W, 3), by a share (H, W): (H, W, 3) float32."""
    share = np.ascontiguousarray(share, np.float32)
    if first.ndim == second.ndim == 1:
        return cv2.transform(share, np.stack([second - first, first], 1).astype(np.float32))
    pictures = [np.ascontiguousarray(np.broadcast_to(one, (*share.shape, 3)), np.float32) for one in (first, second)]
    return cv2.blendLinear(*pictures, 1 - share, share)


def tiled(colour: np.ndarray, size: int = SIZE) -> np.ndarray:
    """A page (size, size, 3) float32 of one colour (3,)."""
    return np.tile(colour.astype(np.float32), (size, size, 1))


def pick(rng: np.random.Generator, among: Sequence[Choice]) -> Choice:
    """One of several, each as likely: a quicker `rng.choice`."""
    return among[int(rng.integers(len(among)))]


@dataclass(frozen=True)
class Fields:
    """A few fractal fields that a room's pages share, as none sees two of them in the same place; each laid 2 x 2."""

    pink: np.ndarray  # (2 N, 2 N) for pages of N pixels, slope 1
    smooth: np.ndarray  # slope 1.6: larger blotches
    rough: np.ndarray  # slope 0.5, no large blotches

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Fields:
        """New fields from a generator."""
        fields = fractals(rng, (1.0, 1.0), (1.6, 1.0), (0.5, 8.0))
        return cls(*(np.tile(field, (2, 2)) for field in fields))

    @property
    def size(self) -> int:
        """Pixels of a page's side, N."""
        return len(self.pink) // 2

    @cached_property
    def smaller(self) -> Fields:
        """The same for pages of half the size."""
        size = self.size
        return Fields(*(cv2.resize(field, (size, size), interpolation=cv2.INTER_AREA)
                        for field in (self.pink, self.smooth, self.rough)))  # fmt: skip

    def take(self, rng: np.random.Generator, name: str) -> np.ndarray:
        """A field (N, N) shifted, turned and perhaps mirrored at random."""
        size = self.size
        (top, left), turn = rng.integers(0, size, 2), int(rng.integers(8))
        field = getattr(self, name)[top : top + size, left : left + size]
        field = field.T if turn & 1 else field
        return np.ascontiguousarray(field[:: 1 if turn & 2 else -1, :: 1 if turn & 4 else -1])


def stretched(field: np.ndarray, across: int, down: int) -> np.ndarray:
    """The corner of a field (N, N) that has `across` x `down` 512ths of its sides, stretched to all of it."""
    size = len(field)
    part = field[: down * size // SIZE, : across * size // SIZE]
    return cv2.resize(part, (size, size), interpolation=cv2.INTER_CUBIC)


def ornament(field: np.ndarray, across: int, down: int, fold: bool) -> np.ndarray:
    """A motif (N, N) that repeats `across` x `down` times, each its own mirror image, from a smooth field.

    Half of the columns are shifted by half a motif, as on wallpaper; with `fold` it is mirrored up and down, too.
    """
    size = len(field)
    w, h = size // across, size // down
    part = field[: h // 2 if fold else h, : w // 2]
    part = cv2.blur(part, (size // 64, size // 64))
    motif = np.concatenate([part, part[:, ::-1]], 1)
    motif = np.concatenate([motif, motif[::-1]], 0) if fold else motif
    motif = cv2.resize(motif, (w, h), interpolation=cv2.INTER_LINEAR)
    column = np.tile(motif, (down, 1))
    columns = [column if k % 2 == 0 else np.roll(column, h // 2, 0) for k in range(across)]
    return cv2.resize(np.concatenate(columns, 1), (size, size), interpolation=cv2.INTER_LINEAR)


def dead_leaves(
    rng: np.random.Generator, colours: np.ndarray, count: int, largest: float, size: int = SIZE
) -> np.ndarray:
    """Discs, ovals and boxes (size, size, 3) float32 that hide each other, radii r as r^-3 up to `largest` pixels,
    in `colours` (C, 3), each graded from one side to the other.
    """
    picture = tiled(colours[0], size)
    smallest = max(3.0, largest / 10)
    radii = 1 / np.sqrt(rng.uniform(1 / largest**2, 1 / smallest**2, count))
    places, shades, kinds = rng.integers(0, size, (count, 2)), rng.integers(0, len(colours), count), rng.random(count)
    tones, turns, flat = rng.uniform(0.65, 1.2, count), rng.uniform(0, 180, count), rng.uniform(0.4, 1, count)
    for radius, place, shade, kind, tone, turn, squeeze in zip(radii, places, shades, kinds, tones, turns, flat):
        ink = np.clip(colours[shade] * tone, 0, 1).tolist()
        axes = (float(2 * radius), float(2 * radius * squeeze))
        if kind < 0.6:
            cv2.ellipse(picture, (tuple(map(float, place)), axes, float(turn)), ink, -1)
        else:
            corners = cv2.boxPoints((tuple(map(float, place)), axes, float(turn)))
            cv2.fillConvexPoly(picture, corners.astype(np.int32), ink)
    return picture
