"""Rendering: the fewest samples per pixel that reach 35 dB, and the time of an 8-view sample at that quality."""

from __future__ import annotations

import argparse
import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from tqdm import tqdm

from .cases import CASES, psnr
from .renderers import picture, start, timed_sample

GOAL = 35.0  # dB, mean over the cases
LADDER = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 32)
REFERENCE_SAMPLES = 1024
ROUNDS = 1  # of all timed cases, the two ways taking turns


def process(kind: str, folder: Path) -> ProcessPoolExecutor:
    """A process that renders as `kind`."""
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(1, mp_context=context, initializer=start, initargs=(kind, folder))


def references(folder: Path) -> list[np.ndarray]:
    """One view of every case at 1024 samples per pixel, without a denoiser; kept in `folder`."""
    path = folder / f"references-{REFERENCE_SAMPLES}.npz"
    if not path.exists():
        with process("reference", folder) as pool:
            bar = tqdm(range(CASES), desc=f"references at {REFERENCE_SAMPLES} samples", unit="view")
            made = [pool.submit(picture, case, case % 8, REFERENCE_SAMPLES).result() for case in bar]
        np.savez_compressed(path, pictures=np.stack(made))
    return list(np.load(path)["pictures"])


def quality(pool: ProcessPoolExecutor, expected: list[np.ndarray]) -> dict[int, list[float]]:
    """PSNR of every case, up the ladder of samples per pixel until the mean reaches the goal and once beyond."""
    found: dict[int, list[float]] = {}
    for samples in LADDER:
        reached = any(np.mean(values) >= GOAL for values in found.values())
        pictures = [pool.submit(picture, case, case % 8, samples).result() for case in range(CASES)]
        found[samples] = [psnr(*pair) for pair in zip(pictures, expected)]
        if reached:
            break
    return found


def fewest(found: dict[int, list[float]]) -> int:
    """The fewest samples per pixel whose mean PSNR reaches the goal."""
    return next((samples for samples, values in found.items() if np.mean(values) >= GOAL), max(found))


def measure(folder: Path) -> dict:
    """Quality and time of both ways."""
    expected = references(folder)
    with process("ours", folder) as ours, process("typical", folder) as typical:
        found = {"ours": quality(ours, expected), "typical": quality(typical, expected)}
        chosen = {kind: fewest(values) for kind, values in found.items()}
        pools, times = {"ours": ours, "typical": typical}, {"ours": [], "typical": []}
        for kind, pool in pools.items():
            pool.submit(timed_sample, 0, chosen[kind]).result()  # warm-up
        for case in tqdm(list(range(0, CASES, 2)) * ROUNDS, desc="timing, in turns", unit="pair"):
            for kind, pool in pools.items():
                times[kind].append(pool.submit(timed_sample, case, chosen[kind]).result())
    seconds = {kind: float(np.median(values)) for kind, values in times.items()}
    return {
        "psnr": {kind: {str(k): v for k, v in values.items()} for kind, values in found.items()},
        "samples_per_pixel": chosen,
        "seconds_per_sample": seconds,
        "times": times,
        "ratio": float(np.median(np.array(times["typical"]) / np.array(times["ours"]))),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("out/bench"))
    folder = parser.parse_args().folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    print(json.dumps(measure(folder), indent=1))


if __name__ == "__main__":
    main()
