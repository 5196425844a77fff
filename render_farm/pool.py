"""A pull queue over worker processes: a dead worker is replaced and its task tried again."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import multiprocessing
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from .errors import RenderError
from .files import is_disk_full

log = logging.getLogger(__name__)

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
Job = Callable[[int], None]


@dataclass(frozen=True)
class PoolSettings:
    """How the worker processes are run."""

    workers: int = 1
    recycle: int = 200  # tasks after which a worker is replaced (Blender's memory may grow)
    attempts: int = 3  # times a task is tried before it is given up
    seconds: float = 1800.0  # after which a task counts as hung and its worker is killed
    memory: int = 4000  # MB that a worker may hold; 0 for no limit
    cores: tuple[int, ...] | None = None  # that the workers share; default: all this process may use


@dataclass(frozen=True)
class Outcome:
    """How a task ended: `fault` is "" when it was done, else "failed", "died" or "disk full"."""

    task: int
    fault: str = ""
    reason: str = ""


@dataclass
class _Worker:
    number: int
    process: BaseProcess
    connection: Connection
    task: int | None = None
    since: float = 0.0
    done: int = 0
    group: int | None = None
    ready: bool = False


@dataclass
class Pool:
    """Runs a job on tasks; `setup` is called once in every worker process and returns the job.

    `setup` must be picklable. `groups` says which tasks share an expensive preparation: a worker prefers tasks of
    the group it is at. The workers' output goes to `logs`/worker-k.log.
    """

    setup: Callable[[], Job]
    settings: PoolSettings
    logs: Path
    groups: Callable[[int], int] = lambda task: task
    _live: list[_Worker] = field(default_factory=list)
    _pending: deque[int] = field(default_factory=deque)
    _tries: dict[int, int] = field(default_factory=dict)
    _failed_starts: int = 0

    def run(self, tasks: Sequence[int]) -> Iterator[Outcome]:
        """Yield an Outcome per task as they end. Closing the iterator ends all workers at once.

        Raises RenderError if workers cannot even start.
        """
        self._pending = deque(tasks)
        try:
            while self._pending or any(worker.task is not None for worker in self._live):
                self._fill()
                for connection in wait([worker.connection for worker in self._live], timeout=1.0):
                    worker = next(worker for worker in self._live if worker.connection is connection)
                    if (outcome := self._hear(worker)) is not None:
                        yield outcome
                self._kill_hung()
        finally:
            self._end()

    def _fill(self) -> None:
        wanted = min(self.settings.workers, len(self._pending) + sum(w.task is not None for w in self._live))
        taken = {worker.number for worker in self._live}
        for number in range(self.settings.workers):
            if len(self._live) < wanted and number not in taken:
                self._live.append(self._start(number))
        for worker in self._live:
            if worker.ready and worker.task is None and self._pending:
                self._assign(worker)

    def _assign(self, worker: _Worker) -> None:
        elsewhere = {other.group for other in self._live if other is not worker}
        own = (task for task in self._pending if self.groups(task) == worker.group)
        fresh = (task for task in self._pending if self.groups(task) not in elsewhere)
        task = next(own, None)
        task = next(fresh, self._pending[0]) if task is None else task
        self._pending.remove(task)
        worker.task, worker.group, worker.since = task, self.groups(task), time.monotonic()
        with contextlib.suppress(OSError):  # it died while idle: its end of file tells so next
            worker.connection.send(task)

    def _hear(self, worker: _Worker) -> Outcome | None:
        try:
            fault, reason = worker.connection.recv()
        except (EOFError, OSError):
            return self._bury(worker)
        if not worker.ready:
            if fault:
                raise RenderError(f"a worker cannot start: {reason}")
            worker.ready, self._failed_starts = True, 0
            return None
        task, worker.task = worker.task, None
        worker.done += 1
        if worker.done >= self.settings.recycle and self._pending:
            log.info("worker %d: replaced after %d samples", worker.number, worker.done)
            self._live.remove(worker)
            _dismiss(worker)
        return Outcome(task, fault, reason)

    def _bury(self, worker: _Worker) -> Outcome | None:
        """A worker is gone: give its task back, or give the task up after too many tries."""
        worker.process.join()
        self._live.remove(worker)
        how = f"worker {worker.number} {_how_it_ended(worker.process.exitcode)} (output: {self._log(worker.number)})"
        if worker.task is None:
            self._failed_starts += 1
            if self._failed_starts >= self.settings.attempts:
                raise RenderError(f"workers cannot start: {how}")
            log.warning("%s before its first sample; starting another", how)
            return None
        tries = self._tries[worker.task] = self._tries.get(worker.task, 0) + 1
        if tries >= self.settings.attempts:
            return Outcome(worker.task, "died", f"tried {tries} times: {how}")
        log.warning("sample %d: %s; trying again", worker.task, how)
        self._pending.appendleft(worker.task)
        return None

    def _kill_hung(self) -> None:
        for worker in self._live:
            if worker.task is not None and time.monotonic() - worker.since > self.settings.seconds:
                log.warning("sample %d: no answer for %.0f s, worker killed", worker.task, self.settings.seconds)
                worker.process.kill()

    def _start(self, number: int) -> _Worker:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        cores = core_share(number, self.settings.workers)
        arguments = (theirs, self.setup, str(self._log(number)), cores, os.getpid())
        process = context.Process(target=_work, args=arguments, name=f"render-{number}", daemon=True)
        with _thread_variables(len(cores)):
            process.start()
        theirs.close()
        return _Worker(number, process, ours)

    def _log(self, number: int) -> Path:
        return self.logs / f"worker-{number}.log"

    def _end(self) -> None:
        for worker in self._live:
            if worker.task is None and worker.ready:
                _dismiss(worker)
            else:
                worker.process.kill()
                worker.process.join()
                worker.connection.close()
        self._live.clear()


def core_share(number: int, workers: int) -> list[int]:
    """The cores of worker `number` of `workers`: an equal share of this process's own, all if there are too few."""
    cores = sorted(os.sched_getaffinity(0))
    if workers > len(cores):
        return [cores[number % len(cores)]]
    return cores[number * len(cores) // workers : (number + 1) * len(cores) // workers]


def _work(connection: Connection, setup: Callable[[], Job], log_file: str, cores: list[int], parent: int) -> None:
    """Body of a worker process: answers ("", "") when ready and after each task, else (fault, reason)."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _die_with(parent)
    _redirect_output(log_file)
    os.sched_setaffinity(0, cores)
    try:
        job = setup()
        connection.send(("", ""))
    except Exception as error:
        log.exception("setup failed")
        connection.send(_describe(error))
        return
    with contextlib.suppress(EOFError, BrokenPipeError):
        while (task := connection.recv()) is not None:
            connection.send(_attempt(job, task))


def _attempt(job: Job, task: int) -> tuple[str, str]:
    try:
        job(task)
    except Exception as error:
        log.exception("sample %d failed", task)
        return _describe(error)
    return "", ""


def _describe(error: Exception) -> tuple[str, str]:
    text = " ".join(str(error).split())
    return ("disk full" if is_disk_full(error) else "failed"), f"{type(error).__name__}: {text}"


def _die_with(parent: int) -> None:
    """End this process when its parent dies, so that a killed render leaves no worker behind (Linux)."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _redirect_output(path: str) -> None:
    """Append stdout and stderr, of native libraries too, to a file."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    sys.stdout.flush()
    sys.stderr.flush()
    for stream in (1, 2):
        os.dup2(handle, stream)
    os.close(handle)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")


@contextlib.contextmanager
def _thread_variables(threads: int) -> Iterator[None]:
    """Numerical libraries read these once, while they are imported: set for the child, then put back."""
    before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, str(threads)))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def _dismiss(worker: _Worker) -> None:
    with contextlib.suppress(OSError):
        worker.connection.send(None)
    worker.process.join(timeout=20)
    if worker.process.is_alive():
        worker.process.kill()
        worker.process.join()
    worker.connection.close()


def _how_it_ended(code: int | None) -> str:
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        return f"was killed by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")
    return f"ended with exit code {code}"
