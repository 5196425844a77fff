"""`doctor`: test-import everything and say what is wrong."""

from __future__ import annotations

import argparse


def add(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Register the command."""
    doctor = commands.add_parser("doctor", help="test-import everything and say what is wrong")
    doctor.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Print what is wrong."""
    from .. import doctor

    return doctor.main()
