"""Catmull-Clark subdivision (Catmull and Clark 1978) as a sparse matrix over the vertices of a closed quad mesh."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix, diags, identity, vstack


@dataclass(frozen=True)
class Subdivision:
    """The surface after some levels, addressed by a grid on every quad of the original mesh."""

    operator: csr_matrix  # (fine vertices, vertices): fine = operator @ coarse; rows sum to 1, none negative
    grid: np.ndarray  # (Q, R + 1, R + 1) fine vertex at each grid point, R = 2 ** levels
    coarse_count: int

    @property
    def resolution(self) -> int:
        """Grid steps along the side of an original quad."""
        return self.grid.shape[1] - 1


def subdivide(quads: np.ndarray, vertex_count: int, levels: int, crease: np.ndarray) -> Subdivision:
    """Subdivide a closed quad mesh `levels` times; original vertices keep their indices.

    crease: (L,) vertices of a closed loop that stays sharp (Hoppe et al. 1994): the cut, so that the forearm runs
    straight up to its rim instead of rounding off towards the cap.
    """
    crease = np.stack([crease, np.roll(crease, -1)], axis=1)
    size = 2**levels
    operator = identity(vertex_count, format="csr")
    parent = np.arange(len(quads))
    place = np.tile(np.array([[0, 0], [size, 0], [size, size], [0, size]]), (len(quads), 1, 1))
    fine = quads
    for _ in range(levels):
        fine, step, crease = one_level(fine, operator.shape[0], crease)
        operator = csr_matrix(step @ operator)
        middle = (place + np.roll(place, -1, axis=1)) // 2
        centre = np.broadcast_to(place.sum(1, keepdims=True) // 4, place.shape)
        place = np.stack([place, middle, centre, np.roll(middle, 1, axis=1)], axis=2).reshape(-1, 4, 2)
        parent = np.repeat(parent, 4)
    grid = np.empty((len(quads), size + 1, size + 1), dtype=int)
    grid[parent[:, None], place[..., 0], place[..., 1]] = fine
    return Subdivision(operator, grid, vertex_count)


def one_level(quads: np.ndarray, vertex_count: int, crease: np.ndarray) -> tuple[np.ndarray, csr_matrix, np.ndarray]:
    """New quads (4 Q, 4), corner first, the matrix of one level (vertices, edges, faces) and crease edges (2 C, 2).

    quads (Q, 4), crease (C, 2). ValueError for a mesh that is not closed.
    """
    sides = np.sort(np.stack([quads, np.roll(quads, -1, axis=1)], axis=-1), axis=-1).reshape(-1, 2)
    edges, side_edge = np.unique(sides, axis=0, return_inverse=True)
    side_edge = side_edge.reshape(quads.shape)
    face_points = average(quads, vertex_count)
    ends = average(edges, vertex_count)
    edge_faces = incidence(side_edge, len(edges))
    if not np.all(edge_faces.sum(1) == 2):
        raise ValueError("Catmull-Clark needs a closed mesh: every edge in exactly two quads")
    key = edges[:, 0] * vertex_count + edges[:, 1]
    crease = np.sort(crease, axis=1)
    sharp = np.searchsorted(key, crease[:, 0] * vertex_count + crease[:, 1])
    edge_points = replace_rows(0.5 * ends + 0.25 * (edge_faces @ face_points), ends, sharp)
    valence = np.bincount(edges.ravel(), minlength=vertex_count).astype(float)
    around_edges = diags(1 / valence) @ incidence(edges, vertex_count) @ ends
    around_faces = diags(1 / valence) @ incidence(quads, vertex_count) @ face_points
    keep = identity(vertex_count)
    smooth = diags((valence - 3) / valence) @ keep + diags(1 / valence) @ (2 * around_edges + around_faces)
    along = 0.5 * keep + 0.25 * (incidence(edges[sharp], vertex_count) @ ends[sharp])
    vertex_points = replace_rows(smooth, along, np.unique(crease))
    edge_index = vertex_count + side_edge
    centre = np.repeat(vertex_count + len(edges) + np.arange(len(quads))[:, None], 4, axis=1)
    children = np.stack([quads, edge_index, centre, np.roll(edge_index, 1, axis=1)], axis=2).reshape(-1, 4)
    step = csr_matrix(vstack([vertex_points, edge_points, face_points]))
    halves = np.concatenate([np.stack([edges[sharp, k], vertex_count + sharp], axis=1) for k in (0, 1)])
    return children, step, halves


def average(groups: np.ndarray, count: int) -> csr_matrix:
    """(G, count) matrix that averages the vertices of each row of `groups` (G, k)."""
    return csr_matrix(incidence(groups, count).T / groups.shape[1])


def incidence(groups: np.ndarray, count: int) -> csr_matrix:
    """(count, G) matrix: 1 where the item is in the group."""
    column = np.repeat(np.arange(len(groups)), groups.shape[1])
    ones = np.ones(groups.size)
    return csr_matrix(coo_matrix((ones, (groups.ravel(), column)), shape=(count, len(groups))))


def replace_rows(matrix: csr_matrix, other: csr_matrix, rows: np.ndarray) -> csr_matrix:
    """`matrix` (N, M) with `rows` (R,) taken from `other` (N, M)."""
    take = np.zeros(matrix.shape[0])
    take[rows] = 1
    return csr_matrix(diags(1 - take) @ matrix + diags(take) @ other)


def keep_girth(subdivision: Subdivision) -> csr_matrix:
    """The operator applied to coarse vertices moved against the thinning.

    Subdivision pulls the surface inside its control mesh: fingers lose 3 to 6 % of their girth. With S the rows of
    the original vertices, moving the control mesh to (2 I - S) x leaves only the second order of that loss, and none
    of the ripples of a full interpolation.
    """
    count = subdivision.coarse_count
    own = subdivision.operator[:count]
    return csr_matrix(subdivision.operator @ (2 * identity(count, format="csr") - own))
