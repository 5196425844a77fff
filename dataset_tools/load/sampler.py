"""In which order ranks read the items of an epoch: seeded, shard by shard, and from any point on. Needs no PyTorch.

The shards of an epoch come in random order, cut into equal parts for the ranks: a shard is read by one rank, except
where a cut falls into it (between any two neighbouring ranks at most one). Each rank then shuffles its part in windows
of so many items, so that few shards are in use at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import numpy as np

from rigging.errors import InputError

UNEVEN = ("keep", "drop", "pad")
STATE = ("seed", "shuffle", "ranks", "window", "uneven", "items")  # what must agree to go on from a state


class Sharded(Protocol):
    """What a sampler has to know of a data set: HandDataset, TorchHandDataset."""

    @property
    def shard_lengths(self) -> np.ndarray:
        """(S,) items of each shard."""


class ShardSampler:
    """Indices of a data set's items for one rank, for `torch.utils.data.DataLoader(sampler=...)` or a plain loop.

    Each iteration is one epoch, the next one the next; all ranks together see every item exactly once. Where items do
    not part evenly, `uneven` says what to do: "keep" (some ranks have one more), "drop" (up to ranks - 1 items, others
    in each epoch) or "pad" (as many items twice). `window` is in items; 1 and shuffle=False keep the order.
    Only one iteration at a time. Raises InputError for options that make no sense.
    """

    def __init__(
        self,
        dataset: Sharded,
        seed: int = 0,
        shuffle: bool = True,
        rank: int = 0,
        ranks: int = 1,
        window: int = 1024,
        uneven: str = "keep",
    ) -> None:
        _check_options(seed, rank, ranks, window, uneven)
        self._lengths = np.asarray(dataset.shard_lengths, np.int64)
        self.seed, self.rank, self.ranks, self.window = int(seed), int(rank), int(ranks), int(window)
        self.shuffle, self.uneven = bool(shuffle), uneven
        self.items = int(self._lengths.sum())
        self.epoch = 0  # the epoch that the next iteration is of, or the present one
        self._drawn = 0  # items of it that have been given out
        self._resume = 0  # items that the next iteration leaves out

    def __len__(self) -> int:
        """Items of an epoch for this rank."""
        start, end = _part(self.items, self.rank, self.ranks, self.uneven)
        return end - start

    def __iter__(self) -> Iterator[int]:
        order = epoch_order(
            self._lengths, self.epoch, self.seed, self.shuffle, self.rank, self.ranks, self.window, self.uneven
        )
        self._drawn, self._resume = self._resume, 0
        for item in order[self._drawn :].tolist():
            self._drawn += 1
            yield item
        self.set_epoch(self.epoch + 1)

    def set_epoch(self, epoch: int) -> None:
        """The next iteration is epoch `epoch`, from its start. Raises InputError."""
        _require_whole("epoch", epoch, 0)
        self.epoch, self._drawn, self._resume = epoch, 0, 0

    def state_dict(self, epoch: int | None = None, consumed: int | None = None) -> dict[str, Any]:
        """Where to go on: after the items given out so far; or, in `epoch`, after `consumed` items of this rank.

        A DataLoader with workers draws ahead of what it has handed over: say then what was consumed.
        """
        epoch = self.epoch if epoch is None else epoch
        drawn = (self._drawn or self._resume) if consumed is None else consumed
        _require_whole("epoch", epoch, 0)
        if not _is_whole(drawn) or not 0 <= drawn <= len(self):
            raise InputError(f"sampler: {drawn!r} items consumed, an epoch has {len(self)} for this rank")
        return {"epoch": epoch, "drawn": drawn} | {name: getattr(self, name) for name in STATE}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state: the next iteration is exactly the rest of its epoch.

        Raises InputError for a state of other options or another number of items, whose rest would be another.
        """
        if not isinstance(state, Mapping):
            raise InputError(f"sampler: this is no state of a sampler ({type(state).__name__})")
        if missing := [name for name in ("epoch", "drawn", *STATE) if name not in state]:
            raise InputError(f"sampler: this is no state of a sampler (lacks {missing[0]})")
        for name in STATE:
            if state[name] != getattr(self, name):
                raise InputError(f"sampler: the state has {name} = {state[name]!r}, this one {getattr(self, name)!r}")
        _require_whole("epoch", state["epoch"], 0)
        if not _is_whole(state["drawn"]) or not 0 <= state["drawn"] <= len(self):
            raise InputError(f"sampler: the state has drawn {state['drawn']!r} items, an epoch has {len(self)}")
        self.epoch, self._drawn, self._resume = int(state["epoch"]), 0, int(state["drawn"])


def epoch_order(
    lengths: np.ndarray,
    epoch: int,
    seed: int = 0,
    shuffle: bool = True,
    rank: int = 0,
    ranks: int = 1,
    window: int = 1024,
    uneven: str = "keep",
) -> np.ndarray:
    """(n,) int64: the items that `rank` reads in `epoch`, in order, numbered through shards of `lengths` (S,) items.

    Everything random is from (seed, epoch), and, within a rank's part, from (seed, epoch, rank).
    """
    shards = np.random.default_rng((seed, epoch)).permutation(len(lengths)) if shuffle else np.arange(len(lengths))
    start, end = _part(int(np.sum(lengths)), rank, ranks, uneven)
    part = _items(lengths, shards, np.arange(start, end))
    if not shuffle:
        return part
    keys = np.random.default_rng((seed, epoch, rank)).random(len(part))
    return part[np.lexsort((keys, np.arange(len(part)) // window))]


def _part(items: int, rank: int, ranks: int, uneven: str) -> tuple[int, int]:
    """First and end of a rank's part of `items` in a row; for "pad" it may reach over the end, and goes round."""
    if uneven == "keep":
        return items * rank // ranks, items * (rank + 1) // ranks
    size = items // ranks if uneven == "drop" else -(-items // ranks)
    return rank * size, (rank + 1) * size


def _items(lengths: np.ndarray, shards: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The items at `places` (n,) of the row in which `shards` (S,) follow each other; the row goes round."""
    if not len(places):
        return places
    ends = np.cumsum(lengths[shards])
    places = places % ends[-1]
    turn = np.searchsorted(ends, places, side="right")
    starts = np.cumsum(lengths) - lengths
    return starts[shards[turn]] + places - (ends - lengths[shards])[turn]


def _check_options(seed: int, rank: int, ranks: int, window: int, uneven: str) -> None:
    for name, value, least in (("seed", seed, 0), ("ranks", ranks, 1), ("window", window, 1)):
        _require_whole(name, value, least)
    if not _is_whole(rank) or not 0 <= rank < ranks:
        raise InputError(f"sampler: rank is {rank!r}, 0 to {ranks - 1} is wanted")
    if uneven not in UNEVEN:
        raise InputError(f"sampler: uneven is {uneven!r}, {', '.join(map(repr, UNEVEN))} are allowed")


def _is_whole(value: Any) -> bool:
    return isinstance(value, (int, np.integer))


def _require_whole(name: str, value: Any, least: int) -> None:
    if not _is_whole(value) or value < least:
        raise InputError(f"sampler: {name} is {value!r}, a whole number from {least} on is wanted")
