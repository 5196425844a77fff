"""How well surfaces and silhouettes agree, where no point corresponds to another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.spatial import cKDTree

from rigging.errors import InputError

from .errors import MM

F_THRESHOLDS = (5.0, 15.0)  # mm


def f_scores(pred: np.ndarray, true: np.ndarray, thresholds: Sequence[float] = F_THRESHOLDS) -> np.ndarray:
    """F-scores (n, t) at thresholds (t,) in mm, of vertices (n, N, 3) and (n, M, 3) in m.

    The harmonic mean of precision (share of predicted vertices with a true one nearer than the threshold) and recall
    (the same the other way); 0 if both are 0 (Knapitsch et al. 2017; FreiHAND's F@5 and F@15).
    """
    if pred.ndim != 3 or true.ndim != 3 or len(pred) != len(true) or pred.shape[-1] != 3 or true.shape[-1] != 3:
        raise InputError(f"vertices: (n, N, 3) and (n, M, 3) are wanted, got {pred.shape} and {true.shape}")
    scores = [f_of_one(*pair, thresholds) for pair in zip(pred, true)]
    return np.reshape(scores, (len(pred), len(thresholds)))


def f_of_one(pred: np.ndarray, true: np.ndarray, thresholds: Sequence[float] = F_THRESHOLDS) -> np.ndarray:
    """The same (t,) for one hand, (N, 3) and (M, 3)."""
    # plain trees: for one query a vertex, balancing costs more than it saves
    reach = max(thresholds) / MM
    here, there = (cKDTree(points, compact_nodes=False, balanced_tree=False) for points in (pred, true))
    near = [a.query(b.data, distance_upper_bound=reach)[0] * MM for a, b in ((there, here), (here, there))]
    precision, recall = (np.mean(gap[:, None] < np.asarray(thresholds), axis=0) for gap in near)
    both = precision + recall
    return np.divide(2 * precision * recall, both, out=np.zeros(len(thresholds)), where=both > 0)


def mask_iou(pred: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Intersection over union (n,) of masks (n, H, W) bool; 1 where both are empty."""
    pred, true = np.asarray(pred, bool), np.asarray(true, bool)
    if pred.ndim != 3 or pred.shape != true.shape:
        raise InputError(f"masks: (n, H, W) is wanted twice, got {pred.shape} and {true.shape}")
    common, either = (pred & true).sum(axis=(1, 2)), (pred | true).sum(axis=(1, 2))
    return np.divide(common, either, out=np.ones(len(pred)), where=either > 0)
