"""The built-in pose source: joint angles from anchors become clips in which no part penetrates another.

Clip i depends on (seed, i) alone, so any subset can be made by itself, in any order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy.special import ndtri

from ...fingers.kinematics import (
    ANGLES,
    Skeleton,
    angle_limits,
    bone_frames,
    flesh_joints,
    forward,
    place_joints,
    rotate,
    skeleton,
)
from ...fingers.penetration import penetration_depth
from ...hand.asset import load_asset
from ..clip import PoseClip, PoseError
from ..rejects import Reject
from .anchors import ANCHORS_FILE, Motion, load_anchors, load_motions
from .sampler import DRAWS, Sampler, draw_poses, make_sampler

LICENCE = "Apache-2.0"
TOLERANCE = 0.0005  # m of capsule penetration beyond touching that a pose may keep
# What is tried until nothing penetrates: (degrees the thumb opens, degrees the fingers open), smallest first ...
_OPENINGS = ((0, 0), (5, 0), (0, 5), (10, 0), (8, 8), (18, 0), (0, 12), (18, 12), (28, 0), (30, 20))
# ... and then the share of the way that is left towards the safe pose.
_RETREATS = (0.7, 0.5, 0.3, 0.15, 0.0)
_STEP = np.log((0.005, 0.020))  # m, range of the mean joint motion between neighbouring frames
_TURN = 0.03  # rad, standard deviation per axis of the hand's turn between neighbouring frames
_TRIES = 6
_BLOCK = 2048


@dataclass(frozen=True)
class ProceduralSource:
    """`count` clips of `frames` frames. With `motions`, the letters J and Z follow as two more clips.

    Raises PoseError for a count below 1, fewer than 2 frames, a negative seed or a frame rate not above 0.
    """

    count: int = 1000
    seed: int = 0
    frames: int = 2
    fps: float = 30.0
    motions: bool = False
    rejects: list[Reject] = field(default_factory=list, init=False, compare=False)

    def __post_init__(self) -> None:
        for name, least in (("count", 1), ("seed", 0), ("frames", 2)):
            if getattr(self, name) < least:
                raise PoseError(f"procedural poses: {name} is {getattr(self, name)}, allowed is {least} or more")
        if not self.fps > 0:
            raise PoseError(f"procedural poses: fps is {self.fps}, allowed is above 0")

    @cached_property
    def hand(self) -> Skeleton:
        """The skeleton whose bone lengths the poses have."""
        return skeleton(load_asset())

    @cached_property
    def sampler(self) -> Sampler:
        """The anchors, ready to draw from."""
        return make_sampler(load_anchors())

    @cached_property
    def sha256(self) -> str:
        """Hash of the anchors' file."""
        return hashlib.sha256(ANCHORS_FILE.read_bytes()).hexdigest()

    def clips(self) -> Iterator[PoseClip]:
        """All clips in order."""
        for start in range(0, self.count, _BLOCK):
            yield from self.some(np.arange(start, min(start + _BLOCK, self.count)))
        if self.motions:
            yield from (self.motion_clip(motion) for motion in load_motions())

    def some(self, indices: np.ndarray) -> list[PoseClip]:
        """The clips of these indices (N,), the same whichever others are made."""
        angles, turns = draw_clips(self.hand, self.sampler, self.seed, np.asarray(indices), self.frames)
        return self._clips([f"{i:07d}" for i in indices.tolist()], angles, turns)

    def motion_clip(self, motion: Motion) -> PoseClip:
        """A named movement as a clip."""
        named = {anchor.name: anchor.angles for anchor in load_anchors()}
        keys = np.concatenate([[named[name] for name in motion.anchors], motion.turns], axis=1)
        times = np.linspace(0, len(keys) - 1, 1 + round(motion.seconds * self.fps))
        path = minimum_jerk(keys[None], times[None])[0]
        return self._clips([motion.name], path[None, :, :ANGLES], path[None, :, ANGLES:])[0]

    def _clips(self, names: list[str], angles: np.ndarray, turns: np.ndarray) -> list[PoseClip]:
        joints = rotate(forward(self.hand, angles), turns)
        same = {"subject": "template", "source": "procedural", "licence": LICENCE, "sha256": self.sha256}
        states = np.concatenate([angles, turns], axis=-1)
        return [
            PoseClip(joints=j, name=name, angles=state, fps=self.fps, **same)
            for j, name, state in zip(joints, names, states)
        ]


