"""What the event log of one shard says, folded line by line (the events are described in `events`)."""

from __future__ import annotations

import dataclasses
import heapq
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dataset_tools.store.incomplete import Quarantined, quarantined_of, whole_number

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
class Busy:
    """A sample that a worker was given and that has not ended, as far as the log says."""

    sample: int
    worker: int
    since: float


@dataclass(frozen=True)
class Memory:
    """The most memory a worker held."""

    megabytes: float
    host: str
    shard: int


@dataclass(frozen=True)
class History:
    """The log of one shard, summed up. Times are seconds since 1970; None is not known."""

    samples: int | None = None  # of the shard, as the last process to begin it was asked for
    views: int | None = None
    workers: int | None = None
    device: str = ""
    scratch: str = ""
    host: str = ""  # of the last process, as is pid
    pid: int | None = None
    since: float | None = None  # when that process began
    seen: float | None = None  # the newest event
    staged: int = 0  # finished samples of the shard that is being made
    rendered: int = 0  # samples rendered, all times
    recent: int = 0  # of these, in the time that `fold` was given
    finished: bool = False  # the last word is that the shard is written
    stopped: str = ""  # why the last process said that it ends
    busy: tuple[Busy, ...] = ()
    faults: tuple[Trouble, ...] = ()
    stops: tuple[Trouble, ...] = ()
    aside: tuple[Quarantined, ...] = ()
    recycled: tuple[tuple[str, int], ...] = ()  # cause and how often
    slowest: tuple[Slow, ...] = ()
    memory: Memory | None = None
    spans: tuple[Span, ...] = ()  # when something was rendered


def fold(shard: int, lines: Iterable[Mapping[str, Any]], recent: Span) -> History:
    """Sum up the events of a shard; `recent` are the first and last second of what counts as recent.

    A line that makes no sense is passed over. A sample that was rendered twice counts twice in `rendered` and `recent`,
    which is the work done, and once in `staged`.
    """
    state = _State(shard, recent)
    for line in lines:
        try:
            state.take(line)
        except (KeyError, TypeError, ValueError, OverflowError):
            continue  # of another version, or not ours
    return state.history()


def merged(spans: Iterable[Span], pause: float = PAUSE_SECONDS) -> list[Span]:
    """The union of `spans` in order of time; those with less than `pause` seconds between them become one."""
    out: list[Span] = []
    for start, end in sorted(spans):
        if out and start - out[-1][1] <= pause:
            out[-1] = (out[-1][0], max(out[-1][1], end))
        else:
            out.append((start, end))
    return out


