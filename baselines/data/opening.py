"""Opens a data set by its path: a folder of shards, one shard, or a pack."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from .pack import PackSource
from .shard_source import ShardSource
from .source import BASIC_FIELDS, Source


def open_source(path: Path | str, split: str = "", fields: Iterable[str] = BASIC_FIELDS) -> Source:
    """The samples of `split` ("" takes all) of a folder of shards, of one shard (.h5) or of a pack (any other file).

    Of `fields` those are read that the data have; `require` says that one is missing. Raises FileNotFoundError,
    InputError for an unknown split or field, and what HandDataset and PackSource raise.
    """
    path = Path(path)
    if path.is_dir() or path.suffix == ".h5":
        return ShardSource(path, split, tuple(fields))
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such data set: a folder of shards or a pack is wanted")
    return PackSource(path, split, tuple(fields))
