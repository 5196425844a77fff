"""The hand's hierarchy: what is stored is what the code makes, and pooling does what a loop over children does."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch

from baselines.layers import hierarchy
from baselines.layers.coarsen import FAKE, MATCHINGS, adjacency, edge_scores, level_weights, maximum_weight
from baselines.layers.hierarchy import Hierarchy, build, encode, load_hierarchy
from rigging.errors import InputError
from rigging.hand.asset import load_asset

FACES = load_asset().faces
OCTAHEDRON = np.array([[0, 1, 2], [0, 2, 3], [0, 3, 4], [0, 4, 1], [5, 2, 1], [5, 3, 2], [5, 4, 3], [5, 1, 4]])


@pytest.fixture(scope="module", params=list(MATCHINGS))
def hand(request) -> Hierarchy:
    return load_hierarchy(request.param)


def stored(name: str) -> np.ndarray:
    with np.load(hierarchy.ASSET) as file:
        return file[name]


def test_maximum_weight_matching_pads_2651_vertices_to_2656():
    assert load_hierarchy().sizes == (2656, 1328, 664, 332)
    assert [int(load_hierarchy().real(level).sum()) for level in range(4)] == [2651, 1326, 663, 332]


def test_a_fourth_level_halves_again_and_pairs_what_the_third_had():
    """Ge et al. begin with a sixteenth of the nodes; their order is another, so that the tree is complete."""
    three, four = load_hierarchy(), load_hierarchy(levels=4)
    assert four.sizes == (2656, 1328, 664, 332, 166) and int(four.real(4).sum()) == 166
    clusters = [
        {frozenset(row[row != FAKE].tolist()) for row in stored(f"matching_{levels}_order").reshape(-1, 8)}
        - {frozenset()}
        for levels in (3, 4)
    ]
    assert clusters[0] == clusters[1] and len(clusters[0]) == 332
    assert torch.equal(three.laplacians[0].values.sort().values, four.laplacians[0].values.sort().values)


def test_another_number_of_levels_is_refused():
    with pytest.raises(InputError, match="3 or 4 levels, not to 5"):
        load_hierarchy(levels=5)


def test_the_papers_matching_needs_more_fake_nodes():
    assert load_hierarchy("heavy_edge").sizes[0] > 2656


def test_the_stored_heavy_edge_hierarchy_is_what_the_code_makes():
    for levels, (order, largest) in build(FACES, "heavy_edge").items():
        np.testing.assert_array_equal(order, stored(f"heavy_edge_{levels}_order"))
        np.testing.assert_allclose(largest, stored(f"heavy_edge_{levels}_largest"), atol=2e-6)


def test_the_stored_matching_is_as_heavy_as_any_at_the_last_step():
    """Its pairs may be others than another version of the library finds, but not worse ones."""
    order, level = stored("matching_3_order").astype(int), 2
    weights = level_weights(adjacency(FACES, len(load_asset().template)), order, level)
    sizes = np.bincount(np.flatnonzero(order != FAKE) >> level, minlength=weights.shape[0])
    degree = np.zeros(weights.shape[0])
    vertex_degree = adjacency(FACES, len(load_asset().template)).sum(axis=1)
    np.add.at(degree, np.flatnonzero(order != FAKE) >> level, vertex_degree[order[order != FAKE]])
    real = np.flatnonzero(sizes)
    weights, degree = weights[real][:, real], degree[real]
    scores = edge_scores(weights, degree).tolil()
    best = [(i, j) for i, j in enumerate(maximum_weight(weights, degree)) if i < j]
    pairs = [(real.searchsorted(p), real.searchsorted(p + 1)) for p in range(0, len(sizes), 2) if sizes[p + 1]]
    assert len(pairs) == len(best) == len(real) // 2
    assert sum(scores[i, j] for i, j in pairs) == pytest.approx(
        sum(scores[i, j] for i, j in best), abs=len(best) * 1e-4
    )


def test_the_same_mesh_gives_the_same_bytes():
    first = encode(OCTAHEDRON)
    assert first == encode(OCTAHEDRON)
    assert np.load(io.BytesIO(first))["matching_3_order"].shape == (8,)


def test_the_asset_is_written_whole_by_its_command(tmp_path, monkeypatch):
    monkeypatch.setattr(hierarchy, "ASSET", tmp_path / "hierarchy.npz")
    monkeypatch.setattr(hierarchy, "encode", lambda faces: b"all of it")
    assert hierarchy.main() == 0
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"all of it"]


def test_an_asset_of_another_mesh_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(hierarchy, "ASSET", tmp_path / "hierarchy.npz")
    hierarchy.ASSET.write_bytes(encode(OCTAHEDRON))
    with pytest.raises(InputError, match=r"made for another mesh; python -m baselines.layers.hierarchy"):
        load_hierarchy()


def test_an_unknown_matching_names_the_nearest():
    with pytest.raises(InputError, match="'heavy-edge'; did you mean 'heavy_edge'"):
        load_hierarchy("heavy-edge")


def test_padding_keeps_every_vertex_and_invents_zeros(hand):
    x = torch.randn(2, 2651, 3, generator=torch.Generator().manual_seed(0)) + 10
    padded = hand.pad(x)
    assert padded.shape == (hand.sizes[0], 2, 3)
    assert torch.equal(hand.unpad(padded), x)
    assert not padded[~hand.real(0)].any() and padded[hand.real(0)].all()


@pytest.mark.parametrize("how", ["mean", "max"])
@pytest.mark.parametrize("level", [0, 1, 2])
def test_pooling_is_over_the_real_children(hand, how, level):
    x = torch.randn(hand.sizes[level], 2, 3, generator=torch.Generator().manual_seed(1)) - 5
    got, real = hand.pool(x, level, how), hand.real(level)
    for node in range(hand.sizes[level + 1]):
        children = [x[child] for child in (2 * node, 2 * node + 1) if real[child]]
        stack = torch.stack(children) if children else torch.zeros(1, 2, 3)
        expected = stack.mean(0) if how == "mean" else stack.amax(0)
        assert torch.allclose(got[node], expected), node


def test_pooling_undoes_unpooling_where_nodes_are_real(hand):
    x = torch.randn(hand.sizes[2], 1, 4, generator=torch.Generator().manual_seed(2))
    fine = hand.unpool(x)
    assert torch.equal(fine[0::2], x) and torch.equal(fine[1::2], x)
    assert torch.allclose(hand.pool(fine, 1), x * hand.real(2)[:, None, None])


def test_an_unknown_pooling_is_refused(hand):
    with pytest.raises(InputError, match='pooling \'sum\': "mean" or "max"'):
        hand.pool(torch.zeros(hand.sizes[0], 1, 1), 0, "sum")


def test_it_moves_with_its_module_and_is_not_saved_with_weights(hand):
    assert not hand.state_dict()
    moved = load_hierarchy().to("meta")
    assert {buffer.device.type for buffer in moved.buffers()} == {"meta"}


def test_every_levels_fake_nodes_are_isolated(hand):
    for level, graph in enumerate(hand.laplacians):
        dense = torch.sparse_csr_tensor(graph.crow, graph.col, graph.values, check_invariants=True).to_dense()
        fake = ~hand.real(level)
        assert torch.equal(dense[fake], -torch.eye(len(dense))[fake])
        assert torch.allclose(dense, dense.T, atol=1e-7)
