"""`collect`: gather the shards of a release from several folders into one."""

from __future__ import annotations

import argparse
from pathlib import Path

from .options import add_out, add_release


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    add_release(parser)
    add_out(parser)
    parser.add_argument("--move", action="store_true", help="delete a shard from its source when its copy is verified")
    parser.add_argument("folders", nargs="+", type=Path, metavar="FROM", help="folders that were --out elsewhere")


def run(options: argparse.Namespace) -> int:
    """Gather, print what is there now, and fail if something finished could not be taken along."""
    from ..errors import DamagedError, LockedError
    from ..farm.collect import collect
    from ..planning.release import load_release

    summary = collect(load_release(options.release).name, options.folders, options.out, options.move)
    print(*summary.lines(), sep="\n")
    if summary.damaged:
        raise DamagedError(f"{summary.folder}: {len(summary.damaged)} damaged files, left out")
    if summary.locked:
        raise LockedError(f"{summary.folder}: shards are being rendered here by a live process: {summary.locked}")
    return 0
