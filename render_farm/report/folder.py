"""What lies in a release's folder; only looked at, never written."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from dataset_tools.store.layout import ReleaseFolder, names_in

from ..lock import read_lock


@dataclass(frozen=True)
class Process:
    """A live process that holds a lock; `seen` is its last heartbeat, in seconds since 1970."""

    host: str
    pid: int
    seen: float


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
        return None if self.has(self.files.plan) else self.holder(self.files.plan_lock)

    def has(self, path: Path) -> bool:
        """Whether a file was there when its folder was listed."""
        return path.name in self._names[path.parent]

    def holder(self, lock: Path) -> Process | None:
        """The live process that holds a lock; hosts' clocks are taken to agree, as nothing may be written here."""
        if not self.has(lock):
            return None
        try:
            owner, age = read_lock(lock, self.now)
        except OSError:
            return None
        if owner is None or owner.is_dead(max(0.0, age)):
            return None
        return Process(owner.host, owner.pid, self.now - age)

    @cached_property
    def _names(self) -> dict[Path, frozenset[str]]:
        return {folder: frozenset(names_in(folder)) for folder in self.files.folders_of_traces()}
