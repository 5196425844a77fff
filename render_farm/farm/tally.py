"""How far the farm is: images counted from the shards' event logs, and what became of every shard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from dataset_tools.progress import Progress

from ..errors import InputError, PassingError, RenderError
from ..shard.events import EventLog
from ..shard.history import History

# Kinds of shards that were not done, with the exit code; the first that occurs decides the farm's.
FATES = {
    "failed": RenderError.exit_code,
    "incomplete": RenderError.exit_code,
    "input": InputError.exit_code,
    "locked": PassingError.exit_code,
}
WORDS = {"input": "refused", "locked": "locked by others"}


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
    fates: dict[int, tuple[str, str]] = field(default_factory=dict)  # of shards that were not done: kind, reason
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

    def end(self, shard: int, fate: str = "", reason: str = "") -> None:
        """`shard` is done, or finally not for this `fate`."""
        self._followed.pop(shard, None)
        if fate:
            self.fates[shard] = (fate, reason)
        else:
            self.done.add(shard)
            self._count(shard, self.samples[shard], False)

    def leave(self, shard: int) -> None:
        """Nobody is at `shard` for now."""
        self._followed.pop(shard, None)

    def _count(self, shard: int, samples: int, were_there: bool) -> None:
        new = max(0, min(samples, self.samples[shard]) - self._counted[shard])
        self._counted[shard] += new
        if were_there:
            self.progress.found(self.views * new)
        elif new:
            self.progress.add(self.views * new)

    @property
    def exit_code(self) -> int:
        """0 if all is done, else that of the gravest fate."""
        kinds = {kind for kind, _ in self.fates.values()}
        if kinds:
            return next(code for kind, code in FATES.items() if kind in kinds)
        return 0 if len(self.done | self.before) == len(self.samples) else PassingError.exit_code

    def table(self) -> Iterable[str]:
        """Lines that say what became of the shards."""
        kinds = Counter(kind for kind, _ in self.fates.values())
        parts = [f"{len(self.done) + len(self.before)} done"]
        parts += [f"{count} {WORDS.get(kind, kind)}" for kind, count in sorted(kinds.items())]
        left = len(self.samples) - len(self.done | self.before) - len(self.fates)
        parts += [f"{left} not finished"] if left else []
        there = f" ({len(self.before)} of them were there before)" if self.before else ""
        yield f"{len(self.samples)} shards: {', '.join(parts)}{there}"
        for shard, (kind, reason) in sorted(self.fates.items()):
            yield f"  shard {shard}: {WORDS.get(kind, kind)}: {reason}"
