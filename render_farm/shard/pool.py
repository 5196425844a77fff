"""A pull queue over worker processes; one that dies, hangs or grows too large is replaced, its task tried again."""

from __future__ import annotations

import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from pathlib import Path

from ..errors import DiskFullError, RenderError
from ..outcome import Cause, Result
from .events import Begin, Done, Event, Fault, Recycle
from .memory import OutOfMemoryKills, resident_megabytes
from .process import Job, Process, cause_of_death
from .topology import core_share, own_cores, worker_count

log = logging.getLogger(__name__)

CHECK_SECONDS = 1.0  # between two looks at memory and time
START_SECONDS = 600.0  # after which a worker that is not ready counts as hung
DISAGREEMENT_ATTEMPTS = 2  # rendering is deterministic: once more, in a fresh process, tells sample from process
FRESH, AGAIN, ALONE = range(3)  # whose turn it is: failed before: after all others; alone: while nothing else is done
WORN_SHARE = 0.75  # of the memory limit: a worker that holds more after a sample is replaced


@dataclass(frozen=True)
class PoolSettings:
    """How the worker processes are run."""

    workers: int = 0  # processes; 0: one per physical core, as many as memory allows
    recycle: int = 200  # tasks after which a worker is replaced (Blender's memory may grow)
    attempts: int = 3  # times a task is tried before it is given up
    sample_seconds: float = 1800.0  # after which a task counts as hung and its worker is killed
    memory: int = 4000  # MB that a worker may hold; 0 for no limit
    cores: tuple[int, ...] | None = None  # that the workers share; default: all this process may use


@dataclass(frozen=True)
class Outcome:
    """How a task ended: no `cause` means done."""

    task: int
    cause: Cause | None = None
    reason: str = ""
    attempts: int = 1


@dataclass
class _Worker:
    number: int
    process: Process
    since: float  # when it was started, or given its task
    task: int | None = None
    done: int = 0
    group: int | None = None
    ready: bool = False
    killed_for: tuple[Cause, str] | None = None  # by us


