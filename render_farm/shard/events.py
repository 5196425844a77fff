"""What happened to a shard, one JSON object a line in OUT/RELEASE/.events/shard-00007.jsonl, appended as it happens.

Every line has `time` (seconds since 1970), `host`, `pid` and `event`:

    start   samples, views, staged, workers, cores, device, scratch, configuration    a process begins the shard;
            `staged` of its `samples` were there before; its `workers` share `cores` logical cores; `scratch` is where
            finished ones wait if that is not OUT, else ""; `configuration` is the hash of that of the samples
    begin   sample, worker                             a worker is given a sample
    done    sample, worker, seconds, megabytes         it is staged; the worker's resident memory
    fault   sample, worker, cause, reason, attempt     it failed, and is tried again
    aside   sample, shard, cause, reason, seed, attempts, command    it failed once more and is set aside; `command`
            renders it alone
    recycle worker, cause, megabytes                   a worker is replaced by a fresh one, for "samples" or "memory"
    retry   samples                                    samples set aside are tried again: the user asked, or nothing
            else could be rendered on that machine either
    stop    cause, reason                              the process ends before the shard is complete
    incomplete lacking                                 all is done but for the samples set aside
    finish  bytes, sha256                              the shard is written

A line is appended by one write, so that processes may share a file; half a line, of a process that died or a disk that
was full, is skipped. These are logs: nothing in a shard is derived from them.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataset_tools.store.layout import ReleaseFolder

# Why a sample failed or a process stopped.
CAUSES = {
    "error": "an error in the worker",
    "crash": "a crash of native code (SIGSEGV, SIGBUS, SIGABRT, ...) or an unexpected exit of the worker",
    "killed": "the worker was killed from outside (SIGKILL, SIGTERM)",
    "memory": "the worker was over its memory limit, or the kernel's out-of-memory killer took it",
    "hang": "no answer within the time limit",
    "disagreement": "labels and Cycles disagree",
    "lost": "its shard's process ended suddenly (node lost, kill -9) while it was being rendered",
    "disk full": "no space left",
    "interrupted": "Ctrl-C, SIGTERM, or the farm's end",
}


@dataclass(frozen=True)
class EventLog:
    """The events of one shard."""

    path: Path

    @classmethod
    def of(cls, release_folder: Path, shard: int) -> EventLog:
        """The log of a shard of the release in `release_folder`."""
        return cls(ReleaseFolder(release_folder).events(shard))

    def add(self, event: str, **fields: Any) -> None:
        """Append a line; `time`, `host` and `pid` are this moment and process unless given.

        A full or missing disk is ignored: the log must never stop the work.
        """
        told = {"time": round(time.time(), 2), "host": socket.gethostname(), "pid": os.getpid(), "event": event}
        line = json.dumps(told | fields, default=_plain) + "\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
            try:
                os.write(handle, line.encode())
                if event == "begin":  # must survive a sample that takes the machine down
                    os.fsync(handle)
            finally:
                os.close(handle)
        except OSError:
            return

    def read(self) -> Iterator[dict[str, Any]]:
        """The events so far, in order; what is not a whole event is left out, and so is a log that cannot be read."""
        yield from _events(self._bytes(0))

    def since(self, start: int) -> tuple[list[dict[str, Any]], int]:
        """The events in the whole lines from byte `start` on, and the byte at which the next one will begin."""
        data = self._bytes(start)
        whole = data[: data.rfind(b"\n") + 1]
        return list(_events(whole)), start + len(whole)

    def _bytes(self, start: int) -> bytes:
        try:
            with open(self.path, "rb") as file:
                file.seek(start)
                return file.read()
        except OSError:
            return b""


def _events(data: bytes) -> Iterator[dict[str, Any]]:
    for line in data.split(b"\n"):
        found = _parse(line)
        if found is None:  # a whole line may follow half a line that never got its end
            found = _parse(line[max(line.rfind(b'{"time"'), 0) :])
        if found is not None:
            yield found


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line.decode())
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and "event" in found else None


def _plain(value: Any) -> Any:
    """A number of numpy as Python's own; anything else, such as a path, as text."""
    return value.item() if hasattr(value, "item") else str(value)
