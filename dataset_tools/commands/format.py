"""`format`: the documentation of the file format, from its schema."""

from __future__ import annotations

import argparse
from pathlib import Path

from rigging.files import write_atomic


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("--write", type=Path, metavar="FILE", help="write it to a file instead")


def run(options: argparse.Namespace) -> int:
    """Print or write the page."""
    from ..format.format_page import format_page

    if options.write:
        write_atomic(options.write, format_page().encode())
    else:
        print(format_page(), end="")
    return 0
