"""A cloth sleeve around the forearm: floor at the cut, lining, hem, outer cloth with folds."""

from __future__ import annotations

import numpy as np

from ..geometry.smooth import smoothstep
from .asset import HandAsset
from .forearm import BARE_DISTANCES, Forearm, cut_outline, forearm_frame, forearm_skin, girth
from .shape import RestHand

# All in metres for an adult's hand
CLOTH_DISTANCES = np.array(  # rings of the outer cloth behind the hem
    [0.004, 0.010, 0.018, 0.027, 0.036, 0.045, 0.054, 0.063, 0.073, 0.083, 0.094, 0.106, 0.12, 0.14, 0.165]
    + [0.2, 0.24, 0.29, 0.35, 0.43]
)
LINING_RINGS = len(BARE_DISTANCES) - len(CLOTH_DISTANCES)
HEM_RANGE = (0.022, 0.055)  # behind the wrist, always in front of the cut
COVER = 0.008  # the hem is at least so far in front of the cut
CLEARANCE_RANGE = (0.004, 0.011)  # between skin and lining where it is tightest
THICKNESS_RANGE = (0.0012, 0.0030)
CUFF_THICKNESS = 0.0015
FOLD_WAVES = 5
FOLD_HEIGHT = (0.0006, 0.0022)  # of one wave
FOLD_LENGTH = (0.028, 0.07)


def sleeve_rings(asset: HandAsset, rest: RestHand, rng: np.random.Generator) -> np.ndarray:
    """(rings, 2 L, 3) m: out from the cut, forward as lining, round the hem, back as cloth with folds."""
    frame = forearm_frame(asset, rest)
    along, angle, radius, _ = cut_outline(asset, rest, frame)
    turn = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    hem, clearance, thickness = frame.size * rng.uniform(*zip(HEM_RANGE, CLEARANCE_RANGE, THICKNESS_RANGE))
    hem = min(hem, along.min() - COVER * frame.size)
    centre, half = opening(asset, rest, frame, hem, clearance)
    inner, outer = centre + half * turn, centre + (half + thickness) * turn
    rings = [
        (along, (radius[:, None] * turn + inner) / 2),
        (along, inner),
        ((along + hem) / 2, inner),
        (hem + 0.004 * frame.size, inner),
        (hem + thickness / 2, inner),
        (hem, (inner + outer) / 2),
        (hem + thickness / 2, outer),
    ]
    lining = np.stack([frame.place(*plane.T, distance) for distance, plane in rings])
    outside = cloth(frame, centre, half + thickness, hem, angle, (along.mean(), radius.mean()), rng)
    return np.concatenate([lining, outside])


def opening(
    asset: HandAsset, rest: RestHand, frame: Forearm, hem: float, clearance: float
) -> tuple[np.ndarray, np.ndarray]:
    """Centre and half axes (2,) of the smallest ellipse of the skin's proportions around all skin behind the hem."""
    skin = frame.local(rest.vertices[np.unique(asset.faces[forearm_skin(asset)])])
    skin = skin[skin[:, 2] > hem - 0.006 * frame.size, :2]
    low, high = skin.min(0), skin.max(0)
    centre, half = (low + high) / 2, (high - low) / 2
    reach = np.linalg.norm((skin - centre) / half, axis=1).max()
    return centre, half * reach + clearance


def cloth(
    frame: Forearm,
    centre: np.ndarray,
    half: np.ndarray,
    hem: float,
    angle: np.ndarray,
    cut: tuple[float, float],
    rng: np.random.Generator,
) -> np.ndarray:
    """(len(CLOTH_DISTANCES), 2 L, 3) m: never nearer to the skin than at the hem, wider where the forearm is.

    cut: its mean distance behind the wrist and mean radius (m).
    """
    beyond = frame.size * CLOTH_DISTANCES[:, None]
    wide = np.maximum(girth((hem + beyond) / frame.size) / girth(np.array(cut[0] / frame.size)), 1.0)
    flare = 1 + rng.uniform(0.0, 0.12) * smoothstep(0, 1, beyond / (0.2 * frame.size))
    grown = half.mean() + (wide * flare - 1) * cut[1]
    cuff = frame.size * CUFF_THICKNESS * (rng.random() < 0.4) * (beyond < frame.size * rng.uniform(0.02, 0.06))
    height = cuff + frame.size * folds(angle, CLOTH_DISTANCES[:, None], rng)
    straight = centre * (1 - smoothstep(0, 1, beyond / (0.15 * frame.size)))[..., None]
    size = half / half.mean() * grown[..., None] + height[..., None]
    plane = straight + size * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    return frame.place(plane[..., 0], plane[..., 1], hem + beyond)


def folds(angle: np.ndarray, beyond: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Height (m) of folds at angles (C,) and distances behind the hem (R, 1): slanted waves that fade at the hem."""
    height = np.zeros(np.broadcast_shapes(angle.shape, beyond.shape))
    for _ in range(FOLD_WAVES):
        strength, length, phase = rng.uniform(*FOLD_HEIGHT), rng.uniform(*FOLD_LENGTH), rng.uniform(0, 2 * np.pi)
        slant, side, spread = rng.integers(-3, 4), rng.uniform(0, 2 * np.pi), rng.uniform(0.0, 1.0)
        wave = 0.5 + 0.5 * np.sin(2 * np.pi * beyond / length + slant * angle + phase)
        height += strength * wave**2 * (1 - spread * (0.5 + 0.5 * np.cos(angle - side)))
    return height * smoothstep(0, 1, (beyond - 0.004) / 0.03)
