"""Triangulate the hand's quads and bisect edges until the mesh has an exact number of vertices.

Each bisection of an interior edge adds one vertex, taken from the subdivision surface, and two triangles, so any
vertex count between that of the coarse mesh and that of the surface can be hit, and Euler's characteristic stays.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from .catmull_clark import Subdivision

Edge = tuple[int, int]


@dataclass(frozen=True)
class GridTriangles:
    """Triangles whose corners are grid points of coarse quads."""

    quad: np.ndarray  # (F,) coarse quad
    corner: np.ndarray  # (F, 3, 2) grid point on that quad
    vertices: np.ndarray  # (F, 3) fine vertex

    def local(self, resolution: int) -> np.ndarray:
        """(F, 3, 4) bilinear weights of the four corners of the quad."""
        s, t = np.moveaxis(self.corner / resolution, -1, 0)
        return np.stack([(1 - s) * (1 - t), s * (1 - t), s * t, (1 - s) * t], axis=-1)


@dataclass
class _Mesh:
    """Triangles that change while bisecting: index -> (quad, grid corners), and who has which edge."""

    grid: np.ndarray
    triangles: dict[int, tuple[int, tuple[Edge, Edge, Edge]]] = field(default_factory=dict)
    sides: dict[Edge, set[int]] = field(default_factory=dict)
    added: int = 0

    def vertices(self, triangle: int) -> list[int]:
        quad, corners = self.triangles[triangle]
        return [int(self.grid[quad, i, j]) for i, j in corners]

    def edges(self, triangle: int) -> list[Edge]:
        a, b, c = self.vertices(triangle)
        return [_edge(a, b), _edge(b, c), _edge(c, a)]

    def add(self, quad: int, corners: tuple[Edge, Edge, Edge]) -> list[Edge]:
        index, self.added = self.added, self.added + 1
        self.triangles[index] = (quad, corners)
        for edge in self.edges(index):
            self.sides.setdefault(edge, set()).add(index)
        return self.edges(index)

    def remove(self, triangle: int) -> None:
        for edge in self.edges(triangle):
            self.sides[edge].discard(triangle)
        del self.triangles[triangle]


def _edge(a: int, b: int) -> Edge:
    return (a, b) if a < b else (b, a)


def bisect_to(
    surface: Subdivision, points: np.ndarray, length: Callable[[int, int, bool], float], target: int, cap_start: int
) -> GridTriangles:
    """Triangulate by the shorter diagonal, then bisect the longest edge until there are `target` vertices.

    points: (fine vertices, 3); length(a, b, in_cap): the edge's length, weighted by region.
    """
    mesh = _Mesh(surface.grid)
    for quad in range(len(surface.grid)):
        for corners in _split_quad(surface, points, quad):
            mesh.add(quad, corners)

    def entry(edge: Edge) -> tuple[float, Edge]:
        in_cap = all(mesh.triangles[t][0] >= cap_start for t in mesh.sides[edge])
        return (-round(length(*edge, in_cap), 9), edge)

    queue = [entry(edge) for edge in sorted(mesh.sides)]
    heapq.heapify(queue)
    count = surface.coarse_count
    while count < target:
        _, edge = heapq.heappop(queue)
        if not mesh.sides.get(edge):
            continue
        halves = [(t, _middle(mesh, t, edge)) for t in sorted(mesh.sides[edge])]
        if any(middle is None for _, middle in halves):
            continue  # the edge is one grid step long
        for triangle, middle in halves:
            for changed in _split(mesh, triangle, edge, middle):
                heapq.heappush(queue, entry(changed))
        count += 1
    kept = [mesh.triangles[t] for t in sorted(mesh.triangles, key=lambda t: (mesh.triangles[t][0], t))]
    quad = np.array([q for q, _ in kept])
    corner = np.array([c for _, c in kept])
    return GridTriangles(quad, corner, surface.grid[quad[:, None], corner[..., 0], corner[..., 1]])


def _split_quad(surface: Subdivision, points: np.ndarray, quad: int) -> list[tuple[Edge, Edge, Edge]]:
    r = surface.resolution
    corners: list[Edge] = [(0, 0), (r, 0), (r, r), (0, r)]
    at = [points[surface.grid[quad, i, j]] for i, j in corners]
    first = np.linalg.norm(at[0] - at[2]) <= np.linalg.norm(at[1] - at[3])
    order = ((0, 1, 2), (0, 2, 3)) if first else ((0, 1, 3), (1, 2, 3))
    return [(corners[a], corners[b], corners[c]) for a, b, c in order]


def _middle(mesh: _Mesh, triangle: int, edge: Edge) -> Edge | None:
    """Grid point halfway along the edge, or None where the grid has none."""
    _, corners = mesh.triangles[triangle]
    vertices = mesh.vertices(triangle)
    (ai, aj), (bi, bj) = corners[vertices.index(edge[0])], corners[vertices.index(edge[1])]
    if (ai + bi) % 2 or (aj + bj) % 2:
        return None
    return ((ai + bi) // 2, (aj + bj) // 2)


def _split(mesh: _Mesh, triangle: int, edge: Edge, middle: Edge) -> list[Edge]:
    """Replace a triangle by its two halves; return their edges."""
    quad, corners = mesh.triangles[triangle]
    vertices = mesh.vertices(triangle)
    mesh.remove(triangle)
    changed: list[Edge] = []
    for end in edge:
        index = vertices.index(end)
        half = tuple(middle if k == index else corner for k, corner in enumerate(corners))
        changed += mesh.add(quad, half)
    return changed
