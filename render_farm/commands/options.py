"""Options that several commands share."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from ..errors import InputError
from ..planning.release import Release, load_release

SAMPLES_KEPT = "finished samples are kept, the same command goes on from there"


def add_release(parser: argparse.ArgumentParser) -> None:
    """`--release`, which one."""
    parser.add_argument("--release", default="demo", help="a name in render_farm/releases/ or a path to a .toml")


def add_poses(parser: argparse.ArgumentParser) -> None:
    """`--poses`, instead of the release's."""
    parser.add_argument("--poses", help="pose source instead of the release's: nyu:PATH, hanco:PATH, procedural, ...")


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
            raise InputError(f"--shards {text}: must be 'all' or numbers and ranges such as 7, 0-9 or 0-9,20")
        if shards is not None and last >= shards:
            raise InputError(f"--shards {text}: the release has shards 0 to {shards - 1}")
        found.update(range(first, last + 1))
    return sorted(found)
