"""Near-duplicates within and across splits: pictures by a perceptual hash, poses by the distance of their joints.

Two samples have the same pictures if the hashes of hand and arm differ by a few bits in every view: that is wrong
wherever they are. Two samples have the same pose if their joints lie together once place, orientation and size of the
hand are taken out: that is wrong across splits. Poses of one pair or clip are neighbours by intention, and exempt. Only
the box around the hand is hashed, so the background of a camera that stands still does not make pictures the same.
"""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from rigging.poses.sampling.diversity import palm_features

from .finding import Finding, called, places_of

CHECK = "duplicates"
# Nearest poses in different splits: 0.014 among 2,000 of NYU's consecutive frames, 0.032 among 40,000 sampled ones.
SAME_POSE = 0.005  # palm lengths, root mean square over the joints: 0.5 mm
# In the view that differs most: 22 and more between pairs, whatever the background; 10 and more within a pair; up to 8
# between a picture and the same at JPEG quality 25, or brighter and with noise.
SAME_PICTURE = 8  # bits of 64, in every view
HASH_SIZE = 32  # px: what is finer does not count
NEIGHBOURS = 8  # poses, or pictures in an order, that are compared with each; more in releases of clips

_ONES = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).sum(1).astype(np.uint8)


def picture_hashes(rgb: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Perceptual hash (V,) uint64 of pictures (V, H, W, 3) uint8 where `parts` (V, H, W) says hand or arm.

    A bit is whether one of the 8 x 8 slowest cosines (but for the mean) is stronger than their median (Zauner 2010).
    """
    bits = np.zeros((len(rgb), 64), bool)
    for out, picture, shown in zip(bits, rgb, parts > 0):
        grey = cv2.cvtColor(np.ascontiguousarray(picture[_box(shown)]), cv2.COLOR_RGB2GRAY)
        small = cv2.resize(grey, (HASH_SIZE, HASH_SIZE), interpolation=cv2.INTER_AREA)
        slowest = cv2.dct(small.astype(np.float32))[:8, :8].ravel()[1:]
        out[1:] = slowest > np.median(slowest)
    return np.packbits(bits, axis=1).view(">u8")[:, 0].astype(np.uint64)


def _box(shown: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns of the box around what is shown (H, W) bool; all of them if nothing is."""
    if not shown.any():
        return slice(None), slice(None)
    rows, columns = np.flatnonzero(shown.any(1)), np.flatnonzero(shown.any(0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def pose_descriptor(joints: np.ndarray, hand: str) -> np.ndarray:
    """(60,) float32 of joints (21, 3) m in any frame: Euclidean distance is SAME_POSE's. Left hands count as right."""
    mirror = np.array([1.0, 1.0, 1.0 if hand == "right" else -1.0])
    return palm_features(np.asarray(joints, float)[None] * mirror)[0]


def duplicates(hashes: np.ndarray, poses: np.ndarray, columns: Mapping[str, np.ndarray]) -> list[Finding]:
    """Groups of samples that are the same, from hashes (S, V) and descriptors (S, 60).

    `columns` has `shard`, `row`, `split` and `pair`, (S,) each. Memory and time grow as S (times its logarithm).
    """
    found = []
    shown: set[int] = set()
    _, sizes = np.unique(columns["pair"], return_counts=True)
    most = NEIGHBOURS + int(sizes.max(initial=2)) - 2  # so that a clip's own poses leave room for others
    for group in groups(near_pictures(hashes, most), columns["pair"]):
        same = np.ptp(poses[group], axis=0).max() < SAME_POSE
        about = "pictures and pose are the same" if same else "the pictures are the same, the poses are not"
        found.append(Finding(CHECK, f"{about}: {called(columns, group)}", places_of(columns, group)))
        shown |= set(group.tolist())
    for group in groups(near_poses(poses, most), columns["pair"]):
        if len(np.unique(columns["split"][group])) > 1 and not set(group.tolist()) <= shown:
            about = f"one pose (to {SAME_POSE:g} palm lengths) in several splits"
            found.append(Finding(CHECK, f"{about}: {called(columns, group)}", places_of(columns, group)))
    return found


def groups(near: np.ndarray, pair: np.ndarray) -> list[np.ndarray]:
    """Sets of samples that `near` (P, 2) ties together, those of a single pair left out; rising indices."""
    ones = np.ones(len(near), bool)
    graph = coo_array((ones, (near[:, 0], near[:, 1])), shape=(len(pair), len(pair)))
    label = connected_components(graph, directed=False)[1]
    order = np.argsort(label, kind="stable")
    sets = np.split(order, np.flatnonzero(np.diff(label[order])) + 1)
    return [members for members in sets if len(members) > 1 and len(np.unique(pair[members])) > 1]


def near_poses(poses: np.ndarray, most: int = NEIGHBOURS) -> np.ndarray:
    """(P, 2) pairs of descriptors (S, 60) that are nearer than SAME_POSE: of each its `most` nearest, by a k-d tree.

    Poses that agree to a hundredth of that are one to the tree, so that a thousand copies cost no more than two.
    """
    cells = np.round(poses / (SAME_POSE / 100)).astype(np.int32)
    _, first, which = np.unique(cells, axis=0, return_index=True, return_inverse=True)
    same = np.column_stack([first[which.reshape(-1)], np.arange(len(poses))])
    distance, other = cKDTree(poses[first]).query(poses[first], k=min(most, len(first)), distance_upper_bound=SAME_POSE)
    distance, other = distance.reshape(len(first), -1), other.reshape(len(first), -1)
    one, nth = np.nonzero(np.isfinite(distance))
    return np.concatenate([same, np.column_stack([first[one], first[other[one, nth]]])])


def near_pictures(hashes: np.ndarray, most: int = NEIGHBOURS) -> np.ndarray:
    """(P, 2) pairs of samples whose hashes (S, V) differ by SAME_PICTURE bits at most in every view.

    Sorted neighbourhoods: samples are sorted by the bits of a view (then of the next), beginning at several of them,
    and each is compared with the `most` - 1 that follow. Equal ones always meet; those that differ miss each other only
    where a difference lies among the first bits in all of the orders.
    """
    found = [np.zeros((0, 2), np.int64)]
    halves = hashes, (hashes << np.uint64(32)) | (hashes >> np.uint64(32))
    for view in range(hashes.shape[1]):
        for turned in halves:
            order = np.lexsort(np.roll(turned, -view, axis=1).T[::-1])
            found += [_agreeing(hashes, order[:-step], order[step:]) for step in range(1, most)]
    return np.unique(np.concatenate(found), axis=0)


def _agreeing(hashes: np.ndarray, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Those of the pairs (one, other) that agree in every view."""
    for view in range(hashes.shape[1]):
        differ = hashes[one, view] ^ hashes[other, view]
        near = _ONES[differ.view(np.uint8).reshape(-1, 8)].sum(1) <= SAME_PICTURE
        one, other = one[near], other[near]
    return np.column_stack([one, other])
