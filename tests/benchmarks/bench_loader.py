"""The loader against decoding from memory, LMDB and WebDataset, and what each field costs, as one line of JSON.

    python -m tests.benchmarks.bench_loader --folder out/bench [--rounds 24]

The release is FOLDER/loader/demo: a shard of it is rendered if none is there; any release of 256 px will do. All ways
take turns, each round beginning with another, in several processes; checksums are on. Processor time of one process, but with two workers,
where it is wall time from the first batch on.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path

from dataset_tools import HandDataset

from .loader_fields import field_seconds, resident_megabytes, storage
from .loader_rivals import (
    LmdbSamples,
    as_documented,
    in_memory,
    one_by_one,
    streams_of,
    with_opencv,
    with_our_decoder,
    with_ours,
    write_lmdb,
    write_tars,
)  # fmt: skip
from .loader_workers import worker_seconds
from .page import processor

BATCH, PROCESSES = 8, 8
Way = Callable[[], Iterable[object]]


def release(folder: Path) -> Path:
    """The release to read; rendered if there is none."""
    path = folder / "loader" / "demo"
    if not list(path.glob("shard-*.h5")):
        words = ["render", "--release", "demo", "--shard", "0", "--out", path.parent]
        subprocess.run([sys.executable, "-m", "render_farm", *map(str, words)], check=True, stdout=sys.stderr)
    return path


def turns(ways: dict[str, Callable[[], None]], rounds: int, clock: Callable[[], float]) -> dict[str, list[float]]:
    """Seconds of every way in every round, after one round unseen; each round begins with another way."""
    names, seconds = list(ways), {name: [] for name in ways}
    for number in range(-1, rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            start = clock()
            ways[name]()
            if number >= 0:
                seconds[name].append(clock() - start)
    return seconds


def dropped(way: Way) -> Callable[[], None]:
    """Read all, each sample gone before the next is read."""
    return lambda: deque(way(), maxlen=0)


def kept(way: Way) -> Callable[[], None]:
    """Read all in batches, which are whole before the last one goes."""

    def read() -> None:
        samples, batch = iter(way()), [None]
        while batch:
            batch = list(islice(samples, BATCH))

    return read


def compared(path: Path, folder: Path, rounds: int) -> dict:
    """Seconds of all ways that read the photographs."""
    hands = HandDataset(path, fields=["rgb"])
    streams, views = streams_of(hands.paths), hands.sizes["V"]
    write_lmdb(streams, folder / "photographs.lmdb")
    tars, numbers = write_tars(streams, folder), range(len(hands))
    records = LmdbSamples(folder / "photographs.lmdb", views, (hands.sizes["H"], hands.sizes["W"]))
    ways: dict[str, Way] = {
        "ours": lambda: map(hands.__getitem__, numbers),
        "memory": lambda: one_by_one(streams, with_ours),
        "memory, OpenCV": lambda: one_by_one(streams, with_opencv),
        "LMDB": lambda: map(records.__getitem__, numbers),
        "WebDataset": lambda: as_documented(tars, views),
        "WebDataset, our decoder": lambda: with_our_decoder(tars, views),
    }
    batches = ways | {
        "memory": lambda: in_memory(streams, with_ours),
        "memory, OpenCV": lambda: in_memory(streams, with_opencv),
    }
    return {
        "views": len(hands) * views,
        "kilobytes": sum(len(stream) for sample in streams for stream in sample) / len(hands) / views / 1000,
        "dropped": turns({name: dropped(way) for name, way in ways.items()}, rounds, time.process_time),
        "kept": turns({name: kept(way) for name, way in batches.items()}, rounds, time.process_time),
        "workers": worker_seconds(hands, records, tars, rounds=1),
    }


def in_processes(path: Path, rounds: int) -> dict:
    """`compared` in processes of their own, one after another, and the seconds of all put together.

    Where in memory a picture lies changes the time of decoding it by a fifth, and a process has it that way to its end.
    """
    command = [sys.executable, "-m", "tests.benchmarks.bench_loader", "--folder", str(path.parents[1])]
    command += ["--rounds", str(-(-rounds // PROCESSES)), "--compare"]
    found = [json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout) for _ in range(PROCESSES)]
    for part in ("dropped", "kept", "workers"):
        found[0][part] = {way: [each[part][way] for each in found] for way in found[0][part]}
    return found[0]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=24)
    parser.add_argument("--compare", action="store_true", help="compare in this process, and nothing else")
    options = parser.parse_args()
    path = release(options.folder)
    if options.compare:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(compared(path, Path(folder), options.rounds)))
        return 0
    sizes = HandDataset(path, fields=["rgb"]).sizes
    print(json.dumps({
        "processor": processor(), "size": [sizes["H"], sizes["W"]], "batch": BATCH,
        **in_processes(path, options.rounds), "fields": field_seconds(path, 5), "storage": storage(path),
        "resident": resident_megabytes(path, epochs=10),
    }))  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
