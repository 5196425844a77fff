"""`sheet`: a contact sheet of a shard."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("shard", type=Path, metavar="SHARD")
    parser.add_argument("--out", type=Path, help="file (default: beside the shard, .png)")


def run(options: argparse.Namespace) -> int:
    """Write it and print its path."""
    from ..pictures.sheet import write_sheet

    print(write_sheet(options.shard, options.out))
    return 0
