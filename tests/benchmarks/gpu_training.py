"""What a GPU is worth to the estimators, in at most ten minutes, of a release as one file.

    mvhm pack out/gate --max-mib 40 --out gate.pack                # where the release is
    python -m tests.benchmarks.gpu_training gate.pack --out FOLDER   # on the machine with the GPU

Needs torch, numpy, OpenCV, safetensors and tqdm; neither HDF5 nor Blender. Four parts: images per second while
`mvhm_sv` and, beside it, `ge_gcn`, `hamr` and `hamuco` (on true 2D joints) train in full size, on crops made as in
training; what limits it, by torch's profiler; inference with batches of 1 (of `hamuco` 8, the views of a sample) and 64
(Ge et al. state 19.9 ms an image, on their GPU of 2018); one training by the preset `gate-short`, with its scores.
results.json is written anew after every part; a part that fails is told, and the others go on. `--device cpu --quick`
tries the script itself.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import logging
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from baselines.config import Config, load_config
from baselines.data.opening import open_source
from baselines.data.source import wanted_fields
from baselines.estimator import Estimator
from baselines.evaluate.predict import predict
from baselines.evaluate.score import scores
from baselines.registry import create_estimator, estimator_class
from baselines.train.forward import forward
from baselines.train.loop import Run, make_batches, take_step, train
from baselines.train.optimise import start_learning
from baselines.train.ranks import Ranks, choose_device
from baselines.train.run_folder import RunFolder, load_run
from rigging.files import write_atomic

MODEL, SPLIT, TEST = "mvhm_sv", "train", "test_subject"
BATCHES = {MODEL: (32, 64, 128, 256), "ge_gcn": (128, 256), "hamr": (128,), "hamuco": (64, 128)}
WARM, STEPS = 5, 30
CALLS = 100
SHORT_SECONDS = 310.0  # that gate-short took on an H100
Results = dict[str, Any]


def parts(pack: Path, out: Path, device: torch.device, quick: bool) -> Iterator[tuple[str, Callable[[], Results]]]:
    """Name and work of every part."""
    configs = {model: load_config("nano" if quick else "full", model) for model in BATCHES}
    for model, size in [(model, size) for model, sizes in BATCHES.items() for size in ((8,) if quick else sizes)]:
        config = with_batch(configs[model], size)
        yield f"train {model}, batch {size}", lambda config=config: training_rate(pack, config, device, quick)
    yield "profile", lambda: profiled(pack, with_batch(configs[MODEL], 8 if quick else 128), device, out, quick)
    for model, (size, precision) in itertools.product(BATCHES, ((1, "bf16"), (1, "fp32"), (64, "bf16"))):
        config = with_precision(with_batch(configs[model], size), precision)
        yield (
            f"inference {model}, batch {size}, {precision}",
            lambda config=config: latency(pack, config, device, quick),
        )
    yield "gate-short", lambda: short_training(pack, out, device, quick)


def with_batch(config: Config, size: int) -> Config:
    """The settings with batches of `size` crops, of a sample at least where its views belong together."""
    least = config.data.views if estimator_class(config.estimator).multi_view else 1
    return dataclasses.replace(config, data=dataclasses.replace(config.data, batch=max(size, least), samples=0))


def with_precision(config: Config, precision: str) -> Config:
    """The settings with networks in bf16 or float32."""
    return dataclasses.replace(config, train=dataclasses.replace(config.train, precision=precision))


def begun(pack: Path, config: Config, device: torch.device, out: Path | None = None) -> Run:
    """A training that stands at its first step."""
    estimator = create_estimator(config.estimator, **config.model).to(device, memory_format=torch.channels_last)
    source = open_source(pack, SPLIT, wanted_fields(estimator.fields, config.augment))
    batches = make_batches(config, [(source, 1.0)], device, Ranks())
    return Run(config, batches, estimator, estimator, device, Ranks(), RunFolder(out or Path()))


def steps_of(run: Run, count: int) -> Iterator[None]:
    """`count` steps of the last stage, in which everything learns; each is done when it is yielded."""
    stage, epoch, done = run.config.stages[-1], 0, 0
    learning = start_learning(run.estimator, stage, run.config.train.ema)
    while done < count:
        for batch in run.batches.epoch(0, epoch):
            take_step(run, stage, learning, batch)
            settle(run.device)
            done += 1
            yield
            if done == count:
                return
        epoch += 1


def training_rate(pack: Path, config: Config, device: torch.device, quick: bool) -> Results:
    """Images per second in the median step, loading and augmentation included, and the memory taken."""
    run, times = begun(pack, config, device), [time.perf_counter()]
    for _ in steps_of(run, 3 if quick else WARM + STEPS):
        times.append(time.perf_counter())
    seconds = [after - before for before, after in itertools.pairwise(times)][1 if quick else WARM :]
    memory = torch.cuda.max_memory_allocated(device) / 2**30 if device.type == "cuda" else None
    return {
        "images_per_second": config.data.batch / median(seconds), "slowest_step": max(seconds),
        "waiting_share": run.batches.waiting_share, "memory_gib": memory,
    }  # fmt: skip


def profiled(pack: Path, config: Config, device: torch.device, out: Path, quick: bool) -> Results:
    """The operators that take longest, also as a table in profile.txt."""
    run = begun(pack, config, device)
    steps = steps_of(run, 2 if quick else 8)
    next(steps)
    kinds = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if device.type == "cuda" else [])]
    with profile(activities=kinds) as found:
        for _ in steps:
            pass
    key = "self_device_time_total" if device.type == "cuda" else "self_cpu_time_total"
    averages = found.key_averages()
    write_atomic(out / "profile.txt", averages.table(sort_by=key, row_limit=30).encode())
    total = sum(getattr(one, key) for one in averages)
    first = sorted(averages, key=lambda one: -getattr(one, key))[:12]
    return {one.key: round(getattr(one, key) / total, 3) for one in first}


@torch.inference_mode()
def latency(pack: Path, config: Config, device: torch.device, quick: bool) -> Results:
    """Milliseconds from a batch on the device to poses without an oracle."""
    run = begun(pack, config, device)
    batch, estimator = next(iter(run.batches.ordered())), run.estimator.eval()
    times = []
    for _ in range(3 if quick else CALLS):
        start = time.perf_counter()
        estimator.pose(forward(estimator, batch, config.train), batch)
        settle(device)
        times.append(1000 * (time.perf_counter() - start))
    return {"median_ms": median(times), "slowest_ms": max(times), "crops": len(batch)}


def short_training(pack: Path, out: Path, device: torch.device, quick: bool) -> Results:
    """Train by the preset and score it on subjects that it has not seen."""
    sets = [f"stages.{name}.epochs=1" for name in ("heatmap", "mesh", "depth", "all")] if quick else []
    config = load_config("nano" if quick else "gate-short", MODEL, [*sets, *(["data.samples=8"] if quick else [])])
    start = time.perf_counter()
    source = open_source(pack, SPLIT, wanted_fields(create_estimator(MODEL, **config.model).fields, config.augment))
    train(config, source, out / "gate-short", resume=True, device=str(device))
    seconds = time.perf_counter() - start
    estimator, config = load_run(out / "gate-short")
    return {"seconds": seconds, TEST: tested(estimator, pack, config, device)}


def tested(estimator: Estimator, pack: Path, config: Config, device: torch.device) -> Results:
    """Scores by protocol."""
    test = open_source(pack, TEST, wanted_fields(("joints_cam",)))
    return {name: dict(row) for name, row in scores(predict(estimator, test, config, str(device))).items()}


def settle(device: torch.device) -> None:
    """Wait until the device has done what it was asked for."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def main() -> int:
    """All parts; 1 if one of them failed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("pack", type=Path, help="file that `mvhm pack` wrote")
    parser.add_argument("--out", type=Path, required=True, help="folder of the results")
    parser.add_argument("--device", default="", help="default: the GPU")
    parser.add_argument("--seconds", type=float, default=600.0, help="no part begins that would end later (600)")
    parser.add_argument("--only", default="", metavar="PATTERN", help="parts whose names have it, a regular expression")
    parser.add_argument("--quick", action="store_true", help="small and short, to try the script")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    device, start = choose_device(options.device), time.monotonic()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.quick:
        torch.set_num_threads(1)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    results: Results = {"device": name, "torch": torch.__version__, "parts": {}}
    for part, work in parts(options.pack, options.out, device, options.quick):
        if not re.search(options.only, part):
            continue
        left = options.seconds - (time.monotonic() - start)
        wanted = SHORT_SECONDS if part == "gate-short" and not options.quick else 0
        results["parts"][part] = attempt(work) if left > wanted else {"left out": f"{left:.0f} s were left"}
        print(part, json.dumps(results["parts"][part]), flush=True)
        write_atomic(options.out / "results.json", (json.dumps(results, indent=2) + "\n").encode())
    return int(any("failed" in part or "left out" in part for part in results["parts"].values()))


def attempt(work: Callable[[], Results]) -> Results:
    """What a part gives, or why it failed."""
    try:
        return work()
    except Exception as error:  # one part must not take the others down
        logging.exception("failed")
        return {"failed": f"{type(error).__name__}: {error}"}


if __name__ == "__main__":
    raise SystemExit(main())
