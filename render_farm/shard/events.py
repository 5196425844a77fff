"""What happened to a shard, one JSON object a line in OUT/RELEASE/.events/shard-00007.jsonl, appended as it happens.

Every line has `time` (seconds since 1970), `host`, `pid` and `event`, a name in `EVENTS`, and the fields of that event.

A line is appended by one write, so that processes may share a file; half a line, of a process that died or a disk that
was full, is skipped. These are logs: nothing in a shard is derived from them.
"""

from __future__ import annotations

import json
import math
import os
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dataset_tools.store.incomplete import Quarantined
from dataset_tools.store.layout import ReleaseFolder
from dataset_tools.store.names import shard_number
from rigging.errors import InputError
from rigging.settings import from_table


@dataclass(frozen=True)
class Start:
    """A process begins the shard; `staged` of its `samples` were there before."""

    samples: int
    views: int
    staged: int
    workers: int
    cores: int = 0  # logical ones, which the workers share; 0 is not known
    device: str = ""
    scratch: str = ""  # where finished samples wait if that is not OUT
    configuration: str = ""  # hash of that of the samples


@dataclass(frozen=True)
class Begin:
    """A worker is given a sample."""

    sample: int
    worker: int


@dataclass(frozen=True)
class Done:
    """A sample is staged; `megabytes` are resident in its worker."""

    sample: int
    worker: int
    seconds: float
    megabytes: float


@dataclass(frozen=True)
class Fault:
    """A sample failed, and is tried again; `cause` is one of `outcome.Cause`."""

    sample: int
    worker: int
    cause: str
    reason: str
    attempt: int


@dataclass(frozen=True)
class Recycle:
    """A worker is replaced by a fresh one, for "samples" or "memory"."""

    worker: int
    cause: str
    megabytes: float


@dataclass(frozen=True)
class Retry:
    """Quarantined samples are tried again: the user asked, or nothing else could be rendered on that machine either."""

    samples: tuple[int, ...]


@dataclass(frozen=True)
class Stop:
    """The process ends before the shard is complete."""

    cause: str
    reason: str


@dataclass(frozen=True)
class Lacking:
    """All is done but the quarantined samples."""

    lacking: tuple[int, ...]


@dataclass(frozen=True)
class Finish:
    """The shard is written."""

    bytes: int
    sha256: str


Event = Start | Begin | Done | Fault | Quarantined | Recycle | Retry | Stop | Lacking | Finish
EVENTS: dict[str, type[Event]] = {
    "start": Start, "begin": Begin, "done": Done, "fault": Fault, "aside": Quarantined, "recycle": Recycle,
    "retry": Retry, "stop": Stop, "incomplete": Lacking, "finish": Finish,
}  # fmt: skip
NAMES = {kind: name for name, kind in EVENTS.items()}


@dataclass(frozen=True)
class Entry:
    """An event, and when (seconds since 1970) and in which process it happened."""

    time: float
    host: str
    pid: int
    event: Event


@dataclass(frozen=True)
class EventLog:
    """The events of one shard."""

    path: Path

    @classmethod
    def of(cls, release_folder: Path, shard: int) -> EventLog:
        """The log of a shard of the release in `release_folder`."""
        return cls(ReleaseFolder(release_folder).events(shard))

    @property
    def shard(self) -> int:
        """Number of the shard."""
        return shard_number(self.path)

    def add(self, event: Event) -> Entry:
        """Append what happens now, in this process."""
        entry = Entry(round(time.time(), 2), socket.gethostname(), os.getpid(), event)
        self.append(entry)
        return entry

    def append(self, entry: Entry) -> None:
        """Append a line. A full or missing disk is ignored: the log must never stop the work."""
        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
            try:
                os.write(handle, _line(entry))
                if isinstance(entry.event, Begin):  # must survive a sample that takes the machine down
                    os.fsync(handle)
            finally:
                os.close(handle)

    def read(self) -> list[Entry]:
        """The entries so far, in order; what is not a whole one is left out, and so is a log that cannot be read."""
        return self.since(0)[0]

    def since(self, start: int) -> tuple[list[Entry], int]:
        """The entries in the whole lines from byte `start` on, and the byte at which the next one will begin."""
        data = b""
        with suppress(OSError), open(self.path, "rb") as file:
            file.seek(start)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        return [entry for line in whole.split(b"\n") if (entry := self._entry(line)) is not None], start + len(whole)

    def _entry(self, line: bytes) -> Entry | None:
        """What a line says; a whole one may follow half a line that never got its end."""
        return _entry(line, self.shard) or _entry(line[max(line.rfind(b'{"time"'), 0) :], self.shard)


def _line(entry: Entry) -> bytes:
    stamp = {"time": entry.time, "host": entry.host, "pid": entry.pid, "event": NAMES[type(entry.event)]}
    return (json.dumps(stamp | vars(entry.event)) + "\n").encode()


def _entry(line: bytes, shard: int) -> Entry | None:
    """What a line says; None if it makes no sense: half a line, another version's, not ours."""
    try:
        told = json.loads(line) | {"shard": shard}
        kind, time, host, pid = EVENTS[told["event"]], float(told["time"]), told["host"], told["pid"]
        given = {name: told[name] for name in kind.__match_args__ if told.get(name) is not None}
        event = from_table(kind, given, "an event")
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError, InputError):
        return None
    sound = math.isfinite(time) and isinstance(host, str) and isinstance(pid, int)
    return Entry(time, host, pid, event) if sound else None
