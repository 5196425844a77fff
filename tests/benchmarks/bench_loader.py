"""The loader against decoding from memory, LMDB and WebDataset, and what each field costs, as one line of JSON.

    python -m tests.benchmarks.bench_loader --folder out/bench [--rounds 72]

The release is FOLDER/loader/demo: a shard of it is rendered if none is there; any release of 256 px will do. All ways
take turns, each round beginning with another, in several processes; checksums are on. Processor time of one process,
but with two workers, where it is wall time from the first batch on.
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
    Streams,
    as_documented,
    in_memory,
    one_by_one,
    streams_of,
    with_opencv,
    with_our_decoder,
    with_ours,
    write_lmdb,
    write_tars,
)
from .loader_workers import worker_seconds
from .page import processor

BATCH, PROCESSES = 8, 24
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


Stores = tuple[HandDataset, Streams, LmdbSamples, list[str]]


def stores(path: Path, folder: Path) -> Stores:
    """The photographs of a release: as they are, in memory, in LMDB and in tars."""
    hands = HandDataset(path, fields=["rgb"])
    streams, sizes = streams_of(hands.paths), hands.sizes
    write_lmdb(streams, folder / "photographs.lmdb")
    records = LmdbSamples(folder / "photographs.lmdb", sizes["V"], (sizes["H"], sizes["W"]))
    return hands, streams, records, write_tars(streams, folder)


def compared(hands: HandDataset, streams: Streams, records: LmdbSamples, tars: list[str], rounds: int) -> dict:
    """Seconds of all ways that read the photographs, in this process."""
    numbers, views = range(len(hands)), hands.sizes["V"]
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
        "dropped": turns({name: dropped(way) for name, way in ways.items()}, rounds, time.process_time),
        "kept": turns({name: kept(way) for name, way in batches.items()}, rounds, time.process_time),
    }


def in_processes(path: Path, rounds: int) -> dict:
    """`compared` in processes of their own, one after another, and the seconds of all put together.

    Where in memory a picture lies changes the time of decoding it by a fifth, and a process has it that way to its end.
    """
    command = [sys.executable, "-m", "tests.benchmarks.bench_loader", "--folder", str(path.parents[1])]
    command += ["--rounds", str(-(-rounds // PROCESSES)), "--compare"]
    found = [json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout) for _ in range(PROCESSES)]
    return {part: {way: [each[part][way] for each in found] for way in found[0][part]} for part in found[0]}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=72)
    parser.add_argument("--compare", action="store_true", help="compare in this process, and nothing else")
    options = parser.parse_args()
    path = release(options.folder)
    with tempfile.TemporaryDirectory() as folder:
        found = stores(path, Path(folder))
        if options.compare:
            print(json.dumps(compared(*found, options.rounds)))
        else:
            print(json.dumps(everything(path, found, options.rounds)))
    return 0


def everything(path: Path, found: Stores, rounds: int) -> dict:
    """All that the page says."""
    hands, streams, records, tars = found
    lengths = [len(stream) for sample in streams for stream in sample]
    return {
        "processor": processor(), "size": [hands.sizes["H"], hands.sizes["W"]], "batch": BATCH,
        "views": len(lengths), "kilobytes": sum(lengths) / len(lengths) / 1000,
        "resident": resident_megabytes(path, epochs=10), **in_processes(path, rounds),
        "fields": field_seconds(path, 5), "storage": storage(path),
        "workers": worker_seconds(hands, records, tars, rounds=5),
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
