"""The gate between pose sources and the plan: a frame goes through or is rejected with a reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ..clip import PoseClip
from ..registry import PoseSource
from ..rejects import Reject
from .frames import frame_reasons
from .hints import find_hints
from .jumps import find_jumps, mean_motion
from .lost import name_poses
from .settings import GateSettings


@dataclass(frozen=True)
class Gated:
    """What came through. A clip is cut where frames are rejected and where the hand jumps."""

    clips: tuple[PoseClip, ...]
    rejects: tuple[Reject, ...]
    frames: int  # seen by the gate
    cuts: int  # jumps between two good frames
    hints: tuple[str, ...] = ()  # what would let most frames of a recording through

    @property
    def accepted(self) -> int:
        """Frames that came through."""
        return sum(map(len, self.clips))


def gate_source(source: PoseSource, settings: GateSettings | None = None) -> Gated:
    """All clips of a source through the gate; what the source itself left out comes first in `rejects`."""
    gated = gate(source.clips(), settings)
    left_out = tuple(source.rejects)
    frames = gated.frames + sum(reject.frame != "" for reject in left_out)  # "": a whole file
    return Gated(gated.clips, left_out + gated.rejects, frames, gated.cuts, gated.hints)


def gate(clips: Iterable[PoseClip], settings: GateSettings | None = None) -> Gated:
    """Check every frame of `clips`; of several reasons a frame gets the first. Nothing that a frame holds raises."""
    settings = settings or GateSettings()
    clips = list(clips)
    if not clips:
        return Gated((), (), 0, 0)
    owner = np.repeat(np.arange(len(clips)), [len(clip) for clip in clips])
    joints = np.concatenate([clip.joints for clip in clips]).astype(np.float64)
    reasons, jumps = _judge(clips, owner, joints, settings)
    poses = name_poses(joints, owner, [reason.partition(":")[0] for reason in reasons])
    accepted: list[PoseClip] = []
    rejects: list[Reject] = []
    rows_of = np.split(np.arange(len(joints)), np.flatnonzero(np.diff(owner)) + 1)
    for clip, rows in zip(clips, rows_of):
        good = np.array([not reasons[row] for row in rows])
        accepted.extend(_pieces(clip, good, jumps[rows]))
        bad = np.flatnonzero(~good)
        rejects.extend(_reject(clip, frame, reasons[rows[frame]], poses[rows[frame]]) for frame in bad)
    hints = find_hints(clips, [[reasons[row] for row in rows] for rows in rows_of], settings)
    return Gated(tuple(accepted), tuple(rejects), len(joints), int(jumps.sum()), hints)


def _judge(
    clips: list[PoseClip], owner: np.ndarray, joints: np.ndarray, settings: GateSettings
) -> tuple[list[str], np.ndarray]:
    """The reason of each frame ("" where it is good), and (N,) whether the hand jumps into it."""
    valid = np.concatenate([clip.valid for clip in clips])
    modelled = np.array([clip.angles is not None for clip in clips])
    reasons = frame_reasons(joints, valid, owner, _subjects(clips)[owner], settings, modelled[owner])
    jumps, spikes = find_jumps(joints, owner, np.array([reason == "" for reason in reasons]), settings)
    motion = mean_motion(joints)
    for row in np.flatnonzero(spikes):
        reasons[row] = f"jump: {motion[row - 1] * 1e3:.0f} mm to one frame and back"
    return reasons, jumps


def _subjects(clips: list[PoseClip]) -> np.ndarray:
    """A number per (source, subject), -1 where the subject is unknown."""
    numbers: dict[tuple[str, str], int] = {}
    keys = [(clip.source, clip.subject) for clip in clips]
    return np.array([numbers.setdefault(key, len(numbers)) if key[1] else -1 for key in keys])


def _pieces(clip: PoseClip, good: np.ndarray, jumps: np.ndarray) -> list[PoseClip]:
    """Runs of good frames, cut at jumps; a clip that stays whole keeps its name."""
    rows = np.flatnonzero(good)
    if not len(rows):
        return []
    cuts = np.flatnonzero((np.diff(rows) > 1) | jumps[rows[1:]]) + 1
    if len(rows) == len(clip) and not len(cuts):
        return [clip]
    return [clip.select(run, f"{clip.name}+{run[0]}") for run in np.split(rows, cuts)]


def _reject(clip: PoseClip, frame: int, reason: str, pose: str) -> Reject:
    word, _, detail = reason.partition(": ")
    return Reject(clip.source, clip.name, clip.frame_ids[frame], word, detail, pose)
