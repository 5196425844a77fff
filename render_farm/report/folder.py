"""What lies in a release's folder, shard by shard; only looked at, never written."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from dataset_tools.store.incomplete import Quarantined
from dataset_tools.store.layout import ReleaseFolder
from dataset_tools.store.names import names_in, staged_samples
from dataset_tools.store.shard_state import FAULTY, ShardState, State, shard_state

from ..lock import STALE_SECONDS, read_lock
from ..shard.events import EventLog
from .extent import Extent
from .history import Busy, History, Span, fold

STATES = {
    "done": "written, and its manifest fits",
    "rendering": "a live process is at it",
    "incomplete": "all is rendered but samples that are set aside",
    "interrupted": "it was begun, and nobody is at it",
    "waiting": "not begun",
    "damaged": "its file does not fit its manifest",
}


@dataclass(frozen=True)
class Process:
    """A live process that holds a lock; `seen` is its last heartbeat, in seconds since 1970."""

    host: str
    pid: int
    seen: float


@dataclass(frozen=True)
class ShardStatus:
    """A shard; of one at which nobody is, host, pid, workers and device are the last process's. None is not known."""

    shard: int
    state: str  # one of STATES
    samples: int | None  # that it is to have
    rendered: int  # of these, staged or written
    aside: tuple[Quarantined, ...]  # of these, set aside
    views: int | None
    host: str
    pid: int | None
    workers: int | None
    device: str
    since: float | None  # when the last process began, in seconds since 1970
    seen: float | None  # last sign of life: an event or a heartbeat
    busy: tuple[Busy, ...]  # samples that are being rendered, or were when it was interrupted; oldest first
    reason: str  # why it is interrupted or damaged, as far as it is known
    scratch: str  # where its finished samples wait; "" for OUT
    configuration: str  # hash of a shard that is done, else ""


@dataclass(frozen=True)
class Folder:
    """A release's folder at the time `now`, in seconds since 1970."""

    path: Path
    now: float

    @cached_property
    def files(self) -> ReleaseFolder:
        """Names of what lies there."""
        return ReleaseFolder(self.path)

    @cached_property
    def numbers(self) -> frozenset[int]:
        """Shards of which there is any trace."""
        return frozenset(self.files.traces())

    @property
    def others(self) -> tuple[str, ...]:
        """Names that are not hidden and no part of a release."""
        names = (name for name in self._names[self.path] if not name.startswith("."))
        return tuple(sorted(name for name in names if not self.files.owns(name)))

    @property
    def planner(self) -> Process | None:
        """Who is making the plan, while there is none."""
        return None if self._has(self.files.plan) else self._holder(self.files.plan_lock)

    def look(self, shard: int, extent: Extent, recent: Span) -> tuple[ShardStatus, History]:
        """The shard, and what its log says (see `history.fold` for `recent`)."""
        history = fold(shard, EventLog.of(self.path, shard).read(), recent)
        stored, holder = shard_state(self.files, shard), self._holder(self.files.lock(shard))
        whole = stored.state is State.WHOLE
        samples = (stored.samples if whole else None) or history.samples or stored.samples or extent.samples_of(shard)
        by_log = history.samples is not None or not stored.quarantined
        aside = () if whole else history.aside if by_log else stored.quarantined
        elsewhere = self._elsewhere(shard, history)
        staged = samples if whole else self._staged(shard, history, stored, elsewhere)
        rendered = staged if samples is None else min(staged, samples)
        if whole:
            state, reason = "done", ""
        elif holder is not None:
            state, reason = "rendering", ""
        elif stored.state in FAULTY or stored.size is not None:
            state, reason = "damaged", advised(stored)
        elif aside and samples is not None and rendered + len(aside) >= samples:
            state, reason = "incomplete", ""
        elif elsewhere:
            state, reason = "rendering", ""
        else:
            state, reason = self._unfinished(shard, history, stored)
        status = ShardStatus(
            shard=shard,
            state=state,
            samples=samples,
            rendered=rendered,
            aside=aside,
            views=history.views or extent.views,
            host=holder.host if holder else history.host,
            pid=holder.pid if holder else history.pid,
            workers=history.workers,
            device=history.device,
            since=history.since,
            seen=max((one for one in (history.seen, holder and holder.seen) if one is not None), default=None),
            busy=history.busy,
            reason=reason,
            scratch=history.scratch,
            configuration=stored.manifest["configuration_hash"] if whole else "",
        )
        return status, history

    def _elsewhere(self, shard: int, history: History) -> bool:
        """Whether it is rendered on a node's own disk: its log comes here and goes on, but no lock or sample does.

        With the log's last word being that it is written, it is on its way here.
        """
        traces = (self.files.lock(shard), self.files.staging(shard), self.files.manifest(shard))
        here = any(map(self._has, traces))
        return not here and not history.stopped and history.seen is not None and self.now - history.seen < STALE_SECONDS

    def _unfinished(self, shard: int, history: History, stored: ShardState) -> tuple[str, str]:
        """State and reason of a shard that nobody is at and that is not there."""
        staging = self._has(self.files.staging(shard))
        if not staging and (history.finished or (stored.state is State.MISSING and stored.reason)):
            return "waiting", "was written, and is gone"
        begun = staging or history.seen is not None or self._has(self.files.lock(shard))
        return ("interrupted", history.stopped or "ended without a word") if begun else ("waiting", "")

    def _staged(self, shard: int, history: History, stored: ShardState, elsewhere: bool) -> int:
        """Finished samples of a shard that is not written: counted if they lie here, else as log or report say."""
        reported = stored.state is State.INCOMPLETE and stored.samples is not None
        if not history.scratch and self._has(staging := self.files.staging(shard)):
            return staged_samples(staging)
        if history.scratch or elsewhere or (reported and history.samples is not None):
            return history.staged
        return stored.samples - len(stored.quarantined) if reported else 0

    def _holder(self, lock: Path) -> Process | None:
        """The live process that holds a lock; hosts' clocks are taken to agree, as nothing may be written here."""
        if not self._has(lock):
            return None
        try:
            owner, age = read_lock(lock, self.now)
        except OSError:
            return None
        if owner is None or owner.is_dead(max(0.0, age)):
            return None
        return Process(owner.host, owner.pid, self.now - age)

    def _has(self, path: Path) -> bool:
        """Whether a file was there when its folder was listed."""
        return path.name in self._names[path.parent]

    @cached_property
    def _names(self) -> dict[Path, frozenset[str]]:
        return {folder: frozenset(names_in(folder)) for folder in self.files.folders_of_traces()}


def advised(stored: ShardState) -> str:
    """Why a shard's file is of no use as it is, and what to do about it."""
    if stored.state is State.PARTIAL:
        return f"{stored.reason}: render it again, which checks it and takes seconds"
    return f"{stored.reason or stored.state}: move both away to render it again"
