"""One process per shard: a lock file with host, process and heartbeat; one that died is taken over."""

from __future__ import annotations

import json
import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType

from rigging.files import write_atomic

from .errors import LockedError

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 10.0
STALE_SECONDS = 180.0  # without a heartbeat, for an owner that cannot be seen from here
LEFT_SECONDS = 60.0  # a guard lasts milliseconds: one that is seen for so long was left by a process that died in it
POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Owner:
    """Who holds a lock.

    `namespace` tells where `pid` means anything: two containers may share a host's name but not its process numbers.
    `started` tells a process from a later one with the same pid.
    """

    host: str
    namespace: str
    pid: int
    started: str

    @classmethod
    def this(cls) -> Owner:
        """This process."""
        return cls(socket.gethostname(), _namespace(), os.getpid(), _process_start(os.getpid()) or "")

    def is_dead(self, heartbeat_age: float) -> bool:
        """Whether the owner is gone: by its pid if that can be seen from here, else by its silence."""
        if not self.namespace or self.namespace != _namespace():
            return heartbeat_age > STALE_SECONDS
        start = _process_start(self.pid)
        return heartbeat_age > STALE_SECONDS if start is None else start != self.started


class Lock:
    """A lock file, refreshed by a thread while it is held.

    Changes to it are made one after another (`guarded`), so that two processes never take over the same stale lock.
    Heartbeat ages are measured with the file system's clock, so that hosts' clocks may differ.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.owner = Owner.this()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def acquire(self) -> None:
        """Take the lock. Raises LockedError, naming the owner, if a live process holds it."""
        with guarded(self.path) as now:
            other, age = read_lock(self.path, now)
            if other is not None and not other.is_dead(age):
                raise LockedError(f"{self.path}: locked by process {other.pid} on {other.host}, alive {age:.0f} s ago")
            if other is not None:
                log.warning("%s: taken over from process %d on %s, which is gone", self.path, other.pid, other.host)
            self._write()
        self._thread = threading.Thread(target=self._beat, name="lock-heartbeat", daemon=True)
        self._thread.start()

    def wait(self, poll_seconds: float = 0.5) -> None:
        """Take the lock, waiting while a live process holds it."""
        told = False
        while True:
            try:
                return self.acquire()
            except LockedError as error:
                if not told:
                    log.info("waiting: %s", error)
                told = True
                time.sleep(poll_seconds)

    def release(self) -> None:
        """Give the lock back, if it is still ours."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        try:
            with guarded(self.path) as now:
                if read_lock(self.path, now)[0] == self.owner:
                    self.path.unlink(missing_ok=True)
        except OSError as error:  # a disk that filled up or went away must not hide what happened before
            log.warning("%s: cannot be removed: %s", self.path, error)

    def __enter__(self) -> Lock:
        if self._thread is None:
            self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _write(self) -> None:
        write_atomic(self.path, json.dumps(asdict(self.owner)).encode())

    def _beat(self) -> None:
        while not self._stop.wait(HEARTBEAT_SECONDS):
            try:
                os.utime(self.path)
            except OSError as error:
                log.warning("%s: no heartbeat: %s", self.path, error)


@contextmanager
def guarded(lock: Path) -> Iterator[float]:
    """A moment in which no other process looks at `lock` to change it; it gives the file system's idea of the time.

    By a file that only one process can make, as its name must be new: there are file systems without `flock` (NFS
    without a lock daemon, Lustre mounted without it), and none without this.
    """
    guard = lock.with_name(f"{lock.name}.guard")
    seen, since = 0, time.monotonic()
    while True:
        try:
            os.close(os.open(guard, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
            break
        except FileExistsError:
            with suppress(FileNotFoundError):
                if seen != (seen := guard.stat().st_mtime_ns):
                    since = time.monotonic()
                elif time.monotonic() - since > LEFT_SECONDS:
                    gone = guard.with_name(f"{guard.name}.{secrets.token_hex(4)}")
                    os.rename(guard, gone)  # of several that see it one renames it; the others find it gone
                    gone.unlink()
            time.sleep(POLL_SECONDS)
    try:
        yield guard.stat().st_mtime
    finally:
        guard.unlink(missing_ok=True)


def read_lock(path: Path, now: float) -> tuple[Owner | None, float]:
    """Who holds the lock `path`, None for nobody, and the seconds from its last heartbeat to `now`.

    `now` is the file system's time where it is known, else this host's.
    """
    try:
        age = now - path.stat().st_mtime
        owner = Owner(**json.loads(path.read_text()))
        return Owner(str(owner.host), str(owner.namespace), int(owner.pid), str(owner.started)), age
    except FileNotFoundError:
        return None, 0.0
    except (ValueError, TypeError):  # not written by us, or damaged: only its age can tell
        return Owner("a damaged lock file", "", 0, ""), age


def _process_start(pid: int) -> str | None:
    """When process `pid` of this host started, in the kernel's ticks; "" if there is none.

    None if it cannot be seen: another user's, where the system hides those (`hidepid`).
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None if _is_there(pid) else ""
    except PermissionError:
        return None
    return "" if fields[0] == "Z" else fields[19]


def _is_there(pid: int) -> bool:
    """Whether there is a process `pid`, perhaps one that is hidden."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True


def _namespace() -> str:
    """Where process numbers mean what they do here: this boot of the kernel and this namespace; "" if unknown."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""
