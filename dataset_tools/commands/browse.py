"""`browse`: a static site to look at a release, from a folder or any web server."""

from __future__ import annotations

import argparse
from pathlib import Path

KEPT = "what is written so far is kept; run it again to go on"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("data", type=Path, metavar="DATA", help="folder of shards")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="where the site goes (default: DATA/browse)")
    parser.add_argument("--workers", type=int, metavar="N", help="processes (default: one a core)")


def run(options: argparse.Namespace) -> int:
    """Write the site and print the path of its first page."""
    import os

    from rigging.errors import InputError

    from ..browse.site import write_site

    if options.workers is not None and options.workers < 1:
        raise InputError(f"--workers {options.workers}: a number from 1 is wanted")
    print(write_site(options.data, options.out, options.workers or len(os.sched_getaffinity(0))))
    return 0
