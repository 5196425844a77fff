"""The body of a worker process: takes tasks from a pipe and answers how each went."""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import BinaryIO

from rigging.errors import is_disk_full

from ..errors import DisagreementError
from .memory import resident_megabytes, yield_to_the_kernel

log = logging.getLogger(__name__)

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
Job = Callable[[int], None]


@dataclass(frozen=True)
class Answer:
    """How a task (or the preparation) went: `cause` is one of `events.CAUSES`, "" for done."""

    cause: str = ""
    reason: str = ""
    seconds: float = 0.0
    megabytes: float = 0.0  # resident afterwards


def work(connection: Connection, setup: Callable[[], Job], log_file: Path, cores: tuple[int, ...], parent: int) -> None:
    """Prepare, answer, and answer after each task until None comes. Ends with its `parent`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    die_with(parent)
    yield_to_the_kernel()
    redirect_output(log_file)
    faulthandler.enable()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    try:
        os.sched_setaffinity(0, cores)
        job = setup()
    except Exception as error:
        log.exception("setup failed")
        connection.send(_failure(error))
        return
    with contextlib.suppress(EOFError, BrokenPipeError):
        connection.send(Answer())
        while (task := connection.recv()) is not None:
            connection.send(_attempt(job, task))


def _attempt(job: Job, task: int) -> Answer:
    start = time.perf_counter()
    try:
        job(task)
    except Exception as error:
        log.exception("sample %d failed", task)
        return _failure(error)
    answer = Answer(seconds=time.perf_counter() - start, megabytes=resident_megabytes(os.getpid()))
    log.info("sample %d: %.1f s, %.0f MB resident", task, answer.seconds, answer.megabytes)
    return answer


def _failure(error: Exception) -> Answer:
    if is_disk_full(error):
        cause = "disk full"
    elif isinstance(error, MemoryError):
        cause = "memory"
    else:
        cause = "disagreement" if isinstance(error, DisagreementError) else "error"
    text = " ".join(str(error).split())
    return Answer(cause, f"{type(error).__name__}: {text}", megabytes=resident_megabytes(os.getpid()))


def die_with(parent: int) -> None:
    """End this process when its parent dies, so that a killed render leaves no worker behind (Linux)."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def open_log(path: Path | None) -> BinaryIO:
    """A log to append to; nowhere without one, or where it cannot be written (a full disk)."""
    if path is not None:
        with contextlib.suppress(OSError):
            return open(path, "ab")
    return open(os.devnull, "ab")


def redirect_output(path: Path | None) -> None:
    """Append stdout and stderr, of native libraries and of crashes too, to the log `path` (see `open_log`)."""
    sys.stdout.flush()
    sys.stderr.flush()
    with open_log(path) as output:
        for stream in (1, 2):
            os.dup2(output.fileno(), stream)


@contextlib.contextmanager
def thread_variables(threads: int) -> Iterator[None]:
    """Numerical libraries read these once, while they are imported: set for a child started inside, then put back."""
    before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, str(threads)))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
