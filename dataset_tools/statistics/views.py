"""How the hand is seen: which joints are hidden, and how large it is in the picture."""

from __future__ import annotations

from typing import Any

import numpy as np

from rigging.joints import JOINT_NAMES

from .poses import quantiles


def occlusion_table(visible: np.ndarray, in_frame: np.ndarray) -> dict[str, Any]:
    """Share of views in which each joint is hidden, or outside, from (S, V, 21) bool; joints seen per view.

    `unseen` is the share of (sample, joint) that less than two views see: no ray of theirs meets another.
    """
    seen, views = visible & in_frame, visible.shape[0] * visible.shape[1]
    per_view = seen.sum(2).ravel()
    return {
        "hidden": _by_joint((in_frame & ~visible).sum((0, 1)) / np.maximum(in_frame.sum((0, 1)), 1)),
        "outside": _by_joint(1 - in_frame.sum((0, 1)) / views), "joints_seen": quantiles(per_view),
        "joints_seen_counts": np.bincount(per_view, minlength=22).tolist(),
        "unseen": float((seen.sum(1) < 2).mean()),
    }  # fmt: skip


def _by_joint(shares: np.ndarray) -> dict[str, float]:
    return dict(zip(JOINT_NAMES, shares.tolist()))


def hand_pixels_table(size: np.ndarray, share: np.ndarray, picture: int) -> dict[str, Any]:
    """Longer side of the hand's box (S, V) px and its share (S, V) of pictures whose shorter side is `picture` px."""
    shown = size > 0
    if not shown.any():
        return {"picture_px": picture, "empty_views": 1.0}
    return {
        "picture_px": picture, "empty_views": float(1 - shown.mean()), "longer_side_px": quantiles(size[shown]),
        "area_share": quantiles(share[shown]),
        "counts": np.histogram(size[shown] / picture, np.linspace(0, 1.5, 31))[0].tolist(),
    }  # fmt: skip
