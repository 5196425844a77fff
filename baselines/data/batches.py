"""Batches of crops from a source: in a random order that a seed decides, read ahead by threads, made on the device."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch

from rigging.errors import InputError

from ..batch import Batch
from ..config import Augment, Data
from .make import make_batch
from .reading import Raw, SampleCache, read_crops
from .source import Source, require

CACHE_MIB = 1024  # of decoded pictures kept
MIB = 2**20
ALWAYS = ("rgb", "K", "world_to_cam", "joints_2d")  # joints_2d says where the hand is


class Batches:
    """The crops of a source's samples (of `data.samples` only the first), `data.batch` at a time.

    With `multi_view` a batch holds whole samples, of each `data.views` cameras spread evenly over all there are;
    `cameras` (G, v) says otherwise: of every sample G times v of them. `share` is (rank, processes): each process gets
    its part of every epoch, and batches of `data.batch` crops. `needed` are fields of the schema. Raises InputError for
    a field that the data lack and for sizes that do not fit.
    """

    def __init__(
        self,
        source: Source,
        data: Data,
        augment: Augment | None = None,
        seed: int = 0,
        *,
        needed: Iterable[str] = (),
        multi_view: bool = False,
        cameras: np.ndarray | None = None,
        device: torch.device | str = "cpu",
        share: tuple[int, int] = (0, 1),
        cache_mib: int = CACHE_MIB,
    ) -> None:
        require(source, dict.fromkeys((*ALWAYS, *needed)))
        self.source, self.data, self.augment, self.seed, self.share = source, data, augment, seed, share
        self.device = torch.device(device)
        self.samples = min(data.samples or source.samples, source.samples)
        if cameras is None:
            cameras = _cameras(source, data)[None] if multi_view else np.arange(source.views)[:, None]
        self.cameras, self.views = cameras, cameras.shape[1]
        self.waited, self.elapsed = 0.0, 0.0  # s, in loops over batches so far
        self._cache = SampleCache(source, cache_mib * MIB)
        _check(self)

    @property
    def crops(self) -> int:
        """Crops there are."""
        return self.samples * self.cameras.size

    def __len__(self) -> int:
        """Batches of an epoch; what does not fill a last one is left out, and has its turn in another epoch."""
        return max(self.crops // self.share[1] // self.data.batch, 1)

    @property
    def waiting_share(self) -> float:
        """Share of the time in loops over batches, so far, that the loop waited for one."""
        return self.waited / self.elapsed if self.elapsed else 0.0

    def epoch(self, stage: int, epoch: int, start_step: int = 0) -> Iterator[Batch]:
        """The batches of an epoch from `start_step` on: a function of seed, stage, epoch and step alone."""
        order = self._order(stage, epoch)
        rank, augment, steps = self.share[0], self.augment or Augment(), range(start_step, len(self))
        seeds = [seed_of(self.seed, stage, epoch, step, rank) for step in steps]
        crops = [order[step * self.data.batch :][: self.data.batch] for step in steps]
        if self.data.shuffle_views:
            crops = [_shuffled(one, self.views, seed) for one, seed in zip(crops, seeds)]
        return self._batches(list(zip(crops, seeds)), augment)

    def ordered(self, start: int = 0) -> Iterator[Batch]:
        """Every crop once, from crop `start` on, sample by sample, not augmented; the last batch may be smaller."""
        every = self._every().reshape(-1, 2)
        return self._batches([(every[i : i + self.data.batch], 0) for i in range(start, len(every), self.data.batch)])

    def _every(self) -> np.ndarray:
        """(items, crops of an item, 2) int64: row and view; an item is a view, or a whole sample."""
        rows = np.arange(self.samples)[:, None, None]
        return np.stack(np.broadcast_arrays(rows, self.cameras), -1).reshape(-1, self.views, 2)

    def _order(self, stage: int, epoch: int) -> np.ndarray:
        """(crops, 2) int64: this process's crops in the order of an epoch."""
        items, (rank, processes) = self._every(), self.share
        order = np.random.default_rng([self.seed, stage, epoch]).permutation(len(items))
        return items[order[rank::processes][: len(items) // processes]].reshape(-1, 2)

    def _batches(self, plan: list[tuple[np.ndarray, int]], augment: Augment | None = None) -> Iterator[Batch]:
        """Batches of the crops and seeds planned; counts the time that the caller waits."""

        def make(raw: Raw, seed: int) -> Batch:
            moved = {name: value.to(self.device, non_blocking=True) for name, value in raw.items()}
            return make_batch(moved, self.data, self.views, augment, seed)

        on_cpu = self.device.type == "cpu"  # elsewhere the device's queue is the main thread's

        def prepare(job: tuple[np.ndarray, int]) -> Raw | Batch:
            raw = read_crops(self._cache, job[0])
            return make(raw, job[1]) if on_cpu else {name: _pinned(value) for name, value in raw.items()}

        asked = began = time.perf_counter()
        for ready, (_, seed) in zip(_ahead(prepare, plan, self.data.workers), plan):
            batch = ready if on_cpu else make(ready, seed)
            self.waited += time.perf_counter() - asked
            yield batch
            asked = time.perf_counter()
            self.elapsed += asked - began
            began = asked


def _shuffled(crops: np.ndarray, views: int, seed: int) -> np.ndarray:
    """Crops (B, 2) of whole samples, the views of all in another order."""
    order = np.random.default_rng([seed, views]).permutation(views)
    return crops.reshape(-1, views, 2)[:, order].reshape(-1, 2)


def seed_of(*numbers: int) -> int:
    """A seed for torch from numbers such as seed, stage, epoch and step."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0]) >> 1


def _ahead(prepare: Callable, jobs: list, workers: int) -> Iterator:
    """`prepare` of each job, in order; threads work one job a worker, and one more, ahead."""
    if not workers:
        yield from map(prepare, jobs)
        return
    pool = ThreadPoolExecutor(workers, thread_name_prefix="batches")
    left, pending = iter(jobs), deque[Future]()
    try:
        for job in left:
            pending.append(pool.submit(prepare, job))
            if len(pending) > workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _pinned(value: torch.Tensor) -> torch.Tensor:
    return value.pin_memory() if torch.cuda.is_available() else value


def all_alike(cameras: int, views: int) -> np.ndarray:
    """(G, views) int64: so many of the cameras, spread evenly and turned on by one, each camera in as many of the G.

    With these every camera is scored, and none more than another, however many views are seen together.
    """
    spread = np.arange(views) * cameras // views
    turned = {tuple(sorted((spread + turn) % cameras)) for turn in range(cameras)}
    return np.array(sorted(turned))


def _cameras(source: Source, data: Data) -> np.ndarray:
    """(v,) int64: `data.views` cameras spread evenly over the source's."""
    if not 1 <= data.views <= source.views:
        raise InputError(f"data.views = {data.views}: {source.name} has 1 to {source.views}")
    return np.arange(data.views) * source.views // data.views


def _check(batches: Batches) -> None:
    data, (rank, processes) = batches.data, batches.share
    if data.batch % batches.views:
        raise InputError(f"data.batch = {data.batch}: a multiple of the {batches.views} views of a sample is wanted")
    if not data.margin:
        raise InputError("data.margin = 0: a margin above 0 is wanted")
    if not 0 <= rank < processes:
        raise InputError(f"process {rank} of {processes}: they are numbered from 0")
    if batches.crops // batches.views < processes:
        raise InputError(f"{batches.source.name}: {batches.crops} crops are too few for {processes} processes")
