"""Options that several commands share."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from ..release import Release, load_release


def common() -> argparse.ArgumentParser:
    """`--release` and `--poses`, a parent of the commands that need a release."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--release", default="demo", help="a name in render_farm/releases/ or a path to a .toml")
    parser.add_argument("--poses", help="pose source instead of the release's: nyu:PATH, hanco:PATH, procedural, ...")
    return parser


def add_out(parser: argparse.ArgumentParser) -> None:
    """`--out`, the folder of releases."""
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder of releases (default: out)")


def chosen_release(options: argparse.Namespace) -> Release:
    """The release that the options name. Raises ReleaseError."""
    return load_release(options.release).with_poses(options.poses or None)


def positive(kind: type) -> Callable[[str], float]:
    """A parser of positive numbers, for argparse's `type`."""

    def parse(text: str) -> float:
        value = kind(text)
        if not 0 < value < float("inf"):
            raise ValueError
        return value

    parse.__name__ = f"positive {'whole ' if kind is int else ''}number"
    return parse
