"""`render`: render one shard on this machine."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..pool import PoolSettings
from .options import add_out, chosen_release, positive


def add(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Register the command."""
    render = commands.add_parser("render", parents=[common], help="render one shard")
    render.add_argument("--shard", type=int, required=True, help="number of the shard, from 0")
    add_out(render)
    render.add_argument("--samples", type=positive(int), help="only the first so many samples of the shard")
    render.add_argument("--workers", type=positive(int), default=1, help="processes that share the shard")
    render.add_argument("--cache", type=Path, help="folder of baked skins (default: OUT/.cache)")
    render.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Render and print the shard's path."""
    from ..shard import Request, render_shard

    pool, release = PoolSettings(workers=options.workers), chosen_release(options)
    print(render_shard(Request(release, options.shard, options.out, options.samples, options.cache, pool)))
    return 0
