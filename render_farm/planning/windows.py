"""Which frames of a recording make a pair or a clip of a release."""

from __future__ import annotations

import logging
from collections import Counter

import numpy as np

from .candidates import PoseFrames
from .release import PairSettings

log = logging.getLogger(__name__)

LONGEST_DELTA = 30  # frames, tried by the automatic choice


def candidate_pairs(frames: PoseFrames, settings: PairSettings, block: int) -> tuple[np.ndarray, Counter[str]]:
    """(N, length) indices of frames that may form a pair or clip, and how many were left out by reason.

    The poses of one lie in one recording and, so that splits can be cut there, in one block of `block` frames.
    """
    if settings.length == 1:
        usable = np.flatnonzero(frames.valid)[:, None]
        return usable, Counter({"joint missing": len(frames.valid) - len(usable)})
    dropped: Counter[str] = Counter()
    chosen = []
    for fps, members in rate_groups(frames).items():
        longest = longest_delta(frames, members, settings.length, block)
        delta = settings.delta or best_delta(frames, members, settings.motion, longest)
        found = windows_at(frames, members, delta, settings.length, block)
        moved = motion(frames, found)
        same = frames.frame[found[:, 0]] // block == frames.frame[found[:, -1]] // block
        still, wild = moved.mean(1) < settings.least, moved.max(1) > settings.most
        dropped["too little motion"] += int(still.sum())
        dropped["too much motion"] += int(wild.sum())
        dropped["across a block border"] += int((~still & ~wild & ~same).sum())
        chosen.append(found[~still & ~wild & same])
        _tell(fps, delta, moved, len(members), settings)
    return np.concatenate(chosen), dropped


def _tell(fps: float, delta: int, moved: np.ndarray, frames: int, settings: PairSettings) -> None:
    """Log how far apart poses are in recordings of one frame rate."""
    if settings.length > 2 and not len(moved):
        log.info("clips: none of %d poses in %d frames at %g frames/s", settings.length, frames, fps)
        return
    median = 1000 * float(np.median(moved)) if len(moved) else 0.0
    rate = f"{fps:g} frames/s" if fps else "no known frame rate"
    log.info("%ss: %d frames apart at %s, median motion %.1f mm", settings.word, delta, rate, median)
    if settings.length > 2 and (left := frames - len(moved) * settings.span(delta)):
        log.info("clips: %d of %d frames lie in no clip: at the ends of recordings and blocks", left, frames)


def rate_groups(frames: PoseFrames) -> dict[float, np.ndarray]:
    """Frames (M,) of the clips of each frame rate; 0 where it is unknown."""
    rates = np.array([clip.fps or 0.0 for clip in frames.clips])
    return {float(rate): np.flatnonzero(rates[frames.clip] == rate) for rate in np.unique(rates)}


def pairs_at(frames: PoseFrames, members: np.ndarray, delta: int) -> np.ndarray:
    """(N, 2) frames t and t + delta of one clip, both whole, of those in `members`."""
    first = members[members + delta < len(frames.clip)]
    second = first + delta
    good = (frames.clip[first] == frames.clip[second]) & frames.valid[first] & frames.valid[second]
    return np.stack([first[good], second[good]], axis=1)


def stretches(frames: PoseFrames, members: np.ndarray, block: int) -> tuple[np.ndarray, np.ndarray]:
    """Place of each of `members` (M,) in its stretch of whole frames of one recording and block, and their number.

    Two (M,) int arrays; 0 of 0 for a frame that lacks a joint.
    """
    clip, part, whole = frames.clip[members], frames.frame[members] // block, frames.valid[members]
    new = np.ones(len(members), bool)
    new[1:] = (np.diff(clip) != 0) | (np.diff(part) != 0) | ~whole[1:] | ~whole[:-1]
    which = np.cumsum(new) - 1
    place = np.arange(len(members)) - np.flatnonzero(new)[which]
    return np.where(whole, place, 0), np.where(whole, np.bincount(which)[which], 0)


def windows_at(frames: PoseFrames, members: np.ndarray, delta: int, length: int, block: int) -> np.ndarray:
    """(N, length) frames `delta` apart: every pair there is; of clips those that share no frame, one after another."""
    if length == 2:
        return pairs_at(frames, members, delta)
    span = (length - 1) * delta + 1
    place, size = stretches(frames, members, block)
    first = members[(place % span == 0) & (place + span <= size)]
    return first[:, None] + delta * np.arange(length)


def longest_delta(frames: PoseFrames, members: np.ndarray, length: int, block: int) -> int:
    """The largest frame distance that is tried: of clips one at which the longest stretch still holds one."""
    if length == 2:
        return LONGEST_DELTA
    return min(LONGEST_DELTA, (int(stretches(frames, members, block)[1].max()) - 1) // (length - 1))


def why_too_short(frames: PoseFrames, settings: PairSettings, block: int) -> str:
    """In words why no recording holds a clip; "" where some do, or for pairs."""
    longest = int(stretches(frames, np.arange(len(frames.clip)), block)[1].max())
    needed = settings.span(settings.delta or 1)
    if settings.length <= 2 or longest >= needed:
        return ""
    return (
        f"its longest recording without a gap has {longest} frames, a clip of [pairs] length = {settings.length} takes "
        f"{needed}"
    )


def best_delta(frames: PoseFrames, members: np.ndarray, target: float, longest: int = LONGEST_DELTA) -> int:
    """The smallest frame distance to `longest` whose median motion is within half of `target` m, else the nearest."""
    errors: dict[int, float] = {}
    for delta in range(1, longest + 1):
        pairs = pairs_at(frames, members, delta)
        if not len(pairs):
            break
        median = float(np.median(motion(frames, pairs[:: max(1, len(pairs) // 20_000)])))
        errors[delta] = abs(np.log(max(median, 1e-9) / target))
        if errors[delta] < np.log(1.5):
            return delta
    return min(errors, key=errors.__getitem__, default=1)


def thin_out(pairs: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    """At most `most` of `pairs` (N, L), in their order."""
    if len(pairs) <= most:
        return pairs
    return pairs[np.sort(rng.choice(len(pairs), most, replace=False))]


def motion(frames: PoseFrames, windows: np.ndarray) -> np.ndarray:
    """(N, L - 1) m, mean displacement of the 21 joints from each pose of `windows` (N, L) to the next."""
    joints = frames.joints[windows]
    return np.linalg.norm(joints[:, 1:] - joints[:, :-1], axis=-1).mean(-1)
