"""Cut the right hand out of the body at a forearm loop and close the cut with a quad cap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix, eye, vstack

from .makehuman import BaseMesh

CUT_EDGE = (3482, 3483)  # an edge of the forearm loop that leaves 1709 vertices on the hand's side
HAND_VERTICES = 1709
CAP_SIDE = 5  # the cut has 4 * 5 vertices, so a 5 x 5 grid of quads closes it


@dataclass(frozen=True)
class Patch:
    """The hand as a closed quad mesh; every vertex is a fixed linear combination of body vertices."""

    quads: np.ndarray  # (Q, 4), the cap last
    body_vertices: np.ndarray  # (1709,) rows of the body mesh
    body_quads: np.ndarray  # (Q - 25,) rows of the body's quads
    from_body: csr_matrix  # (1725, 1709): the cap's inner vertices come from the cut (Coons patch)
    loop: np.ndarray  # (20,) the cut, in the order in which the cap's faces run along it

    @property
    def cap_start(self) -> int:
        """First quad of the cap."""
        return len(self.body_quads)


def cut_hand(base: BaseMesh) -> Patch:
    """The right hand and 6.6 cm of forearm, closed: 1725 vertices, 1723 quads, Euler characteristic 2."""
    loop = edge_loop(base.quads, *CUT_EDGE)
    inside = flood(base.quads, loop, start=base.joint_cubes["joint-r-finger-3-4"], vertices=base.vertices)
    used = np.unique(base.quads[inside])
    if len(used) != HAND_VERTICES:
        raise ValueError(f"the cut leaves {len(used)} vertices, expected {HAND_VERTICES}")
    renumber = np.full(len(base.vertices), -1)
    renumber[used] = np.arange(len(used))
    quads = renumber[base.quads[inside]]
    loop = orient_loop(quads, renumber[loop])
    grid = cap_grid(loop, first_inner=len(used))
    cap = grid_quads(grid)
    return Patch(np.vstack([quads, cap]), used, inside, coons_operator(grid, len(used)), loop)


def vertex_neighbours(quads: np.ndarray) -> dict[int, set[int]]:
    """Vertices that share an edge of `quads` (Q, 4)."""
    neighbours: dict[int, set[int]] = {}
    for quad in quads.tolist():
        for a, b in zip(quad, quad[1:] + quad[:1]):
            neighbours.setdefault(a, set()).add(b)
            neighbours.setdefault(b, set()).add(a)
    return neighbours


def edge_loop(quads: np.ndarray, first: int, second: int) -> np.ndarray:
    """Vertices (L,) straight on over valence 4 from the edge (first, second) until the loop closes; quads (Q, 4).

    ValueError if it does not close.
    """
    neighbours = vertex_neighbours(quads)
    faces: dict[int, set[int]] = {}
    for index, quad in enumerate(quads.tolist()):
        for vertex in quad:
            faces.setdefault(vertex, set()).add(index)
    loop = [first, second]
    while True:
        before, here = loop[-2:]
        behind = faces[before] & faces[here]
        ahead = [n for n in neighbours[here] if n != before and not behind & faces[n] & faces[here]]
        if len(ahead) != 1:
            raise ValueError(f"the edge loop through {first} and {second} does not close at vertex {here}")
        if ahead[0] == first:
            return np.array(loop)
        loop.append(ahead[0])


def flood(quads: np.ndarray, loop: np.ndarray, start: np.ndarray, vertices: np.ndarray) -> np.ndarray:
    """Sorted quads (R,) reached from the vertex nearest to the helper cube `start` (8,) without crossing `loop` (L,).

    quads (Q, 4), vertices (V, 3).
    """
    wall = {frozenset(edge) for edge in zip(loop.tolist(), np.roll(loop, -1).tolist())}
    edge_faces: dict[frozenset[int], list[int]] = {}
    edges = [[frozenset(e) for e in zip(q, q[1:] + q[:1])] for q in quads.tolist()]
    for index, quad_edges in enumerate(edges):
        for edge in quad_edges:
            edge_faces.setdefault(edge, []).append(index)
    distance = np.linalg.norm(vertices[quads].mean(1) - vertices[start].mean(0), axis=1)
    pending = [int(distance.argmin())]
    reached = set(pending)
    while pending:
        for edge in edges[pending.pop()]:
            if edge not in wall:
                fresh = [face for face in edge_faces[edge] if face not in reached]
                reached.update(fresh)
                pending.extend(fresh)
    return np.array(sorted(reached))


def orient_loop(quads: np.ndarray, loop: np.ndarray) -> np.ndarray:
    """The loop (L,) turned so that cap faces along it have the opposite direction to the hand's `quads` (Q, 4)."""
    directed = {(a, b) for quad in quads.tolist() for a, b in zip(quad, quad[1:] + quad[:1])}
    return loop[::-1].copy() if (int(loop[0]), int(loop[1])) in directed else loop


def cap_grid(loop: np.ndarray, first_inner: int) -> np.ndarray:
    """(6, 6) vertex indices: the loop around the border, new vertices inside."""
    n = CAP_SIDE
    grid = np.empty((n + 1, n + 1), dtype=int)
    grid[0, :] = loop[: n + 1]
    grid[:, n] = loop[n : 2 * n + 1]
    grid[n, ::-1] = loop[2 * n : 3 * n + 1]
    grid[1:, 0] = loop[3 * n :][::-1]
    grid[1:n, 1:n] = first_inner + np.arange((n - 1) ** 2).reshape(n - 1, n - 1)
    return grid


def grid_quads(grid: np.ndarray) -> np.ndarray:
    """Quads ((N - 1) (M - 1), 4) of a vertex grid (N, M), in the direction of its first row."""
    corners = grid[:-1, :-1], grid[:-1, 1:], grid[1:, 1:], grid[1:, :-1]
    return np.stack(corners, axis=-1).reshape(-1, 4)


def coons_operator(grid: np.ndarray, body_count: int) -> csr_matrix:
    """(B + inner, B) matrix that keeps the B body vertices and spans the cap bilinearly (Coons 1967); grid (6, 6)."""
    n = CAP_SIDE
    inner = np.zeros(((n - 1) ** 2, body_count))
    for i in range(1, n):
        for j in range(1, n):
            s, t = i / n, j / n
            row = inner[(i - 1) * (n - 1) + j - 1]
            for weight, vertex in (
                (1 - s, grid[0, j]), (s, grid[n, j]), (1 - t, grid[i, 0]), (t, grid[i, n]),
                (-(1 - s) * (1 - t), grid[0, 0]), (-(1 - s) * t, grid[0, n]),
                (-s * (1 - t), grid[n, 0]), (-s * t, grid[n, n]),
            ):  # fmt: skip
                row[vertex] += weight
    return csr_matrix(vstack([eye(body_count), csr_matrix(inner)]))
