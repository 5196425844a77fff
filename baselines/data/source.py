"""Where samples come from: a folder of shards, a pack, or a user's own data set; all give the same arrays."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from rigging.errors import InputError, MvhmError

from ..config import Augment

if TYPE_CHECKING:
    from dataset_tools import HandDataset

# What batches are made of, as the schema names it; `mask` and `alpha` are read where they are asked for only.
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
    fields: frozenset[str]  # what `read` gives, as the schema names it, and `joint_valid` where some joints lack labels

    def read(self, sample: int, views: Sequence[int] | None = None) -> Arrays:
        """Sample 0 to n - 1 as the loader gives it, with an axis of those views (default: all): `rgb` (v, H, W, 3) ...

        May be called from several threads. Raises InputError or ShardError naming file and sample.
        """
        ...


def wanted_fields(needed: Iterable[str], augment: Augment | None = None) -> tuple[str, ...]:
    """The fields to open a source with: those batches always hold, those that losses need, and for augmentation."""
    alpha = ("alpha",) if augment is not None and augment.background else ()
    return tuple(dict.fromkeys((*BASIC_FIELDS, *needed, *alpha)))


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
    from .pack import PackSource

    return PackSource(path, split, tuple(fields))


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


class ShardSource:
    """Shards through HandDataset; each thread that reads has files of its own."""

    def __init__(self, path: Path | str, split: str = "", fields: Sequence[str] = BASIC_FIELDS) -> None:
        from dataset_tools import HandDataset

        self.name = str(path)
        hands = HandDataset(path, fields=fields)
        hands = hands.select(split=split) if split else hands
        index = hands.index
        self.samples, self.views = len(hands), hands.sizes["V"]
        if not self.samples:
            raise InputError(f"{path}: holds no samples")
        self.image_size = (hands.sizes["H"], hands.sizes["W"])
        self.numbers, self.subjects, self.splits = index["sample"], index["subject"], index["split"]
        self.fields = frozenset(hands.fields)
        self._pickled, self._threads = pickle.dumps(hands), threading.local()

    def read(self, sample: int, views: Sequence[int] | None = None) -> Arrays:
        """See Source."""
        hands = self._own()
        try:
            if views is None or tuple(views) == tuple(range(self.views)):
                return hands[sample]
            items = hands.views_as_items()
            parts = [items[sample * self.views + view] for view in views]
        except MvhmError as error:
            raise type(error)(f"{error} (sample {self.numbers[sample]})") from error
        for part in parts:
            part.pop("meta", None)
        return {name: _joined([part[name] for part in parts], name) for name in parts[0]}

    def _own(self) -> HandDataset:
        if not hasattr(self._threads, "hands"):
            self._threads.hands = pickle.loads(self._pickled)
        return self._threads.hands

    def __getstate__(self) -> dict:
        return {name: value for name, value in self.__dict__.items() if name != "_threads"}

    def __setstate__(self, state: dict) -> None:
        self.__dict__ |= state
        self._threads = threading.local()


def _joined(parts: list[np.ndarray], name: str) -> np.ndarray:
    return parts[0] if name in PER_SAMPLE else np.stack(parts)
