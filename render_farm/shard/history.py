"""What the event log of a shard says of its samples: the memory that survives the process, the node and its disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from dataset_tools.store.incomplete import Quarantined

from .events import Begin, Done, Entry, Fault, Finish, Retry, Start, Stop

NOT_BEGUN = Start(samples=0, views=0, staged=0, workers=0)


@dataclass(frozen=True)
class Busy:
    """A sample that a worker was given and that has not ended, as far as the log says."""

    sample: int
    worker: int
    since: float  # seconds since 1970


@dataclass
class History:
    """The log of one shard up to the newest entry taken. Times are seconds since 1970; None is not known.

    Failures are those under the configuration of the last start: what another one met with says nothing.
    """

    start: Start = NOT_BEGUN  # of the last process
    host: str = ""  # of that process, as is pid
    pid: int | None = None
    since: float | None = None  # when it began
    seen: float | None = None  # the newest entry
    stopped: Stop | None = None  # why it said that it ends
    finished: bool = False  # the last word is that the shard is written
    done: set[int] = field(default_factory=set)  # samples that it staged
    busy: dict[int, Busy] = field(default_factory=dict)  # by sample
    quarantined: dict[int, Quarantined] = field(default_factory=dict)
    tries: Counter[int] = field(default_factory=Counter)  # failed attempts by sample
    losses: Counter[int] = field(default_factory=Counter)  # sudden ends of the process by sample

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> History:
        """What these entries say, from the first on."""
        history = cls()
        for entry in entries:
            history.take(entry)
        return history

    @property
    def staged(self) -> int:
        """Finished samples of the shard that is being made; 0 once it is written."""
        if self.finished or not self.start.samples:
            return len(self.done)
        return min(self.start.staged + len(self.done), self.start.samples)

    @property
    def abandoned(self) -> set[int]:
        """Samples that the last process was at when it ended, if it ended without a word."""
        return set() if self.stopped else set(self.busy)

    def take(self, entry: Entry) -> None:
        """Go on with the next entry."""
        self.seen = entry.time if self.seen is None else max(self.seen, entry.time)
        match entry.event:
            case Start() as start:
                self._begin(entry, start)
            case Begin(sample, worker):
                self.busy[sample] = Busy(sample, worker, entry.time)
            case Done(sample):
                self.done.add(sample)
                self.busy.pop(sample, None)
                self.quarantined.pop(sample, None)
            case Fault(sample) as fault:
                self.busy.pop(sample, None)
                (self.losses if fault.cause == "lost" else self.tries)[sample] += 1
            case Quarantined(sample) as gone:
                self.busy.pop(sample, None)
                self.quarantined[sample] = gone
            case Retry(samples):
                self._forget(samples)
            case Stop() as stop:
                self.stopped = stop
            case Finish():
                self.finished = True
                for memory in (self.done, self.busy, self.quarantined):
                    memory.clear()

    def _begin(self, entry: Entry, start: Start) -> None:
        if start.configuration != self.start.configuration:
            for memory in (self.quarantined, self.tries, self.losses):
                memory.clear()
        self.start, self.host, self.pid, self.since = start, entry.host, entry.pid, entry.time
        self.stopped, self.finished = None, False
        self.done.clear()
        self.busy.clear()

    def _forget(self, samples: Iterable[int]) -> None:
        """Samples are tried again as if for the first time."""
        for sample in samples:
            for memory in (self.quarantined, self.tries, self.losses):
                memory.pop(sample, None)
