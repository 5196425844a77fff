"""A worker process as its pool sees it: started with a job, spoken to through a pipe, ended by force if need be."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any, BinaryIO

from rigging.command_line import THREAD_VARIABLES

from ..outcome import Cause
from .memory import OutOfMemoryKills

FROM_OUTSIDE = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
ROOT = Path(__file__).parents[2]
Job = Callable[[int], None]


@dataclass(frozen=True)
class Process:
    """A process of `worker`, which answers once when it is prepared, and then to each task."""

    connection: Connection
    popen: subprocess.Popen

    @classmethod
    def start(cls, setup: Callable[[], Job], log: Path, cores: tuple[int, ...]) -> Process:
        """Start one that keeps to `cores`; its output, of native libraries and crashes too, is appended to `log`.

        A fresh interpreter rather than a fork or multiprocessing's own: it imports nothing of its caller's program,
        such as Ray, and its numerical libraries read that they have one thread.
        """
        ours, theirs = Pipe()
        # -P: nothing is imported from the folder that this process happens to be in
        words = [sys.executable, "-P", "-m", "render_farm.shard.worker", str(theirs.fileno()), str(os.getpid())]
        with theirs, _open_log(log) as output:
            popen = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=output, stderr=output, pass_fds=[theirs.fileno()],
                env=_environment(),
            )  # fmt: skip
        process = cls(ours, popen)
        process.send((setup, cores))
        return process

    def send(self, message: Any) -> None:
        """Send the setup, a task, or None to end. To one that died nothing is sent: its end of file tells so next."""
        with contextlib.suppress(OSError):
            self.connection.send(message)

    def kill(self, patience: float = 0.0) -> int:
        """End it unless it has ended by itself after `patience` seconds; its exit code, negative for a signal."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.popen.wait(timeout=patience)
        self.popen.kill()
        self.connection.close()
        return self.popen.wait()


def cause_of_death(code: int, kills: OutOfMemoryKills) -> tuple[Cause, str]:
    """For what, and in words how, a process ended with this exit code that its pool did not end."""
    if code >= 0:
        return Cause.CRASH, f"ended with exit code {code}"
    if -code == signal.SIGKILL and kills.another():
        return Cause.MEMORY, "was taken by the kernel's out-of-memory killer"
    cause = Cause.KILLED if -code in FROM_OUTSIDE else Cause.CRASH
    return cause, f"was ended by {signal.Signals(-code).name}"


def _open_log(path: Path) -> BinaryIO:
    """A log to append to; nowhere where it cannot be written (a full disk)."""
    with contextlib.suppress(OSError):
        return open(path, "ab")
    return open(os.devnull, "ab")


def _environment() -> dict[str, str]:
    """Our own sources first; one thread in numerical libraries, whose sums by several depend on how many they are."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path, **dict.fromkeys(THREAD_VARIABLES, "1")}
