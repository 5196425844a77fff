"""The status of one shard: from what lies in the folder, who holds its lock, and what its log says."""

from __future__ import annotations

import sys
from dataclasses import dataclass
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


def shard_status(
    files: ReleaseFolder, shard: int, history: History, release: Release | None, now: float, deep: bool = False
) -> ShardStatus:
    """A shard as it is seen in the folder and in its log at the time `now`; with `deep` its bytes are read."""
    stored, process = shard_state(files, shard, deep=deep), holder(files.lock(shard), now)
    whole, start = stored.state is State.WHOLE, history.start
    planned = len(release.shard_samples(shard)) if release and shard < release.shards else None
    samples = (whole and stored.samples) or start.samples or stored.samples or planned
    logged = tuple(gone for _, gone in sorted(history.quarantined.items()))
    aside = () if whole else logged if start.samples else stored.quarantined
    away = _elsewhere(files, shard, history, now)
    rendered = min(_rendered(files, stored, history, away), samples or sys.maxsize)
    complete = bool(aside and samples and rendered + len(aside) >= samples)
    state, reason = _state(files, stored, history, process is not None, away, complete)
    signs = [at for at in (history.seen, process and process.seen) if at is not None]
    return ShardStatus(
        shard=shard,
        state=state,
        samples=samples,
        rendered=rendered,
        aside=aside,
        views=start.views or (release and release.cameras.views),
        host=process.host if process else history.host,
        pid=process.pid if process else history.pid,
        workers=start.workers or None,
        device=start.device,
        since=history.since,
        seen=max(signs, default=None),
        busy=tuple(sorted(history.busy.values(), key=lambda busy: busy.since)),
        reason=reason,
        scratch=start.scratch,
        configuration=stored.manifest["configuration_hash"] if whole else "",
    )


def _elsewhere(files: ReleaseFolder, shard: int, history: History, now: float) -> bool:
    """Whether it is rendered on a node's own disk: its log comes here and goes on, but no lock or sample does.

    With the log's last word being that it is written, it is on its way here.
    """
    if history.seen is None or history.stopped or now - history.seen >= STALE_SECONDS:
        return False
    return not any(named(shard).exists() for named in (files.lock, files.staging, files.manifest))


def _rendered(files: ReleaseFolder, stored: ShardState, history: History, away: bool) -> int:
    """Finished samples; of a shard that is not written counted if they lie here, else as log or report say."""
    reported = stored.state is State.INCOMPLETE
    if stored.state is State.WHOLE:
        return stored.samples
    if history.start.samples and (history.start.scratch or reported or away):
        return history.staged
    if reported:
        return max(0, (stored.samples or 0) - len(stored.quarantined))
    return staged_samples(files.staging(stored.shard))


def _state(
    files: ReleaseFolder, stored: ShardState, history: History, at_work: bool, away: bool, complete: bool
) -> tuple[str, str]:
    """State and reason; `complete` but for its quarantined samples."""
    staging = files.staging(stored.shard).is_dir()
    begun = staging or history.seen is not None or files.lock(stored.shard).exists()
    gone = history.finished or (stored.state is State.MISSING and stored.reason)
    if stored.state is State.WHOLE:
        return "done", ""
    if at_work:
        return "rendering", ""
    if stored.state in FAULTY or stored.size is not None:
        return "damaged", _advised(stored)
    if away or complete:
        return "incomplete" if complete else "rendering", ""
    if gone and not staging:
        return "waiting", "was written, and is gone"
    if not begun:
        return "waiting", ""
    if history.stopped is None:
        return "interrupted", "ended without a word"
    return "interrupted", f"{history.stopped.cause}: {history.stopped.reason}".removesuffix(": ")


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
