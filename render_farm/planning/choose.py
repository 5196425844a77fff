"""Who is in which split and which subject, and in what order the pairs are rendered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .candidates import PoseFrames
from .release_tables import SplitSettings


@dataclass(frozen=True)
class Arrangement:
    """The pairs of a release in their order; P of them."""

    pairs: np.ndarray  # (P, length) frames
    split: np.ndarray  # (P,) uint8, index into SPLITS
    subject: np.ndarray  # (P,) int32
    order: np.ndarray  # (P,) which of the pairs that were chosen each is


@dataclass(frozen=True)
class SubjectSlot:
    """A subject yet to be drawn: its split, and whose recorded poses it follows ("" for nobody's)."""

    split: int
    pose_subject: str


@dataclass(frozen=True)
class Run:
    """Pairs that one subject has, one after another."""

    pairs: np.ndarray  # indices
    split: int
    name: str  # whose recorded poses they are, "" for nobody's


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
    runs = deal_runs(split, pose_subjects(frames, pairs, by_pose_subject), run, rng)
    slots: list[SubjectSlot] = []
    chosen: list[int] = []
    for slot in dict.fromkeys(SubjectSlot(run.split, run.name) for run in runs):
        own = [len(run.pairs) for run in runs if (run.split, run.name) == (slot.split, slot.pose_subject)]
        pool = min(len(own), max(1, round(subjects * sum(own) / len(pairs))))
        chosen += [len(slots) + number % pool for number in range(len(own))]
        slots += [slot] * pool
    return in_random_order(pairs, split, runs, chosen, rng), slots


def deal_runs(split: np.ndarray, names: np.ndarray, run: int, rng: np.random.Generator) -> list[Run]:
    """Runs of at most `run` pairs of one split (P,) and one pose subject (P,), in the order of both."""
    runs = []
    for index in np.unique(split):
        for name in np.unique(names[split == index]):
            members = rng.permutation(np.flatnonzero((split == index) & (names == name)))
            runs += [Run(members[at : at + run], int(index), str(name)) for at in range(0, len(members), run)]
    return runs


def in_random_order(
    pairs: np.ndarray, split: np.ndarray, runs: Sequence[Run], subjects: Sequence[int], rng: np.random.Generator
) -> Arrangement:
    """`pairs` (P, length) of `split` (P,), in `runs` of one of the `subjects` each."""
    shuffled = rng.permutation(len(runs))
    order = np.concatenate([runs[i].pairs for i in shuffled])
    subject = np.repeat(np.array(subjects, np.int32)[shuffled], [len(runs[i].pairs) for i in shuffled])
    return Arrangement(pairs[order], split[order], subject, order)


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
