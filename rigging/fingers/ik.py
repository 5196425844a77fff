"""Joint angles of the fingers from bone directions: inverse kinematics with limits, for the twist of mode "ik"."""

from __future__ import annotations

import numpy as np

from ..geometry.rotations import normalise
from ..joints import JOINT_PARENTS
from .angles import direction_angles
from .chains import Chain, chain_rotations, direction_jacobian, finger_chains, pose_rotations
from .limits import DIP_PIP_RATIO, THUMB_PRONATION

_ITERATIONS = 12
_SMALL_STEP = 1e-7  # radians
_DIP_WEIGHT = 0.05  # of the soft rule DIP = 2/3 PIP, against unit weight for bone directions (all in radians)
_TWIST_WEIGHT = 0.4  # of the soft rule that the thumb's pronation follows its flexion
_LIMIT_WEIGHT = 1.0  # of the angle by which a limit is exceeded


def fit_angles(chains: tuple[Chain, ...], joints: np.ndarray, palm: np.ndarray) -> np.ndarray:
    """Joint angles (T, 21, 3), radians within limits, of target joints (T, 21, 3) with palm rotations (T, 3, 3).

    Per finger, the angles whose bone directions come nearest to the target's (Levenberg-Marquardt on all frames at
    once), with soft limits and couplings. Starts from the closed form and from the solutions of both neighbouring
    frames, and keeps the best.
    """
    local = palm_directions(joints, palm)
    angles = np.zeros((len(joints), 21, 3))
    for chain in chains:
        target = local[:, [bone - 1 for bone in chain.bones]]
        angles[:, [bone - 1 for bone in chain.bones]] = _fit_chain(chain, target)
    return angles


def palm_directions(joints: np.ndarray, palm: np.ndarray) -> np.ndarray:
    """Unit directions (T, 20, 3) of the bones of joints (T, 21, 3), forearm apart, in the palm's axes (T, 3, 3)."""
    directions = normalise(joints[:, 1:] - joints[:, list(JOINT_PARENTS[1:])])
    return np.einsum("tji,tbj->tbi", palm, directions)


def ik_rotations(rest_joints: np.ndarray, dorsal: np.ndarray, joints: np.ndarray, palm: np.ndarray) -> np.ndarray:
    """Rotations (T, 21, 3, 3) by inverse kinematics of joints (T, 21, 3): twists to use, directions nearly right.

    rest_joints (21, 3) and dorsal (5, 3) describe the rig, palm (T, 3, 3) its orientation.
    """
    chains = finger_chains(rest_joints, dorsal)
    return palm[:, None] @ pose_rotations(chains, fit_angles(chains, joints, palm))


def _fit_chain(chain: Chain, target: np.ndarray) -> np.ndarray:
    """Angles (T, 3, 3) of one chain for unit bone directions (T, 3, 3) in the palm's rest axes."""
    angles, cost = _minimise(chain, target, closed_form(chain, target))
    for shift in (1, -1) if len(target) > 1 else ():
        neighbour, neighbour_cost = _minimise(chain, target, np.roll(angles, shift, axis=0))
        better = neighbour_cost < cost - 1e-9
        angles[better], cost[better] = neighbour[better], neighbour_cost[better]
    return np.clip(angles, chain.lower, chain.upper)


def closed_form(chain: Chain, target: np.ndarray) -> np.ndarray:
    """Angles (T, 3, 3) joint by joint: flexion and abduction from each bone's direction, clipped to the limits."""
    angles = np.broadcast_to(chain.rest_angles, (len(target), 3, 3)).copy()
    before = np.broadcast_to(np.eye(3), (len(target), 3, 3))
    for k in range(3):
        found = direction_angles(before @ chain.frames[k], target[:, k])
        found[:, 2] = THUMB_PRONATION * found[:, 0]
        angles[:, k] = np.clip(found, chain.lower[k], chain.upper[k])
        before = chain_rotations(chain, angles)[0][:, k]
    return angles


def _minimise(chain: Chain, target: np.ndarray, angles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Levenberg-Marquardt with one damping per frame: angles (T, 3, 3) and costs (T,)."""
    free = chain.free
    angles, damping = angles.copy(), np.full(len(angles), 1e-3)
    residual, jacobian = _residuals(chain, target, angles)
    cost = np.sum(residual**2, axis=1)
    for _ in range(_ITERATIONS):
        normal = np.einsum("tri,trj->tij", jacobian, jacobian)
        normal += damping[:, None, None] * np.eye(len(free))
        step = np.linalg.solve(normal, np.einsum("tri,tr->ti", jacobian, residual)[..., None])[..., 0]
        trial = angles.copy()
        trial.reshape(-1, 9)[:, free] -= step
        trial_residual, trial_jacobian = _residuals(chain, target, trial)
        trial_cost = np.sum(trial_residual**2, axis=1)
        better = trial_cost < cost
        angles[better], cost[better] = trial[better], trial_cost[better]
        residual[better], jacobian[better] = trial_residual[better], trial_jacobian[better]
        damping = np.where(better, damping * 0.1, damping * 10)
        if np.abs(step).max(initial=0.0) < _SMALL_STEP:
            break
    return angles, cost


def _residuals(chain: Chain, target: np.ndarray, angles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Residuals (T, R) and their derivatives (T, R, P) by the P free angles: directions, limits, couplings."""
    rotations, axes = chain_rotations(chain, angles)
    directions = np.einsum("tkij,kj->tki", rotations, chain.directions)
    count, flat = len(target), angles.reshape(-1, 9)
    excess = flat - np.clip(flat, chain.lower.ravel(), chain.upper.ravel())
    coupling, slopes = _couplings(chain, flat)
    residual = [(directions - target).reshape(count, 9), _LIMIT_WEIGHT * excess, coupling]
    jacobian = [
        direction_jacobian(directions, axes).reshape(count, 9, 9),
        _LIMIT_WEIGHT * (excess != 0)[:, :, None] * np.eye(9),
        np.broadcast_to(slopes, (count, *slopes.shape)),
    ]
    return np.concatenate(residual, axis=1), np.concatenate(jacobian, axis=1)[:, :, chain.free]


def _couplings(chain: Chain, flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The soft rule of a chain: residuals (T, 1) of the nine angles (T, 9), and derivatives (1, 9)."""
    slopes = np.zeros((1, 9))
    if chain.lower[0, 2] < chain.upper[0, 2]:  # the thumb
        slopes[0, 2], slopes[0, 0] = _TWIST_WEIGHT, -_TWIST_WEIGHT * THUMB_PRONATION
    else:
        slopes[0, 6], slopes[0, 3] = _DIP_WEIGHT, -_DIP_WEIGHT * DIP_PIP_RATIO
    return flat @ slopes.T, slopes
