"""Where samples come from: a folder of shards, a pack, or a user's own data set; all give the same arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np

from rigging.errors import InputError

from ..config import Augment

# What batches are made of, as the schema names it; `mask`, `depth` and `alpha` are read where asked for only.
BASIC_FIELDS = ("rgb", "joints_cam", "joints_2d", "joint_visible", "vertices_world", "K", "world_to_cam")
PER_SAMPLE = ("vertices_world",)  # without an axis of views

Arrays = dict[str, np.ndarray]


class Source(Protocol):
    """n samples of V views. Adapters of other data sets are sources, too."""

    name: str  # where it is, for messages
    samples: int  # n
    views: int  # V
    image_size: tuple[int, int]  # (H, W) px
    numbers: np.ndarray  # (n,) int64, the samples' numbers in the data set
    subjects: np.ndarray  # (n,) int64
    splits: np.ndarray  # (n,) str
    # What `read` gives, as the schema names it; where some joints lack labels also `joint_valid` (v, 21) bool; where
    # joints_2d are pseudo labels `label_confidence` (v, 21); where the others do not say how far a hand reaches
    # `hand_box` (v, 4) px, x0 y0 x1 y1, which crops then hold.
    fields: frozenset[str]

    def read(self, sample: int, views: Sequence[int] | None = None) -> Arrays:
        """Sample 0 to n - 1 as the loader gives it, with an axis of those views (default: all): `rgb` (v, H, W, 3) ...

        May be called from several threads. Raises InputError or ShardError naming file and sample.
        """
        ...


def wanted_fields(needed: Iterable[str], augment: Augment | None = None) -> tuple[str, ...]:
    """The fields to open a source with: those batches always hold, those that losses need, and for augmentation."""
    alpha = ("alpha",) if augment is not None and augment.background else ()
    return tuple(dict.fromkeys((*BASIC_FIELDS, *needed, *alpha)))


def require(source: Source, needed: Iterable[str], why: str = "training") -> None:
    """Raise InputError unless the source has every field that is needed."""
    if missing := [name for name in needed if name not in source.fields]:
        raise InputError(
            f"{source.name}: {why} needs {', '.join(missing)}, which the data do not have; there are: "
            f"{', '.join(sorted(source.fields))}"
        )


def chosen_rows(splits: np.ndarray, split: str, name: str) -> np.ndarray:
    """(n,) int64 rows of a split, all for "". Raises InputError for one that no sample is of."""
    rows = np.arange(len(splits)) if not split else np.flatnonzero(splits == split)
    if not len(rows):
        raise InputError(f"{name}: no sample is of split {split!r}; there are: {', '.join(np.unique(splits))}")
    return rows
