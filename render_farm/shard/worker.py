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
from dataclasses import replace
from multiprocessing.connection import Connection

from ..outcome import attempt
from .memory import resident_megabytes, yield_to_the_kernel

log = logging.getLogger(__name__)


def work(connection: Connection) -> None:
    """Prepare as the first message says, and answer; then after each task, until None comes.

    An answer is a Result: of a task that is done its value is the seconds that it took and the megabytes held then.
    """
    setup, cores = connection.recv()
    os.sched_setaffinity(0, cores)
    prepared = attempt(setup)
    connection.send(replace(prepared, value=None))
    while prepared.cause is None and (task := connection.recv()) is not None:
        start = time.perf_counter()
        result = attempt(prepared.value, task)
        seconds, megabytes = time.perf_counter() - start, resident_megabytes(os.getpid())
        log.info("sample %d: %.1f s, %.0f MB resident, %s", task, seconds, megabytes, result.cause or "done")
        connection.send(replace(result, value=(seconds, megabytes)))


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