def minimum_jerk(keys: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Values (N, T, D) at `times` (N, T) of a path through keys (N, K, D) at times 0, 1, .. K - 1, at rest in each.

    Flash & Hogan (1985), The coordination of arm movements, J Neurosci 5:1688: 10 t^3 - 15 t^4 + 6 t^5.
    """
    before = np.clip(np.floor(times), 0, keys.shape[1] - 2).astype(int)
    t = np.clip(times - before, 0, 1)
    share = (t * t * t * (10 + t * (6 * t - 15)))[..., None]
    rows = np.arange(len(keys))[:, None]
    return keys[rows, before] * (1 - share) + keys[rows, before + 1] * share


def draw_clips(
    hand: Skeleton, sampler: Sampler, seed: int, indices: np.ndarray, frames: int
) -> tuple[np.ndarray, np.ndarray]:
    """Joint angles (N, T, 23) and the hand's turns as rotation vectors (N, T, 3), radians, free of penetration.

    A clip that penetrates itself on its way is drawn again, from numbers that depend on (seed, index, try) alone; after
    the last try it shrinks towards its first frame.
    """
    angles, turns = np.zeros((len(indices), frames, ANGLES)), np.zeros((len(indices), frames, 3))
    left = np.arange(len(indices))
    for attempt in range(_TRIES):
        paths, turns[left] = _draw(hand, sampler, seed, indices[left], attempt, frames)
        angles[left], free = _release(hand, paths)
        left = left[~free]
        if not len(left):
            return angles, turns
    angles[left], _ = _release(hand, angles[left], angles[left][:, :1])
    return angles, turns


def _draw(
    hand: Skeleton, sampler: Sampler, seed: int, indices: np.ndarray, attempt: int, frames: int
) -> tuple[np.ndarray, np.ndarray]:
    keys = 2 if frames == 2 else 2 + frames // 6
    numbers = np.stack([np.random.default_rng((seed, i, attempt)).random(keys * DRAWS + 8) for i in indices.tolist()])
    numbers = np.clip(numbers, 1e-12, 1 - 1e-12)
    drawn, main = draw_poses(sampler, numbers[:, :-8].reshape(-1, DRAWS))
    poses = _release(hand, drawn[:, None], main[:, None])[0].reshape(len(indices), keys, ANGLES)
    rest = numbers[:, -8:]
    start, spin = _uniform_rotations(rest[:, :3]), ndtri(rest[:, 3:6]) * _TURN
    turns = _compose(start[:, None], spin[:, None] * np.arange(frames)[:, None])
    step = np.exp(_STEP[0] + rest[:, 6] * (_STEP[1] - _STEP[0]))
    if frames == 2:
        return np.concatenate([poses[:, :1], _one_step(hand, poses, spin, step)], axis=1), turns
    return minimum_jerk(poses, _key_times(hand, poses, step, frames)), turns


def _one_step(hand: Skeleton, poses: np.ndarray, spin: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Poses (N, 1, 23) on the way from poses[:, 0] to poses[:, 1]: far enough that joints move by `step` on average."""
    share = np.full(len(poses), 0.1)
    first = forward(hand, poses[:, 0])
    for _ in range(2):
        moved = poses[:, 0] + share[:, None] * (poses[:, 1] - poses[:, 0])
        joints = rotate(forward(hand, moved), spin)
        motion = np.linalg.norm(joints - first, axis=-1).mean(axis=-1)
        share = np.clip(share * step / np.maximum(motion, 1e-6), 0.02, 0.8)
    return (poses[:, 0] + share[:, None] * (poses[:, 1] - poses[:, 0]))[:, None]


def _key_times(hand: Skeleton, poses: np.ndarray, step: np.ndarray, frames: int) -> np.ndarray:
    """Times (N, T) at which to read the path so that joints move by about `step` per frame between any two keys."""
    joints = forward(hand, poses)
    lengths = np.linalg.norm(np.diff(joints, axis=1), axis=-1).mean(axis=-1)
    ends = np.cumsum(np.maximum(np.ceil(lengths / step[:, None]), 4), axis=1)
    ends = np.concatenate([np.zeros((len(poses), 1)), ends], axis=1)
    keys = np.arange(poses.shape[1], dtype=np.float64)
    return np.stack([np.interp(np.arange(frames), row, keys) for row in ends])


def _penetrates(hand: Skeleton, angles: np.ndarray) -> np.ndarray:
    frames = bone_frames(hand, angles)
    return penetration_depth(flesh_joints(hand, frames, place_joints(hand, frames))) > TOLERANCE


def _release(hand: Skeleton, paths: np.ndarray, safe: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Paths (N, T, 23), opened a little where they penetrate, and which (N,) are free in every frame.

    With `safe` poses (N, 1, 23) that are free themselves, paths that opening does not free are drawn back to them.
    """
    result = paths.copy()
    left = np.arange(len(paths))
    moves = [(1.0, *opening) for opening in _OPENINGS]
    if safe is not None:
        moves += [(share, thumb, 0) for share in _RETREATS for thumb in (0, 10) if share > 0 or thumb == 0]
    for share, thumb, fingers in moves:
        start = paths[left] if share == 1.0 else safe[left] + share * (paths[left] - safe[left])
        tried = _open(start, np.radians(thumb), np.radians(fingers))
        free = ~_penetrates(hand, tried).any(axis=1)
        result[left[free]] = tried[free]
        left = left[~free]
        if not len(left):
            break
    return result, ~np.isin(np.arange(len(paths)), left)


def _open(angles: np.ndarray, thumb: float, fingers: float) -> np.ndarray:
    """Poses (..., 23) with the thumb moved out and straightened, and the fingers straightened, within the limits."""
    change = np.zeros(ANGLES)
    change[[0, 2, 4]] = (thumb, -0.7 * thumb, -0.5 * thumb)
    change[5:21].reshape(4, 4)[:, [0, 2, 3]] = (-0.5 * fingers, -fingers, -0.5 * fingers)
    opened = angles + change
    # What is straight already stays so.
    opened = np.where(change < 0, np.maximum(opened, np.minimum(angles, 0)), opened)
    return np.clip(opened, *angle_limits().T) if thumb or fingers else angles


def _uniform_rotations(uniform: np.ndarray) -> np.ndarray:
    """Unit quaternions (N, 4), w first, uniform over rotations (Shoemake 1992), from uniform numbers (N, 3)."""
    a, b = np.sqrt(1 - uniform[:, 0]), np.sqrt(uniform[:, 0])
    u, v = 2 * np.pi * uniform[:, 1], 2 * np.pi * uniform[:, 2]
    return np.stack([b * np.cos(v), a * np.sin(u), a * np.cos(u), b * np.sin(v)], axis=-1)


def _compose(start: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Rotation vectors (..., 3) of `turn` (rotation vectors, hand frame) followed by the unit quaternions `start`."""
    angle = np.linalg.norm(turn, axis=-1, keepdims=True)
    w, v = np.cos(angle / 2), turn * np.sinc(angle / (2 * np.pi)) / 2
    first, vector = start[..., :1], start[..., 1:]
    real = first * w - np.sum(vector * v, axis=-1, keepdims=True)
    imaginary = first * v + w * vector + np.cross(np.broadcast_to(vector, v.shape), v)
    flip = np.where(real < 0, -1.0, 1.0)
    sine = np.linalg.norm(imaginary, axis=-1, keepdims=True)
    whole = 2 * np.arctan2(sine, flip * real)
    return flip * imaginary * whole / np.maximum(sine, 1e-12)
