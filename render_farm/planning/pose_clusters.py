"""Clusters of joint angles among a release's candidates, and which pairs may be in splits that hold clusters out."""

from __future__ import annotations

import numpy as np
from scipy.cluster.vq import kmeans2, vq

from ..errors import InputError

_ROUNDS = 30  # of k-means
_SHARE_SLACK = 0.25  # by which the share of candidates in held-out clusters may miss the share asked for


def cluster_poses(angles: np.ndarray, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Centres (K, 21) and labels (N, L) by k-means on the first poses' joint angles; angles (N, L, 21) radians.

    Raises InputError for fewer than two pairs per cluster.
    """
    if len(angles) < 2 * count:
        raise InputError(f"[hold_out] clusters = {count}: there are {len(angles)} pairs of poses, 2 per cluster needed")
    first = angles[:, 0]
    start = first[np.sort(rng.choice(len(first), count, replace=False))]
    centres, _ = kmeans2(first, start, iter=_ROUNDS, minit="matrix")
    labels = vq(angles.reshape(-1, angles.shape[-1]), centres)[0]
    return centres, labels.reshape(angles.shape[:2]).astype(np.int32)


def held_clusters(centres: np.ndarray, sizes: np.ndarray, share: float, rng: np.random.Generator) -> tuple[int, ...]:
    """Neighbouring clusters that hold about `share` of all poses: of many such sets the most typical one.

    centres (K, 21), sizes (K,) poses. Typical in how large its clusters are and in how far they lie from the middle of
    all poses, so that they are neither all tiny nor all at the border. Raises InputError if no set has the share.
    """
    middle = np.average(centres, axis=0, weights=sizes)
    reach, wanted = np.linalg.norm(centres - middle, axis=1), share * sizes.sum()
    sets = [_neighbours(centres, sizes, wanted, start) for start in rng.permutation(np.flatnonzero(sizes))]
    misses = np.array([abs(sizes[chosen].sum() / wanted - 1) for chosen in sets])
    scores = [miss + _unlikeness(chosen, sizes, reach) for chosen, miss in zip(sets, misses)]
    best = int(np.argmin(np.where(misses <= _SHARE_SLACK, scores, np.inf)))
    if misses[best] > _SHARE_SLACK:
        raise InputError(
            f"[hold_out] clusters = {len(sizes)}: no neighbouring clusters hold about {share:.0%} of the poses, as "
            "test_pose and test_all ask together: more clusters, or larger shares"
        )
    return tuple(sorted(int(cluster) for cluster in sets[best]))


def _neighbours(centres: np.ndarray, sizes: np.ndarray, wanted: float, start: int) -> np.ndarray:
    """Clusters by distance from `start`, each taken if that brings the sum of their sizes closer to `wanted`."""
    chosen, total = [], 0
    for cluster in np.argsort(np.linalg.norm(centres - centres[start], axis=1), kind="stable"):
        if abs(total + sizes[cluster] - wanted) < abs(total - wanted):
            chosen.append(cluster)
            total += sizes[cluster]
    return np.array(chosen, int)


def _unlikeness(chosen: np.ndarray, sizes: np.ndarray, reach: np.ndarray) -> float:
    """How far a set of clusters is from typical, by the size and the distance from the middle that a pose meets."""
    if not len(chosen):
        return np.inf
    typical = np.average(sizes, weights=sizes), np.average(reach, weights=sizes)
    found = np.average(sizes[chosen], weights=sizes[chosen]), np.average(reach[chosen], weights=sizes[chosen])
    return float(sum(abs(np.log(one / other)) for one, other in zip(found, typical)))


def clear_of_border(angles: np.ndarray, centres: np.ndarray, held: tuple[int, ...], margin: float) -> np.ndarray:
    """(N,) whether all poses of a pair are clearly nearer to held-out clusters than to others, or clearly farther.

    angles (N, L, 21), centres (K, 21) radians. The distances to the nearest centre of either kind differ by more than
    `margin` of their mean.
    """
    kinds = np.isin(np.arange(len(centres)), held)
    own, other = (
        np.min([np.linalg.norm(angles - centre, axis=-1) for centre in centres[kinds == kind]], axis=0)
        for kind in (True, False)
    )
    return (np.abs(own - other) > margin * (own + other) / 2).all(1)


def sides(
    blocks: np.ndarray, held: np.ndarray, share: float, clear: np.ndarray | bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Whether each pair is kept, and whether its block is one of the splits that hold clusters out: two (N,) bool.

    blocks (N,) of recordings, held (N, L) whether a pose is in a held-out cluster; only `clear` (N,) ones count. A
    block lies on one side only, and so does a pair; what would be on the other is not kept. A block goes where most of
    its pairs are, and more of them to the held-out side until `share` of what is kept lies there.
    """
    pure, none = held.all(1) & clear, ~held.any(1) & clear
    out, seen = np.bincount(blocks, pure), np.bincount(blocks, none)
    order = np.argsort(-out / np.maximum(out + seen, 1), kind="stable")
    kept_out, kept_seen = np.cumsum(out[order]), seen.sum() - np.cumsum(seen[order])
    lacking = int((kept_out < share * (kept_out + kept_seen)).sum())
    taken = min(max(lacking + 1, int((out > seen).sum())), int((out > 0).sum()))
    side = np.zeros(len(out), bool)
    side[order[:taken]] = True
    return np.where(side[blocks], pure, none), side[blocks]