@dataclass
class Pool:
    """Runs a job on tasks; `setup` is called once in every worker process and returns the job.

    `setup` must be picklable. `groups` says which tasks share an expensive preparation: a worker prefers tasks of
    the group it is at. The workers' output goes to `logs`/worker-k.log. `tell` hears what happens.
    """

    setup: Callable[[], Job]
    settings: PoolSettings
    logs: Path
    groups: Callable[[int], int] = lambda task: task
    tell: Callable[[Event], object] = lambda event: None
    _live: list[_Worker] = field(default_factory=list)
    _waiting: dict[int, int] = field(default_factory=dict)  # tasks in their order: FRESH, AGAIN or ALONE
    _tries: Counter[int] = field(default_factory=Counter)
    _suspects: frozenset[int] = frozenset()  # those that are done alone
    _cores: Sequence[int] = ()
    _workers: int = 1
    _kills: OutOfMemoryKills = field(default_factory=lambda: OutOfMemoryKills(os.getpid()))
    _failed_starts: int = 0
    _checked: float = 0.0

    def run(
        self, tasks: Sequence[int], tries: Mapping[int, int] | None = None, alone: Collection[int] = ()
    ) -> Iterator[Outcome]:
        """Yield an Outcome per task as they end. Closing the iterator ends all workers at once.

        `tries` counts failed attempts that were made before; tasks in `alone` are done one at a time, so that what
        takes the whole machine down is known. Raises RenderError if workers cannot even start, DiskFullError.
        """
        self._waiting = {task: ALONE if task in alone else FRESH for task in tasks}
        self._suspects, self._tries = frozenset(alone), Counter(tries)
        self._cores = self.settings.cores or own_cores()
        self._workers = worker_count(self.settings.workers, len(tasks), self._cores)
        try:
            while self._waiting or self._busy():
                self._fill()
                for connection in wait([worker.process.connection for worker in self._live], timeout=CHECK_SECONDS):
                    worker = next(worker for worker in self._live if worker.process.connection is connection)
                    if (outcome := self._hear(worker)) is not None:
                        yield outcome
                self._check()
        finally:
            self._end()

    def _busy(self) -> int:
        return sum(worker.task is not None for worker in self._live)

    def _fill(self) -> None:
        alone = sum(turn == ALONE for turn in self._waiting.values())
        at_once = len(self._waiting) - max(0, alone - 1) + self._busy()
        taken = {worker.number for worker in self._live}
        for number in range(self._workers):
            if len(self._live) < min(self._workers, at_once) and number not in taken:
                self._live.append(self._start(number))
        for worker in self._live:
            if worker.ready and worker.task is None and (task := self._choose(worker)) is not None:
                self._assign(worker, task)

    def _choose(self, worker: _Worker) -> int | None:
        """Take the next task for `worker`: of the group that it is at, else of one that no other is at."""
        turn = min(self._waiting.values(), default=ALONE)
        if not self._waiting or (turn == ALONE and self._busy()):
            return None
        elsewhere = {other.group for other in self._live if other is not worker}

        def strangeness(task: int) -> tuple[bool, bool]:
            group = self.groups(task)
            return group != worker.group, group in elsewhere

        task = min((task for task in self._waiting if self._waiting[task] == turn), key=strangeness)
        del self._waiting[task]
        return task

    def _assign(self, worker: _Worker, task: int) -> None:
        self.tell(Begin(task, worker.number))
        worker.task, worker.group, worker.since = task, self.groups(task), time.monotonic()
        worker.process.send(task)

    def _hear(self, worker: _Worker) -> Outcome | None:
        try:
            answer: Result = worker.process.connection.recv()
        except (EOFError, OSError):
            return self._died(worker)
        if answer.cause is Cause.DISK_FULL:
            raise DiskFullError(f"{self.logs}: the disk is full; what is finished is kept, run again")
        if not worker.ready:
            if answer.cause is not None:
                raise RenderError(f"a worker cannot start: {answer.reason}")
            worker.ready, self._failed_starts = True, 0
            return None
        task, worker.task = worker.task, None
        worker.done += 1
        if answer.cause is not None:
            self._live.remove(worker)  # its state may be spoilt: the next sample gets a fresh process
            worker.process.kill()
            return self._failed(task, worker, answer.cause, answer.reason)
        seconds, megabytes = answer.value
        self.tell(Done(task, worker.number, round(seconds, 3), round(megabytes)))
        self._recycle_if_worn(worker, megabytes)
        return Outcome(task, attempts=self._tries[task] + 1)

    def _recycle_if_worn(self, worker: _Worker, megabytes: float) -> None:
        limit = self.settings.memory * WORN_SHARE
        cause = "memory" if limit and megabytes > limit else "samples" if worker.done >= self.settings.recycle else ""
        if cause and self._waiting:
            log.info("worker %d: replaced after %d samples with %.0f MB", worker.number, worker.done, megabytes)
            self.tell(Recycle(worker.number, cause, round(megabytes)))
            self._live.remove(worker)
            _dismiss(worker)

    def _died(self, worker: _Worker) -> Outcome | None:
        """A worker is gone: replace it, and try its task again."""
        self._live.remove(worker)
        code = worker.process.kill(patience=5)  # its connection is closed: all but dead
        cause, reason = worker.killed_for or cause_of_death(code, self._kills)
        reason = f"worker {worker.number} {reason} (output: {self._log(worker.number)})"
        if worker.task is not None:
            return self._failed(worker.task, worker, cause, reason)
        if not worker.ready:
            self._failed_starts += 1
            if self._failed_starts >= self.settings.attempts:
                raise RenderError(f"workers cannot start: {reason}")
        log.warning("%s while it had no sample; starting another", reason)
        return None

    def _failed(self, task: int, worker: _Worker, cause: Cause, reason: str) -> Outcome | None:
        """Put a task back, or give it up after too many tries."""
        self._tries[task] += 1
        tries, most = self._tries[task], self.settings.attempts
        if cause is Cause.DISAGREEMENT:
            most = min(most, DISAGREEMENT_ATTEMPTS)
        if tries >= most:
            return Outcome(task, cause, reason, tries)
        log.warning("sample %d: %s; trying again later", task, reason)
        self.tell(Fault(task, worker.number, cause, reason, tries))
        self._waiting[task] = ALONE if task in self._suspects else AGAIN
        return None

    def _check(self) -> None:
        """Kill workers that take too long or too much memory; their end of file is heard next."""
        now = time.monotonic()
        if now - self._checked < CHECK_SECONDS:
            return
        self._checked = now
        for worker in self._live:
            if worker.killed_for is None and (why := self._excess(worker, now)) is not None:
                worker.killed_for = why
                worker.process.popen.kill()

    def _excess(self, worker: _Worker, now: float) -> tuple[Cause, str] | None:
        """Over which limit a worker is, as cause and reason."""
        limit = self.settings.sample_seconds if worker.ready else START_SECONDS
        if (worker.task is not None or not worker.ready) and now - worker.since > limit:
            return Cause.HANG, f"gave no answer within {limit:g} s"
        most = self.settings.memory
        held = resident_megabytes(worker.process.popen.pid) if most else 0.0
        return (Cause.MEMORY, f"held {held:.0f} MB, the limit is {most} MB") if held > most else None

    def _start(self, number: int) -> _Worker:
        cores = core_share(number, self._workers, self._cores)
        return _Worker(number, Process.start(self.setup, self._log(number), cores), time.monotonic())

    def _log(self, number: int) -> Path:
        return self.logs / f"worker-{number}.log"

    def _end(self) -> None:
        for worker in self._live:
            if worker.task is None and worker.ready:
                _dismiss(worker)
            else:
                worker.process.kill()
        self._live.clear()


def _dismiss(worker: _Worker) -> None:
    """Let a worker that has no task end by itself."""
    worker.process.send(None)
    worker.process.kill(patience=20)
