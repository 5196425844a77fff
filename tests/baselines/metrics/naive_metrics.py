"""Literal definitions of the metrics, one number at a time, and hands to try them on."""

from __future__ import annotations

import math

import numpy as np
from scipy.linalg import orthogonal_procrustes
from scipy.optimize import least_squares, minimize
from scipy.spatial.distance import cdist
from scipy.spatial.transform import Rotation


def hands(seed: int, count: int = 6, joints: int = 21, noise: float = 0.01) -> tuple[np.ndarray, np.ndarray]:
    """Predictions and labels (count, joints, 3) m: clouds the size of a hand, half a metre away."""
    rng = np.random.default_rng(seed)
    true = rng.normal(scale=0.04, size=(count, joints, 3)) + [0, 0, 0.5]
    return true + rng.normal(scale=noise, size=true.shape), true


def moved(points: np.ndarray, seed: int) -> np.ndarray:
    """Each sample under a similarity of its own."""
    rng = np.random.default_rng(seed)
    turn = Rotation.random(len(points), random_state=seed).as_matrix()
    scale = rng.uniform(0.5, 2, size=(len(points), 1, 1))
    return scale * points @ np.swapaxes(turn, 1, 2) + rng.normal(size=(len(points), 1, 3))


def naive_errors(pred: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Distances in mm, one at a time."""
    return np.array([[1000 * math.dist(p, t) for p, t in zip(*pair)] for pair in zip(pred, true)])


def naive_root_relative(pred: np.ndarray, true: np.ndarray, root: int) -> np.ndarray:
    return np.array([[math.dist(a - p[root], b - t[root]) * 1000 for a, b in zip(p, t)] for p, t in zip(pred, true)])


def naive_bone(pred: np.ndarray, true: np.ndarray) -> np.ndarray:
    """HaMuCo's code: root 9, scale by the bone 0-9."""
    rows = []
    for p, t in zip(pred, true):
        scale = math.dist(t[9], t[0]) / math.dist(p[9], p[0])
        rows.append([1000 * math.dist(scale * (a - p[9]), b - t[9]) for a, b in zip(p, t)])
    return np.array(rows)


def naive_least_squares(pred: np.ndarray, true: np.ndarray, root: int) -> np.ndarray:
    """The scale is looked for, not computed."""
    rows = []
    for p, t in zip(pred - pred[:, root, None], true - true[:, root, None]):
        scale = minimize(lambda s, p=p, t=t: 1e4 * ((s[0] * p - t) ** 2).sum(), [1.0], tol=1e-14).x[0]
        rows.append(1000 * np.linalg.norm(scale * p - t, axis=1))
    return np.array(rows)


def freihand_aligned(pred: np.ndarray, true: np.ndarray) -> np.ndarray:
    """One hand (K, 3) as FreiHAND's evaluation aligns it: both of norm 1, scipy's Procrustes, scale by its trace."""
    p, t = pred - pred.mean(axis=0), true - true.mean(axis=0)
    size_p, size_t = np.linalg.norm(p), np.linalg.norm(t)
    turn, scale = orthogonal_procrustes(t / size_t, p / size_p)
    return (p / size_p) @ turn.T * scale * size_t + true.mean(axis=0)


def squared_error_of_best_similarity(pred: np.ndarray, true: np.ndarray, seed: int) -> float:
    """The least squared error of s R p + t over proper rotations, found by descent from several starts."""
    p, t = pred - pred.mean(axis=0), true - true.mean(axis=0)

    def residuals(x: np.ndarray) -> np.ndarray:
        return (x[3] * p @ Rotation.from_rotvec(x[:3]).as_matrix().T - t).ravel()

    starts = Rotation.random(8, random_state=seed).as_rotvec()
    found = [least_squares(residuals, [*start, 1.0], bounds=([-9] * 3 + [0], 9), xtol=1e-12) for start in starts]
    return 2 * min(result.cost for result in found)


def freihand_auc(errors: np.ndarray, low: float, high: float) -> float:
    """EvalUtil's: PCK of every keypoint at 100 thresholds, the trapezoidal rule, the mean over keypoints."""
    thresholds = np.linspace(low, high, 100)
    areas = []
    for keypoint in errors.T:
        kept = [e for e in keypoint if not math.isnan(e)]
        if kept:
            curve = [np.mean([e <= threshold for e in kept]) for threshold in thresholds]
            areas.append(trapezoid(curve, thresholds) / trapezoid(np.ones(100), thresholds))
    return float(np.mean(areas))


def kuzphi_auc(errors: np.ndarray, low: float, high: float) -> float:
    """The trapezoidal rule over the sorted errors in [low, high), over what they cover."""
    x = np.sort([e for e in errors.ravel() if not math.isnan(e)])
    y = np.array([(i + 1) / len(x) for i in range(len(x))])
    left = sum(e < low for e in x)
    right = sum(e < high for e in x)
    covered = trapezoid(np.ones(right - left), x[left:right])
    return trapezoid(y[left:right], x[left:right]) / covered if covered > 0 else math.nan


def trapezoid(y: np.ndarray, x: np.ndarray) -> float:
    return sum((x[i + 1] - x[i]) * (y[i] + y[i + 1]) / 2 for i in range(len(x) - 1))


def naive_f_score(pred: np.ndarray, true: np.ndarray, threshold: float) -> float:
    """Of one hand, from all distances between two sets of vertices."""
    gaps = cdist(pred, true) * 1000
    precision, recall = np.mean(gaps.min(axis=1) < threshold), np.mean(gaps.min(axis=0) < threshold)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
