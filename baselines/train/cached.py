"""Batches for a stage in which all that sees images is frozen: what it says of the data is computed once."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from dataset_tools.progress import Progress

from ..batch import Batch
from ..estimator import Output

Precompute = Callable[[Batch], Output]


@dataclass(frozen=True)
class CachedBatch(Batch):
    """A batch with what is known of it, without pictures (`rgb` is black and takes no memory), masks, depth, meshes."""

    precomputed: dict[str, Tensor] = field(default_factory=dict)  # each (B, ...)

    def map(self, change: Callable[[Tensor], Tensor]) -> CachedBatch:
        """The batch with `change` ((...) to (...)) applied to every tensor."""
        return dataclasses.replace(super().map(change), precomputed=_mapped(self.precomputed, change))

    def take(self, rows: Tensor) -> CachedBatch:
        """The crops `rows` (n,) int64."""
        taken = dataclasses.replace(self, rgb=self.rgb[:0]).map(lambda one: one[rows] if len(one) else one)
        return dataclasses.replace(taken, rgb=_black(self.rgb, len(rows)))


class CachedBatches:
    """Every crop of the data with what `precompute` says of it, in memory; drawn like other batches.

    The order follows from seed, stage and epoch; `share` is (rank, processes).
    """

    waited = 0.0  # s, for data

    def __init__(
        self, precompute: Precompute, every: Iterable[Batch], crops: int, batch: int, seed: int, share: tuple[int, int]
    ) -> None:
        self._all = _joined(list(_precomputed(precompute, every, crops)))
        self._batch, self._seed, self._share = batch, seed, share

    def __len__(self) -> int:
        """Steps of an epoch."""
        return max(len(self._all) // self._share[1] // self._batch, 1)

    def epoch(self, stage: int, epoch: int, start_step: int = 0) -> Iterator[CachedBatch]:
        """The batches of an epoch from `start_step` on."""
        views, (rank, ranks) = self._all.views, self._share
        samples = len(self._all) // views
        order = np.random.default_rng([self._seed, stage, epoch]).permutation(samples)[rank::ranks][: samples // ranks]
        rows = torch.from_numpy((order[:, None] * views + np.arange(views)).reshape(-1)).to(self._all.rgb.device)
        for step in range(start_step, len(self)):
            yield self._all.take(rows[step * self._batch :][: self._batch])


@torch.no_grad()
def _precomputed(precompute: Precompute, every: Iterable[Batch], crops: int) -> Iterator[CachedBatch]:
    """The batches, each with what the estimator says of it."""
    with Progress("precompute", crops) as progress:
        for batch in every:
            progress.add(len(batch))
            labels = {one.name: getattr(batch, one.name) for one in dataclasses.fields(batch)}
            labels |= {"rgb": _black(batch.rgb, len(batch)), "mask": None, "depth": None, "vertices_cam": None}
            yield CachedBatch(**labels, precomputed=precompute(batch))


def _joined(batches: list[CachedBatch]) -> CachedBatch:
    """One batch of many."""
    first = batches[0]
    names = [one.name for one in dataclasses.fields(first) if isinstance(getattr(first, one.name), Tensor)]
    joined = {name: torch.cat([getattr(batch, name) for batch in batches]) for name in names if name != "rgb"}
    said = {name: torch.cat([batch.precomputed[name] for batch in batches]) for name in first.precomputed}
    rgb = _black(first.rgb, sum(map(len, batches)))
    return dataclasses.replace(first, rgb=rgb, precomputed=said, **joined)


def _black(rgb: Tensor, count: int) -> Tensor:
    """(count, 3, S, S) zeros in the memory of one."""
    return rgb.new_zeros(1).expand(count, *rgb.shape[1:])


def _mapped(tensors: dict[str, Tensor], change: Callable[[Tensor], Tensor]) -> dict[str, Tensor]:
    return {name: change(one) for name, one in tensors.items()}
