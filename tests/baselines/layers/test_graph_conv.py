"""Graph convolutions: against the eigendecomposition, PyTorch Geometric and finite differences; precision; locality."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from baselines.layers.coarsen import adjacency, level_weights, scaled_laplacian
from baselines.layers.graph_conv import GraphConv, Laplacian, chebyshev_basis, chebyshev_sum, mix, mix_and_add
from baselines.layers.hierarchy import ASSET, load_hierarchy
from rigging.errors import InputError
from rigging.hand.asset import load_asset


def small_graph(nodes: int = 7, seed: int = 0) -> Laplacian:
    """A Laplacian with spectrum in -1 to 1, in float64."""
    rng = np.random.default_rng(seed)
    dense = np.triu(rng.random((nodes, nodes)) * (rng.random((nodes, nodes)) < 0.5), 1)
    return Laplacian(scaled_laplacian(sparse.csr_array(dense + dense.T), 2.0)).double()


def as_dense(graph: Laplacian) -> torch.Tensor:
    return torch.sparse_csr_tensor(graph.crow, graph.col, graph.values, check_invariants=True).to_dense()


def drawn(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def with_drawn_weights(layer: GraphConv, seed: int = 0) -> GraphConv:
    with torch.no_grad():
        for number, parameter in enumerate(layer.parameters()):
            parameter.copy_(drawn(*parameter.shape, seed=seed + number, dtype=parameter.dtype))
    return layer


WIDTHS = [(5, 2), (3, 3), (2, 5)]  # mixed first, the same, propagated first


@settings(max_examples=40, deadline=None)
@given(nodes=st.integers(2, 12), seed=st.integers(0, 2**31), terms=st.integers(1, 6), widths=st.sampled_from(WIDTHS))
def test_it_filters_the_spectrum_by_chebyshev_polynomials(nodes, seed, terms, widths):
    """y = sum U T_k(eigenvalues) U^T x theta_k, with T_k(t) = cos(k arccos t)."""
    graph = small_graph(nodes, seed)
    layer = with_drawn_weights(GraphConv(graph, *widths, terms).double(), seed)
    x = drawn(nodes, 3, widths[0], seed=seed + 9)
    eigenvalues, vectors = torch.linalg.eigh(as_dense(graph))
    angles = torch.arccos(eigenvalues.clamp(-1, 1))
    filters = [vectors @ torch.diag(torch.cos(k * angles)) @ vectors.T for k in range(terms)]
    expected = sum(torch.einsum("nm,mbi,io->nbo", *pair) for pair in zip(filters, [x] * terms, layer.weight))
    torch.testing.assert_close(layer(x), expected + layer.bias, atol=1e-5, rtol=1e-5)  # eigenvalues leave by 1e-8


@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize(("inputs", "outputs"), [(4, 6), (6, 4)])
def test_it_is_chebconv_of_pytorch_geometric_on_the_hand(level, inputs, outputs):
    conv = pytest.importorskip("torch_geometric.nn").ChebConv(inputs, outputs, 3)
    hand = load_hierarchy()
    with np.load(ASSET) as stored:
        order, largest = stored["matching_3_order"].astype(int), stored["matching_3_largest"][level]
    edges = level_weights(adjacency(load_asset().faces, hand.vertices), order, level).tocoo()
    layer = GraphConv(hand.laplacians[level], inputs, outputs)
    with torch.no_grad():
        layer.weight.copy_(torch.stack([linear.weight.T for linear in conv.lins]))
        layer.bias.copy_(conv.bias.uniform_(-1, 1))
    x = drawn(hand.sizes[level], 2, inputs, dtype=torch.float32)
    index, weight = torch.from_numpy(np.stack([edges.row, edges.col])).long(), torch.from_numpy(edges.data).float()
    expected = conv(x.transpose(0, 1), index, weight, lambda_max=torch.tensor(largest, dtype=torch.float32))
    real = hand.real(level)  # of an isolated node they say that L is 1
    torch.testing.assert_close(layer(x)[real], expected.transpose(0, 1)[real], atol=1e-4, rtol=1e-4)


@settings(max_examples=30, deadline=None)
@given(terms=st.integers(1, 6), seed=st.integers(0, 2**31))
def test_clenshaws_recurrence_is_the_sum_of_the_basis(terms, seed):
    graph, y = small_graph(6, seed), drawn(terms, 6, 2, 3, seed=seed)
    expected = sum(graph.basis(y[k], terms)[k] for k in range(terms))
    torch.testing.assert_close(graph.sum(y), expected)


@settings(max_examples=30, deadline=None)
@given(terms=st.integers(1, 5), seed=st.integers(0, 2**31))
def test_basis_and_sum_are_adjoint(terms, seed):
    graph, x, y = small_graph(6, seed), drawn(6, 2, 3, seed=seed), drawn(terms, 6, 2, 3, seed=seed + 1)
    torch.testing.assert_close((graph.basis(x, terms) * y).sum(), (x * graph.sum(y)).sum())


@pytest.mark.parametrize("terms", [1, 2, 4])
@pytest.mark.parametrize(("inputs", "outputs"), WIDTHS)
def test_gradients_are_those_of_finite_differences(terms, inputs, outputs):
    layer = with_drawn_weights(GraphConv(small_graph(), inputs, outputs, terms).double())
    x = drawn(7, 2, inputs).requires_grad_()
    names = ("weight", "bias")

    def call(x: torch.Tensor, *values: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(layer, dict(zip(names, values)), (x,))

    assert torch.autograd.gradcheck(call, (x, layer.weight, layer.bias))


@pytest.mark.parametrize("terms", [1, 3])
def test_the_operators_can_be_differentiated_twice_and_traced(terms):
    graph = small_graph()
    x, y = drawn(7, 4).requires_grad_(), drawn(terms, 7, 4).requires_grad_()
    matrix = (graph.crow, graph.col, graph.values)
    assert torch.autograd.gradgradcheck(lambda x: chebyshev_basis(*matrix, x, terms), (x,))
    assert torch.autograd.gradgradcheck(lambda y: chebyshev_sum(*matrix, y), (y,))
    torch.library.opcheck(chebyshev_basis, (*matrix, x, terms))
    torch.library.opcheck(chebyshev_sum, (*matrix, y))


def test_only_what_is_asked_for_gets_a_gradient():
    for inputs, outputs in WIDTHS:
        layer, x = GraphConv(small_graph(), inputs, outputs).double(), drawn(7, 2, inputs)
        layer.laplacian.values.requires_grad_()
        layer(x).sum().backward()
        assert layer.laplacian.values.grad is None and layer.weight.grad is not None and x.grad is None
        frozen, x = GraphConv(small_graph(), inputs, outputs).double().requires_grad_(False), x.requires_grad_()
        frozen(x).sum().backward()
        assert frozen.weight.grad is None and x.grad is not None


def test_mixing_is_a_loop_of_matrix_products():
    x, weight = drawn(4, 3), drawn(5, 3, 2)
    torch.testing.assert_close(mix(x, weight), torch.stack([x @ theta for theta in weight]))
    many = drawn(5, 4, 3)
    torch.testing.assert_close(mix_and_add(many, weight), sum(one @ theta for one, theta in zip(many, weight)))


def test_items_of_a_batch_do_not_touch_each_other():
    layer, x = GraphConv(small_graph(), 3, 2).double(), drawn(7, 4, 3)
    expected = torch.cat([layer(x[:, item : item + 1]) for item in range(4)], dim=1)
    torch.testing.assert_close(layer(x), expected)


@pytest.mark.parametrize("terms", [1, 2, 3])
def test_a_node_is_heard_fewer_than_terms_edges_away(terms):
    hand = load_hierarchy()
    graph, size = hand.laplacians[3], hand.sizes[3]
    node = int(hand.real(3).nonzero()[5])
    impulse = torch.zeros(size, 1, 1)
    impulse[node] = 1
    heard = with_drawn_weights(GraphConv(graph, 1, 1, terms, bias=False))(impulse).flatten() != 0
    step = (as_dense(graph) != 0).double()
    reach = torch.linalg.matrix_power(step, terms - 1)[node] > 0
    assert torch.equal(heard, reach)


def test_fake_nodes_are_not_heard():
    hand = load_hierarchy("heavy_edge")
    layer, x = GraphConv(hand.laplacians[0], 3, 2), drawn(hand.sizes[0], 2, 3, dtype=torch.float32)
    noisy = torch.where(hand.real(0)[:, None, None], x, 1e3)
    assert torch.equal(layer(x)[hand.real(0)], layer(noisy)[hand.real(0)])


@pytest.mark.parametrize(("inputs", "outputs"), [(64, 32), (32, 64)])
def test_autocast_changes_nothing(inputs, outputs):
    hand = load_hierarchy()
    layer = GraphConv(hand.laplacians[2], inputs, outputs)
    x = drawn(hand.sizes[2], 2, inputs, dtype=torch.float32).requires_grad_()

    def step() -> tuple[torch.Tensor, ...]:
        y = layer(x)
        return y, *torch.autograd.grad(y.square().sum(), (x, layer.weight))  # the backward pass under autocast, too

    expected = step()
    with torch.autocast("cpu", torch.bfloat16):
        found = step()
    assert all(torch.equal(*pair) for pair in zip(found, expected))


@pytest.mark.parametrize("widths", WIDTHS)
def test_bfloat16_is_taken_and_answered_in_float32(widths):
    graph = load_hierarchy().laplacians[3]
    layer, x = GraphConv(graph, *widths), drawn(graph.nodes, 1, widths[0], dtype=torch.float32).bfloat16()
    assert torch.equal(layer(x), layer(x.float()))


def test_weights_start_as_glorots_and_the_graph_is_no_part_of_them():
    torch.manual_seed(0)
    layer = GraphConv(small_graph(), 40, 60, terms=3)
    bound = (6 / (3 * 40 + 60)) ** 0.5
    assert layer.weight.abs().max() <= bound and layer.weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.05)
    assert not layer.bias.any()
    assert set(layer.state_dict()) == {"weight", "bias"}


def test_no_terms_are_refused():
    with pytest.raises(InputError, match="0 terms: at least 1"):
        GraphConv(small_graph(), 1, 1, terms=0)


def test_nothing_is_said_of_sparse_tensors_in_beta():
    code = """
import warnings, torch
warnings.simplefilter("error")
from baselines.layers.graph_conv import GraphConv
from baselines.layers.hierarchy import load_hierarchy
hand = load_hierarchy()
GraphConv(hand.laplacians[3], 2, 3)(torch.zeros(hand.sizes[3], 1, 2)).sum().backward()
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
