"""Options that several commands share."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from pathlib import Path

from ..errors import InputError
from ..planning.release import Release, load_release


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


def shard_numbers(text: str, shards: int | None) -> list[int]:
    """The shards that `all`, `7`, `0-9` or `0-9,20` means, of a release with `shards` shards (None: not known).

    Rising, each once. Raises InputError for anything else.
    """
    if text == "all" and shards is not None:
        return list(range(shards))
    found: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"(\d{1,7})(?:-(\d{1,7}))?", part.strip())
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, -1)
        if first > last:
            raise InputError(f"SHARDS={text}: must be 'all' or numbers and ranges such as 7, 0-9 or 0-9,20")
        if shards is not None and last >= shards:
            raise InputError(f"SHARDS={text}: the release has shards 0 to {shards - 1}")
        found.update(range(first, last + 1))
    return sorted(found)


def positive(kind: type) -> Callable[[str], float]:
    """A parser of positive numbers, for argparse's `type`."""

    def parse(text: str) -> float:
        value = kind(text)
        if not 0 < value < float("inf"):
            raise ValueError
        return value

    parse.__name__ = f"positive {'whole ' if kind is int else ''}number"
    return parse
