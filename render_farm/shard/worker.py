"""The program of a worker process (see `process`): takes tasks from a pipe and answers how each went."""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import logging
import os
import signal
import sys
import time
from multiprocessing.connection import Connection

from ..outcome import cause_of, reason_of
from .memory import resident_megabytes, yield_to_the_kernel
from .process import Answer, Job

log = logging.getLogger(__name__)


def work(connection: Connection) -> None:
    """Prepare as the first message says, answer, and answer after each task until None comes."""
    try:
        setup, cores = connection.recv()
        os.sched_setaffinity(0, cores)
        job = setup()
    except Exception as error:  # whatever it is, the pool tells it
        log.exception("setup failed")
        connection.send(_failure(error))
        return
    connection.send(Answer())
    while (task := connection.recv()) is not None:
        connection.send(_attempt(job, task))


def _attempt(job: Job, task: int) -> Answer:
    start = time.perf_counter()
    try:
        job(task)
    except Exception as error:  # one bad sample must not take the others down
        log.exception("sample %d", task)
        return _failure(error)
    answer = Answer(seconds=time.perf_counter() - start, megabytes=resident_megabytes(os.getpid()))
    log.info("sample %d: %.1f s, %.0f MB resident", task, answer.seconds, answer.megabytes)
    return answer


def _failure(error: Exception) -> Answer:
    return Answer(cause_of(error), reason_of(error), megabytes=resident_megabytes(os.getpid()))


def die_with(parent: int) -> None:
    """End this process when its parent dies, so that a killed render leaves no worker behind (Linux)."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def main(descriptor: int, parent: int) -> None:
    """Work for the process `parent` through the pipe at this file descriptor, and end with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    die_with(parent)
    yield_to_the_kernel()
    faulthandler.enable()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError), Connection(descriptor) as connection:
        work(connection)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
