"""Joint-to-world matrices in either order of storage."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ..clip import PoseError

COUNTS = (25, 26)


def positions(
    matrices: np.ndarray, order: Literal["auto", "rows", "columns"], where: str, hands: int = 1
) -> np.ndarray:
    """Points (T, H, K, 3) of matrices (K, 4, 4), (T, K, 4, 4) or (T, H, K, 4, 4), NaN where a matrix is none.

    16 numbers may stand for a matrix, and T rows of K * 16 for T frames, as WebXR's fillPoses writes them.
    `order` is which index comes first: by "rows" the position is the last column; by "columns", as WebGL has it, the
    last four numbers; "auto" goes by where (0, 0, 0, 1) stands.

    Raises:
        PoseError: another shape, or neither order fits all matrices.
    """
    whole = _shaped(np.asarray(matrices), hands, where)
    used = whole[np.isfinite(whole).all((-2, -1)) & (whole != 0).any((-2, -1))]
    if order == "auto":
        order = _order(used, where)
    points = whole[..., :3, 3] if order == "rows" else whole[..., 3, :3]
    return np.where((whole != 0).any((-2, -1))[..., None], points, np.nan)


def _shaped(matrices: np.ndarray, hands: int, where: str) -> np.ndarray:
    """(T, H, K, 4, 4) float64."""
    shape, count = matrices.shape, next((k for k in COUNTS if matrices.size and _fits(matrices.shape, k)), 0)
    if not count or matrices.dtype.kind not in "fiu":
        raise PoseError(f"{where}: shape {shape}, allowed is (T, 25, 4, 4) of numbers (26 joints in OpenXR's order)")
    lead = shape[: _fits(shape, count) - 1]
    frames, held = (lead + (1,) * (2 - len(lead)))[:2] if len(lead) < 3 else (0, 0)
    if not frames or (held != hands and held != 1 and hands != 1):
        raise PoseError(f"{where}: shape {shape}, allowed is (T, 25, 4, 4), or (T, H, 25, 4, 4) for H hands")
    return matrices.astype(np.float64).reshape(frames, held, count, 4, 4)


def _fits(shape: tuple[int, ...], count: int) -> int:
    """1 + the number of axes before the joints, 0 if no matrices of `count` joints end the shape."""
    for tail in ((count, 4, 4), (count, 16), (count * 16,)):
        if shape[-len(tail) :] == tail:
            return len(shape) - len(tail) + 1
    return 0


def _order(used: np.ndarray, where: str) -> Literal["rows", "columns"]:
    """How matrices (N, 4, 4) are stored: the order in which more of them are rigid transforms, if nearly all are."""
    last = np.array([0, 0, 0, 1])
    rows = np.isclose(used[:, 3, :], last, atol=1e-6).all(-1)
    columns = np.isclose(used[:, :, 3], last, atol=1e-6).all(-1)
    best = max(rows.sum(), columns.sum())
    if best < 0.9 * len(used):
        raise PoseError(f"{where}: neither the last rows nor the last columns of the matrices are 0 0 0 1")
    return "rows" if rows.sum() >= columns.sum() else "columns"
