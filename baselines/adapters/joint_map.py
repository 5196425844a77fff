"""A fixed linear map from one definition of the joints to another's.

Data sets mean different points by the same names (a wrist, a knuckle, a fingertip), which can count for more than
methods do. The map is fitted on a part of the data that is not scored, and a figure that used it says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rigging.errors import InputError

RIDGE = 1e-3  # of the joints' mean square: what keeps joints on a line from cancelling each other


@dataclass(frozen=True)
class JointMap:
    """Joints of one definition as fixed mixtures of another's, the same wherever and however a hand is held."""

    matrix: np.ndarray  # (21, 21) float64; rows sum to 1
    samples: int  # it was fitted on
    residual: float  # m, mean distance left on them
    before: float  # m, mean distance without the map

    def __call__(self, joints: np.ndarray) -> np.ndarray:
        """Joints (..., 21, 3) m, in any axes, as the other definition has them."""
        return np.einsum("jk,...ki->...ji", self.matrix, joints)

    def __str__(self) -> str:
        return (
            f"joint map fitted on {self.samples} other samples: {1000 * self.before:.2f} mm before, "
            f"{1000 * self.residual:.2f} mm after"
        )


def fit_joint_map(source: np.ndarray, target: np.ndarray, ridge: float = RIDGE) -> JointMap:
    """The map M with the least sum |M source - target|^2 + ridge |M - 1|^2 for poses (n, 21, 3) m in the same axes.

    Rows of M sum to 1, so that it commutes with shifts; it commutes with rotations as it mixes whole points. Poses that
    are relative to their own roots give a map that keeps the root. Raises InputError for poses that do not match.
    """
    source, target = np.asarray(source, float), np.asarray(target, float)
    if source.shape != target.shape or source.shape[1:] != (21, 3) or not len(source):
        raise InputError(f"joint map: poses (n, 21, 3) are wanted, got {source.shape} and {target.shape}")
    if not (np.isfinite(source).all() and np.isfinite(target).all()):
        raise InputError("joint map: poses have to be finite")
    root = source[:, :1]
    x, y = ((points - root).transpose(0, 2, 1).reshape(-1, 21) for points in (source, target))
    x = x[:, 1:]
    # Unknown: weights of joints 1 to 20; joint 0 has what is left to 1. Ridge pulls towards every joint as itself.
    damping = ridge * np.mean(x**2) * len(x)
    itself = np.eye(21)[1:]
    weights = np.linalg.solve(x.T @ x + damping * np.eye(20), x.T @ y + damping * itself)  # (20, 21)
    matrix = np.concatenate([1 - weights.sum(axis=0, keepdims=True), weights]).T
    fitted = JointMap(matrix, len(source), 0.0, _distance(source, target))
    return JointMap(matrix, len(source), _distance(fitted(source), target), fitted.before)


def disjoint_parts(groups: np.ndarray, share: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Rows to fit on and rows to score, (a,) and (b,), of samples of `groups` (n,): no group (sequence) is in both.

    About `share` of the groups, at least one, goes to the fit. Raises InputError for fewer than two groups.
    """
    names = np.unique(groups)
    if len(names) < 2:
        raise InputError(f"joint map: one sequence only ({names}); it cannot be fitted on one and scored on another")
    count = min(max(round(share * len(names)), 1), len(names) - 1)
    fitted = np.isin(groups, rng.permutation(names)[:count])
    return np.flatnonzero(fitted), np.flatnonzero(~fitted)


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.linalg.norm(a - b, axis=-1).mean())
