"""Motion blur: while the shutter is open the hand moves along its exact flow; the background stays."""

from __future__ import annotations

import math

import numba
import numpy as np

from .layers import Arrived, box_around, nearest_seen, settled

_SHORTEST = 0.5  # pixels; a shorter way is left alone


def shutter(
    hand: np.ndarray, seen: np.ndarray, forward: np.ndarray | None, backward: np.ndarray | None, share: float
) -> np.ndarray:
    """The layer (H, W, 4) float32 that a hand leaves while the shutter is open.

    The labels show the middle of the exposure. At the time u, in steps between frames and from -share / 2 to
    share / 2, a point is u (f - b) / 2 + u^2 (f + b) / 2 pixels from there: where the flows f and b put it at the
    neighbouring frames. With one flow alone it moves evenly, with none not at all.

    Args:
        hand: (H, W, 4) float32, a layer. seen: (H, W) bool, pixels whose centres see the hand.
        forward, backward: (H, W, 2) pixels, x right and y down, to where the point is one step later and earlier.
        share: of the time from frame to frame during which the shutter is open.
    """
    if (forward is None and backward is None) or share <= 0 or not seen.any():
        return hand
    known = box_around(seen, 0)
    longest = max(float(np.abs(flow[known]).max()) for flow in (forward, backward) if flow is not None)
    farthest = longest * (share / 2 + share**2 / 4)  # at most, either way, along x or y
    if farthest < _SHORTEST / 4:
        return hand
    box = box_around(hand[..., 3], 2 * math.ceil(farthest))  # of what comes to a pixel that the hand reaches
    moved = hand.copy()
    ways = _motion(*(None if flow is None else flow[box] for flow in (forward, backward)))
    moved[box] = settled(*_scatter(hand[box], nearest_seen(seen[box]), *ways, np.float32(share)))
    return moved


def _motion(forward: np.ndarray | None, backward: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Factors (H W, 2) of u and of u^2 in the way that a point goes, by flows (H, W, 2) of which one may be unknown."""
    if forward is not None and backward is not None:
        ways = (forward - backward) / 2, (forward + backward) / 2
    else:
        ways = (forward, np.zeros_like(forward)) if backward is None else (-backward, np.zeros_like(backward))
    return ways[0].reshape(-1, 2), ways[1].reshape(-1, 2)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _scatter(hand: np.ndarray, nearest: np.ndarray, velocity: np.ndarray, bend: np.ndarray, share: float) -> Arrived:
    """What arrives from pixels that each spread evenly over the way of the pixel `nearest` (H, W).

    Ways are those of the image's pixels one after the other: `velocity` and `bend` (H W, 2) float32.
    """
    height, width = nearest.shape
    total, weight = np.zeros((height, width, 4), np.float32), np.full((height, width), np.float32(1e-6))
    for y in range(height):
        for x in range(width):
            r, g, b, covered = hand[y, x, 0], hand[y, x, 1], hand[y, x, 2], hand[y, x, 3]
            vx, vy = velocity[nearest[y, x], 0], velocity[nearest[y, x], 1]
            bx, by = bend[nearest[y, x], 0], bend[nearest[y, x], 1]
            length = share * math.sqrt(vx * vx + vy * vy) + share * share / 2 * math.sqrt(bx * bx + by * by)
            half = _stops(length)
            part = np.float32(1) / np.float32(2 * half + 1)
            for stop in range(-half, half + 1):
                u = np.float32(stop) * part * share
                column = x + int(np.rint(u * vx + u * u * bx))
                row = y + int(np.rint(u * vy + u * u * by))
                if 0 <= row < height and 0 <= column < width:
                    weight[row, column] += part
                    if covered > 0:
                        total[row, column, 0] += part * r
                        total[row, column, 1] += part * g
                        total[row, column, 2] += part * b
                        total[row, column, 3] += part * covered
    return total, weight


@numba.njit(cache=True, nogil=True)
def _stops(length: float) -> int:
    """How many stops a way of `length` pixels has on either side of its middle: two a pixel, one on long ways."""
    return 0 if length < _SHORTEST else math.ceil(min(length, 4 + length / 2))
