"""Which pairs a release with held-out factors has: diverse poses on either side of its held-out clusters, dealt out."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np

from rigging.asset import HandAsset
from rigging.poses.angles import joint_angles
from rigging.poses.diversity import k_centre

from ..errors import InputError
from .candidates import PoseFrames, thin_out
from .choose import Arrangement, SubjectSlot, block_ids
from .deal import deal_runs, deal_splits, deal_subjects
from .pose_clusters import clear_of_border, cluster_poses, held_clusters, sides
from .release import Release
from .seeds import Draw, Stream, generator

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Choice:
    """P chosen pairs of L poses."""

    pairs: np.ndarray  # (P, L) frames
    held: np.ndarray  # (P,) bool, of the held-out clusters
    cluster: np.ndarray  # (P, L) int32
    centres: np.ndarray  # (K, 21) float64, radians
    held_clusters: tuple[int, ...]


def choose_held_out(release: Release, asset: HandAsset, frames: PoseFrames, pairs: np.ndarray) -> Choice:
    """The most diverse of `pairs` (N, L) in held-out clusters of joint angles, and of those in others.

    No more than the release has samples for; fewer, in the same shares, if either kind runs out. Raises InputError if
    there are too few pairs or clusters to hold any out.
    """
    rng = generator(release, Stream.CHOICE)
    wanted = release.samples // pairs.shape[1]
    pairs = thin_out(pairs, max(release.poses.candidates, wanted), rng)
    angles = joint_angles(asset, frames.joints[pairs.reshape(-1)]).reshape(*pairs.shape, -1)
    angles = np.round(angles, 6)  # radians: products summed in another order must not change a bit of the plan
    own = generator(release, Stream.HOLD_OUT, Draw.CLUSTERS)
    centres, cluster = cluster_poses(angles, release.hold_out.clusters, own)
    share = release.splits.holding("pose")
    clusters: tuple[int, ...] = ()
    if share:
        clusters = held_clusters(centres, np.bincount(cluster[:, 0], minlength=len(centres)), share, own)
        clear = clear_of_border(angles, centres, clusters, release.hold_out.margin)
        pairs, cluster = pairs[clear], cluster[clear]
        log.info("poses: %d pairs at the border of what is held out are not used", (~clear).sum())
    kept, side = sides(block_ids(frames, pairs, release.splits.block), np.isin(cluster, clusters), share)
    log.info(
        "poses: %d of %d clusters held out; %d pairs lie on both sides", len(clusters), len(centres), (~kept).sum()
    )
    counts = _counts(release, wanted, int((kept & ~side).sum()), int((kept & side).sum()))
    chosen = [
        np.sort(rows[k_centre(frames.joints[pairs[rows, 0]], count, rng)])
        for rows, count in zip((np.flatnonzero(kept & ~side), np.flatnonzero(kept & side)), counts)
        if count
    ]
    rows = np.concatenate(chosen)
    return Choice(pairs[rows], side[rows], cluster[rows], centres, clusters)


def _counts(release: Release, wanted: int, seen: int, held: int) -> tuple[int, int]:
    """How many pairs to take that may be in train, and how many in held-out clusters, of so many there are."""
    share = release.splits.holding("pose")
    count = min(wanted, int(seen / (1 - share)), int(held / share) if share else wanted)
    out = round(share * count)
    if count < 1 or (share and not out):
        raise InputError(
            f"--poses {release.poses.source}: {seen} pairs of poses in common clusters and {held} in held-out ones are "
            f"too few for the splits asked for (test_pose and test_all: {share:.0%})"
        )
    return count - out, out


def arrange_held_out(
    release: Release, frames: PoseFrames, choice: Choice, names: np.ndarray, rng: np.random.Generator
) -> tuple[Arrangement, list[SubjectSlot], np.ndarray]:
    """Give each chosen pair a split and a subject; then runs of one subject in a random order.

    `names` (P,) say who recorded the pairs. Also returns which of `choice.pairs` each arranged pair is, (P,).
    """
    blocks = block_ids(frames, choice.pairs, release.splits.block)
    split = deal_splits(release, blocks, choice.cluster, choice.held, rng)
    runs = deal_runs(split, names, release.subjects.run, rng)
    subjects, slots = deal_subjects(release, runs, rng)
    shuffled = rng.permutation(len(runs))
    order = np.concatenate([runs[i].pairs for i in shuffled])
    lengths = [len(runs[i].pairs) for i in shuffled]
    subject = np.repeat(np.array([subjects[i] for i in shuffled], np.int32), lengths)
    return Arrangement(choice.pairs[order], split[order], subject), slots, order
