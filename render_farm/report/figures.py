"""What rendering took, summed up over the event logs of a release: images, seconds, failures, memory."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

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
    spans: list[Span] = field(default_factory=list)  # when something was rendered anywhere, in order, without pauses

    def add(self, shard: int, entries: Iterable[Entry]) -> None:
        """Add the log of a shard."""
        views, spans, slow, held = 0, list(self.spans), list(self.slowest), [self.memory] if self.memory else []
        for entry in entries:
            seconds = 0.0
            match entry.event:
                case Start() as start:
                    views = start.views
                case Done(sample, _, seconds, megabytes):
                    self.images += views
                    self.recent_images += views * (self.recent[0] < entry.time <= self.recent[1])
                    slow.append(Slow(seconds, sample, shard, entry.host))
                    held.append(Memory(megabytes, entry.host, shard))
                case Fault() | Quarantined() as fault:
                    _count(self.faults, fault, shard, entry)
                case Stop() as stop:
                    _count(self.stops, stop, shard, entry)
                case Recycle(_, cause, megabytes):
                    self.replaced[cause] += 1
                    held.append(Memory(megabytes, entry.host, shard))
            spans.append((entry.time - max(0.0, seconds), entry.time))
        self.spans = merged(spans)
        self.slowest = heapq.nlargest(SLOWEST, slow, key=lambda sample: sample.seconds)
        self.memory = max(held, key=lambda memory: memory.megabytes, default=None)


def merged(spans: Iterable[Span], pause: float = PAUSE_SECONDS) -> list[Span]:
    """The union of `spans` in order of time; those with less than `pause` seconds between them become one."""
    out: list[Span] = []
    for start, end in sorted(spans):
        if out and start - out[-1][1] <= pause:
            start, end = out[-1][0], max(out.pop()[1], end)
        out.append((start, end))
    return out


def _count(table: dict[str, Trouble], event: Fault | Quarantined | Stop, shard: int, entry: Entry) -> None:
    """Count a case; the newest of its cause is the one that is told."""
    sample = None if isinstance(event, Stop) else event.sample
    case = Trouble(event.cause, 1, entry.time, entry.host, shard, sample, " ".join(event.reason.split()))
    other = table.get(event.cause, case)
    count = 1 if other is case else other.count + 1
    table[event.cause] = replace(max(other, case, key=lambda either: either.time), count=count)
