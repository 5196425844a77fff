"""`build-asset [--check]`: the hand asset, from its sources."""

from __future__ import annotations

import argparse
import logging


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("--check", action="store_true", help="rebuild in memory and compare with the committed asset")


def run(options: argparse.Namespace) -> int:
    """Build or check the asset."""
    from ..build.store import check_asset, write_asset

    if options.check:
        logging.info("rebuilt hand is the committed one: %s", check_asset())
    else:
        logging.info("wrote the hand asset, content sha256 %s", write_asset())
    return 0
