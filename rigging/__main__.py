"""Commands of the rig: `python -m rigging build-asset | match FILE | poses SOURCE`."""

from __future__ import annotations

import argparse
import logging
import sys

from . import match_command
from .build import command as build_command
from .poses import command as pose_command


def main(argv: list[str] | None = None) -> int:
    """Run a subcommand; bad input is one line on stderr and exit code 2."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(prog="python -m rigging", description=__doc__)
    subcommands = parser.add_subparsers(required=True, metavar="COMMAND")
    build_command.add_parser(subcommands)
    match_command.add_parser(subcommands)
    pose_command.add_parser(subcommands)
    arguments = parser.parse_args(argv)
    try:
        return arguments.run(arguments)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
