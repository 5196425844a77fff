"""Who is in which split and which subject, and in what order the pairs are rendered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .candidates import PoseFrames
from .release_tables import SplitSettings
from .splits import SPLITS


@dataclass(frozen=True)
class Arrangement:
    """The pairs of a release in their order; P of them."""

    pairs: np.ndarray  # (P, length) frames
    split: np.ndarray  # (P,) uint8, index into SPLITS
    subject: np.ndarray  # (P,) int32


@dataclass(frozen=True)
class SubjectSlot:
    """A subject yet to be drawn: its split, and whose recorded poses it follows ("" for nobody's)."""

    split: int
    pose_subject: str


def arrange(
    frames: PoseFrames,
    pairs: np.ndarray,
    splits: SplitSettings,
    subjects: int,
    run: int,
    by_pose_subject: bool,
    rng: np.random.Generator,
) -> tuple[Arrangement, list[SubjectSlot]]:
    """Split the chosen `pairs` (P, length), give each a subject, and put runs of one subject in a random order.

    Blocks of a clip stay in one split; a subject occurs in one split only, so that both are held out.
    """
    split = assign_splits(block_ids(frames, pairs, splits.block), splits, rng)
    names = pose_subjects(frames, pairs, by_pose_subject)
    slots: list[SubjectSlot] = []
    runs: list[tuple[np.ndarray, int, int]] = []
    for index in range(len(SPLITS)):
        for name in np.unique(names[split == index]):
            members = rng.permutation(np.flatnonzero((split == index) & (names == name)))
            chunks = [members[start : start + run] for start in range(0, len(members), run)]
            pool = min(len(chunks), max(1, round(subjects * len(members) / len(pairs))))
            first = len(slots)
            slots += [SubjectSlot(index, str(name))] * pool
            runs += [(chunk, index, first + number % pool) for number, chunk in enumerate(chunks)]
    ordered = [runs[i] for i in rng.permutation(len(runs))]
    return _flatten(pairs, ordered), slots


def pose_subjects(frames: PoseFrames, pairs: np.ndarray, known: bool) -> np.ndarray:
    """(P,) str, who recorded each of `pairs` (P, L); "" for all unless that is to be `known`."""
    return np.array([clip.subject if known else "" for clip in frames.clips])[frames.clip[pairs[:, 0]]]


def block_ids(frames: PoseFrames, pairs: np.ndarray, block: int) -> np.ndarray:
    """(P,) which block of `block` frames of which clip each pair lies in."""
    first = pairs[:, 0]
    keys = np.stack([frames.clip[first], frames.frame[first] // block], axis=1)
    return np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1)


def assign_splits(blocks: np.ndarray, splits: SplitSettings, rng: np.random.Generator) -> np.ndarray:
    """(P,) uint8 split of each pair: whole blocks, drawn at random, each to the split that lacks most pairs."""
    shares = np.array([splits.train, splits.val, splits.test])
    sizes = np.bincount(blocks)
    lacking = shares * len(blocks)
    owner = np.zeros(len(sizes), np.uint8)
    for block in rng.permutation(len(sizes)):
        owner[block] = np.argmax(lacking)
        lacking[owner[block]] -= sizes[block]
    return owner[blocks]


def split_share(names: Sequence[str], split: int, splits: SplitSettings) -> tuple[str, ...]:
    """Which of `names` (light panoramas) a split may use: test and val get a share of their own, at least one each.

    With too few names to hold any out, all splits share them.
    """
    shares = (splits.train, splits.val, splits.test)
    held = {index: max(1, round(shares[index] * len(names))) for index in (1, 2) if shares[index] > 0}
    kept = len(names) - sum(held.values())
    if kept < 1:
        return tuple(names)
    ends = {0: (0, kept), 1: (kept, kept + held.get(1, 0)), 2: (kept + held.get(1, 0), len(names))}
    return tuple(names[slice(*ends[split])])


def _flatten(pairs: np.ndarray, runs: Sequence[tuple[np.ndarray, int, int]]) -> Arrangement:
    order = np.concatenate([members for members, _, _ in runs])
    lengths = [len(members) for members, _, _ in runs]
    return Arrangement(
        pairs=pairs[order],
        split=np.repeat(np.array([split for _, split, _ in runs], np.uint8), lengths),
        subject=np.repeat(np.array([subject for _, _, subject in runs], np.int32), lengths),
    )
