"""What stops a training, in one line: losses that are no numbers, and batches that do not fit into memory."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from rigging.errors import InputError, MvhmError

from ..batch import Batch


class Diverged(MvhmError):
    """Losses or gradients are no finite numbers any more."""


class Watch:
    """Looks at the losses of a step once the next one is on its way, so that the device never waits for a look."""

    def __init__(self, kept: str) -> None:
        self._kept, self._pending = kept, None

    def add(self, where: str, losses: dict[str, Tensor], norm: Tensor, batch: Batch) -> None:
        """Look at the step before, and remember this one: losses and norm (). Raises Diverged."""
        self.look()
        values = torch.stack([*(loss.detach() for loss in losses.values()), norm.detach()]).float()
        self._pending = (where, (*losses, "norm of the gradients"), values, batch.sample)

    def look(self) -> None:
        """Raise Diverged if the step remembered gave anything but finite numbers."""
        pending, self._pending = self._pending, None
        if pending is None:
            return
        where, names, values, sample = pending
        told = values.tolist()
        if not all(map(math.isfinite, told)):
            bad = ", ".join(f"{name} = {value}" for name, value in zip(names, told) if not math.isfinite(value))
            samples = ", ".join(map(str, sample.unique().tolist()))
            raise Diverged(f"{where}: {bad}, from samples {samples}; {self._kept}")


@contextmanager
def memory_for(crops: int) -> Iterator[None]:
    """What says of so many crops that they are too many: InputError for lack of memory inside."""
    try:
        yield
    except RuntimeError as error:
        if is_out_of_memory(error):
            raise InputError(f"out of memory with {crops} crops at a time; --batch sets fewer") from error
        raise


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a device, or the machine while a tensor was made, had too little memory."""
    return isinstance(error, torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
    )


def out_of_memory(where: str, crops: int, views: int, ranks: int, attempt: Callable[[int], object]) -> InputError:
    """The fault to raise after a step on `crops` crops ran out of memory: says how many fit, by attempts at halves."""
    samples, fits = crops // views, 0
    while samples > 1 and not fits:
        samples //= 2
        fits = samples * views if _fits(samples * views, attempt) else 0
    told = f"{where}: out of memory with a batch of {crops * ranks}"
    if not fits:
        return InputError(f"{told}, and with a single sample ({views} crops); a smaller net is wanted")
    return InputError(f"{told}; {fits * ranks} fit: --set data.batch={fits * ranks}")


def _fits(crops: int, attempt: Callable[[int], object]) -> bool:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    try:
        attempt(crops)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        return False
    return True
