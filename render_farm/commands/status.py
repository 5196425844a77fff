"""`status`: say how far a release is, from its folder alone."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from rigging.option_types import positive

from ..errors import InputError, ReleaseError
from ..planning.release import load_release
from ..report.extent import read_extent
from ..report.status import Status, read_status
from ..report.status_text import table
from .options import add_out, add_poses, add_release, shard_numbers


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    add_release(parser)
    add_poses(parser)
    add_out(parser)
    parser.add_argument("--shards", help="only these: 7, 0-9 or 0-9,20 (default: all)")
    parser.add_argument("--samples", type=positive(int), help="shards that are not begun have only so many samples")
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object (keys: render_farm/report/status.py)"
    )
    parser.add_argument("--prometheus", type=Path, metavar="FILE", help="write metrics for node_exporter to FILE")
    parser.add_argument(
        "--watch", nargs="?", type=positive(float), const=10.0, metavar="S", help="again every S seconds (10)"
    )
    parser.add_argument("--verify", action="store_true", help="read every finished shard and compare its sha256")


def run(options: argparse.Namespace) -> int:
    """Print the status, again and again with `--watch`; 1 if `--verify` is asked for and a shard is damaged."""
    read = _reader(options)
    try:
        while True:
            sound = _tell(options, read)
            if options.watch is None:
                return 0 if sound else 1
            time.sleep(options.watch)
    except KeyboardInterrupt:
        return 130


def _reader(options: argparse.Namespace) -> Callable[[], Status]:
    """How to read the status that the options ask for. Raises InputError."""
    if not options.out.is_dir():
        raise InputError(
            f"--out {options.out}: there is no such folder: nothing was rendered into it, or look elsewhere"
        )
    name, release = options.release, None
    try:
        release = load_release(name)
        folder = options.out / release.name
    except ReleaseError:  # of a release whose file is elsewhere the folder may tell all
        folder = options.out / name
        if "/" in name or not folder.is_dir():
            raise
    shards = None
    if options.shards not in (None, "all"):
        planned, _ = read_extent(folder, release, options.poses)
        shards = shard_numbers(options.shards, planned and planned.shards)
    settings = {"poses": options.poses, "samples": options.samples, "shards": shards, "deep": options.verify}
    return partial(read_status, folder, release, **settings)


def _tell(options: argparse.Namespace, read: Callable[[], Status]) -> bool:
    status = read()
    if options.prometheus is not None:
        from ..report.metrics import save_metrics

        save_metrics(status, options.prometheus)
    if options.watch is not None and sys.stdout.isatty():
        sys.stdout.write("\033[H\033[2J")  # to the top left, and clear
    print(json.dumps(dataclasses.asdict(status)) if options.json else table(status), flush=True)
    return not (options.verify and status.states["damaged"])
