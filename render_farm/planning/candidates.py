"""The frames of a release's pose source, clips end to end."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rigging.poses.clip import PoseClip
from rigging.poses.gate.gate import gate_source
from rigging.poses.registry import open_source
from rigging.poses.rejects import Reject, count_reasons

from ..errors import InputError
from .release import Release

log = logging.getLogger(__name__)


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

    A source that can make any number of poses makes `candidates` pairs, or as many frames in clips. Raises InputError
    for a source that cannot be read or holds nothing usable.
    """
    spec, options = release.poses.source, dict(release.poses.options)
    if is_procedural(release):
        options = {**sampling_options(release), **options}
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


def sampling_options(release: Release) -> dict[str, int]:
    """What the sampler is asked for, unless the source's text says so itself: recordings as long as a clip."""
    spec, pairs, options = release.poses.source, release.pairs, {}
    frames = max(2, pairs.span(pairs.delta or 1)) if pairs.length > 2 else 2
    if frames > 2 and "frames=" not in spec:
        options["frames"] = frames
    if "count=" not in spec:
        options |= {"count": -(-2 * release.poses.candidates // frames), "seed": release.seed}
    return options


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
