"""Coarsening of any mesh: matchings along edges, complete binary trees, isolated fake nodes, spectra in -1 to 1."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from baselines.layers.coarsen import (
    FAKE,
    adjacency,
    clusters,
    coarsen,
    edge_scores,
    heavy_edge,
    largest_eigenvalue,
    level_weights,
    maximum_weight,
    merge,
    scaled_laplacian,
    tree_order,
)

MATCHINGS = [heavy_edge, maximum_weight]
TETRAHEDRON = np.array([[0, 1, 2], [0, 3, 1], [0, 2, 3], [1, 3, 2]])


@st.composite
def graphs(draw, least: int = 2, most: int = 14) -> sparse.csr_array:
    """Weights (n, n) of a connected graph, symmetric, without a diagonal."""
    n = draw(st.integers(least, most))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    dense = np.triu(rng.integers(1, 4, (n, n)) * (rng.random((n, n)) < draw(st.floats(0, 0.6))), 1).astype(float)
    for node in range(1, n):
        dense[rng.integers(node), node] = rng.integers(1, 4)
    return sparse.csr_array(dense + dense.T)


def degree(weights: sparse.csr_array) -> np.ndarray:
    return np.asarray(weights.sum(axis=1))


def total(weights: sparse.csr_array, partner: np.ndarray) -> tuple[int, float]:
    """How many pairs a matching has, and the sum of their scores."""
    scores = edge_scores(weights, degree(weights)).toarray()
    pairs = [(i, j) for i, j in enumerate(partner) if i < j]
    return len(pairs), sum(scores[i, j] for i, j in pairs)


def test_a_meshs_edges_are_those_of_its_triangles():
    np.testing.assert_array_equal(adjacency(TETRAHEDRON, 5).toarray(), np.pad(1 - np.eye(4), (0, 1)))


@pytest.mark.parametrize("match", MATCHINGS)
@settings(max_examples=40, deadline=None)
@given(weights=graphs())
def test_a_matching_pairs_neighbours_and_leaves_no_two_of_them_alone(match, weights):
    partner, nodes = match(weights, degree(weights)), np.arange(weights.shape[0])
    dense = weights.toarray()
    np.testing.assert_array_equal(partner[partner], nodes)
    alone = partner == nodes
    assert all(dense[i, partner[i]] > 0 for i in nodes[~alone])
    assert not dense[np.ix_(alone, alone)].any()


@settings(max_examples=40, deadline=None)
@given(weights=graphs())
def test_heavy_edges_are_taken_in_turn_from_what_is_free(weights):
    """A twin in words of the papers: visit, take the free neighbour whose normalised cut is the largest."""
    size, dense = degree(weights), weights.toarray()
    free, expected = set(range(len(size))), {}
    for node in sorted(free, key=lambda i: (size[i], i)):
        if node in free:
            others = [j for j in free - {node} if dense[node, j]]
            cut = {j: dense[node, j] * (1 / size[node] + 1 / size[j]) for j in others}
            best = min(others, key=lambda j: (-cut[j], j), default=node)
            expected |= {node: best, best: node}
            free -= {node, best}
    np.testing.assert_array_equal(heavy_edge(weights, size), [expected[i] for i in range(len(size))])


def all_matchings(edges: list[tuple[int, int]]):
    """Every set of edges without a common node."""
    for count in range(len(edges) + 1):
        for chosen in itertools.combinations(edges, count):
            if len({node for edge in chosen for node in edge}) == 2 * count:
                yield chosen


@settings(max_examples=25, deadline=None)
@given(weights=graphs(most=6))
def test_the_maximum_weight_matching_is_the_best_of_all(weights):
    scores = edge_scores(weights, degree(weights)).toarray()
    edges = [(i, j) for i, j in itertools.combinations(range(len(scores)), 2) if scores[i, j]]
    best = max((len(one), sum(scores[i, j] for i, j in one)) for one in all_matchings(edges))
    pairs, score = total(weights, maximum_weight(weights, degree(weights)))
    assert pairs == best[0]
    assert score == pytest.approx(best[1], abs=1e-3)  # scores are rounded to 1e-4


def test_clusters_are_numbered_by_their_first_members():
    np.testing.assert_array_equal(clusters(np.array([3, 1, 4, 0, 2])), [0, 1, 2, 0, 2])


@settings(max_examples=30, deadline=None)
@given(weights=graphs(), data=st.data())
def test_weights_between_clusters_add_up(weights, data):
    n = weights.shape[0]
    cluster = np.array(data.draw(st.lists(st.integers(FAKE, 3), min_size=n, max_size=n)))
    cluster[0] = 3
    expected = np.zeros((4, 4))
    for i, j in itertools.product(range(n), repeat=2):
        if FAKE not in (cluster[i], cluster[j]) and cluster[i] != cluster[j]:
            expected[cluster[i], cluster[j]] += weights[i, j]
    np.testing.assert_array_equal(merge(weights, cluster).toarray(), expected)


@pytest.mark.parametrize("match", MATCHINGS)
@settings(max_examples=30, deadline=None)
@given(weights=graphs(least=3, most=40), levels=st.integers(1, 3))
def test_a_tree_is_complete_and_its_fake_nodes_have_no_edges(match, weights, levels):
    steps = coarsen(weights, match, levels)
    order = tree_order(weights, steps)
    assert sorted(order[order != FAKE]) == list(range(weights.shape[0]))  # every node once
    assert len(order) == (steps[-1].max() + 1) << levels
    cluster, expected = np.arange(weights.shape[0]), weights.toarray()
    for level in range(levels + 1):
        if level:
            cluster = steps[level - 1][cluster]
            expected = merge(weights, cluster).toarray()
        members = order.reshape(len(order) >> level, -1)
        real = (members != FAKE).any(axis=1)
        number = np.array([cluster[row[row != FAKE]][0] for row in members[real]])
        for row, found in zip(members[real], number):
            assert set(row) - {FAKE} == set(np.flatnonzero(cluster == found))  # a node is one cluster, whole
        got = level_weights(weights, order, level).toarray()
        assert not got[~real].any() and not got[:, ~real].any()
        np.testing.assert_array_equal(got[np.ix_(real, real)], expected[np.ix_(number, number)])


@settings(max_examples=40, deadline=None)
@given(weights=graphs(least=3), fakes=st.integers(0, 3))
def test_the_scaled_laplacian_is_the_papers_and_its_spectrum_fills_minus_one_to_one(weights, fakes):
    weights.resize((weights.shape[0] + fakes, weights.shape[0] + fakes))
    largest = largest_eigenvalue(weights)
    got, dense = scaled_laplacian(weights, largest), weights.toarray()
    d = dense.sum(1)
    root = np.diag([1 / np.sqrt(one) if one else 0 for one in d])
    laplacian = np.diag((d > 0).astype(float)) - root @ dense @ root
    np.testing.assert_allclose(got.toarray(), 2 * laplacian / largest - np.eye(len(d)), atol=1e-12)
    spectrum = np.linalg.eigvalsh(got.toarray())
    assert spectrum[0] == pytest.approx(-1, abs=1e-9)
    assert 1 - 1e-5 < spectrum[-1] <= 1 + 1e-12


@pytest.mark.parametrize("nodes", [3, 60])
def test_a_cycles_largest_eigenvalue_is_known_few_nodes_or_many(nodes):
    ring = np.roll(np.eye(nodes), 1, axis=0)
    known = 1 - min(np.cos(2 * np.pi * np.arange(nodes) / nodes))
    assert known <= largest_eigenvalue(sparse.csr_array(ring + ring.T)) + 1e-12 <= known + 1.1e-6


def test_a_graph_without_edges_has_a_laplacian_too():
    lone = sparse.csr_array((2, 2))
    np.testing.assert_array_equal(scaled_laplacian(lone, largest_eigenvalue(lone)).toarray(), -np.eye(2))
