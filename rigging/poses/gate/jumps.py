"""Where a hand jumps from one frame to the next."""

from __future__ import annotations

import numpy as np

from .settings import GateSettings


def mean_motion(joints: np.ndarray) -> np.ndarray:
    """Mean motion (N - 1,) of joints (N, 21, 3) in metres to the next frame; NaN or inf where a joint is."""
    with np.errstate(invalid="ignore", over="ignore"):
        return np.linalg.norm(np.diff(joints, axis=0), axis=-1).mean(1)


def find_jumps(
    joints: np.ndarray, clip: np.ndarray, good: np.ndarray, settings: GateSettings
) -> tuple[np.ndarray, np.ndarray]:
    """Where the hand of joints (N, 21, 3), metres, jumps between good (N,) frames of one clip (N,).

    Returns (N,) whether there is a jump INTO a frame, and (N,) whether a frame stands alone between two frames that
    belong together: such a frame is at fault, while at any other jump the clip is only cut.
    """
    motion = np.concatenate([[0.0], mean_motion(joints)])
    linked = np.concatenate([[False], (clip[1:] == clip[:-1]) & good[1:] & good[:-1]])
    limit = _limits(motion, linked, clip, settings)
    jumps = linked & (motion > limit)
    spikes = np.zeros(len(joints), dtype=bool)
    middle = np.flatnonzero(jumps[:-1] & jumps[1:])
    across = np.linalg.norm(joints[middle + 1] - joints[middle - 1], axis=-1).mean(1)
    spikes[middle[across <= limit[middle]]] = True
    return jumps & ~spikes & ~np.concatenate([[False], spikes[:-1]]), spikes


def _limits(motion: np.ndarray, linked: np.ndarray, clip: np.ndarray, settings: GateSettings) -> np.ndarray:
    """Motion (N,) into a frame from which on it is a jump, by the usual motion of its clip."""
    limit = np.full(len(motion), settings.limit("jump"))
    if settings.jump == "off":
        return limit
    starts = np.flatnonzero(np.concatenate([[True], clip[1:] != clip[:-1]]))
    for start, end in zip(starts, [*starts[1:], len(motion)]):
        steps = motion[start:end][linked[start:end]]
        if len(steps) > 2:
            usual = max(settings.jump_ratio * np.median(steps), settings.jump_floor)
            limit[start:end] = min(settings.jump, usual)
    return limit
