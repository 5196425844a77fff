"""HaMuCo's interaction: each part against loops, any number of views in any order, groups as if they were alone."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.layers.interaction import (
    HEADS,
    AdaptiveGraphConv,
    CrossViewAttention,
    DualBranch,
    ViewSharedFeatures,
    random_groups,
)

FEATURES = 8
FEW = settings(max_examples=15, deadline=None)


def features(samples: int = 2, views: int = 3, seed: int = 0) -> torch.Tensor:
    return torch.randn(samples, views, 21, FEATURES, generator=torch.Generator().manual_seed(seed))


def seeded(module: type, *args: object) -> torch.nn.Module:
    torch.manual_seed(1)
    return module(*args).eval()


def test_a_graph_convolution_by_hand():
    layer = seeded(AdaptiveGraphConv, FEATURES, 5)
    x = features()[0, 0]
    torch.testing.assert_close(layer(x), layer.linear(x))  # the identity at first: every joint for itself
    with torch.no_grad():
        layer.adjacency[4] = 0
        layer.adjacency[4, 7], layer.adjacency[4, 9] = 3.0, -1.0
    torch.testing.assert_close(layer(x)[4], layer.linear(0.75 * x[7] - 0.25 * x[9]))
    torch.testing.assert_close(layer(x)[5], layer.linear(x[5]))


def naive_attention(layer: CrossViewAttention, x: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
    """CVA token by token and head by head, of one sample (V, 21, F) whose views look at those in seen (V, V)."""
    views = len(x)
    tokens = {(v, j): x[v, j] for v in range(views) for j in range(21)}
    normed = {key: layer.norm(one) for key, one in tokens.items()}
    queries, keys, values = (
        {key: linear(one).view(HEADS, -1) for key, one in normed.items()}
        for linear in (layer.queries, layer.keys, layer.values)
    )
    out = torch.empty_like(x)
    for (v, j), query in queries.items():
        there = [key for key in tokens if seen[v, key[0]]]
        heads = []
        for h in range(HEADS):
            logits = torch.stack([query[h] @ keys[key][h] / math.sqrt(len(query[h])) for key in there])
            heads.append(logits.softmax(0) @ torch.stack([values[key][h] for key in there]))
        token = tokens[v, j] + layer.out(torch.cat(heads))
        out[v, j] = token + layer.feed(layer.norm_feed(token))
    return out


@torch.no_grad()
def test_attention_is_that_of_a_loop_over_joints_views_and_heads():
    layer, x = seeded(CrossViewAttention, FEATURES), features(1)
    all_seen = torch.ones(3, 3, dtype=torch.bool)
    torch.testing.assert_close(layer(x)[0], naive_attention(layer, x[0], all_seen))
    some = torch.tensor([[1, 0, 1], [0, 1, 0], [1, 0, 1]], dtype=torch.bool)
    torch.testing.assert_close(layer(x, some[None])[0], naive_attention(layer, x[0], some))


@torch.no_grad()
def test_shared_features_are_the_largest_over_the_views_that_are_seen():
    layer, x = seeded(ViewSharedFeatures, FEATURES), features()
    each = torch.stack([layer.net(x[:, view]) for view in range(3)], 1)
    torch.testing.assert_close(layer(x)[:, 0], each.max(1).values)
    seen = torch.tensor([[1, 1, 0], [1, 1, 0], [0, 0, 1]], dtype=torch.bool).expand(2, 3, 3)
    torch.testing.assert_close(layer(x, seen)[:, 0], each[:, :2].max(1).values)
    torch.testing.assert_close(layer(x, seen)[:, 2], each[:, 2])


@FEW
@given(st.permutations(range(5)), st.integers(0, 10**6))
@torch.no_grad()
def test_views_in_another_order_give_the_same_in_that_order(order, seed):
    net, x = seeded(DualBranch, FEATURES), features(1, 5, seed)
    torch.testing.assert_close(net(x)[:, order], net(x[:, order]), atol=1e-5, rtol=1e-5)


@FEW
@given(st.integers(0, 10**6))
@torch.no_grad()
def test_a_group_of_views_says_what_it_would_say_alone(seed):
    torch.manual_seed(seed)
    net, x, seen = seeded(DualBranch, FEATURES), features(1, 4, seed), random_groups(1, 4, torch.device("cpu"))
    together = net(x, seen)
    for view in range(4):
        group = seen[0, view]
        alone = net(x[:, group])
        torch.testing.assert_close(together[:, group], alone, atol=1e-5, rtol=1e-5)


def test_groups_are_groups_of_every_size():
    torch.manual_seed(0)
    seen = random_groups(400, 4, torch.device("cpu"))
    assert seen.diagonal(dim1=1, dim2=2).all() and torch.equal(seen, seen.mT)
    assert torch.equal((seen.float() @ seen.float()) > 0, seen)  # whom my group sees, I see
    assert set(seen.sum(-1).unique().tolist()) == {1, 2, 3, 4}


@pytest.mark.parametrize(("attention", "shared"), [(True, False), (False, True), (True, True)])
@torch.no_grad()
def test_either_branch_can_be_left_out(attention, shared):
    net, x = seeded(DualBranch, FEATURES, attention, shared), features()
    own = net.attention(x) if attention else x
    torch.testing.assert_close(net(x), own + net.shared(x) if shared else own)
    assert (net.attention is None, net.shared is None) == (not attention, not shared)
