"""Options that several commands share."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from rigging.option_types import positive, whole

from ..errors import InputError
from ..planning.release import Release, load_release
from ..shard.pool import PoolSettings
from ..shard.request import Request

LIMITS = (  # settings of the pool
    ("memory", whole, "MB", "a worker process that holds more is replaced; 0 for no limit"),
    ("recycle", positive(int), "N", "samples after which a worker process is replaced by a fresh one"),
    ("sample_seconds", positive(float), "S", "a sample that takes longer counts as hung"),
    ("attempts", positive(int), "N", "times a sample is tried before it is set aside"),
)
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


def add_request(parser: argparse.ArgumentParser) -> None:
    """What to render, and when a worker process is replaced and a sample given up: for `render` and `farm`."""
    add_release(parser)
    add_poses(parser)
    add_out(parser)
    parser.add_argument("--samples", type=positive(int), help="only the first so many samples of a shard")
    parser.add_argument("--scratch", type=Path, help="folder on a local disk for unfinished samples (default: OUT)")
    parser.add_argument("--retry", action="store_true", help="try samples again that were set aside")
    for name, kind, unit, about in LIMITS:
        option, about = f"--{name.replace('_', '-')}", f"{about} (default: %(default)g)"
        parser.add_argument(option, type=kind, default=getattr(PoolSettings, name), metavar=unit, help=about)


def request(options: argparse.Namespace, shard: int = 0) -> Request:
    """What the options of `add_request` ask for, of one shard. Raises InputError."""
    pool = PoolSettings(**{name: getattr(options, name) for name, *_ in LIMITS})
    return Request(
        chosen_release(options), shard, options.out, options.samples, pool=pool, scratch=options.scratch,
        retry=options.retry,
    )  # fmt: skip


def chosen_release(options: argparse.Namespace) -> Release:
    """The release that the options name. Raises InputError."""
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
