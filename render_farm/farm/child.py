"""Functions in a process of their own, free of the caller's libraries, that ends when the caller ends or says so.

A Ray actor calls the farm's functions this way: Ray stays out of the renderers, a crash of native code costs one call,
and SIGTERM stops it as it stops `make render`.
"""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from rigging.errors import Terminated, is_disk_full

from ..errors import IncompleteError, InputError, LockedError, MvhmError, PassingError
from ..shard.worker import THREAD_VARIABLES, die_with, open_log, redirect_output

log = logging.getLogger(__name__)

# What a fault means to the farm, most special first.
KINDS: tuple[tuple[type[BaseException], str], ...] = (
    (LockedError, "locked"),
    (PassingError, "passing"),
    (InputError, "input"),
    (IncompleteError, "incomplete"),
)


@dataclass(frozen=True)
class Result:
    """How a call ended: `kind` is "done", with its value, or "locked", "passing", "input", "incomplete", "failed",
    "stopped" (all told to end), with a reason of one line.
    """

    kind: str
    value: Any = None
    reason: str = ""


@dataclass
class Child:
    """Calls functions, one at a time, in a process that is started when it is needed and kept, unless it dies.

    `stop` may be called from another thread.
    """

    stopping: bool = False
    _process: subprocess.Popen | None = None
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def call(self, log_file: Path | None, function: Callable[..., Any], *arguments: Any) -> Result:
        """Call `function` (of a module, so that it can be named); its output is appended to `log_file`."""
        if log_file is not None:
            with contextlib.suppress(OSError):
                log_file.parent.mkdir(parents=True, exist_ok=True)
        with self._guard:
            if self.stopping:
                return Result("stopped", reason="told to end")
            process = self._process = self._process or _start(log_file)
        try:
            pickle.dump((log_file, function, arguments), process.stdin)
            process.stdin.flush()
            return pickle.load(process.stdout)
        except (EOFError, OSError, pickle.UnpicklingError):
            return self._death(process, log_file)

    def stop(self) -> None:
        """End the call that runs, if any, as SIGTERM ends `make render`; later ones do not begin."""
        with self._guard:
            self.stopping = True
            if self._process is not None:
                self._process.terminate()

    def end(self) -> None:
        """End the process, so that the next call is made in a fresh one."""
        with self._guard:
            process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def _death(self, process: subprocess.Popen, log_file: Path | None) -> Result:
        """What is to be said of a process that died; the next call gets another one."""
        self.end()
        if self.stopping:
            return Result("stopped", reason="told to end")
        code = process.returncode
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        return Result("failed", reason=f"its process {how}" + (f" (output: {log_file})" if log_file else ""))


def _start(log_file: Path | None) -> subprocess.Popen:
    with open_log(log_file) as output:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "render_farm.farm.child", str(os.getpid())],  # -P: not Ray's folder
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=output, env=_environment(),
        )  # fmt: skip


def _environment() -> dict[str, str]:
    """Variables of the child: our own sources first, and one thread in numerical libraries, as `python -m` has it."""
    ours = str(Path(__file__).parents[2])
    path = os.pathsep.join(filter(None, (ours, os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path, **dict.fromkeys(THREAD_VARIABLES, "1")}


def attempt(function: Callable[..., Any], *arguments: Any) -> Result:
    """Call and turn what comes of it into a Result."""
    try:
        return Result("done", function(*arguments))
    except Terminated as error:
        return Result("stopped", reason=str(error))
    except MvhmError as error:
        kind = next((kind for cause, kind in KINDS if isinstance(error, cause)), "failed")
        log.error("%s", error)
        return Result(kind, reason=str(error))
    except Exception as error:
        log.exception("failed")
        return Result(
            "passing" if is_disk_full(error) else "failed",
            reason=f"{type(error).__name__}: {' '.join(str(error).split())}",
        )


def main(parent: int) -> None:
    """Read calls from stdin, write their Results to stdout; what the functions print goes to their logs."""
    die_with(parent)
    signal.signal(signal.SIGTERM, _terminate)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the driver decides
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    with os.fdopen(os.dup(1), "wb") as out, contextlib.suppress(EOFError, Terminated):
        while True:
            log_file, function, arguments = pickle.load(sys.stdin.buffer)
            redirect_output(log_file)
            result = attempt(function, *arguments)
            sys.stdout.flush()
            pickle.dump(result, out)
            out.flush()


def _terminate(*_: object) -> NoReturn:
    raise Terminated("told to end (SIGTERM)")


if __name__ == "__main__":
    from render_farm.farm.child import main as run  # under its name, so that a Result is that module's

    run(int(sys.argv[1]))
