"""`pack`: what training needs of a release, in one file."""

from __future__ import annotations

import argparse
from pathlib import Path

KEPT = "nothing was written; an earlier file is as it was"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("data", type=Path, metavar="DATA", help="folder of shards, or a shard")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the pack")
    parser.add_argument(
        "--fields", nargs="+", metavar="NAME", help="of the schema (default: all that a pack can hold, but depth)"
    )
    parser.add_argument("--split", default="", metavar="NAME", help="only its samples (default: all)")
    parser.add_argument("--samples", type=int, default=0, metavar="N", help="only the first N (default: all)")
    parser.add_argument(
        "--size", type=int, default=0, metavar="PX", help="width of the pictures (default: as they are)"
    )
    parser.add_argument("--quality", type=int, default=95, metavar="Q", help="of the JPEGs (default: 95)")
    parser.add_argument("--max-mib", type=float, default=0, metavar="M", help="lower the quality until no larger")


def run(options: argparse.Namespace) -> int:
    """Pack, and say what came of it."""
    from rigging.errors import InputError

    from ..data.packing import USUAL, pack

    for name in ("samples", "size", "max_mib"):
        if not getattr(options, name) >= 0:
            raise InputError(f"--{name.replace('_', '-')} {getattr(options, name)}: a number from 0 is wanted")
    chosen = {name: getattr(options, name) for name in ("split", "size", "quality", "samples", "max_mib")}
    packed = pack(options.data, options.out, options.fields or USUAL, **chosen)
    pictures = packed.samples * packed.views
    print(f"{options.out}: {packed.samples} samples, {pictures} pictures, JPEG quality {packed.quality}, ", end="")
    print(f"{packed.bytes / 2**20:.1f} MiB, {packed.bytes / pictures / 1024:.1f} KiB a picture")
    return 0
