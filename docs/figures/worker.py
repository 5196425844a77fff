"""Draw docs/images/worker_500.png: memory and time of one worker over its samples.

`make bench` draws it; again from what it measured: python -m docs.figures.worker out/bench
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

OUT = Path(__file__).parents[1] / "images" / "worker_500.png"


def draw_worker(worker: dict, path: Path) -> None:
    """Resident memory and seconds of every sample of the long run of `tests.benchmarks.bench_worker`."""
    figure, (memory, time) = plt.subplots(2, 1, figsize=(9, 4.6), dpi=100, sharex=True, layout="constrained")
    draw_values(memory, worker["resident_mb"], worker["round"], "resident memory (MB)")
    draw_values(time, worker["seconds"], worker["round"], "seconds per sample")
    time.set_xlabel("samples rendered by the worker")
    time.legend(loc="lower right", frameon=False, ncols=2)
    figure.savefig(path, metadata={"Software": None})
    plt.close(figure)


def draw_values(axis: plt.Axes, values: list[float], period: int, label: str) -> None:
    """Values from zero on, and their mean over each round of the same samples."""
    count = np.arange(1, len(values) + 1)
    axis.plot(count, values, ".", color="0.6", markersize=3, label="each sample")
    whole = len(values) // period * period
    rounds = np.reshape(values[:whole], (-1, period)).mean(1)
    axis.plot(count[:whole].reshape(-1, period).mean(1), rounds, color="#0072b2", lw=2, label=f"mean of {period}")
    axis.set(ylabel=label, ylim=(0, 1.15 * max(values)), xlim=(0, len(values)))
    axis.grid(color="0.9")


def main() -> None:
    """Draw the page's picture."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "out/bench")
    draw_worker(json.loads((folder / "worker.json").read_text(encoding="utf-8")), OUT)


if __name__ == "__main__":
    main()
