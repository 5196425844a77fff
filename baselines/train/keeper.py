"""What is kept of a stage while it runs: progress and a log for the reader, and states to resume from."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from torch import Tensor

from dataset_tools.progress import Progress

from ..batch import Batch
from ..config import Stage
from .checkpoint import Position, save_state
from .faults import Watch
from .log import EVERY, Meter, RunLog, Silent

if TYPE_CHECKING:
    from .loop import Learning, Run


class Timed(Protocol):
    """Batches, as far as a keeper cares."""

    waited: float  # s that the loop waited for data

    def __len__(self) -> int: ...


class Keeper:
    """Told of every step of a stage; begins, or goes on, at position `at`. A context, as it holds the log open."""

    def __init__(self, run: Run, stage: Stage, batches: Timed, learning: Learning, at: Position) -> None:
        self.run, self.stage, self.at, self.learning, self.batches = run, stage, at, learning, batches
        self.steps = len(batches)  # of an epoch
        self._before = self.steps * sum(one.epochs for one in run.config.stages[: at.stage])
        self._watch = Watch(
            f"the state in {run.folder.path} is of before; a lower lr may do (--set stages.{stage.name}.lr=...)"
        )
        self._meter = Meter(batches.waited)
        self._saved = time.monotonic()

    def __enter__(self) -> Keeper:
        done = self.at.epoch * self.steps + self.at.step
        ranks, crops = self.run.ranks, self.run.config.data.batch
        first_step = self._before + done
        self._log = RunLog(self.run.folder.path, self.at.log, first_step) if ranks.first else Silent()
        total = self.stage.epochs * self.steps * crops
        self._progress = Progress(f"stage {self.stage.name}", total, finished=done * crops) if ranks.first else None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._log.close()
        if self._progress is not None:
            self._progress.__exit__(kind, error, trace)

    def note(self, epoch: int, step: int, batch: Batch, losses: dict[str, Tensor], norm: Tensor) -> None:
        """A step is done. Raises Diverged, as late as one step after it, and OSError if a state cannot be written.

        losses and norm of the gradients ().
        """
        self._watch.add(f"stage {self.stage.name!r}, epoch {epoch}, step {step}", losses, norm, batch)
        crops = len(batch) * self.run.ranks.count
        self._meter.add(losses | {"gradient_norm": norm}, crops)
        if self._progress is not None:
            self._progress.add(crops)
        last = step + 1 == self.steps
        due = time.monotonic() - self._saved >= self.run.config.train.save_seconds
        if last or due or (step + 1) % EVERY == 0:
            self._line(epoch, step)
        if due:
            self._save(Position(self.at.stage, epoch, step + 1, self._log.position()))

    def end(self) -> Position:
        """The stage is done: keep the state from which the next one begins, and say where that is."""
        self._watch.look()
        position = Position(self.at.stage + 1, log=self._log.position())
        self._save(position, between=True)
        return position

    def _line(self, epoch: int, step: int) -> None:
        """Write down what was measured since the last line."""
        self._watch.look()
        rate = self.learning.optimiser.param_groups[0]["lr"]
        line = {"stage": self.stage.name, "epoch": epoch, "step": step, "lr": rate}
        self._log.write(line | self._meter.take(self.batches.waited), self._before + epoch * self.steps + step)

    def _save(self, position: Position, between: bool = False) -> None:
        if self.run.ranks.first:
            save_state(self.run.folder.state, self.run.estimator, position, None if between else self.learning)
        self._saved = time.monotonic()
