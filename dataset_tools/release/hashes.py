"""sha256 of many files at once."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

BLOCK = 1 << 22
Advance = Callable[[int], object]  # told of every so many bytes


def hash_files(paths: Iterable[Path], advance: Advance = lambda _: None) -> dict[Path, str | OSError]:
    """sha256 (hex) of every file, in threads; an OSError in its stead where a file cannot be read."""
    stop = threading.Event()
    with ThreadPoolExecutor(workers()) as pool:
        jobs = {path: pool.submit(_hash, path, advance, stop) for path in paths}
        try:
            return {path: job.result() for path, job in jobs.items()}
        except BaseException:  # Ctrl-C: the threads end with their block
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def workers() -> int:
    """How many files are read at once: a disk in a network gains from more than there are cores."""
    return min(16, 2 * (os.cpu_count() or 1))


def _hash(path: Path, advance: Advance, stop: threading.Event) -> str | OSError:
    digest = hashlib.sha256()
    try:
        with open(path, "rb", buffering=0) as file:
            while (block := file.read(BLOCK)) and not stop.is_set():
                digest.update(block)
                advance(len(block))
    except OSError as error:
        return error
    return digest.hexdigest()
