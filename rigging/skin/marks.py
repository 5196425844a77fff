"""Marks on the skin: freckles, moles, age spots, and the hair of hand and forearm."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from ..geometry.smooth import smoothstep
from .anatomy import Anatomy
from .canvas import Canvas
from .noise import Noise
from .params import SkinParams


def _spots(
    canvas: Canvas,
    anatomy: Anatomy,
    side: np.ndarray,
    count: int,
    radius: tuple[float, float],
    density: tuple[float, float],
    ragged: float,
    noise: Noise,
    rng: np.random.Generator,
) -> None:
    """Soft irregular spots of melanin at random texels of `side`."""
    if count == 0 or len(side) == 0:
        return
    centre = anatomy.points[side[rng.integers(0, len(side), count)]]
    size = rng.uniform(*radius, count) * anatomy.scale
    dark = rng.uniform(*density, count)
    distance, which = cKDTree(centre).query(anatomy.points[side], distance_upper_bound=1.8 * size.max())
    hit = np.flatnonzero(np.isfinite(distance))
    which, index = which[hit], side[hit]
    edge = distance[hit] / size[which] + ragged * noise(anatomy.points[index], float(size.mean()) * 1.4)
    canvas.melanin[index] += dark[which] * smoothstep(1.25, 0.55, edge)


def paint_spots(canvas: Canvas, anatomy: Anatomy, params: SkinParams, noise: Noise, rng: np.random.Generator) -> None:
    """Freckles and age spots on the back, moles anywhere but the palm."""
    back = np.flatnonzero(anatomy.palmar < 0.1)
    _spots(
        canvas,
        anatomy,
        back[anatomy.dorsal[back] > 0.1],
        params.freckles,
        (0.0005, 0.0013),
        (0.04, 0.16),
        0.15,
        noise,
        rng,
    )
    _spots(canvas, anatomy, back, params.moles, (0.0006, 0.0015), (0.30, 0.60), 0.10, noise, rng)
    _spots(
        canvas,
        anatomy,
        back[anatomy.dorsal[back] > 0.2],
        params.age_spots,
        (0.0010, 0.0036),
        (0.05, 0.20),
        0.30,
        noise,
        rng,
    )


def paint_hair(canvas: Canvas, anatomy: Anatomy, params: SkinParams, rng: np.random.Generator) -> None:
    """Single hairs on the back of the forearm and the little finger's side of the hand, as thin darker strokes."""
    side = np.flatnonzero(
        (anatomy.dorsal > -0.35) & (anatomy.points[:, 1] < 0.05 * anatomy.scale) & (anatomy.palmar < 0.2)
    )
    if params.hairs == 0 or len(side) == 0:
        return
    points = anatomy.points[side]
    reach = max(0.08, -float(points[:, 1].min()))
    count = int(params.hairs * reach / 0.08)
    seed = side[rng.integers(0, len(side), count)]
    grown = smoothstep(0.045, -0.02, anatomy.points[seed, 1] / anatomy.scale) * smoothstep(
        -0.35, 0.3, anatomy.dorsal[seed]
    )
    root = anatomy.points[seed[rng.random(count) < grown]]
    heading = np.stack([0.55 + 0.35 * rng.standard_normal(len(root)), -1.0 + 0.3 * rng.standard_normal(len(root))], 1)
    heading /= np.linalg.norm(heading, axis=1, keepdims=True)
    length = rng.uniform(0.004, 0.011, len(root))
    steps = np.linspace(0.0, 1.0, 40)
    curl = rng.normal(0, 0.25, len(root))[:, None] * steps**2
    path = np.repeat(root[:, None], 40, 1)
    path[..., 0] += length[:, None] * (heading[:, :1] * steps - curl * heading[:, 1:])
    path[..., 1] += length[:, None] * (heading[:, 1:] * steps + curl * heading[:, :1])
    distance, nearest = cKDTree(points).query(path.reshape(-1, 3), distance_upper_bound=0.0025)
    fade = np.tile(1.0 - 0.7 * steps, len(root))
    hit = np.isfinite(distance)
    dark = np.zeros(len(side))
    np.maximum.at(dark, nearest[hit], fade[hit])
    canvas.melanin[side] += params.hair_density * dark
