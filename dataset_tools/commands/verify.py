"""`mvhm verify DATA`: whether a copy of a release is whole."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("data", type=Path, metavar="DATA", help="folder of a published release, or a copy of it")


def run(options: argparse.Namespace) -> int:
    """Check every file; 0 whole, 1 something is missing or broken. Raises InputError where there is no release."""
    from ..release.verify import verify
    from ..release.wording import number, size

    found = verify(options.data)
    for note in found.notes:
        print(f"note: {note}")
    for problem in found.problems:
        print(problem)
    name = f"{found.manifest['name']} {found.manifest['version']}"
    verdict = "FAILED, " + number(len(found.problems), "problem") if found.problems else "whole"
    print(f"{name}: {verdict}; {number(found.files, 'file')}, {size(found.bytes)}")
    return int(bool(found.problems))
