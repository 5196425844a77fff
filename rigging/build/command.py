"""`python -m rigging build-asset [--check]`."""

from __future__ import annotations

import argparse
import logging


def add_parser(subcommands: argparse._SubParsersAction) -> None:
    """Register the subcommand."""
    parser = subcommands.add_parser("build-asset", help="build rigging/data/hand.npz from MakeHuman's CC0 data")
    parser.add_argument("--check", action="store_true", help="rebuild in memory and compare with the committed asset")
    parser.set_defaults(run=run_build)


def run_build(arguments: argparse.Namespace) -> int:
    """Build or check the asset."""
    from .store import check_asset, write_asset

    if arguments.check:
        logging.info("rebuilt hand is the committed one: %s", check_asset())
    else:
        logging.info("wrote the hand asset, content sha256 %s", write_asset())
    return 0
