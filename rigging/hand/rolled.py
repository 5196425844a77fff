"""A sleeve rolled or pushed up the forearm: bare skin, then the cloth, which follows the arm that goes on within it."""

from __future__ import annotations

import numpy as np

from ..geometry.smooth import smoothstep
from .asset import HandAsset
from .cuffs import LEAST_CUFF, MOST_CUFF
from .forearm import BARE_DISTANCES, cut_outline, forearm_frame, rings_beyond
from .shape import RestHand
from .sleeve import CLEARANCE_RANGE, CUFF_THICKNESS, HEM_RANGE, THICKNESS_RANGE, folds

# All in metres for an adult's hand
SKIN_DISTANCES = np.array([0.004, 0.015, 0.03, 0.049, 0.072, 0.099, 0.13, 0.165])  # bare rings, from the cut
LINING_RINGS = 6
CLOTH_RINGS = len(BARE_DISTANCES) - len(SKIN_DISTANCES) - LINING_RINGS
_HEM = 0.004  # of cloth that is as wide as the hem


def rolled_rings(asset: HandAsset, rest: RestHand, rng: np.random.Generator, cuff: float) -> np.ndarray:
    """(rings, 2 L, 3) m: the bare arm, off its skin deep in the sleeve, forward as lining, round the hem at `cuff` m
    behind the wrist (of an adult), back as cloth with folds. Raises ValueError for a cuff that cannot be.
    """
    if not LEAST_CUFF <= cuff <= MOST_CUFF:
        raise ValueError(f"cuff is {cuff}; allowed for a rolled sleeve is {LEAST_CUFF:g} to {MOST_CUFF:g} m")
    frame = forearm_frame(asset, rest)
    along, angle, radius, _ = cut_outline(asset, rest, frame)
    hem = cuff - along.mean() / frame.size
    _, clearance, thickness = rng.uniform(*zip(HEM_RANGE, CLEARANCE_RANGE, THICKNESS_RANGE))
    beyond = (BARE_DISTANCES[-1] - hem) * np.linspace(0, 1, CLOTH_RINGS + 1)[1:] ** 1.4
    height = cloth_height(angle, beyond, radius.mean() / frame.size, rng)
    inner, outer, deep = clearance, clearance + thickness, SKIN_DISTANCES[-1]
    turn = [(deep, inner), ((deep + hem) / 2, inner), (hem + _HEM, inner), (hem + thickness / 2, inner),
            (hem, (inner + outer) / 2), (hem + thickness / 2, outer)]  # fmt: skip
    distances = np.concatenate([SKIN_DISTANCES, [distance for distance, _ in turn], hem + beyond])
    lining = np.broadcast_to(np.array([out for _, out in turn])[:, None], (len(turn), len(angle)))
    out = np.concatenate([np.zeros((len(SKIN_DISTANCES), len(angle))), lining, outer + height])
    return rings_beyond(asset, rest, frame, distances, frame.size * out)


def cloth_height(angle: np.ndarray, beyond: np.ndarray, radius: float, rng: np.random.Generator) -> np.ndarray:
    """(R, C) m of the cloth above its tightest, at distances behind the hem (R,) and angles (C,): flare, cuff, folds.

    radius: m, of the arm at the cut.
    """
    beyond = beyond[:, None]
    flare = rng.uniform(0.0, 0.12) * radius * smoothstep(0, 1, beyond / 0.2)
    cuff = CUFF_THICKNESS * (rng.random() < 0.4) * (beyond < rng.uniform(0.02, 0.06))
    return flare + cuff + folds(angle, beyond, rng)
