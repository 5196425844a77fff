"""HaMuCo's alignment of all pairs of views against a loop over views and over pairs, as one line of JSON.

    python -m tests.benchmarks.bench_views

Meshes and joints of 4 samples of 8 views are brought into the axes of every view and averaged, as its fusion does it.
Processor time on one core; the sides take turns, and before the clock starts their results are compared.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from baselines.geometry.procrustes import aligned
from baselines.geometry.view_alignment import between_views, fused_in_each

from .page import processor

SAMPLES, VIEWS, POINTS, ROUNDS = 4, 8, 2651 + 21, 20


def case() -> tuple[Tensor, Tensor]:
    """Points (S, V, N, 3) that views say, about the same up to turns, and those turns (S, V, 3, 3)."""
    generator = torch.Generator().manual_seed(0)
    turns = torch.linalg.qr(torch.randn(SAMPLES, VIEWS, 3, 3, generator=generator)).Q
    turns = turns * torch.linalg.det(turns)[..., None, None]
    points = torch.randn(SAMPLES, 1, POINTS, 3, generator=generator) @ turns.mT
    return points + 0.1 * torch.randn(points.shape, generator=generator), turns


def with_rotation(source: Tensor, target: Tensor, turn: Tensor) -> Tensor:
    """Source (..., N, 3), turned by turn (..., 3, 3), onto target by the best scale and shift."""
    moved = source @ turn.mT
    middle, there = moved.mean(-2, keepdim=True), target.mean(-2, keepdim=True)
    centred = moved - middle
    scale = (centred * (target - there)).sum((-2, -1)) / centred.square().sum((-2, -1))
    return scale[..., None, None] * centred + there


def over_views(points: Tensor, turns: Tensor | None) -> Tensor:
    """As public code has it: view by view, all others brought onto it at once."""
    fused = []
    for i in range(VIEWS):
        target = points[:, i : i + 1].expand_as(points)
        if turns is None:
            fused.append(aligned(points, target).mean(1))
        else:
            fused.append(with_rotation(points, target, turns[:, i : i + 1] @ turns.mT).mean(1))
    return torch.stack(fused, 1)


def over_pairs(points: Tensor, turns: Tensor | None) -> Tensor:
    """Sample by sample, pair by pair."""
    fused = torch.zeros_like(points)
    for s in range(SAMPLES):
        for i in range(VIEWS):
            for j in range(VIEWS):
                source, target = points[s, j], points[s, i]
                moved = (
                    aligned(source, target)
                    if turns is None
                    else with_rotation(source, target, turns[s, i] @ turns[s, j].mT)
                )
                fused[s, i] += moved / VIEWS
    return fused


def einsum(points: Tensor, turns: Tensor | None) -> Tensor:
    """Ours."""
    return fused_in_each(points, between_views(points, turns))


def milliseconds(ways: dict[str, Callable[[], Tensor]]) -> dict[str, float]:
    """Medians over rounds in which all ways take their turn."""
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            start = time.process_time()
            way()
            spent[name].append(1000 * (time.process_time() - start))
    return {name: round(float(np.median(values)), 3) for name, values in spent.items()}


def main() -> None:
    """Compare, measure, print."""
    torch.set_num_threads(1)
    points, turns = case()
    sides = {"einsum": einsum, "loop over views": over_views, "loop over pairs": over_pairs}
    found = {}
    for name, given in (("extrinsics", turns), ("procrustes", None)):
        ways = {side: (lambda way=way, given=given: way(points, given)) for side, way in sides.items()}
        results = {side: way() for side, way in ways.items()}
        for one in results.values():
            torch.testing.assert_close(one, results["einsum"], atol=1e-4, rtol=1e-4)
        found[name] = milliseconds(ways)
    about = {"torch": torch.__version__, "python": platform.python_version(), "cores": os.cpu_count()}
    print(json.dumps({"ms": found, "processor": processor()} | about))


if __name__ == "__main__":
    main()
