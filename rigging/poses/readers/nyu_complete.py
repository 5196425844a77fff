"""The 14 points that NYU evaluations use become 21 joints, with the rig's anatomy as prior.

PALM_1..3 give the palm frame and the scale, hence wrist and thumb CMC; the thumb's other joints are among the 14. Of
a finger only the tip and the PIP are known, which leaves the DIP on a circle, with a hyper-extended solution as good
as the bent one. So each finger is a chain of known bones (MCP flexion and abduction, PIP, DIP, and a little play of
the MCP and of the plane in which the finger bends) fitted by Levenberg-Marquardt with joint limits and DIP = 2/3 PIP
as a weak prior, from several starts, all frames at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ...fingers.limits import DIP_PIP_RATIO, LIMITS
from ...geometry.rotations import kabsch
from .nyu_rig import PIP_ALONG, PIP_PALMAR, REFERENCE_SCALE, TIP_RADIUS, rig_scale, thumb_joints, unit

# Millimetres at REFERENCE_SCALE in the palm frame (radial, distal, palmar) with the wrist root as origin.
PALM_POINTS = np.array([(-17.67, 5.80, 3.71), (17.67, 5.80, 3.71), (0.0, 85.07, 0.0)])
THUMB_CMC = np.array((12.0, 30.75, 26.03))
POINT_SIGMA = 1.0  # mm, of PIP and tip
RATIO_SIGMA = 0.35  # rad, of DIP - 2/3 PIP
LIMIT_SIGMA = 0.03  # rad beyond a limit
TWIST_SIGMA = 0.12  # rad, of the plane in which PIP and DIP bend, about the proximal phalanx
START_BENDS = np.radians((10.0, 50.0, 90.0))  # of the PIP
FIRST_STEPS, LAST_STEPS = 8, 14


@dataclass(frozen=True)
class FingerChain:
    """One finger of the rig at REFERENCE_SCALE, mm."""

    name: str
    mcp: tuple[float, float, float]  # mean position in the palm frame
    play: tuple[float, float, float]  # its standard deviation
    lengths: tuple[float, float, float]  # MCP to PIP, PIP to DIP, DIP to centre of the tip's sphere
    pip_along: float  # the PIP's sphere from the PIP, along the middle phalanx
    pip_palmar: float  # ... and across, to the palm


CHAINS = tuple(
    FingerChain(name, mcp, play, lengths, PIP_ALONG[i], PIP_PALMAR[i])
    for i, (name, mcp, play, lengths) in enumerate(
        (
            ("index", (26.9, 103.7, -4.9), (1.0, 2.5, 2.5), (58.2, 23.2, 28.3)),
            ("middle", (5.1, 114.3, 2.4), (2.0, 1.0, 3.5), (52.3, 37.3, 21.2)),
            ("ring", (-20.1, 109.4, -8.1), (2.2, 3.5, 5.2), (51.3, 20.3, 26.9)),
            ("little", (-42.2, 99.1, 10.4), (2.6, 5.2, 4.6), (32.5, 24.8, 19.9)),
        )
    )
)


def _limits(chain: FingerChain) -> np.ndarray:
    """(4, 2) lowest and highest abduction, MCP, PIP, DIP flexion; abduction is from the middle axis of the palm."""
    mcp, pip, dip = (LIMITS[f"{chain.name}_{joint}"] for joint in ("mcp", "pip", "dip"))
    slack = np.radians(15)  # the fan of the metacarpals and the rig's own MCP, which reaches further back
    return np.array(
        [
            np.add(mcp.abduction, (-slack, slack)),
            np.add(mcp.flexion, (-slack, slack)),
            pip.flexion,
            np.add(dip.flexion, (-slack, 0)),
        ]
    )


@dataclass(frozen=True)
class _Axes:
    """The frame of the proximal phalanx of N states, with derivatives by abduction, flexion and twist; all (N, 3).

    `bone` runs along it; `bend` is where PIP and DIP bend to: the palmar direction, turned about the bone by the twist.
    """

    bone: np.ndarray
    bend: np.ndarray
    bone_by: tuple[np.ndarray, np.ndarray, np.ndarray]
    bend_by: tuple[np.ndarray, np.ndarray, np.ndarray]

    def turned(self, angle: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """The bone bent on by `angle` (N,), its palmar direction, and the derivatives of both, (N, 3, 3)."""
        cosine, sine = np.cos(angle)[:, None], np.sin(angle)[:, None]
        pairs = list(zip(self.bone_by, self.bend_by))
        return (
            cosine * self.bone + sine * self.bend,
            cosine * self.bend - sine * self.bone,
            np.stack([cosine * bone + sine * bend for bone, bend in pairs], -1),
            np.stack([cosine * bend - sine * bone for bone, bend in pairs], -1),
        )


def _axes(abduction: np.ndarray, flexion: np.ndarray, twist: np.ndarray) -> _Axes:
    """Of angles (N,) in the palm frame (radial, distal, palmar)."""
    ca, sa, cf, sf = (f(angle)[:, None] for angle in (abduction, flexion) for f in (np.cos, np.sin))
    ct, st = np.cos(twist)[:, None], np.sin(twist)[:, None]
    ahead, up = np.concatenate([sa, ca, 0 * ca], 1), np.array([(0.0, 0.0, 1.0)])
    side = np.concatenate([ca, -sa, 0 * ca], 1)
    bone, palmar = cf * ahead + sf * up, cf * up - sf * ahead
    bend_by = (-ct * sf * side - st * ahead, -ct * bone, ct * side - st * palmar)
    return _Axes(bone, ct * palmar + st * side, (cf * side, palmar, 0 * side), bend_by)


def _chain(chain: FingerChain, state: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Forward kinematics of states (N, 8): MCP offset (3), abduction, MCP, PIP, DIP flexion, twist.

    Returns MCP, PIP, DIP, tip centre (N, 4, 3), and the two observed spheres (N, 6) with derivatives (N, 6, 8).
    """
    first, second, third = chain.lengths
    axes = _axes(state[:, 3], state[:, 4], state[:, 7])
    middle, palmar, middle_by, palmar_by = axes.turned(state[:, 5])
    outer, outer_palmar, outer_by, _ = axes.turned(state[:, 5] + state[:, 6])
    mcp = np.array(chain.mcp) + state[:, :3]
    pip = mcp + first * axes.bone
    dip = pip + second * middle
    tip = dip + third * outer
    sphere = pip + chain.pip_along * middle + chain.pip_palmar * palmar
    jacobian = np.zeros((len(state), 6, 8))
    jacobian[:, :3, :3] = jacobian[:, 3:, :3] = np.eye(3)
    by = first * np.stack(axes.bone_by, -1)
    jacobian[:, :3, [3, 4, 7]] = by + chain.pip_along * middle_by + chain.pip_palmar * palmar_by
    jacobian[:, :3, 5] = chain.pip_along * palmar - chain.pip_palmar * middle
    jacobian[:, 3:, [3, 4, 7]] = by + second * middle_by + third * outer_by
    jacobian[:, 3:, 6] = third * outer_palmar
    jacobian[:, 3:, 5] = second * palmar + jacobian[:, 3:, 6]
    return np.stack([mcp, pip, dip, tip], 1), np.concatenate([sphere, tip], 1), jacobian


