"""What a check says of several samples at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

Place = tuple[int, int]  # number of the shard, row in it
NAMED = 4  # samples that a message names; the finding has all


@dataclass(frozen=True)
class Finding:
    """Something wrong, in one line, and the samples that it is about."""

    check: str
    message: str
    samples: tuple[Place, ...]


def places_of(columns: Mapping[str, np.ndarray], chosen: Sequence[int] | np.ndarray) -> tuple[Place, ...]:
    """Where the `chosen` (n,) rows of an index lie; `columns` has `shard` and `row`."""
    return tuple((int(columns["shard"][i]), int(columns["row"][i])) for i in chosen)


def called(columns: Mapping[str, np.ndarray], chosen: Sequence[int] | np.ndarray) -> str:
    """The `chosen` (n,) rows of an index in words, such as "shard 0 row 3 (train), shard 1 row 5 (test)"."""
    named = [
        f"shard {shard} row {row} ({columns['split'][i]})"
        for (shard, row), i in zip(places_of(columns, chosen[:NAMED]), chosen)
    ]
    more = [f"{len(chosen) - NAMED} more"] if len(chosen) > NAMED else []
    return ", ".join(named + more)
