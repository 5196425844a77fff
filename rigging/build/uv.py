"""The hand's own texture layout: back and palm as two flat charts, the arm's room below, the cap in a corner.

The seam runs along the sides of the fingers and the edges of the palm and forearm, where creases and veins do not
cross. Charts are flattened as rigidly as possible (Liu et al., A Local/Global Approach to Mesh Parameterization,
SGP 2008), so that a texel covers nearly the same patch of skin everywhere.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix, diags
from scipy.sparse.csgraph import breadth_first_order, connected_components, maximum_flow
from scipy.sparse.linalg import splu

from ..geometry.mesh import face_normals

MARGIN = 0.008  # of the atlas, around each chart: 8 texels at 1024
ARM_ROOM = 0.2  # the hand's charts stay above this v; the cap and the arm lie below
FACING = 2.0  # weight of the facing of quads against the length of the seam
ITERATIONS = 60


def atlas(vertices: np.ndarray, faces: np.ndarray, dorsal: np.ndarray, cap: np.ndarray, quad: np.ndarray) -> np.ndarray:
    """(F, 3, 2) texture coordinates in [0, 1], v upwards, no two triangles overlapping.

    dorsal: (F, 3) the direction that is `back of the hand` at each face; quad: (F,) the quad each face lies on, which
    the seam does not cut, for a seam without teeth.
    """
    back = split_back(vertices, faces, dorsal, cap, quad)
    charts = []
    for chosen, axes in ((back, np.eye(3)[:2]), (~back & ~cap, np.array([[-1.0, 0, 0], [0, 1.0, 0]]))):
        charts.append((chosen, flatten(vertices, faces[chosen], axes)))
    uv = np.zeros((len(faces), 3, 2))
    extent = [np.ptp(flat.reshape(-1, 2), axis=0) for _, flat in charts]
    scale = min((1 - 3 * MARGIN) / sum(e[0] for e in extent), (1 - ARM_ROOM - 2 * MARGIN) / max(e[1] for e in extent))
    left = MARGIN
    for (chosen, flat), size in zip(charts, extent):
        uv[chosen] = (flat - flat.reshape(-1, 2).min(0)) * scale + (left, ARM_ROOM + MARGIN)
        left += size[0] * scale + MARGIN
    uv[cap] = cap_chart(vertices, faces[cap])
    return uv


def cap_chart(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(F, 3, 2) the cap seen along the forearm, small, in the lower left corner: it is never seen.

    vertices (V, 3), faces (F, 3).
    """
    flat = vertices[faces][..., [0, 2]]
    low, high = flat.reshape(-1, 2).min(0), flat.reshape(-1, 2).max(0)
    return MARGIN + 0.04 * (flat - low) / (high - low).max()


def split_back(
    vertices: np.ndarray, faces: np.ndarray, dorsal: np.ndarray, cap: np.ndarray, quad: np.ndarray
) -> np.ndarray:
    """(F,) bool: faces of the back chart; the seam is the shortest that keeps clearly facing quads on their side.

    A minimum cut between back and palm (as in Boykov and Jolly, ICCV 2001): cutting an edge costs its length, a quad
    on the wrong side costs the area it shows to the other side.
    """
    facing = np.bincount(quad, (face_normals(vertices, faces) * dorsal).sum(1) / 2)
    cost = facing / np.sqrt(np.bincount(quad, np.linalg.norm(face_normals(vertices, faces), axis=1) / 2))
    first, second, length = quad_contacts(vertices, faces, quad)
    skin = ~np.bincount(quad, cap).astype(bool)
    touch = skin[first] & skin[second]
    count = len(facing)
    source, sink = count, count + 1
    tail = np.r_[first[touch], np.full(count, source), np.arange(count)]
    head = np.r_[second[touch], np.arange(count), np.full(count, sink)]
    capacity = np.r_[length[touch], FACING * np.maximum(cost, 0) * skin, FACING * np.maximum(-cost, 0) * skin]
    graph = csr_matrix(coo_matrix(((capacity * 1e6).astype(np.int32), (tail, head)), shape=(count + 2, count + 2)))
    residual = graph - maximum_flow(graph, source, sink).flow
    residual.data[residual.data < 0] = 0
    residual.eliminate_zeros()
    back = np.zeros(count + 2, dtype=bool)
    back[breadth_first_order(residual, source, return_predecessors=False)] = True
    back = back[:count][quad] & ~cap
    touching = face_adjacency(faces)
    return largest(touching, ~largest(touching, ~back & ~cap) & ~cap)


