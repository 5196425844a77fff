"""Batches mixed of several sources, as of real pictures and a release: every batch holds each one's share."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rigging.errors import InputError

from ..batch import Batch
from ..config import Augment, Data
from .batches import Batches
from .source import Source

# Real pictures have no mesh, and some no mask: those rows of vertices_cam are NaN, of mask empty
MAY_LACK = ("vertices_world", "mask")


class MixedBatches:
    """As Batches, of several sources by `weights`; each is read through, shuffled anew, as often as its share asks.

    A batch has the same number of crops of each source every time: `data.batch` shared out by weight. An epoch has as
    many steps as all crops together fill. A label that one source lacks is missing, but for vertices, which are NaN
    there, masks, which are empty (`needed` may name both if one source has them), and the confidence of labels, which
    is 1. Raises InputError as Batches, and for weights that do not fit.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        weights: Sequence[float],
        data: Data,
        augment: Augment | None = None,
        seed: int = 0,
        *,
        needed: Iterable[str] = (),
        multi_view: bool = False,
        **options: Any,
    ) -> None:
        needed, unit = tuple(needed), data.views if multi_view else 1
        if missing := [name for name in needed if not any(name in source.fields for source in sources)]:
            names = ", ".join(source.name for source in sources)
            raise InputError(f"{names}: training needs {', '.join(missing)}, which none of the data have")
        counts = unit * shared_out(data.batch // unit, weights, [source.name for source in sources])
        self.data, self.views = data, unit
        self.parts = [
            Batches(
                source,
                dataclasses.replace(data, batch=int(count), workers=-(-data.workers // len(sources))),
                augment,
                seed + number,
                needed=[name for name in needed if name in source.fields or name not in MAY_LACK],
                multi_view=multi_view,
                **options,
            )
            for number, (source, count) in enumerate(zip(sources, counts))
        ]

    @property
    def crops(self) -> int:
        """Crops there are, of all sources."""
        return sum(part.crops for part in self.parts)

    def __len__(self) -> int:
        """Batches of an epoch."""
        return max(self.crops // self.parts[0].share[1] // self.data.batch, 1)

    @property
    def waited(self) -> float:
        """Seconds that loops over batches, so far, waited for one."""
        return sum(part.waited for part in self.parts)

    @property
    def waiting_share(self) -> float:
        """Share of the time in loops over batches, so far, that the loop waited for one."""
        elapsed = max(part.elapsed for part in self.parts)
        return self.waited / elapsed if elapsed else 0.0

    def epoch(self, stage: int, epoch: int, start_step: int = 0) -> Iterator[Batch]:
        """The batches of an epoch from `start_step` on: a function of seed, stage, epoch and step alone."""
        streams = [_endless(part, stage, epoch * len(self) + start_step) for part in self.parts]
        try:
            for _ in range(start_step, len(self)):
                yield joined([next(stream) for stream in streams])
        finally:
            for stream in streams:
                stream.close()

    def ordered(self) -> Iterator[Batch]:
        """Every crop of every source once, source by source, in order, not augmented."""
        for part in self.parts:
            yield from part.ordered()


def shared_out(count: int, weights: Sequence[float], names: Sequence[str]) -> np.ndarray:
    """(n,) int64: `count` shared out by weight, each getting one at least; the largest remainders are rounded up."""
    shares = np.array(weights, float)
    if len(shares) != len(names) or not len(shares) or not (np.isfinite(shares) & (shares > 0)).all():
        raise InputError(f"weights {list(weights)}: a number above 0 for each of {', '.join(names)} is wanted")
    exact = count * shares / shares.sum()
    counts = np.maximum(np.floor(exact), 1).astype(np.int64)
    for _ in range(count - counts.sum()):
        counts[np.argmax(exact - counts)] += 1
    for _ in range(counts.sum() - count):
        counts[np.argmin(np.where(counts > 1, exact - counts, np.inf))] -= 1
    if counts.sum() != count or counts.min() < 1:
        raise InputError(f"data.batch: too small to hold something of each of {', '.join(names)}")
    return counts


def _endless(part: Batches, stage: int, start: int) -> Iterator[Batch]:
    """The batches of a source from number `start` on, epoch after epoch."""
    while True:
        epoch, step = divmod(start, len(part))
        for batch in part.epoch(stage, epoch, step):
            start += 1
            yield batch


def joined(batches: Sequence[Batch]) -> Batch:
    """One batch of several: a label that one of them lacks is None, but vertices_cam (NaN in its rows), mask (empty)
    and label_confidence (1).
    """
    fields = {field.name: [getattr(batch, field.name) for batch in batches] for field in dataclasses.fields(Batch)}
    views = fields.pop("views")[0]
    counts = [len(batch) for batch in batches]
    for name, unknown in (("vertices_cam", torch.nan), ("mask", False), ("label_confidence", 1.0)):
        fields[name] = _filled(fields[name], counts, unknown)
    whole = {name: None if any(v is None for v in values) else torch.cat(values) for name, values in fields.items()}
    return Batch(**whole, views=views)


def _filled(values: list[Tensor | None], counts: list[int], unknown: float | bool) -> list[Tensor | None]:
    """Values (n, ...) of each source, those of one that lacks them all `unknown`; nothing if none has any."""
    given = next((one for one in values if one is not None), None)
    if given is None:
        return values
    return [given.new_full((n, *given.shape[1:]), unknown) if v is None else v for v, n in zip(values, counts)]