class _State:
    """The fold's accumulator."""

    def __init__(self, shard: int, window: Span) -> None:
        self.shard, self.window = shard, window
        self.about: dict[str, Any] = {}
        self.configuration: Any = None
        self.before = self.rendered = self.recent = 0
        self.seen = -math.inf
        self.finished, self.stopped = False, ""
        self.done: set[int] = set()
        self.busy: dict[int, Busy] = {}  # by sample
        self.faults: dict[str, Trouble] = {}
        self.stops: dict[str, Trouble] = {}
        self.aside: dict[int, Quarantined] = {}
        self.recycled: dict[str, int] = {}
        self.slowest: list[tuple[float, int, str]] = []
        self.memory: Memory | None = None
        self.spans: list[Span] = []

    def take(self, line: Mapping[str, Any]) -> None:
        time = _finite(line["time"])
        if (handle := _HANDLERS.get(line["event"])) is not None:
            handle(self, line, time)
        self.seen = max(self.seen, time)
        if line["event"] != "done":
            self._work(time, time)

    def start(self, line: Mapping[str, Any], time: float) -> None:
        staged = whole_number(line["staged"])
        self.about = {
            **{name: whole_number(line[name]) for name in ("samples", "views", "workers", "pid")},
            "device": str(line.get("device", "")), "scratch": str(line.get("scratch") or ""),
            "host": str(line["host"]), "since": time,
        }  # fmt: skip
        if line.get("configuration") != self.configuration:  # what was set aside then says nothing now
            self.configuration = line.get("configuration")
            self.aside.clear()
        self.before, self.finished, self.stopped = staged, False, ""
        self.done.clear()
        self.busy.clear()

    def begin(self, line: Mapping[str, Any], time: float) -> None:
        sample, worker = whole_number(line["sample"]), whole_number(line["worker"])
        self.busy[sample] = Busy(sample, worker, time)

    def ready(self, line: Mapping[str, Any], time: float) -> None:
        sample, seconds, host = whole_number(line["sample"]), max(0.0, _finite(line["seconds"])), str(line["host"])
        self.done.add(sample)
        self.busy.pop(sample, None)
        self.aside.pop(sample, None)
        self.rendered += 1
        self.recent += self.window[0] < time <= self.window[1]
        self._work(time - seconds, time)
        add = heapq.heappush if len(self.slowest) < SLOWEST else heapq.heappushpop
        add(self.slowest, (seconds, sample, host))
        self._held(line)

    def fault(self, line: Mapping[str, Any], time: float) -> None:
        sample = whole_number(line["sample"])
        add_trouble(self.faults, self._trouble(line, time, sample))
        self.busy.pop(sample, None)

    def set_aside(self, line: Mapping[str, Any], time: float) -> None:
        aside = quarantined_of(line, self.shard)
        add_trouble(self.faults, self._trouble(line, time, aside.sample))
        self.aside[aside.sample] = aside
        self.busy.pop(aside.sample, None)

    def recycle(self, line: Mapping[str, Any], time: float) -> None:
        cause = str(line["cause"])
        self.recycled[cause] = self.recycled.get(cause, 0) + 1
        self._held(line)

    def retry(self, line: Mapping[str, Any], time: float) -> None:
        for sample in line["samples"]:
            self.aside.pop(sample, None)

    def stop(self, line: Mapping[str, Any], time: float) -> None:
        trouble = self._trouble(line, time, None)
        add_trouble(self.stops, trouble)
        self.stopped = f"{trouble.cause}: {trouble.reason}" if trouble.reason else trouble.cause

    def finish(self, line: Mapping[str, Any], time: float) -> None:
        self.finished, self.before = True, 0
        for gone in (self.done, self.busy, self.aside):
            gone.clear()

    def history(self) -> History:
        staged = self.before + len(self.done)
        samples = self.about.get("samples")
        return History(
            **self.about,
            seen=self.seen if self.seen > -math.inf else None,
            staged=staged if samples is None else min(staged, samples),
            rendered=self.rendered,
            recent=self.recent,
            finished=self.finished,
            stopped=self.stopped,
            busy=tuple(sorted(self.busy.values(), key=lambda busy: busy.since)),
            faults=tuple(self.faults.values()),
            stops=tuple(self.stops.values()),
            aside=tuple(self.aside[sample] for sample in sorted(self.aside)),
            recycled=tuple(sorted(self.recycled.items())),
            slowest=tuple(Slow(s, sample, self.shard, host) for s, sample, host in sorted(self.slowest, reverse=True)),
            memory=self.memory,
            spans=tuple(merged(self.spans)),
        )

    def _work(self, start: float, end: float) -> None:
        """Something was rendered; spans that follow each other are joined at once, so that few are kept."""
        if self.spans and self.spans[-1][0] <= end and start <= self.spans[-1][1] + PAUSE_SECONDS:
            last = self.spans[-1]
            self.spans[-1] = (min(last[0], start), max(last[1], end))
        else:
            self.spans.append((start, end))

    def _held(self, line: Mapping[str, Any]) -> None:
        megabytes = _finite(line["megabytes"])
        if self.memory is None or megabytes > self.memory.megabytes:
            self.memory = Memory(megabytes, str(line["host"]), self.shard)

    def _trouble(self, line: Mapping[str, Any], time: float, sample: int | None) -> Trouble:
        host, reason = str(line["host"]), " ".join(str(line["reason"]).split())
        return Trouble(str(line["cause"]), 1, time, host, self.shard, sample, reason)


_HANDLERS = {
    "start": _State.start, "begin": _State.begin, "done": _State.ready, "fault": _State.fault,
    "aside": _State.set_aside, "recycle": _State.recycle, "retry": _State.retry, "stop": _State.stop,
    "finish": _State.finish,
}  # fmt: skip


def add_trouble(table: dict[str, Trouble], trouble: Trouble) -> None:
    """Add the cases of `trouble` to those of its cause in `table`; the newest is the one that is told."""
    other = table.get(trouble.cause, trouble)
    newest = max(other, trouble, key=lambda one: one.time)
    count = trouble.count + (other.count if trouble.cause in table else 0)
    table[trouble.cause] = dataclasses.replace(newest, count=count)


def _finite(value: Any) -> float:
    """A finite number. Raises TypeError, ValueError."""
    if isinstance(value, str) or not math.isfinite(value):
        raise ValueError(f"{value!r} is not a finite number")
    return float(value)
