"""Chebyshev convolutions on the hand's mesh against PyTorch Geometric's ChebConv, as one line of JSON.

    python -m tests.benchmarks.bench_graph

Forward and backward, three terms, float32, on one core, in processor time; the sides take turns. ChebConv is driven
both ways that its users have: a batch on one graph, (B, N, F), and the batch as one graph of B parts, (B N, F). It is
given the largest eigenvalue (it would not look for it), and the real nodes only. Before the clock starts the sides are
compared: same weights, same results and gradients.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Callable

import numpy as np
import torch
from torch_geometric.nn import ChebConv
from tqdm import tqdm

from baselines.layers.coarsen import adjacency, level_weights
from baselines.layers.graph_conv import GraphConv
from baselines.layers.hierarchy import ASSET, Hierarchy, load_hierarchy
from rigging.hand.asset import load_asset

from .page import processor

BATCH, TERMS, ROUNDS = 8, 3, 20
# Level and widths, coarse to fine as MVHM's mesh is made; then those of its depth network
LAYERS = ((3, 64, 64), (2, 64, 64), (2, 64, 32), (1, 32, 32), (0, 32, 32), (0, 32, 3), (0, 3, 32), (0, 64, 64))

Side = tuple[torch.nn.Module, torch.Tensor, tuple]  # a layer, its activations, what else it is called with


def edges(hand: Hierarchy, level: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Edges (2, E) between the real nodes of a level, numbered among them, weights (E,) and the largest eigenvalue."""
    with np.load(ASSET) as stored:
        order, largest = stored["matching_order"].astype(int), stored["matching_largest"][level]
    weights = level_weights(adjacency(load_asset().faces, hand.vertices), order, level)
    real = hand.real(level).numpy()
    between = weights[real][:, real].tocoo()
    index = torch.from_numpy(np.stack([between.row, between.col]).astype(np.int64))
    return index, torch.from_numpy(between.data).float(), torch.tensor(largest, dtype=torch.float32)


def sides(hand: Hierarchy, level: int, inputs: int, outputs: int) -> dict[str, Side]:
    """Three ways to the same result: layers with the same weights, and the same activations as each wants them."""
    index, weight, largest = edges(hand, level)
    nodes, real = int(hand.real(level).sum()), hand.real(level)
    x = torch.randn(hand.sizes[level], BATCH, inputs)
    ours, theirs = GraphConv(hand.laplacians[level], inputs, outputs, TERMS), ChebConv(inputs, outputs, TERMS)
    with torch.no_grad():
        for theta, linear in zip(ours.weight, theirs.lins):
            linear.weight.copy_(theta.T)
    many = torch.cat([index + item * nodes for item in range(BATCH)], dim=1)
    item = torch.arange(BATCH).repeat_interleave(nodes)
    apart = x[real].transpose(0, 1).contiguous()
    return {
        "ours": (ours, x, ()),
        "one graph": (theirs, apart, (index, weight, None, largest)),
        "many graphs": (theirs, apart.reshape(-1, inputs), (many, weight.repeat(BATCH), item, largest.repeat(BATCH))),
    }


def step(side: Side, gradient: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """Forward and backward from `gradient` (ones where there is none): the result and the gradient of the activations.

    Gradients of weights are left with them.
    """
    layer, x, others = side
    layer.zero_grad()
    x = x.detach().requires_grad_()
    y = layer(x, *others)
    y.backward(torch.ones_like(y) if gradient is None else gradient)
    return y.detach(), x.grad


def largest_difference(found: dict[str, Side], real: torch.Tensor) -> float:
    """Between ours and the others, in results and all gradients, over the largest number; fake nodes apart."""
    (ours, x, _), worst = found["ours"], 0.0
    gradient = torch.randn(*x.shape[:2], ours.weight.shape[-1]) * real[:, None, None]
    expected = [value[real].transpose(0, 1) for value in step(found["ours"], gradient)] + [ours.weight.grad]
    for way in ("one graph", "many graphs"):
        apart, (theirs, activations, _) = gradient[real].transpose(0, 1), found[way]
        values = step(found[way], apart.reshape(*activations.shape[:-1], -1))
        for got, want in zip((*values, torch.stack([one.weight.grad.T for one in theirs.lins])), expected):
            worst = max(worst, float((got.reshape(want.shape) - want).abs().max() / want.abs().max()))
    return worst


def seconds(run: Callable[[], object], repeats: int) -> float:
    """Processor time of one run."""
    start = time.process_time()
    for _ in range(repeats):
        run()
    return (time.process_time() - start) / repeats


def measure(rounds: int = ROUNDS) -> dict:
    """Seconds of every layer and way, a number per round; the ways take turns, each for at least 20 ms."""
    torch.manual_seed(0)
    hand, found = load_hierarchy(), []
    for level, inputs, outputs in tqdm(LAYERS, desc="graph convolutions", unit="layer"):
        ways = sides(hand, level, inputs, outputs)
        difference = largest_difference(ways, hand.real(level))
        if difference > 1e-4:
            raise SystemExit(f"level {level}, {inputs} to {outputs}: the sides differ by {difference:.1e}")
        repeats = {way: 1 + int(0.02 / seconds(lambda side=side: step(side), 2)) for way, side in ways.items()}
        times = {way: [] for way in ways}
        for _ in range(rounds):
            for way, side in ways.items():
                times[way].append(seconds(lambda side=side: step(side), repeats[way]))
        found.append({"nodes": hand.sizes[level], "inputs": inputs, "outputs": outputs, "seconds": times,
                      "difference": difference})  # fmt: skip
    return {"benchmark": "graph", "cores": 1, "batch": BATCH, "terms": TERMS, "layers": found}


def main() -> int:
    """Measure and print."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    torch.set_num_threads(1)
    versions = {name: sys.modules[name].__version__ for name in ("torch", "torch_geometric")}
    machine = {"processor": processor(), "python": platform.python_version(), **versions}
    sys.stdout.write(json.dumps(machine | measure()) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
