"""Files that were read and found good, remembered between processes, so that each is read once."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from rigging.files import write_atomic

SETTLED_SECONDS = 2.0  # a file that was touched later may change again without a new time
Judge = Callable[[Mapping[str, Path]], Mapping[str, str]]
Stamp = tuple[int, int, int]  # bytes; times of the last change of content and of anything, ns


@dataclass
class KnownFiles:
    """sha256 of files by name and stamp, kept in the file `path`; only a memory: without it they are read again."""

    path: Path
    known: dict[str, tuple[Stamp, str]] = field(default_factory=dict)

    @classmethod
    def open(cls, path: Path) -> KnownFiles:
        """What is remembered in `path`; nothing, if it cannot be read."""
        with contextlib.suppress(OSError, ValueError, TypeError, AttributeError):
            table = json.loads(path.read_bytes())
            return cls(path, {name: (tuple(stamp), str(sha256)) for name, (stamp, sha256) in table.items()})
        return cls(path)

    def sha256s(
        self, files: Mapping[str, Path], read: Callable[[Path], str], judge: Judge | None = None
    ) -> tuple[dict[str, str], dict[str, str]]:
        """sha256 of each of `files` (by name), and why others cannot be used.

        Only files that are not known are read, by several threads; `read` gives their sha256 or raises OSError or
        ValueError, and `judge` tells those of the files read that cannot be used.
        """

        def look(name: str) -> tuple[Stamp, str] | str:
            try:
                status = os.stat(files[name])
                stamp = status.st_size, status.st_mtime_ns, status.st_ctime_ns
                old = self.known.get(name)
                return old if old is not None and old[0] == stamp else (stamp, read(files[name]))
            except OSError as error:
                return error.strerror or str(error)
            except ValueError as error:
                return str(error)

        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            found = dict(zip(files, pool.map(look, files)))
        if judge is not None and (fresh := [name for name in found if found[name] is not self.known.get(name)]):
            found |= judge({name: files[name] for name in fresh if not isinstance(found[name], str)})
        faults = {name: answer for name, answer in found.items() if isinstance(answer, str)}
        self.known = {name: answer for name, answer in found.items() if name not in faults}
        return {name: sha256 for name, (_, sha256) in self.known.items()}, faults

    def save(self) -> None:
        """Keep what is known, where it can be kept."""
        limit = (time.time() - SETTLED_SECONDS) * 1e9
        table = {name: [stamp, sha256] for name, (stamp, sha256) in self.known.items() if stamp[2] < limit}
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(self.path, json.dumps(table).encode())
