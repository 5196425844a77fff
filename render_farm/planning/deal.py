"""Deals pairs to splits that share the strata of what they do not hold out, and subjects to pairs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import InputError
from .choose import Run, SubjectSlot
from .release import Release
from .splits import SPLITS, TEST_ALL, TEST_SUBJECT, TRAIN, holds_out

GOLDEN = (5**0.5 - 1) / 2
_LEAST = 0.75  # of the pairs that a split asks for, or all but one: below, the request is not met


def deal_blocks(
    blocks: np.ndarray, strata: np.ndarray, shares: Sequence[float], cover: bool, rng: np.random.Generator
) -> np.ndarray:
    """(P,) index into `shares` of each pair, whole blocks (P,) at a time, with like shares in every stratum.

    strata (P, L): a pair's own. Blocks are dealt stratum by stratum, each to whom most is owed; with `cover` the first
    that has a stratum goes to index 0 (`train`), so that no other has one that it lacks.
    """
    names, first, which = np.unique(blocks, return_index=True, return_inverse=True)
    members = np.split(np.argsort(which, kind="stable"), np.cumsum(np.bincount(which))[:-1])
    shares = np.asarray(shares, float) / sum(shares)
    owed, owner, known = np.zeros(len(shares)), np.zeros(len(names), np.int64), set()
    for block in np.lexsort((rng.permutation(len(names)), strata[first, 0])):
        own = set(strata[members[block]].flat)
        owed += shares * len(members[block])
        owner[block] = np.argmax(owed) if own <= known or not cover else 0
        owed[owner[block]] -= len(members[block])
        known |= own if owner[block] == 0 else set()
    return owner[which]


def deal_splits(
    release: Release, blocks: np.ndarray, strata: np.ndarray, held: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """(P,) uint8 split of each pair; `held` (P,) says which are for the splits that hold poses out.

    Raises InputError if a split asked for gets no pair, or too few.
    """
    shares = np.array(release.splits.shares)
    poses_out = np.array([holds_out(split, "pose") for split in range(len(SPLITS))])
    split = np.zeros(len(blocks), np.uint8)
    for side in (False, True):
        numbers = np.flatnonzero((poses_out == side) & (shares > 0))
        rows = np.flatnonzero(held == side)
        if len(rows) and len(numbers):
            split[rows] = numbers[deal_blocks(blocks[rows], strata[rows], shares[numbers], not side, rng)]
    _check_shares(release, np.bincount(split, minlength=len(SPLITS)), len(np.unique(blocks)))
    return split


def _check_shares(release: Release, found: np.ndarray, blocks: int) -> None:
    for name, pairs, share in zip(SPLITS, found, release.splits.shares):
        asked = share * found.sum()
        if share and (pairs == 0 or pairs < min(_LEAST * asked, asked - 1)):
            raise InputError(
                f"[splits] {name} = {share:g}: gets {pairs} of the {asked:.0f} pairs it asks for, as {found.sum()} "
                f"pairs in {blocks} blocks of [splits] block = {release.splits.block} frames allow no more: more "
                "samples, smaller blocks, fewer splits or fewer [hold_out] clusters"
            )


def owner_of(split: int) -> int:
    """The split whose subjects `split` has: its own if it holds them out, else those of train."""
    return split if holds_out(split, "subject") else TRAIN


def subject_counts(release: Release, runs: Sequence[Run]) -> dict[int, int]:
    """How many subjects each split that owns any shall have.

    Raises InputError if there are too few subjects or runs.
    """
    pairs = {split: sum(len(run.pairs) for run in runs if run.split == split) for split in {run.split for run in runs}}
    owners = sorted({owner_of(split) for split in pairs})
    total, wanted = release.subjects.count, release.hold_out.subjects
    counts = {owner: max(1, round(total * pairs[owner] / sum(pairs.values()))) for owner in owners if owner != TRAIN}
    if wanted and TEST_SUBJECT in counts:
        per_pair = wanted / pairs[TEST_SUBJECT]
        counts = {owner: max(1, round(per_pair * pairs[owner])) for owner in counts}
    elif wanted and TEST_ALL in counts:
        counts[TEST_ALL] = wanted
    counts[TRAIN] = total - sum(counts.values())
    if counts[TRAIN] < 1:
        raise InputError(
            f"[subjects] count = {total}: test_subject and test_all take {total - counts[TRAIN]}, train needs some too"
        )
    for owner in owners:
        own = sum(run.split == owner for run in runs)
        if wanted and owner != TRAIN and own < counts[owner]:
            raise InputError(
                f"[hold_out] subjects = {wanted}: {SPLITS[owner]} has {own} runs of [subjects] run = "
                f"{release.subjects.run} pairs for {counts[owner]} subjects: a smaller run or a larger share"
            )
    return counts


def deal_subjects(
    release: Release, runs: Sequence[Run], rng: np.random.Generator
) -> tuple[list[int], list[SubjectSlot]]:
    """The subject of each run, and all subjects, those of one owner and one pose subject in a row.

    Every split that holds no subjects out has those of train, evenly spread over them.
    """
    slots: list[SubjectSlot] = []
    pools: dict[tuple[int, str], range] = {}
    for owner, count in sorted(subject_counts(release, runs).items()):
        own = [run for run in runs if run.split == owner]
        total = sum(len(run.pairs) for run in own)
        for name in sorted({run.name for run in own}):
            here = [run for run in own if run.name == name]
            size = min(len(here), max(1, round(count * sum(len(run.pairs) for run in here) / total)))
            pools[owner, name] = range(len(slots), len(slots) + size)
            slots += [SubjectSlot(owner, name)] * size
    everyone = range(sum(slot.split == TRAIN for slot in slots))  # of train, whose subjects come first
    turn = {split: int(rng.integers(len(slots))) * (split != owner_of(split)) for split in range(len(SPLITS))}
    chosen = []
    for run in runs:
        pool = pools.get((owner_of(run.split), run.name), everyone)
        chosen.append(pool[turn[run.split] % len(pool)])
        turn[run.split] += 1
    return chosen, slots


def even_tones(owners: np.ndarray, ita: tuple[float, float], rng: np.random.Generator) -> np.ndarray:
    """(S,) degrees of ITA: those of one of `owners` (S,) step round the range by the golden ratio.

    So any few in a row have tones from all of it (a Kronecker sequence).
    """
    tones = np.empty(len(owners))
    for owner in np.unique(owners):
        own = owners == owner
        tones[own] = (rng.random() + np.arange(own.sum()) * GOLDEN) % 1
    return ita[0] + (ita[1] - ita[0]) * tones
