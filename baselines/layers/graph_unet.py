"""Graph U-Net (Gao and Ji 2019) on small graphs, dense and batched: every item of a batch keeps nodes of its own."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from rigging.errors import InputError
from rigging.joints import JOINT_PARENTS

from .graph_conv import at_least_float32


def skeleton() -> Tensor:
    """(21, 21) float32 ones where two joints share a bone, and on the diagonal."""
    graph = torch.eye(len(JOINT_PARENTS))
    for joint, parent in enumerate(JOINT_PARENTS[1:], start=1):
        graph[joint, parent] = graph[parent, joint] = 1
    return graph


class GraphUNet(nn.Module):
    """x (B, N, inputs) to (B, N, outputs) by graph convolutions at fewer and fewer nodes and back.

    A convolution, then gPool, at every level; one convolution at the bottom; then gUnpool, a convolution and the skip
    added, at every level; a fully connected layer before and after. With the default ratios 21 joints become 18, 12 and
    7. `graph` (N, N) is symmetric, of zeros and ones, with self-loops. Permuting the nodes of graph and x permutes
    the result.
    """

    def __init__(
        self,
        graph: Tensor,
        inputs: int,
        outputs: int,
        width: int = 64,
        ratios: tuple[float, ...] = (0.9, 0.7, 0.6),
    ) -> None:
        super().__init__()
        self.register_buffer("graph", graph, persistent=False)
        self.counts = pool_counts(len(graph), ratios)
        self.embed, self.out = nn.Linear(inputs, width), nn.Linear(width, outputs)
        self.down = nn.ModuleList(nn.Linear(width, width) for _ in ratios)
        self.up = nn.ModuleList(nn.Linear(width, width) for _ in ratios)
        self.bottom = nn.Linear(width, width)
        self.direction = nn.Parameter(torch.empty(len(ratios), width).uniform_(-1, 1))  # p of each gPool

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, outputs) of x (B, N, inputs)."""
        x, graph, kept = self.embed(x), self.graph.expand(len(x), -1, -1), []
        for layer, direction, count in zip(self.down, self.direction, self.counts):
            x = convolve(layer, graph, x)
            pooled, smaller, chosen = pool(x, graph, direction, count)
            kept.append((x, graph, chosen))
            x, graph = pooled, smaller
        x = convolve(self.bottom, graph, x)
        for layer, (skip, graph, chosen) in zip(self.up, reversed(kept)):
            x = skip + convolve(layer, graph, unpool(x, chosen, skip.shape[1]))
        return self.out(x)


def pool_counts(nodes: int, ratios: tuple[float, ...]) -> tuple[int, ...]:
    """How many nodes each pooling leaves, rounded down. Raises InputError where none would be left."""
    counts = []
    for ratio in ratios:
        nodes = int(ratio * nodes) if 0 < ratio <= 1 else 0
        counts.append(nodes)
    if not all(counts):
        raise InputError(
            f"pooling ratios {ratios} leave {counts} nodes: each must be above 0, at most 1, and leave one"
        )
    return tuple(counts)


def convolve(layer: nn.Linear, graph: Tensor, x: Tensor) -> Tensor:
    """(B, n, F') ELU of `layer` of the mean over each node's neighbours, of x (B, n, F) on graph (B, n, n)."""
    mean = graph / graph.sum(-1, keepdim=True)
    return functional.elu(layer(mean @ x))


def pool(x: Tensor, graph: Tensor, direction: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """gPool: the `count` nodes whose features point most along `direction` (F,), gated by a sigmoid of how much.

    x (B, n, F), graph (B, n, n) with self-loops. Returns features (B, count, F), the graph between them (B, count,
    count), in which nodes are joined that were at most two edges apart, and their numbers (B, count).
    """
    score = (at_least_float32(x) * direction / direction.norm()).sum(-1)  # bfloat16 would have many ties
    best, chosen = score.topk(count, dim=1)
    features = x.gather(1, chosen[..., None].expand(-1, -1, x.shape[-1]))
    rows = graph.gather(1, chosen[..., None].expand(-1, -1, graph.shape[-1]))
    near = (rows @ rows.mT > 0).to(graph.dtype)  # of A A, what is kept: graphs are symmetric
    return features * torch.sigmoid(best)[..., None].to(x.dtype), near, chosen


def unpool(x: Tensor, chosen: Tensor, nodes: int) -> Tensor:
    """gUnpool: x (B, count, F) at the nodes it was chosen from, (B, nodes, F), zero at the others."""
    full = x.new_zeros(len(x), nodes, x.shape[-1])
    return full.scatter(1, chosen[..., None].expand(-1, -1, x.shape[-1]), x)
