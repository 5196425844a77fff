"""What rendering took, summed up over the event logs of a release: images, seconds, failures, memory."""

from __future__ import annotations

import dataclasses
import heapq
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from dataset_tools.store.incomplete import Quarantined

from ..shard.events import Done, Entry, Fault, Recycle, Start, Stop

PAUSE_SECONDS = 60.0  # a longer silence is not rendering
SLOWEST = 5
Span = tuple[float, float]


@dataclass(frozen=True)
class Trouble:
    """How often something went wrong for a cause, and its newest case; `sample` is None where there is none."""

    cause: str
    count: int
    time: float  # seconds since 1970
    host: str
    shard: int
    sample: int | None
    reason: str


@dataclass(frozen=True)
class Slow:
    """A sample and the seconds it took."""

    seconds: float
    sample: int
    shard: int
    host: str


@dataclass(frozen=True)
class Memory:
    """The most memory a worker held."""

    megabytes: float
    host: str
    shard: int


@dataclass
class Figures:
    """Sums over the logs added so far. A sample that was rendered twice counts twice: it is the work done."""

    recent: Span  # the first and last second, since 1970, of what counts as recent
    images: int = 0  # rendered, all times
    recent_images: int = 0
    faults: dict[str, Trouble] = field(default_factory=dict)  # failed attempts at a sample, by cause
    stops: dict[str, Trouble] = field(default_factory=dict)  # processes that ended before their shard was there
    replaced: Counter[str] = field(default_factory=Counter)  # workers, by cause
    slowest: list[Slow] = field(default_factory=list)
    memory: Memory | None = None
    _spans: list[Span] = field(default_factory=list)

    @property
    def spans(self) -> list[Span]:
        """When something was rendered anywhere, in order; pauses are left out."""
        return merged(self._spans)

    def add(self, shard: int, entries: Iterable[Entry]) -> None:
        """Add the log of a shard."""
        views = 0
        for entry in entries:
            seconds = 0.0
            match entry.event:
                case Start() as start:
                    views = start.views
                case Done(seconds=seconds) as done:
                    self._rendered(entry, views)
                    self._slow(Slow(seconds, done.sample, shard, entry.host))
                    self._held(Memory(done.megabytes, entry.host, shard))
                case Fault() | Quarantined() as fault:
                    _count(self.faults, _trouble(shard, entry, fault, fault.sample))
                case Stop() as stop:
                    _count(self.stops, _trouble(shard, entry, stop, None))
                case Recycle() as recycle:
                    self.replaced[recycle.cause] += 1
                    self._held(Memory(recycle.megabytes, entry.host, shard))
            self._work(entry.time - max(0.0, seconds), entry.time)

    def _rendered(self, entry: Entry, views: int) -> None:
        self.images += views
        self.recent_images += views * (self.recent[0] < entry.time <= self.recent[1])

    def _slow(self, slow: Slow) -> None:
        if len(self.slowest) < SLOWEST or slow.seconds > self.slowest[-1].seconds:
            self.slowest = heapq.nlargest(SLOWEST, [*self.slowest, slow], key=lambda sample: sample.seconds)

    def _held(self, memory: Memory) -> None:
        if self.memory is None or memory.megabytes > self.memory.megabytes:
            self.memory = memory

    def _work(self, start: float, end: float) -> None:
        """Something was rendered; spans that follow each other are joined at once, so that few are kept."""
        if self._spans and self._spans[-1][0] <= end and start <= self._spans[-1][1] + PAUSE_SECONDS:
            first, last = self._spans[-1]
            self._spans[-1] = (min(first, start), max(last, end))
        else:
            self._spans.append((start, end))


def merged(spans: Iterable[Span], pause: float = PAUSE_SECONDS) -> list[Span]:
    """The union of `spans` in order of time; those with less than `pause` seconds between them become one."""
    out: list[Span] = []
    for start, end in sorted(spans):
        if out and start - out[-1][1] <= pause:
            out[-1] = (out[-1][0], max(out[-1][1], end))
        else:
            out.append((start, end))
    return out


def _trouble(shard: int, entry: Entry, event: Fault | Quarantined | Stop, sample: int | None) -> Trouble:
    return Trouble(event.cause, 1, entry.time, entry.host, shard, sample, " ".join(event.reason.split()))


def _count(table: dict[str, Trouble], trouble: Trouble) -> None:
    """Count a case; the newest of its cause is the one that is told."""
    other = table.get(trouble.cause)
    if other is not None:
        newest = max(other, trouble, key=lambda case: case.time)
        trouble = dataclasses.replace(newest, count=other.count + 1)
    table[trouble.cause] = trouble
