"""Files that were read and found good, remembered between processes, so that each is read once."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from rigging.files import write_atomic

log = logging.getLogger(__name__)

SETTLED_SECONDS = 2.0  # a file that was touched later may change again without a new time
Judge = Callable[[Sequence[Path]], Mapping[Path, str]]
Known = tuple[int, int, int, str]  # bytes; times of the last change of content and of anything, ns; sha256


def read_once(
    memory: Path, files: Mapping[str, Path], read: Callable[[Path], str], judge: Judge | None = None
) -> tuple[dict[str, str], dict[str, str]]:
    """sha256 of each of `files` (by name), and why others cannot be used.

    Only files that the file `memory` does not know are read, by several threads; `read` gives their sha256 or raises
    OSError or ValueError, and `judge` tells those of the files read that cannot be used.
    """
    known = _load(memory)
    if len(files) > len(known) + 1000:
        log.info("%d files are read once, to know them by what they hold", len(files))

    def look(name: str) -> Known | str:
        try:
            status = os.stat(files[name])
            stamp = status.st_size, status.st_mtime_ns, status.st_ctime_ns
            old = known.get(name)
            return old if old is not None and old[:3] == stamp else (*stamp, read(files[name]))
        except OSError as error:
            return error.strerror or str(error)
        except ValueError as error:
            return str(error)

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        found = dict(zip(files, pool.map(look, files)))
    faults = {name: answer for name, answer in found.items() if isinstance(answer, str)}
    fresh = {files[name]: name for name in found if name not in faults and found[name] is not known.get(name)}
    if judge is not None and fresh:
        faults |= {fresh[path]: fault for path, fault in judge(list(fresh)).items()}
    good = {name: answer for name, answer in found.items() if name not in faults}
    _save(memory, good)
    return {name: answer[3] for name, answer in good.items()}, faults


def _load(memory: Path) -> dict[str, Known]:
    """What is remembered; nothing, if it cannot be read: then files are read again."""
    with suppress(OSError, ValueError, TypeError, AttributeError):
        return {name: tuple(entry) for name, entry in json.loads(memory.read_bytes()).items()}
    return {}


def _save(memory: Path, known: Mapping[str, Known]) -> None:
    """Keep what is known, where it can be kept."""
    limit = (time.time() - SETTLED_SECONDS) * 1e9
    with suppress(OSError):
        memory.parent.mkdir(parents=True, exist_ok=True)
        settled = {name: entry for name, entry in known.items() if entry[2] < limit}
        write_atomic(memory, json.dumps(settled).encode())
