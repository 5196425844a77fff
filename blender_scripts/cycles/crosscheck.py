"""Labels against Cycles: the rasteriser and the path tracer must see the same surface at every pixel's centre."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rigging.joints import ARM_PART

from .framing import Box
from .scene import ARM_INDEX

DEPTH_TOLERANCE = 1e-4  # metres: more than this is another surface
_MOST_OTHER = 0.002  # share of the covered pixels that may differ: pixel centres on an edge
_MOST_MEDIAN = 5e-6  # metres, median depth error


class CrossCheckError(ValueError):
    """Labels and Cycles disagree."""


@dataclass(frozen=True)
class CrossCheck:
    """Agreement of one view."""

    covered: int  # pixels that either of them covers
    coverage: int  # pixels that only one of them covers
    arm: int  # pixels where one says hand and the other arm
    depth: int  # pixels whose depths differ by more than DEPTH_TOLERANCE
    depth_median: float  # metres, absolute error

    @property
    def agrees(self) -> bool:
        other = self.coverage + self.arm + self.depth
        return other <= max(8, _MOST_OTHER * self.covered) and self.depth_median <= _MOST_MEDIAN


def crosscheck_view(parts: np.ndarray, depth: np.ndarray, passes: dict[str, np.ndarray], box: Box) -> CrossCheck:
    """Compare labels (H, W) of a view with Cycles' passes "Depth" and "IndexMA" (h, w, 1), rendered in `box`.

    Both passes hold the first sample, which Cycles takes at the pixel's centre; its background is 1e10.
    """
    window = np.s_[box.top : box.bottom, box.left : box.right]
    outside = int((parts > 0).sum() - (parts[window] > 0).sum())
    parts, depth = parts[window], depth[window]
    theirs, index = passes["Depth"][..., 0], np.rint(passes["IndexMA"][..., 0])
    ours, seen = parts > 0, theirs < 1e9
    both = ours & seen
    error = np.abs(depth[both] - theirs[both])
    return CrossCheck(
        covered=int((ours | seen).sum()) + outside,
        coverage=int((ours != seen).sum()) + outside,
        arm=int(((parts == ARM_PART) != (index == ARM_INDEX))[both].sum()),
        depth=int((error > DEPTH_TOLERANCE).sum()),
        depth_median=float(np.median(error)) if len(error) else 0.0,
    )


def require_agreement(check: CrossCheck, sample: int, view: int) -> None:
    """CrossCheckError naming sample and view if labels and Cycles disagree."""
    if not check.agrees:
        raise CrossCheckError(f"labels of sample {sample}, view {view} disagree with Cycles: {check}")
