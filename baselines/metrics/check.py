"""What the metrics take: float64 points of one shape, and which of them count."""

from __future__ import annotations

import numpy as np

from rigging.errors import InputError


def checked_points(
    pred: np.ndarray, true: np.ndarray, valid: np.ndarray | None = None, axes: int = 3, what: str = "joints"
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Predictions and labels (n, K, axes) as float64, zero where not valid, and valid (n, K) bool (default: all).

    Raises InputError for other shapes and for a valid point that is not finite.
    """
    pred, true = np.asarray(pred, float), np.asarray(true, float)
    if pred.ndim != 3 or pred.shape != true.shape or pred.shape[-1] != axes:
        wanted = f"(n, K, {axes}) for predictions and labels alike"
        raise InputError(f"{what}: {wanted} is wanted, got {pred.shape} and {true.shape}")
    valid = checked_valid(valid, pred.shape[:2], what)
    return _zeroed(pred, valid, f"{what}: prediction"), _zeroed(true, valid, f"{what}: label"), valid


def checked_valid(valid: np.ndarray | None, shape: tuple[int, ...], what: str) -> np.ndarray:
    """`valid` (...) as bool of `shape`; None is everything. Raises InputError."""
    if valid is None:
        return np.ones(shape, bool)
    valid = np.asarray(valid)
    if valid.shape != shape or valid.dtype.kind not in "bui":
        raise InputError(f"{what}: valid must be bool {shape}, got {valid.dtype} {valid.shape}")
    return valid.astype(bool)


def checked_joint(joint: int, joints: int, what: str) -> None:
    """Raises InputError where there is no such joint."""
    if not 0 <= joint < joints:
        raise InputError(f"{what} is joint {joint}, but there are joints 0 to {joints - 1}")


def _zeroed(points: np.ndarray, valid: np.ndarray, what: str) -> np.ndarray:
    points = np.where(valid[..., None], points, 0.0)
    strange = ~np.isfinite(points).all(axis=-1)
    if strange.any():
        sample, point = np.argwhere(strange)[0]
        raise InputError(f"{what} {point} of sample {sample} is not finite; leave it out with `valid`")
    return points
