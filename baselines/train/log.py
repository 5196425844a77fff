"""What a training reports: a line of JSON every so many steps, the same for TensorBoard, and words for the reader."""

from __future__ import annotations

import json
import logging
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from rigging.errors import InputError

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
            values = {f"{line['stage']}/{name}": one for name, one in line.items() if isinstance(one, float)}
            self._board.add(values, total_step)

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


class Board:
    """TensorBoard's file of scalars, written as it comes.

    TensorBoard's own writer has a thread, for which an interrupted training can wait forever.
    """

    def __init__(self, folder: Path, first_step: int) -> None:
        from tensorboard.compat.proto.event_pb2 import Event, SessionLog
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.record_writer import RecordWriter

        folder.mkdir(exist_ok=True)
        self._event, self._summary = Event, Summary
        self._file = open(folder / f"events.out.tfevents.{time.time():.0f}.{first_step}", "ab")  # noqa: SIM115
        self._records = RecordWriter(self._file)
        self._write(file_version="brain.Event:2")
        self._write(
            step=first_step, session_log=SessionLog(status=SessionLog.START)
        )  # what a dead run wrote from here on

    def add(self, values: dict[str, float], step: int) -> None:
        """Values of a step, by tag."""
        told = [self._summary.Value(tag=tag, simple_value=value) for tag, value in values.items()]
        self._write(step=step, summary=self._summary(value=told))

    def close(self) -> None:
        """Flush and close."""
        self._file.close()

    def _write(self, **event: Any) -> None:
        self._records.write(self._event(wall_time=time.time(), **event).SerializeToString())
        self._file.flush()


def seconds_trained(log: Path, batch: int) -> float | None:
    """What the steps of a run with batches of `batch` crops took by its `log.jsonl`; None where there is none.

    Steps that were lost when a run was killed, and loading, do not count. Raises InputError for what is no such log.
    """
    try:
        lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
        steps = [
            now["step"] + 1 - (before["step"] + 1 if _place(now) == _place(before) else 0)
            for before, now in zip([{}, *lines], lines)
        ]
        return sum(count * batch / line["images_per_second"] for count, line in zip(steps, lines)) if lines else None
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, ZeroDivisionError) as error:
        raise InputError(f"{log}: no log of a training ({error})") from error


def _place(line: dict[str, Any]) -> tuple[Any, Any]:
    """Stage and epoch."""
    return line.get("stage"), line.get("epoch")


def _board(folder: Path, first_step: int) -> Board | None:
    """TensorBoard's file, or None where TensorBoard is not installed."""
    try:
        return Board(folder, first_step)
    except ImportError:
        log.info("TensorBoard is not installed: log.jsonl alone is written")
        return None
