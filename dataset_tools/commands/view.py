"""`view`: pictures of every label of a sample."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("shard", type=Path, metavar="DATA", help="a shard or a folder of shards")
    parser.add_argument("--sample", type=int, default=0, help="its number there, from 0 (default: 0)")
    parser.add_argument("--out", type=Path, help="folder (default: the shard's name, -view)")


def run(options: argparse.Namespace) -> int:
    """Write the pictures and print their paths."""
    from ..pictures.view import write_views

    out = options.out or Path(f"{options.shard.with_suffix('')}-view")
    for path in write_views(options.shard, options.sample, out):
        print(path)
    return 0