def quad_contacts(
    vertices: np.ndarray, faces: np.ndarray, quad: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of quads that touch, (C,) and (C,), in both orders, and the length (C,) of each shared side.

    vertices (V, 3), faces (F, 3) of a closed mesh, quad (F,) of each face.
    """
    sides = np.sort(np.stack([faces, np.roll(faces, -1, axis=1)], axis=-1), axis=-1).reshape(-1, 2)
    order = np.lexsort(sides.T)
    a, b = order[::2], order[1::2]  # a closed mesh has every side twice
    owner = np.repeat(quad, 3)
    length = np.linalg.norm(vertices[sides[a, 0]] - vertices[sides[a, 1]], axis=1)
    apart = owner[a] != owner[b]
    a, b, length = a[apart], b[apart], length[apart]
    return np.r_[owner[a], owner[b]], np.r_[owner[b], owner[a]], np.r_[length, length]


def largest(touching: csr_matrix, chosen: np.ndarray) -> np.ndarray:
    """The largest connected component among the `chosen` (F,) faces, as a mask (F,); touching (F, F)."""
    index = np.flatnonzero(chosen)
    _, label = connected_components(touching[index][:, index], directed=False)
    mask = np.zeros(len(chosen), dtype=bool)
    mask[index[label == np.bincount(label).argmax()]] = True
    return mask


def face_adjacency(faces: np.ndarray) -> csr_matrix:
    """(F, F) matrix: 1 where two faces share an edge."""
    sides = np.sort(np.stack([faces, np.roll(faces, -1, axis=1)], axis=-1), axis=-1).reshape(-1, 2)
    _, edge = np.unique(sides, axis=0, return_inverse=True)
    face = np.repeat(np.arange(len(faces)), 3)
    incidence = csr_matrix(coo_matrix((np.ones(len(edge)), (face, edge.ravel()))))
    both = incidence @ incidence.T
    return csr_matrix(both - diags(both.diagonal()))


def flatten(vertices: np.ndarray, faces: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """(F, 3, 2) as-rigid-as-possible flattening in metres, started from the projection on `axes` (2, 3)."""
    used, local = np.unique(faces, return_inverse=True)
    local = local.reshape(faces.shape)
    points = vertices[used]
    plane = triangle_planes(points[local])
    cotangent = cotangents(points[local])
    i, j = local, np.roll(local, -1, axis=1)
    laplacian = csr_matrix(coo_matrix((cotangent.ravel(), (i.ravel(), j.ravel())), shape=(len(used), len(used))))
    laplacian = laplacian + laplacian.T
    laplacian = diags(np.asarray(laplacian.sum(1)).ravel()) - laplacian
    solver = splu((laplacian + diags(np.r_[1.0, np.zeros(len(used) - 1)])).tocsc())
    edge = plane - np.roll(plane, -1, axis=1)
    flat = points @ axes.T
    for _ in range(ITERATIONS):
        rotation = best_rotations(flat[i] - flat[j], edge, cotangent)
        wanted = cotangent[..., None] * np.einsum("fab,fkb->fka", rotation, edge)
        right = np.zeros_like(flat)
        np.add.at(right, i, wanted)
        np.add.at(right, j, -wanted)
        flat = solver.solve(right)
    return flat[local]


def triangle_planes(corners: np.ndarray) -> np.ndarray:
    """(F, 3, 2) each triangle laid flat without distortion."""
    a, b, c = np.moveaxis(corners, 1, 0)
    base = np.linalg.norm(b - a, axis=1)
    along = (b - a) / base[:, None]
    x = ((c - a) * along).sum(1)
    y = np.linalg.norm((c - a) - x[:, None] * along, axis=1)
    zero = np.zeros_like(base)
    return np.stack([np.stack([zero, zero], 1), np.stack([base, zero], 1), np.stack([x, y], 1)], axis=1)


def cotangents(corners: np.ndarray) -> np.ndarray:
    """(F, 3) cotangent of the angle opposite to the edge from corner k to k + 1, kept positive."""
    a = np.roll(corners, -2, axis=1)
    u, v = corners - a, np.roll(corners, -1, axis=1) - a
    sine = np.linalg.norm(np.cross(u, v), axis=-1)
    return np.clip((u * v).sum(-1) / sine, 0.05, 10)


def best_rotations(flat: np.ndarray, edge: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(F, 2, 2) rotations that turn each triangle's own edges best into its edges in the plane (2D Kabsch)."""
    covariance = np.einsum("fk,fka,fkb->fab", weight, flat, edge)
    cosine = covariance[:, 0, 0] + covariance[:, 1, 1]
    sine = covariance[:, 1, 0] - covariance[:, 0, 1]
    size = np.hypot(cosine, sine) + 1e-30
    return np.stack([np.stack([cosine, -sine], -1), np.stack([sine, cosine], -1)], axis=1) / size[:, None, None]
