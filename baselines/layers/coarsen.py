"""Coarser and coarser graphs of a mesh, by matching, and the order in which a node's two children follow each other.

Multilevel clustering of Dhillon et al. 2007 (Graclus) as Defferrard et al. 2016 use it: at every level nodes are
matched in pairs along edges of large normalised cut, a pair becomes a node, edges between nodes add up. The binary tree
that results is made complete with fake nodes, so that pooling and its inverse are those of a one-dimensional signal.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import reverse_cuthill_mckee
from scipy.sparse.linalg import eigsh

FAKE = -1  # in an order, where there is no vertex
SMALL = 50  # nodes, below which all eigenvalues are found at once
RESOLUTION = 10_000  # steps of an edge's score; whole numbers keep the maximum-weight matching exact

Matching = Callable[[sparse.csr_array, np.ndarray], np.ndarray]


def adjacency(faces: np.ndarray, count: int) -> sparse.csr_array:
    """(count, count) symmetric matrix of ones where an edge of the triangles (F, 3) is, without a diagonal."""
    sides = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).astype(np.int64)
    both = np.unique(np.concatenate([sides, sides[:, ::-1]]), axis=0)
    return sparse.csr_array((np.ones(len(both)), both.T), shape=(count, count))


def edge_scores(weights: sparse.csr_array, degree: np.ndarray) -> sparse.csr_array:
    """Local normalised cut of every edge, w_ij (1 / d_i + 1 / d_j): what a matching wants to be large.

    weights (n, n), degree (n,).
    """
    edges = weights.tocoo()
    scores = edges.data * (1 / degree[edges.row] + 1 / degree[edges.col])
    return sparse.csr_array((scores, (edges.row, edges.col)), shape=weights.shape)


def heavy_edge(weights: sparse.csr_array, degree: np.ndarray) -> np.ndarray:
    """Greedy heavy-edge matching (the papers'): nodes in turn take the free neighbour of the best edge.

    weights (n, n) symmetric without diagonal, degree (n,) of a node with what it swallowed. The turn is by rising
    degree, then by number, and the first of equal edges wins, so that there is no chance in it. Returns (n,) the
    partner of every node, itself for those that stay alone.
    """
    scores = edge_scores(weights, degree)
    partner = np.full(len(degree), -1)
    for node in np.argsort(degree, kind="stable"):
        if partner[node] >= 0:
            continue
        edges = slice(scores.indptr[node], scores.indptr[node + 1])
        free = [(-s, j) for s, j in zip(scores.data[edges], scores.indices[edges]) if partner[j] < 0]
        other = min(free)[1] if free else node
        partner[node], partner[other] = other, node
    return partner


def maximum_weight(weights: sparse.csr_array, degree: np.ndarray) -> np.ndarray:
    """As `heavy_edge`, but of the most pairs that there can be, and among those of the largest sum (blossom algorithm).

    weights (n, n), degree (n,). Takes some seconds for 2651 nodes.
    """
    import networkx

    edges = sparse.triu(edge_scores(weights, degree), 1).tocoo()
    graph = networkx.Graph()
    graph.add_nodes_from(range(len(degree)))
    steps = np.round(RESOLUTION * edges.data).astype(int)
    graph.add_weighted_edges_from(zip(edges.row.tolist(), edges.col.tolist(), steps.tolist()))
    partner = np.arange(len(degree))
    for one, other in networkx.max_weight_matching(graph, maxcardinality=True):
        partner[one], partner[other] = other, one
    return partner


MATCHINGS: dict[str, Matching] = {"matching": maximum_weight, "heavy_edge": heavy_edge}


def clusters(partner: np.ndarray) -> np.ndarray:
    """(n,) number of the pair or lone node that each node belongs to, counted by their first members."""
    return np.unique(np.minimum(partner, np.arange(len(partner))), return_inverse=True)[1]


def merge(weights: sparse.csr_array, cluster: np.ndarray) -> sparse.csr_array:
    """Weights between clusters: sums over the edges from one to the other, without a diagonal.

    cluster (n,) is the number of each node's; nodes with a negative one count nowhere.
    """
    members = np.flatnonzero(cluster >= 0)
    ones = np.ones(len(members))
    belongs = sparse.csr_array((ones, (members, cluster[members])), shape=(len(cluster), cluster.max() + 1))
    merged = (belongs.T @ weights @ belongs).tocoo()
    off = merged.row != merged.col
    merged = sparse.csr_array((merged.data[off], (merged.row[off], merged.col[off])), shape=merged.shape)
    merged.sort_indices()
    return merged


def coarsen(weights: sparse.csr_array, match: Matching, levels: int = 3) -> list[np.ndarray]:
    """`clusters` (n,) of each of the `levels` steps, from fine to coarse; weights (n, n)."""
    degree, found = weights.sum(axis=1), []
    for _ in range(levels):
        found.append(clusters(match(weights, degree)))
        weights, degree = merge(weights, found[-1]), np.bincount(found[-1], degree)
    return found


def tree_order(weights: sparse.csr_array, steps: list[np.ndarray]) -> np.ndarray:
    """The finest nodes in an order in which node p of any level has the children 2p and 2p + 1 in the finer one.

    weights (n, n) are the finest graph's, `steps` what `coarsen` found. Returns (padded,) node numbers, FAKE where a
    node had to be invented: padded is 2^levels times the number of the coarsest nodes. Those are in reverse
    Cuthill-McKee order, so that neighbours lie close in memory.
    """
    for step in steps:
        weights = merge(weights, step)
    order = reverse_cuthill_mckee(weights, symmetric_mode=True).astype(np.int64)
    for step in reversed(steps):
        order = _children(step)[order].reshape(-1)
    return order


def _children(step: np.ndarray) -> np.ndarray:
    """(clusters + 1, 2) members of each cluster, rising, then FAKE; the last row, which FAKE addresses, is all FAKE."""
    table = np.full((step.max() + 2, 2), FAKE)
    members = np.argsort(step, kind="stable")
    second = np.concatenate([[False], np.diff(step[members]) == 0])
    table[step[members], second.astype(int)] = members
    return table


def level_weights(weights: sparse.csr_array, order: np.ndarray, level: int) -> sparse.csr_array:
    """Weights (N / 2^level, same) of a level (0 the finest) in tree order, fake nodes isolated.

    weights (n, n), order (N,).
    """
    position = np.full(weights.shape[0], FAKE)
    position[order[order != FAKE]] = np.flatnonzero(order != FAKE) >> level
    merged, size = merge(weights, position), len(order) >> level
    merged.resize((size, size))  # trailing nodes may all be fake
    return merged


def scaled_laplacian(weights: sparse.csr_array, largest: float) -> sparse.csr_array:
    """2 L / largest - I of the normalised Laplacian L = I - D^(-1/2) W D^(-1/2), with every diagonal element stored.

    The row of an isolated node is 0 in L (Chung 1997), so -1 on the diagonal here. `largest` is L's eigenvalue; then
    the spectrum lies in -1 to 1 (Defferrard et al. 2016, eq. 4).
    """
    degree = weights.sum(axis=1)
    root = np.where(degree > 0, 1 / np.sqrt(np.where(degree > 0, degree, 1)), 0)
    scaled = sparse.diags_array(-2 / largest * root) @ weights @ sparse.diags_array(root)
    diagonal = sparse.diags_array(np.where(degree > 0, 2 / largest - 1, -1.0))
    result = sparse.csr_array(scaled + diagonal)
    result.sort_indices()
    return result


def largest_eigenvalue(weights: sparse.csr_array) -> float:
    """That of the normalised Laplacian, to six decimals, rounded up so that nothing leaves -1 to 1.

    Without edges there is none above 0, and 2, the bound of all, is returned.
    """
    if not weights.nnz:
        return 2.0
    unscaled = scaled_laplacian(weights, 2.0)  # L - I
    if weights.shape[0] < SMALL:
        found = np.linalg.eigvalsh(unscaled.toarray())[-1] + 1
    else:
        start = np.random.default_rng(0).normal(size=weights.shape[0])
        found = eigsh(unscaled, 1, which="LA", v0=start, return_eigenvectors=False)[0] + 1
    return float(np.ceil(1e6 * found) / 1e6)
