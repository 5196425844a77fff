"""How far the farm is: images counted from the shards' event logs, and what became of every shard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from dataset_tools.progress import Progress

from ..errors import PassingError
from ..outcome import Result
from ..shard.events import EventLog
from ..shard.history import History


@dataclass
class _Follower:
    """Reads what is added to a shard's event log."""

    log: EventLog
    at: int
    history: History = field(default_factory=History)

    def staged(self) -> int:
        """Read on; how many samples are staged."""
        entries, self.at = self.log.since(self.at)
        for entry in entries:
            self.history.take(entry)
        return self.history.staged


@dataclass
class Tally:
    """Counts a farm's shards: `samples` are those of each shard it was asked for, `before` those that were there."""

    folder: Path
    views: int
    samples: dict[int, int]
    before: frozenset[int]
    progress: Progress
    done: set[int] = field(default_factory=set)
    given_up: dict[int, Result] = field(default_factory=dict)
    _counted: Counter[int] = field(default_factory=Counter)  # samples by shard
    _followed: dict[int, _Follower] = field(default_factory=dict)

    def begin(self, shard: int) -> None:
        """A worker begins `shard`: its log is read from here on."""
        log = EventLog.of(self.folder, shard)
        size = log.path.stat().st_size if log.path.exists() else 0
        self._followed[shard] = _Follower(log, size)

    def look(self) -> None:
        """Count what the logs of the shards in work say."""
        for shard, follower in self._followed.items():
            first = not self._counted[shard]
            self._count(shard, follower.staged(), first)

    def leave(self, shard: int) -> None:
        """Nobody is at `shard` for now."""
        self._followed.pop(shard, None)

    def finish(self, shard: int) -> None:
        """`shard` is done."""
        self.leave(shard)
        self.done.add(shard)
        self._count(shard, self.samples[shard], False)

    def give_up(self, shard: int, result: Result) -> None:
        """`shard` is finally not done."""
        self.leave(shard)
        self.given_up[shard] = result

    def _count(self, shard: int, samples: int, were_there: bool) -> None:
        new = max(0, min(samples, self.samples[shard]) - self._counted[shard])
        self._counted[shard] += new
        if were_there:
            self.progress.found(self.views * new)
        elif new:
            self.progress.add(self.views * new)

    @property
    def exit_code(self) -> int:
        """0 if all is done; else the lowest of those given up: what to repair comes before what passes."""
        codes = [result.cause.meaning.error.exit_code for result in self.given_up.values()]
        if not codes and len(self.done | self.before) < len(self.samples):
            return PassingError.exit_code
        return min(codes, default=0)

    def table(self) -> Iterable[str]:
        """Lines that say what became of the shards."""
        labels = Counter(result.cause.meaning.label for result in self.given_up.values())
        parts = [f"{len(self.done) + len(self.before)} done"]
        parts += [f"{count} {label}" for label, count in sorted(labels.items())]
        left = len(self.samples) - len(self.done | self.before) - len(self.given_up)
        parts += [f"{left} not finished"] if left else []
        before = f" ({len(self.before)} of them were there before)" if self.before else ""
        yield f"{len(self.samples)} shards: {', '.join(parts)}{before}"
        for shard, result in sorted(self.given_up.items()):
            yield f"  shard {shard}: {result.cause.meaning.label}: {result.reason}"
