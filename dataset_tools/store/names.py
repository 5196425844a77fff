"""How the files of a shard and of a sample are called."""

from __future__ import annotations

import os
import re
from pathlib import Path

SHARD_NAME = re.compile(r"shard-([0-9]{5}|[1-9][0-9]{5,})(\..*)?", re.DOTALL)
PART = re.compile(r"\.h5(\.[0-9a-f]+)?\.part")  # the shard, while it is being written
STAGED = re.compile(r"sample-[0-9]{8,}\.staged")


def shard_stem(shard: int) -> str:
    """The name that all files of shard number `shard` begin with."""
    return f"shard-{shard:05d}"


def shard_number(path: Path | str) -> int | None:
    """The shard that a file or folder is named after; None if it is none's."""
    match = SHARD_NAME.fullmatch(Path(path).name)
    return int(match[1]) if match else None


def manifest_path(shard: Path) -> Path:
    """The manifest of a shard's file, whatever its name."""
    return Path(shard).with_suffix(".json")


def sheet_path(shard: Path) -> Path:
    """The contact sheet of a shard's file, whatever its name."""
    return Path(shard).with_suffix(".png")


def staged_path(staging: Path, sample: int) -> Path:
    """A finished sample in a staging folder."""
    return staging / f"sample-{sample:08d}.staged"


def staged_samples(staging: Path) -> int:
    """How many finished samples a staging folder holds; none where there is no such folder."""
    return sum(STAGED.fullmatch(name) is not None for name in names_in(staging))


def names_in(folder: Path) -> list[str]:
    """Names of what is in a folder; none if it is not there or cannot be read."""
    try:
        return os.listdir(folder)
    except OSError:
        return []
