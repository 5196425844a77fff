"""The gate between pose sources and the plan: a frame goes through or is rejected with a reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from ..fingers.penetration import penetration_depth
from ..joints import BONE_NAMES
from . import checks
from .clip import PoseClip
from .registry import PoseSource
from .rejects import Reject


@dataclass(frozen=True)
class GateSettings:
    """Limits of the gate, metres and degrees; why these: docs/poses.md."""

    extent: float = 0.5  # farthest joint from the wrist
    bone_deviation: float = 0.15  # of a bone's length from the subject's median
    proportion: float = 1.75  # times longer or shorter than typical
    palm: float = 0.008  # worst palm joint from the subject's rigid palm
    mcp_degrees: tuple[float, float] = (-30.0, 100.0)
    pip_degrees: tuple[float, float] = (-10.0, 120.0)
    angle_slack_degrees: float = 8.0  # joints are estimates: by so much the ranges above may be exceeded
    chirality: float = 0.005  # evidence below this says nothing
    penetration: float = 0.004
    jump: float = 0.1  # mean motion of joints between frames that is always a jump ...
    jump_ratio: float = 5.0  # ... as is this many times the clip's median motion,
    jump_floor: float = 0.02  # if it is more than this


@dataclass(frozen=True)
class Gated:
    """What came through. A clip is cut where frames are rejected and where the hand jumps."""

    clips: tuple[PoseClip, ...]
    rejects: tuple[Reject, ...]
    frames: int  # seen by the gate
    cuts: int  # jumps between two good frames

    @property
    def accepted(self) -> int:
        """Frames that came through."""
        return sum(map(len, self.clips))


def gate_source(source: PoseSource, settings: GateSettings | None = None) -> Gated:
    """All clips of a source through the gate; what the source itself left out comes first in `rejects`."""
    gated = gate(source.clips(), settings)
    left_out = tuple(source.rejects)
    return Gated(gated.clips, left_out + gated.rejects, gated.frames + len(left_out), gated.cuts)


def gate(clips: Iterable[PoseClip], settings: GateSettings | None = None) -> Gated:
    """Check every frame of `clips`; of several reasons a frame gets the first."""
    settings = settings or GateSettings()
    clips = list(clips)
    if not clips:
        return Gated((), (), 0, 0)
    owner = np.repeat(np.arange(len(clips)), [len(clip) for clip in clips])
    joints = np.concatenate([clip.joints for clip in clips]).astype(np.float64)
    valid = np.concatenate([clip.valid for clip in clips])
    modelled = np.array([clip.angles is not None for clip in clips])
    reasons = frame_reasons(joints, valid, owner, _subjects(clips)[owner], settings, modelled[owner])
    jumps, spikes = find_jumps(joints, owner, np.array([reason == "" for reason in reasons]), settings)
    motion = _motion(joints)
    for row in np.flatnonzero(spikes):
        reasons[row] = f"jump: {motion[row - 1] * 1e3:.0f} mm to one frame and back"
    starts = np.concatenate([[0], np.cumsum([len(clip) for clip in clips])])
    accepted: list[PoseClip] = []
    rejects: list[Reject] = []
    for clip, start, end in zip(clips, starts, starts[1:]):
        good = np.array([not reason for reason in reasons[start:end]])
        accepted.extend(_pieces(clip, good, jumps[start:end]))
        rejects.extend(_reject(clip, row, reasons[start + row]) for row in np.flatnonzero(~good))
    return Gated(tuple(accepted), tuple(rejects), len(joints), int(jumps.sum()))


def frame_reasons(
    joints: np.ndarray,
    valid: np.ndarray,
    clip: np.ndarray,
    subject: np.ndarray,
    settings: GateSettings,
    modelled: np.ndarray,
) -> list[str]:
    """ "reason: detail" of each frame, "" where there is none.

    joints (N, 21, 3) metres, valid (N, 21), clip and subject (N,) numbers, subject < 0 where unknown. Of a
    `modelled` (N,) hand, posed by joint angles, the palm is not checked: it moves as its model lets it.
    """
    reasons = [""] * len(joints)
    missing = ~valid.all(1) | ~np.isfinite(joints).all((1, 2))
    _mark(reasons, np.arange(len(joints)), missing, "missing", lambda i: f"{valid[i].sum()} of 21 joints valid")
    extent = np.linalg.norm(joints - joints[:, :1], axis=-1).max(1)
    far = ~missing & ~(extent <= settings.extent)
    _mark(reasons, np.arange(len(joints)), far, "extent", lambda i: f"a joint is {extent[i]:.2f} m from the wrist")
    rows = np.flatnonzero(~missing & ~far)
    if len(rows):
        _shape_reasons(reasons, rows, joints[rows], clip[rows], subject[rows], settings, modelled[rows])
    return reasons


def _shape_reasons(
    reasons: list[str],
    rows: np.ndarray,
    joints: np.ndarray,
    clip: np.ndarray,
    subject: np.ndarray,
    settings: GateSettings,
    modelled: np.ndarray,
) -> None:
    """The checks that need finite joints, in the order in which a reason wins."""
    evidence = clip_chirality(joints, clip, settings.chirality)
    factor = checks.proportion_factor(joints)
    deviation, bone = checks.length_deviation(joints, subject)
    palm = checks.palm_residual(joints, np.where(modelled, -1, subject))
    flexion = np.degrees(checks.finger_flexion(joints)[..., :2])
    limits = np.array([settings.mcp_degrees, settings.pip_degrees])
    beyond = checks.beyond_limits(flexion, limits).max(1)
    depth = penetration_depth(joints)
    for bad, reason, detail in (
        (evidence < 0, "wrong hand", lambda i: f"bends {-evidence[i] * 1e3:.0f} mm to the back of a right hand"),
        (~(factor <= settings.proportion), "proportions", lambda i: f"a bone is {factor[i]:.2f} times off"),
        (
            ~(deviation <= settings.bone_deviation),
            "bone length",
            lambda i: f"{BONE_NAMES[bone[i]]} is {100 * deviation[i]:.0f} % off the subject's median",
        ),
        (~(palm <= settings.palm), "palm", lambda i: f"a palm joint is {palm[i] * 1e3:.1f} mm off"),
        (~(beyond <= settings.angle_slack_degrees), "angle", lambda i: f"{beyond[i]:.0f} degrees beyond the range"),
        (~(depth <= settings.penetration), "penetration", lambda i: f"{depth[i] * 1e3:.1f} mm deep"),
    ):
        _mark(reasons, rows, bad, reason, detail)


def _mark(reasons: list[str], rows: np.ndarray, bad: np.ndarray, reason: str, detail: Callable[[int], str]) -> None:
    for i in np.flatnonzero(bad):
        if not reasons[rows[i]]:
            reasons[rows[i]] = f"{reason}: {detail(i)}"


def clip_chirality(joints: np.ndarray, clip: np.ndarray, noise: float) -> np.ndarray:
    """Median evidence (N,) in metres, per clip, of being a right hand; 0 where all frames are below the noise.

    A hand does not change sides within a clip, and single frames bend backwards, so the clip is judged as one.
    """
    evidence = checks.chirality(joints)
    telling = np.abs(evidence) > noise
    result = np.zeros(len(joints))
    order = np.lexsort((evidence, clip))
    order = order[telling[order]]
    values, first, count = np.unique(clip[order], return_index=True, return_counts=True)
    middle = evidence[order[first + count // 2]] if len(values) else np.zeros(0)
    position = np.searchsorted(values, clip)
    known = position < len(values)
    known[known] = values[position[known]] == clip[known]
    result[known] = middle[position[known]]
    return result


def _motion(joints: np.ndarray) -> np.ndarray:
    return np.linalg.norm(np.diff(joints, axis=0), axis=-1).mean(1)


def find_jumps(
    joints: np.ndarray, clip: np.ndarray, good: np.ndarray, settings: GateSettings
) -> tuple[np.ndarray, np.ndarray]:
    """Where the hand jumps, between good frames of one clip.

    Returns (N,) whether there is a jump INTO a frame, and (N,) whether a frame stands alone between two frames that
    belong together: such a frame is at fault, while at any other jump the clip is only cut.
    """
    motion = np.concatenate([[0.0], _motion(joints)])
    linked = np.concatenate([[False], (clip[1:] == clip[:-1]) & good[1:] & good[:-1]])
    limit = np.full(len(joints), settings.jump)
    starts = np.flatnonzero(np.concatenate([[True], clip[1:] != clip[:-1]]))
    for start, end in zip(starts, [*starts[1:], len(joints)]):
        steps = motion[start:end][linked[start:end]]
        if len(steps) > 2:
            usual = max(settings.jump_ratio * np.median(steps), settings.jump_floor)
            limit[start:end] = min(settings.jump, usual)
    jumps = linked & (motion > limit)
    spikes = np.zeros(len(joints), dtype=bool)
    middle = np.flatnonzero(jumps[:-1] & jumps[1:])
    across = np.linalg.norm(joints[middle + 1] - joints[middle - 1], axis=-1).mean(1)
    spikes[middle[across <= limit[middle]]] = True
    return jumps & ~spikes & ~np.concatenate([[False], spikes[:-1]]), spikes


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


def _reject(clip: PoseClip, row: int, reason: str) -> Reject:
    word, _, detail = reason.partition(": ")
    return Reject(clip.source, clip.name, clip.frame_ids[row], word, detail)
