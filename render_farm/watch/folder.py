"""What lies in a release's folder, shard by shard; only looked at, never written."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ..lock import STALE_SECONDS, read_lock
from ..rendering.events import FOLDER, EventLog
from .extent import Extent
from .history import Aside, Busy, History, Span, aside_of, fold

STATES = {
    "done": "written, and its manifest fits",
    "rendering": "a live process is at it",
    "incomplete": "all is rendered but samples that are set aside",
    "interrupted": "it was begun, and nobody is at it",
    "waiting": "not begun",
    "damaged": "its file does not fit its manifest",
}
OF_A_SHARD = re.compile(r"shard-(\d{5,8})(\.h5|\.h5\.part|\.json|\.png|\.incomplete\.json)")
OF_A_RELEASE = {"plan.npz", "rejects.csv"}
BEGUN = {FOLDER: r"shard-(\d{5,8})\.jsonl", ".staging": r"shard-(\d{5,8})", ".locks": r"shard-(\d{5,8})\.lock"}

Record = tuple[int, tuple[Aside, ...]]  # samples of a shard, and those that are set aside


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
    aside: tuple[Aside, ...]  # of these, set aside
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
    def names(self) -> frozenset[str]:
        """The names in the folder that are not hidden; none if it is not there."""
        return frozenset(name for name in _names(self.path) if not name.startswith("."))

    @cached_property
    def numbers(self) -> frozenset[int]:
        """Shards of which there is any trace."""
        matches = [OF_A_SHARD.fullmatch(name) for name in self.names]
        for folder, pattern in BEGUN.items():
            matches += [re.fullmatch(pattern, name) for name in self._inner[folder]]
        return frozenset(int(match[1]) for match in matches if match)

    @property
    def others(self) -> tuple[str, ...]:
        """Names that are no part of a release as it is rendered."""
        return tuple(sorted(name for name in self.names if not (name in OF_A_RELEASE or OF_A_SHARD.fullmatch(name))))

    @property
    def planner(self) -> Process | None:
        """Who is making the plan, while there is none."""
        return None if "plan.npz" in self.names else self._holder("plan.lock")

    def look(self, shard: int, extent: Extent, recent: Span) -> tuple[ShardStatus, History]:
        """The shard, and what its log says (see `history.fold` for `recent`)."""
        name = f"shard-{shard:05d}"
        history = fold(shard, EventLog.of(self.path, shard).read(), recent)
        manifest, misfit = self._manifest(name)
        holder = self._holder(f"{name}.lock")
        record = None if manifest else self._record(shard)
        samples = manifest.get("samples") or history.samples or (record and record[0]) or extent.samples_of(shard)
        aside = () if manifest else history.aside if history.samples is not None or record is None else record[1]
        elsewhere = self._elsewhere(name, history)
        staged = samples if manifest else self._staged(name, history, record, elsewhere)
        rendered = staged if samples is None else min(staged, samples)
        if manifest:
            state, reason = "done", ""
        elif holder is not None:
            state, reason = "rendering", ""
        elif misfit:
            state, reason = "damaged", misfit
        elif aside and samples is not None and rendered + len(aside) >= samples:
            state, reason = "incomplete", ""
        elif elsewhere:
            state, reason = "rendering", ""
        else:
            state, reason = self._unfinished(name, history)
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
            configuration=manifest.get("configuration_hash", ""),
        )
        return status, history

    def _elsewhere(self, name: str, history: History) -> bool:
        """Whether it is rendered on a node's own disk: its log comes here and goes on, but no lock or sample does.

        With the log's last word being that it is written, it is on its way here.
        """
        here = (
            f"{name}.lock" in self._inner[".locks"] or name in self._inner[".staging"] or f"{name}.json" in self.names
        )
        return not here and not history.stopped and history.seen is not None and self.now - history.seen < STALE_SECONDS

    def _unfinished(self, name: str, history: History) -> tuple[str, str]:
        """State and reason of a shard that nobody is at and that is not there."""
        staging = name in self._inner[".staging"]
        if not staging and (history.finished or f"{name}.json" in self.names):
            return "waiting", "was written, and is gone"
        begun = staging or history.seen is not None or f"{name}.lock" in self._inner[".locks"]
        return ("interrupted", history.stopped or "ended without a word") if begun else ("waiting", "")

    def _manifest(self, name: str) -> tuple[dict[str, Any], str]:
        """The manifest of a shard that is there and fits it; else nothing, and what is wrong with the file, if any."""
        path = self.path / f"{name}.h5"
        if path.name not in self.names:
            return {}, ""
        try:
            size = path.stat().st_size
            manifest = json.loads(path.with_suffix(".json").read_bytes())
            told, samples, configuration = manifest["bytes"], manifest["samples"], manifest["configuration_hash"]
        except FileNotFoundError:
            return {}, "has no manifest: render it again, which checks it and takes seconds"
        except (OSError, ValueError, KeyError, TypeError) as error:
            return {}, f"its manifest cannot be read ({error}): move both away to render it again"
        if not (type(told) is type(samples) is int and samples > 0 and isinstance(configuration, str)):
            return {}, "its manifest is not one of a shard: move both away to render it again"
        if told != size:
            return {}, f"has {size:,} bytes, its manifest says {told:,}: move both away to render it again"
        return manifest, ""

    def _staged(self, name: str, history: History, record: Record | None, elsewhere: bool) -> int:
        """Finished samples of a shard that is not written: counted if they lie here, else as log or record say."""
        if not history.scratch and name in self._inner[".staging"]:
            names = _names(self.path / ".staging" / name)
            return sum(file.startswith("sample-") and file.endswith(".staged") for file in names)
        if history.scratch or elsewhere or (record is not None and history.samples is not None):
            return history.staged
        return 0 if record is None else record[0] - len(record[1])

    def _record(self, shard: int) -> Record | None:
        """What `set_aside.write_incomplete` wrote of the shard, if it did."""
        path = self.path / f"shard-{shard:05d}.incomplete.json"
        if path.name not in self.names:
            return None
        try:
            told = json.loads(path.read_bytes())
            return int(told["samples"]), tuple(aside_of(line, shard) for line in told["lacking"])
        except (OSError, KeyError, TypeError, ValueError, OverflowError):
            return None

    def _holder(self, lock: str) -> Process | None:
        """The live process that holds a lock; hosts' clocks are taken to agree, as nothing may be written here."""
        if lock not in self._inner[".locks"]:
            return None
        try:
            owner, age = read_lock(self.path / ".locks" / lock, self.now)
        except OSError:
            return None
        if owner is None or owner.is_dead(max(0.0, age)):
            return None
        return Process(owner.host, owner.pid, self.now - age)

    @cached_property
    def _inner(self) -> dict[str, frozenset[str]]:
        return {folder: frozenset(_names(self.path / folder)) for folder in BEGUN}


def _names(folder: Path) -> Iterable[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return ()
