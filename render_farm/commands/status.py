"""`status`: say how far a release is, from its folder alone."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from pathlib import Path

from rigging.option_types import positive

from ..errors import InputError
from ..planning.release import load_release
from ..report.status import Status, read_extent, read_status
from ..report.status_text import table
from .options import add_out, add_poses, add_release, shard_numbers


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    add_release(parser)
    add_poses(parser)
    add_out(parser)
    parser.add_argument("--shards", help="only these: 7, 0-9 or 0-9,20 (default: all)")
    parser.add_argument("--samples", type=positive(int), help="shards that are not begun have only so many samples")
    parser.add_argument("--json", action="store_true", help="one JSON object (keys: render_farm/report/status.py)")
    parser.add_argument("--prometheus", type=Path, metavar="FILE", help="write metrics for node_exporter to FILE")
    parser.add_argument(
        "--watch", nargs="?", type=positive(float), const=10.0, metavar="S", help="again every S seconds (10)"
    )
    parser.add_argument("--verify", action="store_true", help="read every finished shard and compare its sha256")


def run(options: argparse.Namespace) -> int:
    """Print the status, again and again with `--watch`; 1 if `--verify` is asked for and a shard is damaged."""
    while True:
        status = _status(options)
        if options.prometheus is not None:
            from ..report.metrics import save_metrics

            save_metrics(status, options.prometheus)
        if options.watch is not None and sys.stdout.isatty():
            sys.stdout.write("\033[H\033[2J")  # to the top left, and clear
        print(json.dumps(dataclasses.asdict(status)) if options.json else table(status), flush=True)
        if options.watch is None:
            return 1 if options.verify and status.states["damaged"] else 0
        time.sleep(options.watch)


def _status(options: argparse.Namespace) -> Status:
    """The status that the options ask for. Raises InputError."""
    out, name, release = options.out, options.release, None
    if not out.is_dir():
        raise InputError(f"--out {out}: there is no such folder: nothing was rendered into it, or look elsewhere")
    try:
        release = load_release(name)
    except InputError:  # of a release whose file is elsewhere the folder may tell all
        if "/" in name or not (out / name).is_dir():
            raise
    folder = out / (release.name if release else name)
    planned, problems = read_extent(folder, release, options.poses)
    every = options.shards in (None, "all")
    shards = None if every else shard_numbers(options.shards, planned and planned.shards)
    return read_status(folder, planned, problems, samples=options.samples, shards=shards, deep=options.verify)
