"""Distances of predicted points from their labels: metres in, millimetres out; NaN where a point does not count."""

from __future__ import annotations

import numpy as np

from .align import WRIST, fit_root
from .check import checked_points

MM = 1000.0


def joint_errors(pred: np.ndarray, true: np.ndarray, valid: np.ndarray | None = None) -> np.ndarray:
    """Euclidean distances (n, K) in mm of points (n, K, 3) in m; NaN where not valid."""
    pred, true, valid = checked_points(pred, true, valid)
    return distances(pred, true, valid) * MM


def pixel_errors(pred: np.ndarray, true: np.ndarray, valid: np.ndarray | None = None) -> np.ndarray:
    """Euclidean distances (n, K) in px of points (n, K, 2) in px; NaN where not valid."""
    return distances(*checked_points(pred, true, valid, axes=2, what="joints in the image"))


def distances(pred: np.ndarray, true: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Euclidean distances (n, K) of points (n, K, 2 or 3), in their unit; NaN where not valid."""
    return np.where(valid, np.linalg.norm(pred - true, axis=-1), np.nan)


def mean_error(errors: np.ndarray) -> float:
    """Mean of all errors (...) that count; NaN if nothing does."""
    counted = errors[~np.isnan(errors)]
    return float(counted.mean()) if counted.size else float("nan")


def sample_errors(errors: np.ndarray) -> np.ndarray:
    """Means (n,) over what counts of each sample, of errors (n, K); NaN for a sample where nothing does."""
    counts = np.isfinite(errors).sum(axis=1)
    return np.divide(np.nansum(errors, axis=1), counts, out=np.full(len(errors), np.nan), where=counts > 0)


def epe(pred: np.ndarray, true: np.ndarray, valid: np.ndarray | None = None) -> float:
    """End-point error: mean distance in mm of all valid joints (n, K, 3) in m, as they are given.

    On joints in camera axes without an oracle this is the absolute camera-space error (CS-MPJPE).
    """
    return mean_error(joint_errors(pred, true, valid))


def mpjpe(pred: np.ndarray, true: np.ndarray, valid: np.ndarray | None = None, root: int = WRIST) -> float:
    """Root-relative mean joint error in mm; the root itself counts, with error 0. Samples without root do not.

    pred and true (n, K, 3), valid (n, K), in metres.
    """
    pred, true, valid = checked_points(pred, true, valid)
    return mean_error(distances(fit_root(pred, true, valid, root).apply(pred), true, valid) * MM)


def mpvpe(
    pred_vertices: np.ndarray,
    true_vertices: np.ndarray,
    pred: np.ndarray,
    true: np.ndarray,
    valid: np.ndarray | None = None,
    root: int = WRIST,
) -> float:
    """Root-relative mean error in mm of corresponding vertices (n, N, 3) m, given the joints (n, K, 3) m as well."""
    pred_vertices, true_vertices, counted = checked_points(pred_vertices, true_vertices, what="vertices")
    moved = fit_root(pred, true, valid, root).apply(pred_vertices)
    return mean_error(distances(moved, true_vertices, counted) * MM)
