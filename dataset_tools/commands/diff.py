"""`mvhm diff OLD NEW`: what changed between two releases."""

from __future__ import annotations

import argparse
import json
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("old", type=Path, metavar="OLD", help="folder of a release, or its manifest.json alone")
    parser.add_argument("new", type=Path, metavar="NEW", help="folder of a release, or its manifest.json alone")
    parser.add_argument("--json", action="store_true", help="everything, as JSON")


def run(options: argparse.Namespace) -> int:
    """Print what changed; 0 done. Raises InputError where one of them is no release."""
    from ..release.diff_releases import diff_releases
    from ..release.diff_words import as_json, as_text

    diff = diff_releases(options.old, options.new)
    print(json.dumps(as_json(diff), indent=2) if options.json else as_text(diff), end="\n" if options.json else "")
    return 0
