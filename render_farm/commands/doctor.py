"""`doctor`: test-import everything and say what is wrong."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None."""


def run(options: argparse.Namespace) -> int:
    """Print what is wrong."""
    from .. import doctor

    return doctor.main()
