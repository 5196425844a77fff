"""Alignments of predictions to labels. Each is a similarity per sample, so that it can move joints and vertices alike.

All take (n, K, 3) metres of any frame and `valid` (n, K), and return a `Similarity` that takes predictions to labels;
it is NaN where a sample lacks what the alignment needs. `root_relative` and its kin return the moved predictions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .check import checked_joint, checked_points

WRIST = 0
MIDDLE_MCP = 9


@dataclass(frozen=True)
class Similarity:
    """x goes to scale * rotation @ (x - source) + target."""

    scale: np.ndarray  # (n,)
    rotation: np.ndarray  # (n, 3, 3)
    source: np.ndarray  # (n, 3) m
    target: np.ndarray  # (n, 3) m; NaN where there is no alignment

    def apply(self, points: np.ndarray) -> np.ndarray:
        """The points (n, K, 3), moved."""
        turned = (points - self.source[:, None]) @ np.swapaxes(self.rotation, 1, 2)
        return self.scale[:, None, None] * turned + self.target[:, None]


def fit_nothing(pred: np.ndarray) -> Similarity:
    """Predictions (n, K, 3) stay where they are (absolute error in camera space)."""
    zero = np.zeros((len(pred), 3))
    return Similarity(np.ones(len(pred)), _upright(len(pred)), zero, zero)


def fit_root(pred: np.ndarray, true: np.ndarray, valid: np.ndarray | None = None, root: int = WRIST) -> Similarity:
    """The roots coincide. Needs the root; pred and true (n, K, 3), valid (n, K)."""
    pred, true, valid = checked_points(pred, true, valid)
    checked_joint(root, pred.shape[1], "the root")
    return _about_root(pred, true, np.ones(len(pred)), root, valid[:, root])


def fit_centroid(pred: np.ndarray, true: np.ndarray, valid: np.ndarray | None = None) -> Similarity:
    """The means of the valid joints coincide: for data without a root. pred and true (n, K, 3), valid (n, K)."""
    pred, true, valid = checked_points(pred, true, valid)
    count = valid.sum(axis=1)
    source, target = (points.sum(axis=1) / np.maximum(count, 1)[:, None] for points in (pred, true))
    return Similarity(np.ones(len(pred)), _upright(len(pred)), source, _where(count > 1, target))


def fit_bone(
    pred: np.ndarray,
    true: np.ndarray,
    valid: np.ndarray | None = None,
    root: int = MIDDLE_MCP,
    bone: tuple[int, int] = (WRIST, MIDDLE_MCP),
) -> Similarity:
    """The roots coincide and a bone has its true length: scale |true bone| / |predicted bone| (HaMuCo's code).

    Needs the root and both ends of the bone. A predicted bone of length zero gives scale 0: all joints on the root.
    pred and true (n, K, 3), valid (n, K).
    """
    pred, true, valid = checked_points(pred, true, valid)
    checked_joint(root, pred.shape[1], "the root")
    for joint in bone:
        checked_joint(joint, pred.shape[1], "the end of the bone")
    start, end = bone
    lengths = [np.linalg.norm(points[:, end] - points[:, start], axis=-1) for points in (true, pred)]
    return _about_root(pred, true, _ratio(*lengths), root, valid[:, [root, start, end]].all(axis=1))


def fit_least_squares(
    pred: np.ndarray, true: np.ndarray, valid: np.ndarray | None = None, root: int = WRIST
) -> Similarity:
    """The roots coincide and the scale s >= 0 has the least squared error (Rhodin et al. 2018, section 4).

    With p and t relative to the root, s = max(0, sum p.t / sum p.p); 0 for p = 0. Needs the root and another joint.
    pred and true (n, K, 3), valid (n, K).
    """
    pred, true, valid = checked_points(pred, true, valid)
    checked_joint(root, pred.shape[1], "the root")
    p, t = (np.where(valid[..., None], points - points[:, root, None], 0.0) for points in (pred, true))
    scale = np.maximum(_ratio(_total(p * t), _total(p * p)), 0)
    return _about_root(pred, true, scale, root, valid[:, root] & (valid.sum(axis=1) > 1))


def fit_procrustes(
    pred: np.ndarray, true: np.ndarray, valid: np.ndarray | None = None, mirror: bool = False
) -> Similarity:
    """The similarity of least squared error (Umeyama 1991), in closed form. Needs three joints.

    `mirror` also allows reflections, which FreiHAND's evaluation does (scipy's orthogonal_procrustes).
    pred and true (n, K, 3), valid (n, K).
    """
    pred, true, valid = checked_points(pred, true, valid)
    count = np.maximum(valid.sum(axis=1), 1)[:, None]
    source, target = pred.sum(axis=1) / count, true.sum(axis=1) / count
    p, t = (np.where(valid[..., None], x - mean[:, None], 0.0) for x, mean in ((pred, source), (true, target)))
    u, singular, vt = np.linalg.svd(np.swapaxes(t, 1, 2) @ p)
    signs = np.ones((len(pred), 3))
    if not mirror:
        signs[:, 2] = np.sign(np.linalg.det(u @ vt))
    scale = _ratio((singular * signs).sum(axis=1), _total(p * p))
    return Similarity(scale, (u * signs[:, None]) @ vt, source, _where(valid.sum(axis=1) > 2, target))


def root_relative(pred: np.ndarray, true: np.ndarray, valid: np.ndarray | None = None, root: int = WRIST) -> np.ndarray:
    """Predictions (n, K, 3) m moved so that the roots coincide."""
    return fit_root(pred, true, valid, root).apply(np.asarray(pred, float))


def bone_scaled(
    pred: np.ndarray,
    true: np.ndarray,
    valid: np.ndarray | None = None,
    root: int = MIDDLE_MCP,
    bone: tuple[int, int] = (WRIST, MIDDLE_MCP),
) -> np.ndarray:
    """Predictions (n, K, 3) m with the labels' root and length of one bone."""
    return fit_bone(pred, true, valid, root, bone).apply(np.asarray(pred, float))


def least_squares_scaled(
    pred: np.ndarray, true: np.ndarray, valid: np.ndarray | None = None, root: int = WRIST
) -> np.ndarray:
    """Predictions (n, K, 3) m with the labels' root and the best scale."""
    return fit_least_squares(pred, true, valid, root).apply(np.asarray(pred, float))


def procrustes_aligned(
    pred: np.ndarray, true: np.ndarray, valid: np.ndarray | None = None, mirror: bool = False
) -> np.ndarray:
    """Predictions (n, K, 3) m after the best similarity."""
    return fit_procrustes(pred, true, valid, mirror).apply(np.asarray(pred, float))


def _about_root(pred: np.ndarray, true: np.ndarray, scale: np.ndarray, root: int, known: np.ndarray) -> Similarity:
    return Similarity(scale, _upright(len(pred)), pred[:, root], _where(known, true[:, root]))


def _upright(count: int) -> np.ndarray:
    return np.broadcast_to(np.eye(3), (count, 3, 3))


def _where(known: np.ndarray, target: np.ndarray) -> np.ndarray:
    return np.where(known[:, None], target, np.nan)


def _total(products: np.ndarray) -> np.ndarray:
    """Sum over points and axes of (n, K, 3), in the same order whatever n is."""
    return products.sum(axis=1).sum(axis=1)


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """above / below, and 0 where below is 0."""
    return np.divide(above, below, out=np.zeros_like(below), where=below > 0)
