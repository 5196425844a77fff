"""The graph U-Net: against a loop over graphs, indifferent to the order of joints, its pooling exact."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.layers.graph_unet import GraphUNet, pool, pool_counts, skeleton, unpool
from rigging.errors import InputError
from rigging.joints import JOINT_NAMES


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def net(graph: torch.Tensor | None = None, **settings) -> GraphUNet:
    torch.manual_seed(3)
    return GraphUNet(skeleton() if graph is None else graph, 6, 3, width=8, **settings).double()


def test_the_skeleton_joins_joints_that_share_a_bone():
    graph, index = skeleton(), JOINT_NAMES.index
    assert torch.equal(graph, graph.T) and graph.diagonal().eq(1).all()
    assert graph.sum() == 21 + 2 * 20
    assert graph[index("wrist"), index("ring_mcp")] and graph[index("thumb_ip"), index("thumb_tip")]
    assert not graph[index("index_tip"), index("middle_tip")]


def test_21_joints_become_18_12_and_7():
    assert net().counts == (18, 12, 7)


def one_graph(unet: GraphUNet, x: torch.Tensor) -> torch.Tensor:
    """The net on a single item x (N, inputs), as the paper says it: matrices, ranks and sets of nodes."""

    def layer(linear, graph, x):
        rows = [sum(x[j] for j in neighbours) / len(neighbours) for neighbours in graph]
        return torch.nn.functional.elu(linear(torch.stack(rows)))

    graph = [set(row.nonzero().flatten().tolist()) for row in unet.graph]
    x, kept = unet.embed(x), []
    for linear, p, count in zip(unet.down, unet.direction, unet.counts):
        x = layer(linear, graph, x)
        y = x @ p / p.norm()
        chosen = sorted(range(len(x)), key=lambda node: -y[node].item())[:count]
        kept.append((x, graph, chosen))
        two_away = [{k for j in graph[i] for k in graph[j]} for i in chosen]
        graph = [{chosen.index(k) for k in near if k in chosen} for near in two_away]
        x = torch.stack([x[i] * torch.sigmoid(y[i]) for i in chosen])
    x = layer(unet.bottom, graph, x)
    for linear, (skip, graph, chosen) in zip(unet.up, reversed(kept)):
        full = [x[chosen.index(i)] if i in chosen else torch.zeros_like(x[0]) for i in range(len(skip))]
        x = skip + layer(linear, graph, torch.stack(full))
    return unet.out(x)


def test_a_batch_is_a_loop_over_graphs():
    unet, x = net(), drawn(5, 21, 6)
    torch.testing.assert_close(unet(x), torch.stack([one_graph(unet, item) for item in x]))


@settings(max_examples=20, deadline=None)
@given(order=st.permutations(range(21)), seed=st.integers(0, 2**31))
def test_the_order_of_joints_does_not_matter(order, seed):
    """Graph and features permuted alike, the same weights: the result is permuted."""
    plain, moved = net(), net(skeleton()[order][:, order])
    moved.load_state_dict(plain.state_dict())
    x = drawn(2, 21, 6, seed=seed)
    torch.testing.assert_close(moved(x[:, order]), plain(x)[:, order])


def test_all_that_learns_gets_finite_gradients_also_pooling():
    unet = net()
    unet(drawn(4, 21, 6)).square().sum().backward()
    for name, parameter in unet.named_parameters():
        assert parameter.grad.isfinite().all() and parameter.grad.abs().sum() > 0, name


def test_gradients_are_those_of_finite_differences():
    unet = net()
    assert torch.autograd.gradcheck(unet, (drawn(1, 21, 6).requires_grad_(),))


def test_pooling_joins_what_was_two_edges_apart():
    """A path of five nodes; the middle one and the last are dropped."""
    path = torch.eye(5) + torch.diag(torch.ones(4), 1) + torch.diag(torch.ones(4), -1)
    x = torch.tensor([[3.0], [2.0], [-1.0], [1.0], [-2.0]])[None]
    features, graph, chosen = pool(x, path[None], torch.tensor([4.0]), 3)
    assert chosen.tolist() == [[0, 1, 3]]
    expected = torch.tensor([[1.0, 1, 0], [1, 1, 1], [0, 1, 1]])  # 0 and 3 were three edges apart
    assert torch.equal(graph[0], expected)
    torch.testing.assert_close(features, x[:, [0, 1, 3]] * torch.sigmoid(x[:, [0, 1, 3]]))


def test_unpooling_puts_nodes_back_and_zeros_elsewhere():
    x = drawn(2, 2, 3)
    full = unpool(x, torch.tensor([[3, 1], [0, 2]]), 4)
    assert torch.equal(full[0, [3, 1]], x[0]) and torch.equal(full[1, [0, 2]], x[1])
    assert not full[0, [0, 2]].any() and not full[1, [1, 3]].any()


def test_it_runs_under_autocast():
    unet, x = net().float(), drawn(8, 21, 6).float()
    with torch.autocast("cpu", torch.bfloat16):
        found = unet(x)
    assert found.isfinite().all() and found.shape == (8, 21, 3)


@pytest.mark.parametrize("ratios", [(0.0,), (1.5,), (0.9, 0.01), (-0.5,)])
def test_ratios_that_leave_no_node_are_refused(ratios):
    with pytest.raises(InputError, match="pooling ratios"):
        pool_counts(21, ratios)
