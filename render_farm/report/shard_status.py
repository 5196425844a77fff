"""The status of one shard: from what lies in the folder, who holds its lock, and what its log says."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from dataset_tools.store.incomplete import Quarantined
from dataset_tools.store.layout import ReleaseFolder
from dataset_tools.store.names import staged_samples
from dataset_tools.store.shard_state import FAULTY, ShardState, State, shard_state

from ..lock import STALE_SECONDS, read_lock
from ..planning.release import Release
from ..shard.history import Busy, History

STATES = {
    "done": "written, and its manifest fits",
    "rendering": "a live process is at it",
    "incomplete": "all is rendered but samples that are quarantined",
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
    aside: tuple[Quarantined, ...]  # of these, quarantined
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

    def images(self, samples: int | None) -> int:
        """How many images so many of its samples are; 0 if that is not known."""
        return (samples or 0) * (self.views or 0)


@dataclass(frozen=True)
class ShardView:
    """A shard as it is seen in the folder and in its log (`history`) at the time `now`; `deep`: its bytes are read."""

    files: ReleaseFolder
    shard: int
    history: History
    release: Release | None
    now: float
    deep: bool = False

    @property
    def status(self) -> ShardStatus:
        """All of it."""
        state, reason = self._state
        history, start, holder = self.history, self.history.start, self._holder
        signs = [at for at in (history.seen, holder and holder.seen) if at is not None]
        return ShardStatus(
            shard=self.shard,
            state=state,
            samples=self._samples,
            rendered=self._rendered,
            aside=self._quarantined,
            views=start.views or (self.release and self.release.cameras.views),
            host=holder.host if holder else history.host,
            pid=holder.pid if holder else history.pid,
            workers=start.workers or None,
            device=start.device,
            since=history.since,
            seen=max(signs, default=None),
            busy=tuple(sorted(history.busy.values(), key=lambda busy: busy.since)),
            reason=reason,
            scratch=start.scratch,
            configuration=self._stored.manifest["configuration_hash"] if self._whole else "",
        )

    @cached_property
    def _stored(self) -> ShardState:
        return shard_state(self.files, self.shard, deep=self.deep)

    @property
    def _whole(self) -> bool:
        return self._stored.state is State.WHOLE

    @cached_property
    def _holder(self) -> Process | None:
        return holder(self.files.lock(self.shard), self.now)

    @property
    def _samples(self) -> int | None:
        stored, begun, release = self._stored.samples, self.history.start.samples, self.release
        planned = len(release.shard_samples(self.shard)) if release and self.shard < release.shards else None
        return (stored if self._whole else begun) or begun or stored or planned

    @property
    def _quarantined(self) -> tuple[Quarantined, ...]:
        """As the log says; where there is none, as the report does."""
        if self._whole:
            return ()
        if not self.history.start.samples and self._stored.quarantined:
            return self._stored.quarantined
        return tuple(gone for _, gone in sorted(self.history.quarantined.items()))

    @cached_property
    def _rendered(self) -> int:
        """Finished samples; of a shard that is not written counted if they lie here, else as log or report say."""
        stored, start, samples = self._stored, self.history.start, self._samples
        if self._whole:
            return samples
        reported = stored.state is State.INCOMPLETE
        if start.samples and (start.scratch or reported or self._elsewhere):
            staged = self.history.staged
        elif reported:
            staged = (stored.samples or 0) - len(stored.quarantined)
        else:
            staged = staged_samples(self.files.staging(self.shard))
        return max(0, staged if samples is None else min(staged, samples))

    @cached_property
    def _elsewhere(self) -> bool:
        """Whether it is rendered on a node's own disk: its log comes here and goes on, but no lock or sample does.

        With the log's last word being that it is written, it is on its way here.
        """
        files, history = self.files, self.history
        if history.seen is None or history.stopped or self.now - history.seen >= STALE_SECONDS:
            return False
        return not any(named(self.shard).exists() for named in (files.lock, files.staging, files.manifest))

    @property
    def _state(self) -> tuple[str, str]:
        """State and reason."""
        if self._whole:
            return "done", ""
        if self._holder is not None:
            return "rendering", ""
        if self._stored.state in FAULTY or self._stored.size is not None:
            return "damaged", _advised(self._stored)
        if self._quarantined and self._samples and self._rendered + len(self._quarantined) >= self._samples:
            return "incomplete", ""
        return ("rendering", "") if self._elsewhere else self._unfinished

    @property
    def _unfinished(self) -> tuple[str, str]:
        """State and reason of a shard that nobody is at and that is not there."""
        history, stopped, staging = self.history, self.history.stopped, self.files.staging(self.shard).is_dir()
        if not staging and (history.finished or (self._stored.state is State.MISSING and self._stored.reason)):
            return "waiting", "was written, and is gone"
        if not (staging or history.seen is not None or self.files.lock(self.shard).exists()):
            return "waiting", ""
        if stopped is None:
            return "interrupted", "ended without a word"
        return "interrupted", f"{stopped.cause}: {stopped.reason}" if stopped.reason else stopped.cause


def holder(lock: Path, now: float) -> Process | None:
    """The live process that holds a lock; hosts' clocks are taken to agree, as nothing may be written here."""
    try:
        owner, age = read_lock(lock, now)
    except OSError:
        return None
    if owner is None or owner.is_dead(max(0.0, age)):
        return None
    return Process(owner.host, owner.pid, now - age)


def _advised(stored: ShardState) -> str:
    """Why a shard's file is of no use as it is, and what to do about it."""
    if stored.state is State.PARTIAL:
        return f"{stored.reason}: render it again, which checks it and takes seconds"
    return f"{stored.reason or stored.state}: move both away to render it again"