def _residuals(chain: FingerChain, state: np.ndarray, observed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Residuals (N, 15) over their standard deviations and derivatives (N, 15, 8)."""
    _, spheres, spheres_by = _chain(chain, state)
    low, high = _limits(chain).T
    angles = state[:, 3:7]
    beyond = np.maximum(angles - high, 0) + np.minimum(angles - low, 0)
    ratio = state[:, 6:7] - DIP_PIP_RATIO * state[:, 5:6]
    residuals = np.concatenate(
        [
            (spheres - observed) / POINT_SIGMA,
            state[:, :3] / np.array(chain.play),
            ratio / RATIO_SIGMA,
            beyond / LIMIT_SIGMA,
            state[:, 7:] / TWIST_SIGMA,
        ],
        axis=1,
    )
    jacobian = np.zeros((len(state), 15, 8))
    jacobian[:, :6] = spheres_by / POINT_SIGMA
    jacobian[:, range(6, 9), range(3)] = 1 / np.array(chain.play)
    jacobian[:, 9, 5], jacobian[:, 9, 6] = -DIP_PIP_RATIO / RATIO_SIGMA, 1 / RATIO_SIGMA
    jacobian[:, range(10, 14), range(3, 7)] = (beyond != 0) / LIMIT_SIGMA
    jacobian[:, 14, 7] = 1 / TWIST_SIGMA
    return residuals, jacobian


def _levenberg_marquardt(
    chain: FingerChain, state: np.ndarray, observed: np.ndarray, steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """States (N, 7) after some steps, each row with its own damping, and their costs (N,)."""
    damping = np.full(len(state), 1e-2)
    residuals, jacobian = _residuals(chain, state, observed)
    cost = (residuals**2).sum(1)
    for _ in range(steps):
        normal = np.swapaxes(jacobian, 1, 2) @ jacobian
        diagonal = np.einsum("nii->ni", normal)
        diagonal *= 1 + damping[:, None]
        gradient = np.einsum("nri,nr->ni", jacobian, residuals)
        trial = state - np.linalg.solve(normal, gradient[..., None])[..., 0]
        new_residuals, new_jacobian = _residuals(chain, trial, observed)
        new_cost = (new_residuals**2).sum(1)
        better = new_cost < cost
        state = np.where(better[:, None], trial, state)
        residuals = np.where(better[:, None], new_residuals, residuals)
        jacobian = np.where(better[:, None, None], new_jacobian, jacobian)
        cost = np.where(better, new_cost, cost)
        damping = np.where(better, damping / 5, damping * 8).clip(1e-9, 1e9)
    return state, cost


def fit_finger(chain: FingerChain, pip: np.ndarray, tip: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """MCP, PIP, DIP and tip centre (N, 4, 3), and the worse of the two point errors (N,), from sphere centres.

    `pip` and `tip` (N, 3) are KNU2_B and KNU3_A in the palm frame, mm at REFERENCE_SCALE, as are the results.
    """
    observed = np.concatenate([pip, tip], axis=1)
    line = pip - np.array(chain.mcp)
    abduction = np.arctan2(line[:, 0], np.abs(line[:, 1]))
    flexion = np.arctan2(line[:, 2], line[:, 1])
    limits = _limits(chain)
    fits = []
    for bend in START_BENDS:
        angles = np.stack([abduction, flexion, np.full_like(flexion, bend), np.full_like(flexion, bend) * 2 / 3], 1)
        angles = angles.clip(limits[:, 0], limits[:, 1])
        start = np.concatenate([np.zeros((len(pip), 3)), angles, np.zeros((len(pip), 1))], axis=1)
        fits.append(_levenberg_marquardt(chain, start, observed, FIRST_STEPS))
    best = np.argmin([cost for _, cost in fits], axis=0)
    state = np.stack([state for state, _ in fits])[best, np.arange(len(pip))]
    state, _ = _levenberg_marquardt(chain, state, observed, LAST_STEPS)
    joints, spheres, _ = _chain(chain, state)
    errors = np.linalg.norm((spheres - observed).reshape(-1, 2, 3), axis=-1).max(1)
    return joints, errors


def complete(points: np.ndarray, tip: Literal["skin", "centre"] = "skin") -> tuple[np.ndarray, np.ndarray]:
    """Joints (N, 21, 3) from the 14 points (N, 14, 3) in the order of SUBSET_14, both in mm, right-handed.

    Also returns how far (N,) the worst of the given points is from the fitted rig, mm. Points must be finite.
    """
    points = np.asarray(points, float)
    size = (rig_scale(points[:, 11:14]) / REFERENCE_SCALE)[:, None]
    palm = points[:, 11:14]
    rotation = kabsch(np.broadcast_to(PALM_POINTS, palm.shape), palm)
    origin = palm.mean(1) - size * (rotation @ PALM_POINTS.mean(0))
    local = np.einsum("nji,nkj->nki", rotation, points - origin[:, None]) / size[:, None]
    worst = np.linalg.norm(local[:, 11:14] - PALM_POINTS, axis=-1).max(1)
    joints = np.zeros((len(points), 21, 3))
    joints[:, 1] = THUMB_CMC
    joints[:, 2:5] = thumb_joints(local[:, [8, 9, 10]], np.ones((len(points), 1)), tip)
    for finger, chain in enumerate(CHAINS):
        row = 6 - 2 * finger  # the 14 start with the little finger, tip then PIP
        fitted, errors = fit_finger(chain, local[:, row + 1], local[:, row])
        fitted[:, 3] += (tip == "skin") * TIP_RADIUS[finger] * unit(fitted[:, 3] - fitted[:, 2])
        joints[:, 4 * finger + 5 : 4 * finger + 9] = fitted
        worst = np.maximum(worst, errors)
    return origin[:, None] + size[:, None] * np.einsum("nij,nkj->nki", rotation, joints), worst * size[:, 0]
