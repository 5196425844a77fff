"""Which pixels a mesh covers, whatever lies before it: the amodal mask, in plain numpy.

Triangles that face the camera wind one way in the image, the others the other way. The number of triangles of one kind
over a pixel is the winding number of their common outline, and an edge between two of a kind is no outline: so only
the few hundred edges where the surface turns away are followed through the rows that they cross, not the triangles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rigging.geometry.distortion import Lens

_STEPS = 5


@dataclass(frozen=True)
class Edges:
    """The E edges of F triangles, each once."""

    ends: np.ndarray  # (E, 2) vertices, the smaller first
    edge: np.ndarray  # (3 F,) the edge of every side: first sides of all triangles, then second, then third
    sign: np.ndarray  # (3 F,) 1 where the side runs along its edge, -1 against it
    closed: bool  # every edge is run along as often as against: whatever faces away is covered by what faces here


def edges_of(faces: np.ndarray) -> Edges:
    """The edges of triangles (F, 3)."""
    sides = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).astype(np.int64)
    low, high = sides.min(axis=1), sides.max(axis=1)
    keys, edge = np.unique(low << 32 | high, return_inverse=True)
    ends, edge = np.stack([keys >> 32, keys & 0xFFFFFFFF], axis=1), edge.reshape(-1)
    sign = np.where(sides[:, 0] == low, 1, -1)
    return Edges(ends, edge, sign, closed=not np.bincount(edge, sign).any())


def silhouettes(
    vertices: np.ndarray,
    faces: np.ndarray,
    K: np.ndarray,
    world_to_cam: np.ndarray,
    size: tuple[int, int],
    edges: Edges | None = None,
    distortion: np.ndarray | None = None,
) -> np.ndarray:
    """(V, H, W) bool: the pixels whose centre (j + 0.5, i + 0.5) the projected triangles cover.

    vertices (N, 3) m, world; faces (F, 3), in either order; K (V, 3, 3) px; world_to_cam (V, 4, 4); size (H, W);
    `edges` are those of `faces`, if at hand; distortion (V, 5) of the lenses, if there are any. Triangles with a corner
    at or behind the plane of the camera, or beyond the lens, are left out.
    """
    vertices, edges = vertices.astype(np.float64), edges or edges_of(faces)
    out = np.zeros((len(K), *size), bool)
    lenses = [None] * len(K) if distortion is None else [Lens(*camera) for camera in zip(K, distortion)]
    for view, intrinsics, pose, lens in zip(out, K, world_to_cam, lenses):
        camera = vertices @ pose[:3, :3].T + pose[:3, 3]
        before = camera[:, 2] > 0
        image = camera @ intrinsics[:2].T / np.where(before, camera[:, 2], 1)[:, None]
        if lens is not None:
            before &= ~np.isnan(lens.seen(image)).any(axis=1)
        area = _areas(image, faces) * before[faces].all(axis=1)
        view[...] = _winding(image, edges, area > 0, size, lens)
        if not (edges.closed and before.all()):
            view |= _winding(image, edges, area < 0, size, lens)
    return out


def _areas(image: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(F,) signed areas of triangles of points (N, 2) px, doubled."""
    a, b, c = (image[faces[:, corner]] for corner in range(3))
    return (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])


def _winding(
    image: np.ndarray, edges: Edges, chosen: np.ndarray, size: tuple[int, int], lens: Lens | None = None
) -> np.ndarray:
    """(H, W) bool: the outline of the `chosen` (F,) triangles of points (N, 2) px runs round the pixel's centre.

    Counted from the left: +1 or -1 for every edge that a row's centres lie to the right of, and 0 for level ones.
    """
    height, width = size
    turns = np.bincount(edges.edge, np.tile(chosen, 3) * edges.sign, len(edges.ends))
    outline = np.flatnonzero(turns)
    shown = image if lens is None else lens.seen(image)
    start, end = edges.ends[outline].T
    down = shown[start, 1] < shown[end, 1]
    upper, lower = np.where(down, start, end), np.where(down, end, start)
    edge, row = _rows_crossed(shown[upper, 1], shown[lower, 1], height)
    upper, lower = upper[edge], lower[edge]
    step = shown[lower] - shown[upper]
    crossing = shown[upper, 0] + (row + 0.5 - shown[upper, 1]) * (step[:, 0] / step[:, 1])
    if lens is not None:
        crossing = _bent_crossing(image[upper], image[lower], row + 0.5, lens)
    column = np.clip(np.ceil(crossing - 0.5), 0, width).astype(np.int64)
    weights = np.where(down, turns[outline], -turns[outline])[edge]
    passed = np.bincount(row * (width + 1) + column, weights, height * (width + 1)).astype(np.int16)
    return np.cumsum(passed.reshape(height, width + 1), axis=1, dtype=np.int16)[:, :width] != 0


def _bent_crossing(upper: np.ndarray, lower: np.ndarray, level: np.ndarray, lens: Lens) -> np.ndarray:
    """(P,) px: where edges from `upper` to `lower` (P, 2) px of a pinhole camera, bent by the lens, cross y = `level`.

    Regula falsi: an edge of a mesh is all but straight, so that each step makes the error thousands of times smaller.
    """
    low, high = np.zeros(len(level)), np.ones(len(level))
    below, above = (lens.seen(ends)[:, 1] - level for ends in (upper, lower))
    for _ in range(_STEPS):
        share = low + (high - low) * below / (below - above)
        point = lens.seen(upper + share[:, None] * (lower - upper))
        off = point[:, 1] - level
        low, below = np.where(off <= 0, share, low), np.where(off <= 0, off, below)
        high, above = np.where(off > 0, share, high), np.where(off > 0, off, above)
    return point[:, 0]


def _rows_crossed(top: np.ndarray, bottom: np.ndarray, height: int) -> tuple[np.ndarray, np.ndarray]:
    """The pairs of an edge from `top` to `bottom` (E,) px and a row with top <= centre < bottom: two arrays (P,)."""
    first = np.clip(np.ceil(top - 0.5), 0, height).astype(np.int64)
    end = np.clip(np.ceil(bottom - 0.5), 0, height).astype(np.int64)
    count = np.maximum(end - first, 0)
    edge = np.repeat(np.arange(len(top)), count)
    return edge, np.arange(len(edge)) - np.repeat(np.cumsum(count) - count - first, count)
