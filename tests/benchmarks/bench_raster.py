"""Depth maps of the hand's mesh and alignment of joints in PyTorch, as one line of JSON.

    python -m tests.benchmarks.bench_raster

Processor time on one core; all ways take turns. Depth maps are those of hands turned at random that fill the crop, one
at a time and many; forward alone and with gradients. Alignment is of (n, 21, 3), against a loop over items that calls
scipy, as published evaluations do, and one that calls numpy's SVD; before the clock starts all are compared.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Callable

import numpy as np
import scipy
import torch
from scipy.linalg import orthogonal_procrustes
from torch import Tensor

from baselines.geometry.procrustes import aligned
from baselines.layers.raster import depth_map, silhouette
from rigging.hand.asset import load_asset

from .page import processor

ROUNDS, SIZES, BATCH, HANDS = 20, (32, 64, 128), 16, (32, 256, 2048)
MARGIN, DISTANCE = 1.3, 0.5  # of the crop about the hand; m


def hands_in_crops(count: int, size: int) -> Tensor:
    """(count, 2651, 3) px, px, m float32: the hand turned at random, in crops of `size` px."""
    rng = np.random.default_rng(0)
    turns, _ = np.linalg.qr(rng.normal(size=(count, 3, 3)))
    points = (load_asset().template - load_asset().joints.mean(0)) @ turns
    points[..., 2] += DISTANCE
    flat = points[..., :2] / points[..., 2:]
    low, high = flat.min(1, keepdims=True), flat.max(1, keepdims=True)
    pixels = size / 2 + (flat - (low + high) / 2) * size / (MARGIN * (high - low).max(2, keepdims=True))
    return torch.from_numpy(np.concatenate([pixels, points[..., 2:]], 2)).float()


def raster_ways(size: int) -> dict[str, tuple[Callable[[], object], int]]:
    """What is timed at one size, and how many hands it draws."""
    faces, hands = torch.from_numpy(load_asset().faces.astype(np.int64)), hands_in_crops(BATCH, size)
    learning = hands.clone().requires_grad_()
    return {
        "one": (lambda: depth_map(hands[:1], faces, size), 1),
        "one, with gradients": (lambda: depth_map(learning[:1], faces, size)[0].sum().backward(), 1),
        "batch, with gradients": (lambda: depth_map(learning, faces, size)[0].sum().backward(), BATCH),
        "silhouette, with gradients": (lambda: silhouette(learning[:1], faces, size).sum().backward(), 1),
    }


def scipy_loop(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Source (n, 21, 3) brought onto target item by item; mirrors where that fits better."""
    out = np.empty_like(source)
    for item, (x, y) in enumerate(zip(source, target)):
        x0, y0 = x - x.mean(0), y - y.mean(0)
        turn, scale = orthogonal_procrustes(x0, y0)
        out[item] = x0 @ turn * scale / np.square(x0).sum() + y.mean(0)
    return out


def numpy_loop(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The same with numpy's SVD; never mirrors."""
    out = np.empty_like(source)
    for item, (x, y) in enumerate(zip(source, target)):
        x0, y0 = x - x.mean(0), y - y.mean(0)
        u, singular, vt = np.linalg.svd(x0.T @ y0)
        sign = np.array([1, 1, np.sign(np.linalg.det(u @ vt))])
        out[item] = x0 @ (u * sign) @ vt * (singular * sign).sum() / np.square(x0).sum() + y.mean(0)
    return out


def alignment_ways(count: int) -> dict[str, tuple[Callable[[], object], int]]:
    """What is timed for so many hands. Raises SystemExit if the ways do not give the same."""
    rng, joints = np.random.default_rng(0), load_asset().joints
    turns, _ = np.linalg.qr(rng.normal(size=(count, 3, 3)))
    target = (joints @ (turns * np.linalg.det(turns)[:, None, None])).astype(np.float32)
    source = (1.2 * joints + 0.01 * rng.normal(size=(count, 21, 3))).astype(np.float32)
    tensors = torch.from_numpy(source), torch.from_numpy(target)
    ours = aligned(*tensors).numpy()
    worst = max(np.abs(ours - loop(source, target)).max() for loop in (scipy_loop, numpy_loop))
    if worst > 1e-6:
        raise SystemExit(f"{count} hands: the ways differ by {worst:.1e} m")
    return {
        "ours": (lambda: aligned(*tensors), count),
        "scipy loop": (lambda: scipy_loop(source, target), count),
        "numpy loop": (lambda: numpy_loop(source, target), count),
    }


def milliseconds(ways: dict[str, tuple[Callable[[], object], int]], rounds: int = ROUNDS) -> dict[str, list[float]]:
    """Processor time of each way per hand, a number a round; the ways take turns, each for at least 20 ms."""
    repeats = {way: 1 + int(0.02 / seconds(run, 2)) for way, (run, _) in ways.items()}
    times: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, (run, hands) in ways.items():
            times[way].append(1000 * seconds(run, repeats[way]) / hands)
    return times


def seconds(run: Callable[[], object], repeats: int) -> float:
    """Processor time of one run."""
    start = time.process_time()
    for _ in range(repeats):
        run()
    return (time.process_time() - start) / repeats


def main() -> int:
    """Measure and print."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    torch.set_num_threads(1)
    found = {
        "benchmark": "raster", "processor": processor(), "python": platform.python_version(),
        "torch": torch.__version__, "scipy": scipy.__version__, "numpy": np.__version__, "batch": BATCH,
        "raster": {size: milliseconds(raster_ways(size)) for size in SIZES},
        "alignment": {count: milliseconds(alignment_ways(count)) for count in HANDS},
    }  # fmt: skip
    sys.stdout.write(json.dumps(found) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
