"""The arm beyond the hand's cut: a second mesh of constant topology, bare or in a sleeve, rigid with bone 0.

A tube of rings that starts exactly at the cut loop (ring 0) and ends in an apex. Bare, it goes on from the cut with
the skin's own slope and swells to a forearm. In a sleeve, the same tube leaves the cut outwards, runs forward as the
lining, turns at the hem in front of the cut and goes back as the outer cloth: no view into the sleeve finds a gap.
Rolled up, the sleeve starts in the same way from the bare arm's skin, farther up.
"""

from __future__ import annotations

import numpy as np

from .asset import HandAsset
from .cuffs import LEAST_CUFF
from .forearm import BARE_DISTANCES, bare_rings
from .rolled import SKIN_DISTANCES, rolled_rings
from .shape import RestHand
from .sleeve import sleeve_rings

STYLES = ("bare", "sleeve", "rolled")
# The hand's atlas (rigging/build/uv.py) leaves this rectangle to the arm: u along the arm, v around it
UV_LOW, UV_HIGH = np.array([0.07, 0.012]), np.array([0.99, 0.188])


def arm_topology(asset: HandAsset, style: str = "bare") -> tuple[np.ndarray, np.ndarray]:
    """Faces (Fa, 3) int32, counter-clockwise from outside, the same of every arm, and texture coordinates (Fa, 3, 2).

    The texture shares the hand's atlas without overlapping it; that of a `rolled` sleeve follows its bare rings, which
    lie elsewhere. Vertices: ring 0 is `asset.cut_loop` in its order, then rings of twice as many vertices (the cut's
    directions and one between each two), then the apex.
    """
    cut, rings = len(asset.cut_loop), len(BARE_DISTANCES)
    ring, column = (np.concatenate(part) for part in zip(*(strip(k, 2 * cut, rings) for k in range(rings + 1))))
    start = np.concatenate([[0], cut + 2 * cut * np.arange(rings + 1)])
    step = np.select([ring == 0, ring == rings + 1], [column // 2 % cut, 0], column % (2 * cut))
    return (start[ring] + step).astype(np.int32), texture(ring, column / (2 * cut), style)


def skin_faces(asset: HandAsset, style: str) -> int:
    """How many of the arm's faces, the first ones, are skin; the others are cloth."""
    cut, rings = len(asset.cut_loop), len(BARE_DISTANCES)
    strips = {"bare": rings + 1, "sleeve": 0, "rolled": len(SKIN_DISTANCES)}[style]
    return sum(len(strip(ring, 2 * cut, rings)[0]) for ring in range(strips))


def strip(ring: int, columns: int, rings: int) -> tuple[np.ndarray, np.ndarray]:
    """Ring and column (n, 3) of the corners of the triangles between `ring` and the next one; columns do not wrap.

    Ring 0 has even columns only; ring `rings` + 1 is the apex.
    """
    k = np.arange(columns)
    even = k[::2]
    if ring == 0:
        fans = [(even, even + 2, even + 1), (even, even + 1, even), (even + 2, even + 2, even + 1)]
        levels = [(0, 0, 1), (0, 1, 1), (0, 1, 1)]
    elif ring == rings:
        fans, levels = [(k, k + 1, k)], [(0, 0, 1)]
    else:
        fans, levels = [(k, k + 1, k + 1), (k, k + 1, k)], [(0, 0, 1), (0, 1, 1)]
    column = np.concatenate([np.stack(fan, axis=1) for fan in fans])
    return np.concatenate([np.tile(np.add(ring, level), (len(fan[0]), 1)) for fan, level in zip(fans, levels)]), column


def texture(ring: np.ndarray, turn: np.ndarray, style: str = "bare") -> np.ndarray:
    """(..., 2) texture coordinates of a ring and a share of the turn (0 to 1) around the arm."""
    distance = np.concatenate([[0.0], BARE_DISTANCES, [BARE_DISTANCES[-1] + 0.02]])
    along = np.sqrt(distance / distance[-1])  # more texels near the hand, where views see the arm
    if style == "rolled":
        along[1 : len(SKIN_DISTANCES) + 1] = np.sqrt(SKIN_DISTANCES / distance[-1])
    return UV_LOW + (UV_HIGH - UV_LOW) * np.stack([along[ring], 1 - turn], axis=-1)


def build_arm(
    asset: HandAsset, rest: RestHand, style: str, rng: np.random.Generator, cuff: float = LEAST_CUFF
) -> np.ndarray:
    """(Va, 3) m: the arm of a rest hand, in the hand frame; it moves as bone 0 does.

    style: `bare` uses no randomness; `sleeve` draws where it ends, how wide it is and its folds; `rolled` begins
    `cuff` behind the wrist (m, of an adult) and draws the others.
    Raises ValueError for an unknown style, or a cuff that `rolled` cannot have.
    """
    if style not in STYLES:
        raise ValueError(f"unknown arm style {style!r}; allowed: {', '.join(STYLES)}")
    if style == "rolled":
        rings = rolled_rings(asset, rest, rng, cuff)
    else:
        rings = (bare_rings if style == "bare" else sleeve_rings)(asset, rest, rng)
    apex = rings[-1].mean(0)
    return np.concatenate([rest.vertices[asset.cut_loop], rings.reshape(-1, 3), apex[None]])
