"""`collect`: gather the shards of a release from several folders into one."""

from __future__ import annotations

import argparse
from pathlib import Path

from .options import add_out


def add(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Register the command."""
    collect = commands.add_parser("collect", help="gather shards from several folders into one")
    collect.add_argument("--release", default="demo", help="a name in render_farm/releases/ or a path to a .toml")
    add_out(collect)
    collect.add_argument("--move", action="store_true", help="delete a shard from its source when its copy is verified")
    collect.add_argument("folders", nargs="+", type=Path, metavar="FROM", help="folders that were OUT elsewhere")
    collect.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Gather, print what is there now, and fail if something finished could not be taken along."""
    from ..errors import LockedError
    from ..farm.collect import collect
    from ..farm.delivery import DamagedError
    from ..planning.release import load_release

    summary = collect(load_release(options.release).name, options.folders, options.out, options.move)
    print(*summary.lines(), sep="\n")
    if summary.damaged:
        raise DamagedError(f"{summary.folder}: {len(summary.damaged)} damaged files, left out")
    if summary.locked:
        raise LockedError(f"{summary.folder}: shards are being rendered here by a live process: {summary.locked}")
    return 0
