"""Which pairs a release with held-out factors has: diverse poses on either side of its held-out clusters, dealt out."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np

from rigging.hand.asset import HandAsset
from rigging.poses.sampling.angles import joint_angles
from rigging.poses.sampling.diversity import k_centre

from ..errors import InputError
from .candidates import PoseFrames
from .choose import block_ids
from .pose_clusters import clear_of_border, cluster_poses, held_clusters, sides
from .release import Release
from .seeds import Draw, Stream, generator
from .windows import thin_out

log = logging.getLogger(__name__)

_WIDER = (1.0, 1.4, 2.0, 2.8)  # times the share asked for that held-out clusters may have of all poses
_MOST_HELD = 0.5  # of all poses


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
    centres, cluster = cluster_poses(
        angles, release.hold_out.clusters, generator(release, Stream.HOLD_OUT, Draw.CLUSTERS)
    )
    blocks = block_ids(frames, pairs, release.splits.block)
    clusters, *both = choose_sides(release, blocks, angles, centres, cluster, wanted)
    counts = counts_of(release.splits.holding("pose"), wanted, *map(len, both))
    chosen = [
        np.sort(rows[k_centre(frames.joints[pairs[rows, 0]], count, rng)]) for rows, count in zip(both, counts) if count
    ]
    rows = np.concatenate(chosen)
    return Choice(pairs[rows], np.isin(rows, both[1]), cluster[rows], centres, clusters)


def choose_sides(
    release: Release, blocks: np.ndarray, angles: np.ndarray, centres: np.ndarray, cluster: np.ndarray, wanted: int
) -> tuple[tuple[int, ...], np.ndarray, np.ndarray]:
    """Clusters to hold out such that there are enough pairs for `wanted` of them in the shares asked for.

    With the pairs, as indices, that are in other clusters (A,) and in these (B,).

    blocks (N,), angles (N, L, 21) and cluster (N, L) of all pairs. Clusters are held out with their share of the poses,
    and with more of it if too few pairs are left that are clear of the border. Raises InputError.
    """
    share, rng = release.splits.holding("pose"), generator(release, Stream.HOLD_OUT, Draw.CHOICE_OF_CLUSTERS)
    sizes, tried = np.bincount(cluster[:, 0], minlength=len(centres)), []
    for wider in _WIDER if share else (1.0,):
        try:
            clusters = held_clusters(centres, sizes, min(wider * share, _MOST_HELD), rng) if share else ()
        except InputError:
            if not tried:
                raise
            break
        clear = clear_of_border(angles, centres, clusters, release.hold_out.margin) if share else True
        kept, side = sides(blocks, np.isin(cluster, clusters), share, clear)
        seen, out = np.flatnonzero(kept & ~side), np.flatnonzero(kept & side)
        counts = counts_of(share, wanted, len(seen), len(out))
        tried.append((counts, clusters, seen, out))
        if sum(counts) == wanted:
            break
    counts, clusters, seen, out = max(tried, key=lambda one: sum(one[0]))
    log.info("poses: %d of %d clusters held out; %d pairs at their borders are not used", len(clusters),
             len(centres), len(blocks) - len(seen) - len(out))  # fmt: skip
    if not counts[0] or (share and not counts[1]):
        raise InputError(
            f"--poses {release.poses.source}: {len(seen)} pairs of poses in common clusters and {len(out)} in held-out "
            f"ones are too few for the splits asked for (test_pose and test_all: {share:.0%})"
        )
    return clusters, seen, out


def counts_of(share: float, wanted: int, seen: int, out: int) -> tuple[int, int]:
    """How many pairs to take of `seen` and of `out`, at most `wanted`, so that `share` of them are of `out`."""
    count = min(wanted, int(seen / (1 - share)), int(out / share) if share else wanted)
    held = round(share * count)
    return count - held, held
