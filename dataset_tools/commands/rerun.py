"""`rerun`: a recording of a release for the Rerun viewer."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..rerun_recording.span import span

KEPT = "nothing is written"
MISSING = (
    "rerun needs the package rerun-sdk, in an environment of its own (numpy 2): `make rerun DATA=path` makes one; "
    "or in a new one: pip install -c constraints-rerun.txt '.[rerun]'"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("data", type=Path, metavar="DATA", help="a shard or a folder of shards")
    parser.add_argument("--out", type=Path, metavar="FILE", help="the recording, .rrd (default: DATA.rrd, beside it)")
    parser.add_argument(
        "--samples", type=span, metavar="A-B", help="from A to B, counted from 0; or all (default: the first 100)"
    )
    parser.add_argument("--split", metavar="NAME", help="of this split alone, which are then counted")


def run(options: argparse.Namespace) -> int:
    """Write the recording and print its path."""
    import os
    from importlib.util import find_spec

    from rigging.errors import InputError

    if find_spec("rerun") is None:
        raise InputError(MISSING)
    os.environ.setdefault("RUST_LOG", "error")  # before rerun is imported: it warns of what an interrupted run drops
    from ..rerun_recording.recording import write_recording

    print(write_recording(options.data, options.out, options.samples, options.split))
    return 0
