"""The section of docs/benchmarks.md on graph convolutions."""

from __future__ import annotations

import numpy as np

from .tables import row

OTHERS = ("one graph", "many graphs")


def graph_section(graph: dict) -> str:
    """Graph convolutions against those of PyTorch Geometric, from what `bench_graph` measured."""
    layers = graph["layers"]
    ratios = [min(median_quotient(layer["seconds"], way) for way in OTHERS) for layer in layers]
    rows = [row("nodes", "features", "mvhm", *OTHERS, "ratio"), "|---" * 6 + "|"]
    rows += [layer_row(layer, ratio) for layer, ratio in zip(layers, ratios)]
    chip, rounds = graph["processor"].split(",")[0], len(layers[0]["seconds"]["ours"])
    difference = max(layer["difference"] for layer in layers)
    return f"""## Graph convolutions

Milliseconds of processor time, forward and backward, of a Chebyshev convolution of {graph["terms"]} terms on the hand's
mesh and its coarser levels: {graph["batch"]} items, float32, one core of {chip}, torch {graph["torch"]}.
The yardstick is ChebConv of PyTorch Geometric {graph["torch_geometric"]}, with the same weights, results and gradients
(they differ by at most {difference:.0e} of the largest number). It is driven both ways that its users have: a batch on
one graph, and the batch as one graph of {graph["batch"]} parts. Medians of {rounds} rounds in which all sides took
turns; the ratio is the median of the rounds' own, to the faster of the two ways.
`python -m tests.benchmarks.run --only graph` writes this section alone.

{chr(10).join(rows)}

**mvhm is at least {min(ratios):.1f} times as fast.** Of a CPU; no GPU was compared."""


def layer_row(layer: dict, ratio: float) -> str:
    """A row of the table: the layer, milliseconds of each side, and the ratio."""
    times = (f"{1e3 * np.median(layer['seconds'][way]):.2f}" for way in ("ours", *OTHERS))
    return row(layer["nodes"], f"{layer['inputs']} to {layer['outputs']}", *times, f"{ratio:.1f}")


def median_quotient(seconds: dict[str, list[float]], way: str) -> float:
    """Median over rounds of how many times as long as ours a way took."""
    return float(np.median(np.divide(seconds[way], seconds["ours"])))
