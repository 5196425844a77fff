"""All pairs of poses that a release may choose from."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rigging.poses.clip import PoseClip
from rigging.poses.gate import gate_source
from rigging.poses.registry import open_source
from rigging.poses.rejects import Reject, count_reasons

from ..errors import InputError
from .release import PairSettings, Release

log = logging.getLogger(__name__)

LONGEST_DELTA = 30  # frames, tried by the automatic choice


@dataclass(frozen=True)
class PoseFrames:
    """The clips of a source end to end."""

    clips: tuple[PoseClip, ...]
    joints: np.ndarray  # (F, 21, 3) float32 m, each in its clip's own frame
    valid: np.ndarray  # (F,) bool, all joints annotated
    clip: np.ndarray  # (F,) int32, index into clips
    frame: np.ndarray  # (F,) int32, index within the clip


def read_poses(release: Release) -> tuple[PoseFrames, tuple[Reject, ...]]:
    """All frames of the release's pose source that pass the gate, and what was left out.

    A source that can make any number of poses makes `candidates` frames. Raises InputError for a source that cannot be
    read or holds nothing usable.
    """
    spec, options = release.poses.source, dict(release.poses.options)
    if is_procedural(release) and "count=" not in spec:
        options = {"count": release.poses.candidates, "seed": release.seed, **options}
    try:
        gated = gate_source(open_source(spec, **options), release.poses.limits)
    except (ValueError, TypeError, OSError) as error:
        raise InputError(f"--poses {spec}: {error}") from error
    reasons = ", ".join(f"{reason} {number}" for reason, number in count_reasons(gated.rejects).items())
    log.info("poses: %d frames read, %d left out (%s)", gated.frames, len(gated.rejects), reasons or "none")
    if not gated.clips:
        fault = f"no usable pose of {gated.frames} frames; left out: {reasons or 'none'}"
        raise InputError("; ".join([f"--poses {spec}: {fault}", *gated.hints]))
    for hint in gated.hints:
        log.warning("poses: %s", hint)
    return join_clips(gated.clips), gated.rejects


def is_procedural(release: Release) -> bool:
    """Whether poses are sampled, and so belong to nobody."""
    return release.poses.source.split("?")[0] == "procedural"


def join_clips(clips: Sequence[PoseClip]) -> PoseFrames:
    """Put clips end to end."""
    lengths = [len(clip) for clip in clips]
    return PoseFrames(
        clips=tuple(clips),
        joints=np.concatenate([clip.joints for clip in clips]),
        valid=np.concatenate([clip.valid.all(-1) for clip in clips]),
        clip=np.repeat(np.arange(len(clips), dtype=np.int32), lengths),
        frame=np.concatenate([np.arange(length, dtype=np.int32) for length in lengths]),
    )


def candidate_pairs(frames: PoseFrames, settings: PairSettings, block: int) -> tuple[np.ndarray, Counter[str]]:
    """(N, length) indices of frames that may form a pair, and how many were left out by reason.

    The two poses of a pair lie in one clip and, so that splits can be cut there, in one block of `block` frames.
    """
    if settings.length == 1:
        usable = np.flatnonzero(frames.valid)[:, None]
        return usable, Counter({"joint missing": len(frames.valid) - len(usable)})
    dropped: Counter[str] = Counter()
    groups = rate_groups(frames)
    chosen = []
    for fps, members in groups.items():
        delta = settings.delta or best_delta(frames, members, settings.motion)
        pairs = pairs_at(frames, members, delta)
        moved = motion(frames, pairs)
        same = frames.frame[pairs[:, 0]] // block == frames.frame[pairs[:, 1]] // block
        kept = (moved >= settings.least) & (moved <= settings.most)
        dropped["too little motion"] += int((moved < settings.least).sum())
        dropped["too much motion"] += int((moved > settings.most).sum())
        dropped["across a block border"] += int((kept & ~same).sum())
        chosen.append(pairs[kept & same])
        median = 1000 * float(np.median(moved)) if len(moved) else 0.0
        rate = f"{fps:g} frames/s" if fps else "no known frame rate"
        log.info("pairs: %d frames apart at %s, median motion %.1f mm", delta, rate, median)
    return np.concatenate(chosen), dropped


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


def best_delta(frames: PoseFrames, members: np.ndarray, target: float) -> int:
    """The smallest frame distance whose median motion is within half of `target` metres, else the nearest."""
    errors: dict[int, float] = {}
    for delta in range(1, LONGEST_DELTA + 1):
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


def motion(frames: PoseFrames, pairs: np.ndarray) -> np.ndarray:
    """(N,) m, mean displacement of the 21 joints between the two poses of each pair."""
    first, second = frames.joints[pairs[:, 0]], frames.joints[pairs[:, -1]]
    return np.linalg.norm(second - first, axis=-1).mean(-1)
