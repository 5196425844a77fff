"""Parts of the range that a ring's phase and tilt are drawn from, so that some rings can be held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Interval = tuple[float, float]  # (low, high): low <= x < high


@dataclass(frozen=True)
class CameraBands:
    """Where `cameras.ring` may put a ring; evenly drawn within."""

    phase: tuple[Interval, ...] = ((0.0, 1.0),)  # angle of the first camera, in steps between cameras
    tilt: tuple[Interval, ...] | None = None  # radians, angle of the ring's axis; None: any within the settings' tilt

    def tilt_draw(self, draw: float, tilt: float) -> float:
        """The draw in 0..1 that gives a tilt in the bands, for an even `draw`; `tilt` as in CameraSettings."""
        if self.tilt is None or tilt == 0:
            return draw
        return within([tuple(tilt_share(np.array(band), tilt)) for band in self.tilt], draw)

    def phase_draw(self, draw: float) -> float:
        """The phase in the bands for an even `draw` in 0..1."""
        return within(self.phase, draw)


def between(bounds: Interval, draw: float) -> float:
    """The number with the share `draw` (0..1) of the interval below."""
    return bounds[0] + (bounds[1] - bounds[0]) * draw


def tilt_angle(draw: float, tilt: float) -> float:
    """Angle in radians that falls evenly into the cap of half angle `tilt` for an even `draw` in 0..1."""
    return np.arccos(1 - draw * (1 - np.cos(tilt)))


def tilt_share(angle: np.ndarray, tilt: float) -> np.ndarray:
    """The inverse of `tilt_angle`: share (...) of the cap of half angle `tilt` that lies within `angle` (...) rad."""
    return (1 - np.cos(angle)) / (1 - np.cos(tilt))


def within(intervals: Sequence[Interval], draw: float) -> float:
    """The point of the union of disjoint, rising `intervals` with the share `draw` (0..1) of it below."""
    lows, highs = np.array(intervals, float).T
    starts = np.concatenate([[0.0], np.cumsum(highs - lows)])
    place = draw * starts[-1]
    index = min(int(np.searchsorted(starts[1:], place, side="right")), len(lows) - 1)
    return float(lows[index] + (place - starts[index]))


def outside(band: Interval, low: float, high: float) -> tuple[Interval, ...]:
    """What (low, high) leaves without `band`."""
    parts = ((low, band[0]), (band[1], high))
    return tuple(part for part in parts if part[0] < part[1])
