"""The loader and its rivals under PyTorch's DataLoader with two workers: seconds from the first batch on."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import torch
from torch.utils.data import DataLoader

from dataset_tools import HandDataset, TorchHandDataset

from .loader_rivals import LmdbSamples, as_documented, with_our_decoder

WORKERS, BATCH, SAMPLES = 2, 8, 480


class Repeated(torch.utils.data.Dataset):
    """SAMPLES items of a data set of `count`, over and over."""

    def __init__(self, data: Any, count: int) -> None:
        self.data, self.count = data, count

    def __len__(self) -> int:
        return SAMPLES

    def __getitem__(self, number: int) -> Any:
        return self.data[number % self.count]


def worker_seconds(hands: HandDataset, records: LmdbSamples, tars: list[str], rounds: int) -> dict:
    """Wall seconds of all ways by turns, a list of one each round, ours with workers by fork and by spawn."""
    torch.set_num_threads(1)
    count, views, seconds = len(hands), hands.sizes["V"], {}
    ours = Repeated(TorchHandDataset(hands), count)
    for number in range(rounds):
        loaders = {
            "ours": _loader(ours, "fork"),
            "ours, spawn": _loader(ours, "spawn"),
            "LMDB": _loader(Repeated(records, count), "fork"),
            "WebDataset": _stream(as_documented(tars, views), count),
            "WebDataset, our decoder": _stream(with_our_decoder(tars, views), count),
        }
        names = list(loaders)
        for name in names[number % len(names) :] + names[: number % len(names)]:
            seconds.setdefault(name, []).append([_timed(loaders[name])])
    return seconds


def _loader(data: Repeated, start: str) -> DataLoader:
    return DataLoader(data, batch_size=BATCH, num_workers=WORKERS, multiprocessing_context=start)


def _stream(data: Any, count: int) -> DataLoader:
    """Batches of a WebDataset, which each worker makes of its own tars, as its documentation has it."""
    data = data.repeat(SAMPLES // count).batched(BATCH)
    return DataLoader(data, batch_size=None, num_workers=WORKERS, multiprocessing_context="fork")


def _timed(loader: Iterable[Any]) -> float:
    batches = iter(loader)
    next(batches)
    start = time.perf_counter()
    for _ in batches:
        pass
    return time.perf_counter() - start
