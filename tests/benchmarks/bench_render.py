"""Rendering at equal quality: seconds of 8-view samples at the fewest samples per pixel that reach 35 dB, in turns.

Needs `quality.json` of `bench_quality` in its folder.
"""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from tqdm import tqdm

from .bench_quality import process
from .cases import CASES
from .renderers import timed_sample

GOAL = 35.0  # dB, mean over the cases


def fewest(found: dict[str, list[float]]) -> int:
    """The fewest samples per pixel whose mean PSNR reaches the goal, or the most that were tried."""
    ladder = sorted(int(samples) for samples in found)
    return next((samples for samples in ladder if np.mean(found[str(samples)]) >= GOAL), ladder[-1])


def measure(folder: Path, quality: dict) -> dict:
    """Seconds of every second case, the ways taking turns, each at its own samples per pixel."""
    chosen = {kind: fewest(found) for kind, found in quality["psnr"].items()}
    times: dict[str, list[dict]] = {kind: [] for kind in chosen}
    with ExitStack() as stack:
        pools = {kind: stack.enter_context(process(kind, folder)) for kind in chosen}
        for kind, pool in pools.items():
            pool.submit(timed_sample, 0, chosen[kind]).result()  # warm-up
        for case in tqdm(range(1, CASES, 2), desc="timing, in turns", unit="case"):
            for kind, pool in pools.items():
                times[kind].append(pool.submit(timed_sample, case, chosen[kind]).result())
    return {"samples_per_pixel": chosen, "times": times}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("out/bench"))
    folder = parser.parse_args().folder.resolve()
    try:
        quality = json.loads((folder / "quality.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        sys.stderr.write(f"{folder / 'quality.json'} is missing: run the part quality first\n")
        return 2
    sys.stdout.write(json.dumps(measure(folder, quality)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
