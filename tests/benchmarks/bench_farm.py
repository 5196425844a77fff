"""What Ray costs: two workers of `make farm` against two plain processes, by slope over two numbers of shards.

    python -m tests.benchmarks.bench_farm --folder out/bench

Every worker has one core of its own in both. A plain process calls the farm's shard function for every second shard.
The plan and the baked skins are made before; start-up falls out of the slope. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from render_farm.planning.release import load_release
from render_farm.shard.events import EventLog, Finish

ROOT = Path(__file__).parents[2]
WORKERS = 2


def with_ray(release: str, out: Path, shards: int, samples: int) -> None:
    """Render by the farm's workers, which pull."""
    words = [
        "farm",
        "--shards",
        f"0-{shards - 1}",
        "--samples",
        samples,
        "--cpus",
        1,
        "--release",
        release,
        "--out",
        out,
    ]
    subprocess.run(
        _command("render_farm", *words),
        cwd=ROOT,
        check=True,
        stdout=sys.stderr,
        preexec_fn=lambda: _pin(range(WORKERS)),
    )


def without_ray(release: str, out: Path, shards: int, samples: int) -> None:
    """Render by a plain process per core, each with every second shard."""
    loops = []
    for core in range(WORKERS):
        words = _command("tests.benchmarks.plain_loop", release, out, samples, *range(core, shards, WORKERS))
        loops.append(subprocess.Popen(words, cwd=ROOT, preexec_fn=lambda core=core: _pin([core])))
    if any([loop.wait() for loop in loops]):
        raise SystemExit("a render failed")


def _command(module: str, *arguments: object) -> list[str]:
    return [sys.executable, "-m", module, *map(str, arguments)]


def _pin(numbers: range | list[int]) -> None:
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[number] for number in numbers})


WAYS = {"ray": with_ray, "plain": without_ray}


def timed(way: str, release: str, prepared: Path, shards: tuple[int, int], samples: int) -> tuple[float, float]:
    """Seconds until the two numbers of shards were finished, in a fresh folder that has the plan and the skins."""
    out = prepared.with_name("run")
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(prepared / ".cache", out / ".cache")
    for plan in prepared.glob("*/plan.npz"):
        (out / plan.parent.name).mkdir()
        shutil.copy(plan, out / plan.parent.name)
    start = time.time()
    WAYS[way](release, out, shards[1], samples)
    logs = (EventLog.of(out / load_release(release).name, shard).read() for shard in range(shards[1]))
    ends = sorted(entry.time - start for log in logs for entry in log if isinstance(entry.event, Finish))
    return ends[shards[0] - 1], ends[shards[1] - 1]


def measure(folder: Path, release: str, shards: tuple[int, int], samples: int, rounds: int) -> dict[str, object]:
    """Seconds per shard by slope, and the farm's share of the plain loops' throughput; the ways take turns."""
    prepared = folder / "prepared"
    if not prepared.exists():
        without_ray(release, prepared, shards[1], samples)
    runs: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
    for turn in range(rounds):
        for way in list(WAYS)[:: 1 if turn % 2 == 0 else -1]:
            runs[way].append(timed(way, release, prepared, shards, samples))
    slopes = {way: [(many - few) / (shards[1] - shards[0]) for few, many in pairs] for way, pairs in runs.items()}
    middle = {way: statistics.mean(values) for way, values in slopes.items()}
    return {
        "release": release, "shards": shards, "samples": samples, "seconds": runs, "seconds_per_shard": slopes,
        "share_of_plain_throughput": middle["plain"] / middle["ray"],
    }  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("out/bench"), help="for what is rendered; kept")
    parser.add_argument("--release", default="mvhm")
    parser.add_argument("--samples", type=int, default=6, help="per shard")
    parser.add_argument("--shards", type=int, nargs=2, default=(2, 6), help="even numbers")
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    folder = options.folder / "farm"
    folder.mkdir(parents=True, exist_ok=True)
    print(json.dumps(measure(folder, options.release, tuple(options.shards), options.samples, options.rounds)))


if __name__ == "__main__":
    main()
