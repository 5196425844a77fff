"""A worker at the demo's settings: time outside Cycles' render calls; memory and time over many samples."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import sys
import time
from pathlib import Path

import numpy as np
import psutil
from tqdm import tqdm

from blender_scripts.cycles import scene
from blender_scripts.cycles.denoise import Denoiser
from blender_scripts.render_sample import render_sample

from .cases import CASES, make_studio

SAMPLES_PER_PIXEL = 8  # for the time outside Cycles
ROUND = 2 * CASES  # samples after which the long run begins anew


@contextlib.contextmanager
def timed_calls(owner: object, name: str, seconds: list[float]):
    """Append the duration of every call of `owner.name` made within the block."""
    original = getattr(owner, name)

    def timed(*arguments, **keywords):
        start = time.perf_counter()
        try:
            return original(*arguments, **keywords)
        finally:
            seconds.append(time.perf_counter() - start)

    setattr(owner, name, timed)
    try:
        yield
    finally:
        setattr(owner, name, original)


def outside(studio, specs) -> dict[str, float]:
    """Milliseconds per view in Cycles, the denoiser and elsewhere, mean over 12 pairs of one subject with a look each.

    That is how a worker of a large release spends its time; `new_skin_ms` comes once per subject.
    """
    skins = [specs.spec(2 * case).skin for case in range(2)]
    ready = [dataclasses.replace(specs.spec(sample), skin=skins[0]) for sample in range(2 * CASES)]
    quick = dataclasses.replace(studio.settings, samples_per_pixel=1)
    for spec in ready:  # reads every panorama once
        render_sample(studio, spec, quick)
    settings = dataclasses.replace(quick, samples_per_pixel=SAMPLES_PER_PIXEL)
    times = np.array([split_time(studio, spec, settings) for spec in tqdm(ready, desc="outside", unit="sample")])
    inside_ms, denoiser_ms, outside_ms = times.mean(0) / len(ready[0].cameras.K) * 1000
    start = time.perf_counter()
    for skin in skins[::-1] * 4:
        studio.set_skin(skin)
    new_skin_ms = (time.perf_counter() - start) / 8 * 1000
    found = {"inside_ms_per_view": inside_ms, "denoiser_ms_per_view": denoiser_ms, "outside_ms_per_view": outside_ms}
    return found | {"new_skin_ms": new_skin_ms}


def split_time(studio, spec, settings) -> tuple[float, float, float]:
    """Seconds of a sample in Cycles' render calls, in the denoiser, and elsewhere."""
    renders: list[float] = []
    denoisings: list[float] = []
    start = time.perf_counter()
    with timed_calls(scene, "render_passes", renders), timed_calls(Denoiser, "__call__", denoisings):
        render_sample(studio, spec, settings)
    whole = time.perf_counter() - start
    return sum(renders), sum(denoisings), whole - sum(renders) - sum(denoisings)


def long_run(studio, specs, samples: int) -> dict[str, list[float]]:
    """Resident memory in MB after every sample, and its seconds: the cases taken round and round.

    One sample per pixel, to be quick; each pair is another subject, so a skin is replaced every second sample.
    """
    quick, process = dataclasses.replace(studio.settings, samples_per_pixel=1), psutil.Process()
    found: dict[str, list[float]] = {"resident_mb": [], "seconds": []}
    for index in tqdm(range(samples), desc="long run", unit="sample"):
        start = time.perf_counter()
        render_sample(studio, specs.spec(index % ROUND), quick)
        found["seconds"].append(time.perf_counter() - start)
        found["resident_mb"].append(process.memory_info().rss / 1e6)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("out/bench"))
    parser.add_argument("--samples", type=int, default=500)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    studio, specs = make_studio(options.folder.resolve())
    found = {"samples_per_pixel": SAMPLES_PER_PIXEL} | outside(studio, specs)
    sys.stdout.write(json.dumps(found | long_run(studio, specs, options.samples) | {"round": ROUND}))


if __name__ == "__main__":
    main()
