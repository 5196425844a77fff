"""Draws plausible joint angles: mixtures of anchors with synergy-correlated noise, inside the limits.

Synergies: principal components of the anchors' own angles, in the sense of Santello, Flanders & Soechting (1998),
Postural hand synergies for tool use, J Neurosci 18:10105. Couplings: neighbouring fingers' noise is correlated; DIP is
drawn to 2/3 PIP and abduction to 0 as the MCP joint flexes (Lin, Wu & Huang 2000).
All functions are vectorised over poses and deterministic in the uniform numbers they are given.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from ...fingers.kinematics import ANGLES, CUP, angle_limits
from ...fingers.limits import DIP_PIP_RATIO
from .anchors import AWAY, GROUPS, Anchor

# Share of each group of anchors, in the order of GROUPS (grasp, asl, count, gesture).
_GROUP_SHARES = (0.42, 0.2, 0.1, 0.28)
_MIXTURE_SHARES = (0.35, 0.4, 0.25)  # of 1, 2 and 3 anchors
_SYNERGIES = 6
_SYNERGY_NOISE = 0.3  # of the anchors' own spread
_NEIGHBOURS = 0.5  # correlation of the noise of adjacent fingers
# Standard deviations of the rest of the noise; neighbouring fingers tend to spread together, away from the middle one.
_NOISE = np.radians([9, 9, 10, 3, 10, *4 * (8, 4, 9, 6), 1.5, 2.5]) * AWAY
# One more synergy, of the thumb: the metacarpal moves out and back while the MCP joint bends; the tip keeps its place.
_THUMB_SYNERGY = np.radians([14, -10, 16, 0, 0])
_DIP_PULL = 0.3
# Uniform numbers per pose: mixture size, 3 anchors, 3 weights of the hand and of each finger, two noises.
DRAWS = 1 + 3 + 3 + 15 + 2 * ANGLES
_FINGER_OF_ANGLE = np.array([*5 * [0], *4 * [1], *4 * [2], *4 * [3], *4 * [4], 3, 4])


@dataclass(frozen=True)
class Sampler:
    """What the draws need of the anchors."""

    angles: np.ndarray  # (A, 23) radians
    cumulative: np.ndarray  # (A,) cumulative shares
    synergies: np.ndarray  # (23, K) principal components, scaled to standard deviations


def make_sampler(anchors: tuple[Anchor, ...]) -> Sampler:
    """A sampler of these anchors."""
    angles = np.stack([anchor.angles for anchor in anchors])
    counts = [sum(anchor.group == group for anchor in anchors) for group in GROUPS]
    shares = np.array([_GROUP_SHARES[GROUPS.index(a.group)] / counts[GROUPS.index(a.group)] for a in anchors])
    variances, vectors = np.linalg.eigh(np.cov(angles.T))
    vectors = vectors * np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(ANGLES)])
    largest = slice(-1, -1 - _SYNERGIES, -1)
    return Sampler(angles, np.cumsum(shares) / shares.sum(), vectors[:, largest] * np.sqrt(variances[largest]))


def draw_poses(sampler: Sampler, uniform: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Poses (N, 23) and their main anchors (N, 23), radians, for uniform numbers (N, DRAWS) in (0, 1).

    The poses are inside the limits but may penetrate themselves.
    """
    size, choice, hand, finger, noise = np.split(uniform, [1, 4, 7, 22], axis=1)
    chosen = sampler.angles[np.minimum(np.searchsorted(sampler.cumulative, choice), len(sampler.angles) - 1)]
    used = np.arange(3) < 1 + np.searchsorted(np.cumsum(_MIXTURE_SHARES)[:2], size)  # (N, 3)
    shared = -np.log(hand) * used  # Dirichlet(1, 1, 1) as normalised exponentials
    own = -np.log(finger).reshape(-1, 5, 3) * used[:, None]
    weights = shared[:, None] / shared.sum(axis=1)[:, None, None] + 0.5 * own / own.sum(axis=2, keepdims=True)
    weights = (weights / weights.sum(axis=2, keepdims=True))[:, _FINGER_OF_ANGLE]  # (N, 23, 3)
    mixed = np.einsum("njk,nkj->nj", weights, chosen)
    main = chosen[np.arange(len(chosen)), shared.argmax(axis=1)]
    return couple(mixed + _noise(sampler, noise)), main


def _noise(sampler: Sampler, uniform: np.ndarray) -> np.ndarray:
    normal = np.clip(ndtri(uniform), -2.5, 2.5)
    synergy = _SYNERGY_NOISE * normal[:, : sampler.synergies.shape[1]] @ sampler.synergies.T
    synergy[:, :5] += normal[:, ANGLES - 1 : ANGLES] * _THUMB_SYNERGY
    rest = normal[:, ANGLES:].copy()
    for finger in range(2, 5):  # a chain: each finger follows the one before
        before, here = rest[:, 4 * finger - 3 : 4 * finger + 1], rest[:, 4 * finger + 1 : 4 * finger + 5]
        here *= np.sqrt(1 - _NEIGHBOURS**2)
        here += _NEIGHBOURS * before
    return synergy + rest * _NOISE


def couple(angles: np.ndarray) -> np.ndarray:
    """Angles (N, 23) with the couplings within fingers applied and cut to the limits."""
    coupled = angles.copy()
    fingers = coupled[:, 5:21].reshape(-1, 4, 4)  # a view: MCP flexion, abduction, PIP, DIP
    flexed = np.clip(fingers[..., 0] / np.radians(80), 0, 1)
    fingers[..., 1] *= 1 - 0.5 * flexed**2
    fingers[..., 3] += _DIP_PULL * (DIP_PIP_RATIO * fingers[..., 2] - fingers[..., 3])
    coupled[:, 5:21] = fingers.reshape(-1, 16)
    low, high = angle_limits().T
    coupled[:, CUP] = np.maximum(coupled[:, CUP], 0)
    return np.clip(coupled, low, high)
