"""Diversity sampling: greedy k-centre over hand poses.

Gonzalez (1985), Clustering to minimize the maximum intercluster distance: take the point farthest from all centres so
far, again and again; the radius is at most twice the best possible. Exact, but blocked: distances to the nearest centre
only ever fall, so as long as the farthest point of a block of far points is farther than every stale distance outside
the block, it is the farthest of all. New centres then meet all points in one matrix product.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_CHUNK = 8192  # points per matrix product


@dataclass(frozen=True)
class Centres:
    """Centres in the order they were chosen."""

    indices: np.ndarray  # (k,) int64
    distances: np.ndarray  # (k,) float32, how far each was from the earlier ones when chosen; inf for the first
    radius: float  # largest distance of any point to its nearest centre


def palm_features(joints: np.ndarray) -> np.ndarray:
    """Pose descriptors (N, 60) float32 of joints (N, 21, 3), free of the hand's place, orientation and size.

    The 20 joints seen from the wrist, in the palm's axes (+y to the middle MCP, +x towards the little finger), over the
    mean length from wrist to the four MCPs, divided by sqrt(20): Euclidean distance is the root-mean-square distance of
    the joints in palm lengths (about 0.1 m).
    """
    rooted = np.asarray(joints, dtype=np.float64)[:, 1:] - np.asarray(joints, dtype=np.float64)[:, :1]
    along = rooted[:, 8] / np.linalg.norm(rooted[:, 8], axis=-1, keepdims=True)
    across = rooted[:, 16] - rooted[:, 4]
    across = across - along * np.sum(across * along, axis=-1, keepdims=True)
    across = across / np.linalg.norm(across, axis=-1, keepdims=True)
    axes = np.stack([across, along, np.cross(across, along)], axis=-1)  # columns
    size = np.linalg.norm(rooted[:, 4::4], axis=-1).mean(axis=1)[:, None, None] * np.sqrt(20)
    return ((rooted @ axes) / size).reshape(len(rooted), 60).astype(np.float32)


def greedy_centres(features: np.ndarray, count: int, first: int = 0, block: int = 2048) -> Centres:
    """`count` centres of features (N, D) by farthest-point search from the point `first`. Ties go either way.

    Raises ValueError unless 1 <= count <= N, 0 <= first < N and all features are finite.
    """
    points = _centred(features)
    if not 1 <= count <= len(points) or not 0 <= first < len(points):
        raise ValueError(f"{count} centres from point {first}: allowed are 1..{len(points)} and 0..{len(points) - 1}")
    nearest = np.full(len(points), np.inf, dtype=np.float32)  # squared
    chosen, found = [np.array([first])], [np.array([np.inf], dtype=np.float32)]
    _approach(points, nearest, chosen[0])
    while (left := count - sum(map(len, chosen))) > 0:
        indices, distances = _pick(points, nearest, block, left)
        chosen.append(indices)
        found.append(distances)
        _approach(points, nearest, indices)
    radius = float(np.sqrt(max(nearest.max(), 0.0)))
    return Centres(np.concatenate(chosen), np.sqrt(np.concatenate(found)), radius)


def _centred(features: np.ndarray) -> np.ndarray:
    points = np.asarray(features, dtype=np.float32)
    if points.ndim != 2 or not np.isfinite(points).all():
        raise ValueError(f"features have shape {points.shape}, expected (N, D), all finite")
    return np.ascontiguousarray(points - points.mean(axis=0, dtype=np.float64).astype(np.float32))


def _squared_distances(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Squared distances (N, M) of points (N, D) to others (M, D) by one matrix product."""
    square = np.einsum("ij,ij->i", points, points)[:, None] + np.einsum("ij,ij->i", others, others)
    return np.maximum(square - 2 * points @ others.T, 0)


def _approach(points: np.ndarray, nearest: np.ndarray, centres: np.ndarray) -> None:
    """Lower `nearest` (in place) to the squared distances to `centres`; a centre is at no distance, so never again."""
    for start in range(0, len(points), _CHUNK):
        part = slice(start, start + _CHUNK)
        np.minimum(nearest[part], _squared_distances(points[part], points[centres]).min(axis=1), out=nearest[part])
    nearest[centres] = -1.0


def _pick(points: np.ndarray, nearest: np.ndarray, block: int, most: int) -> tuple[np.ndarray, np.ndarray]:
    """The next centres, at least one and at most `most`, that are certain, and their squared distances."""
    if len(points) > block:
        order = np.argpartition(-nearest, block)
        members, outside = np.sort(order[:block]), float(nearest[order[block:]].max())
    else:
        members, outside = np.arange(len(points)), -np.inf
    between = _squared_distances(points[members], points[members])
    far = nearest[members].copy()
    picks, distances = [], []
    while len(picks) < most:
        best = int(np.argmax(far))
        if picks and (far[best] <= outside or far[best] < 0):
            break
        picks.append(members[best])
        distances.append(max(far[best], 0.0))
        np.minimum(far, between[best], out=far)
        far[best] = -1.0
    return np.array(picks), np.array(distances, dtype=np.float32)


def k_centre(joints: np.ndarray, count: int, rng: np.random.Generator, strata: np.ndarray | None = None) -> np.ndarray:
    """Indices (count,) of diverse poses among joints (N, 21, 3), in any unit, by greedy k-centre from a random one.

    `strata` (N,) integers (source, subject, orientation bin ...): each stratum gets its share of `count` in proportion
    to the square root of its size, so that rare ones are not lost, and is searched alone. Raises ValueError unless
    1 <= count <= N.
    """
    features = palm_features(joints)
    if strata is None:
        return greedy_centres(features, count, int(rng.integers(len(features)))).indices
    labels, sizes = np.unique(strata, return_counts=True)
    chosen = []
    for label, share in zip(labels, _shares(sizes, count)):
        members = np.flatnonzero(strata == label)
        first = int(rng.integers(len(members)))
        if share:
            chosen.append(members[greedy_centres(features[members], int(share), first).indices])
    return np.concatenate(chosen)


def _shares(sizes: np.ndarray, count: int) -> np.ndarray:
    """Integers that sum to `count`, in proportion to the square roots of `sizes` and none above its size."""
    if not 1 <= count <= sizes.sum():
        raise ValueError(f"{count} poses asked of {sizes.sum()}")
    shares = np.zeros(len(sizes), dtype=np.int64)
    while (left := count - shares.sum()) > 0:
        weights = np.sqrt(sizes) * (shares < sizes)
        more = np.minimum(np.floor(left * weights / weights.sum()).astype(np.int64), sizes - shares)
        if not more.any():
            more[np.lexsort((np.arange(len(sizes)), -weights))[0]] = 1
        shares += more
    return shares
