"""What a training reports: a line of JSON every so many steps, the same for TensorBoard, and words for the reader."""

from __future__ import annotations

import json
import logging
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

log = logging.getLogger(__name__)

EVERY = 50  # steps


class RunLog:
    """`log.jsonl` of a run, gone on with at byte `start`, and TensorBoard's files in `tensorboard` where that is."""

    def __init__(self, folder: Path, start: int = 0, first_step: int = 0) -> None:
        self._file = open(folder / "log.jsonl", "ab")  # noqa: SIM115
        self._file.truncate(min(start, self._file.seek(0, 2)))
        self._file.seek(0, 2)
        self._board = _board(folder / "tensorboard", first_step)

    def write(self, line: dict[str, Any], total_step: int) -> None:
        """One line; its numbers go to TensorBoard too, as those of step `total_step` of the whole run."""
        self._file.write(json.dumps(line).encode() + b"\n")
        self._file.flush()
        if self._board is not None:
            for name, value in line.items():
                if isinstance(value, float):
                    self._board.add_scalar(f"{line['stage']}/{name}", value, total_step)

    def position(self) -> int:
        """Bytes written."""
        return self._file.tell()

    def close(self) -> None:
        """Flush and close."""
        self._file.close()
        if self._board is not None:
            self._board.close()


class Silent:
    """The log of ranks that do not report."""

    def write(self, line: dict[str, Any], total_step: int) -> None:
        """Nothing."""

    def position(self) -> int:
        """Nothing was written."""
        return 0

    def close(self) -> None:
        """Nothing."""


class Meter:
    """Means of losses over steps, added up on the device, and rates since the last line."""

    def __init__(self, waited: float = 0.0) -> None:
        self._begin(waited)

    def _begin(self, waited: float) -> None:
        self._sums: dict[str, Tensor] = {}
        self.steps = self._crops = 0
        self._start, self._waited = time.monotonic(), waited

    @torch.no_grad()
    def add(self, values: dict[str, Tensor], crops: int) -> None:
        """The values of one step, and how many crops it took."""
        for name, value in values.items():
            self._sums[name] = self._sums[name] + value if name in self._sums else value.detach().float()
        self.steps += 1
        self._crops += crops

    def take(self, waited: float) -> dict[str, float]:
        """Means, crops per second and the share of the time spent waiting (of `waited` s in all); begins anew."""
        means = {name: total.item() / self.steps for name, total in self._sums.items()}
        seconds = max(time.monotonic() - self._start, 1e-9)
        rates = {
            "images_per_second": self._crops / seconds,
            "waiting": min(max(waited - self._waited, 0.0) / seconds, 1.0),
        }
        self._begin(waited)
        return means | rates


def _board(folder: Path, first_step: int) -> Any:
    """TensorBoard's writer, or None where it is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        log.info("TensorBoard is not installed: log.jsonl alone is written")
        return None
    return SummaryWriter(str(folder), purge_step=first_step or None)
