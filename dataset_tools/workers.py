"""Jobs on processes that end cleanly: results as they come, a bar with rate and time left, Ctrl-C stops at once."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from typing import Any, TypeVar

from rigging.errors import PassingError

from .progress import Progress

Job = TypeVar("Job")


def run_jobs(
    work: Callable[[Job], Any], jobs: Sequence[Job], sizes: Sequence[int], workers: int, name: str, unit: str = "sample"
) -> Iterator[tuple[Job, Any]]:
    """Each job with its result, in any order; `sizes` are what the bar counts. One worker is this process.

    An exception of a job is raised here. Raises PassingError if a worker dies.
    """
    with Progress(name, sum(sizes), unit) as progress:
        for index, result in _results(work, jobs, min(workers, len(jobs))):
            progress.add(sizes[index])
            yield jobs[index], result


def _results(work: Callable[[Job], Any], jobs: Sequence[Job], workers: int) -> Iterator[tuple[int, Any]]:
    if workers <= 1:
        yield from ((index, work(job)) for index, job in enumerate(jobs))
        return
    context = multiprocessing.get_context("spawn")  # no thread or open file of this process goes along
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_start)
    try:
        futures = {pool.submit(work, job): index for index, job in enumerate(jobs)}
        for future in as_completed(futures):
            yield futures.pop(future), future.result()
        pool.shutdown()
    except BrokenProcessPool:
        raise PassingError("a worker process died (out of memory?); run again, with fewer workers") from None
    except BaseException:
        _stop(pool)
        raise


def _stop(pool: ProcessPoolExecutor) -> None:
    """End the workers without waiting for what they do."""
    processes = list((pool._processes or {}).values())
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.terminate()


def _start() -> None:
    import cv2

    with suppress(ImportError):  # only checks need it
        import embreex.mesh_construction  # noqa: F401  before the time of a job is taken

    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
