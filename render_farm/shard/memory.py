"""Memory as the kernel sees it: how much is to be had, and whom its out-of-memory killer took (Linux)."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import psutil

CGROUPS = Path("/sys/fs/cgroup")
VMSTAT = Path("/proc/vmstat")
MB = 1_000_000


def resident_megabytes(pid: int) -> float:
    """Resident memory of a process; 0 if it is gone."""
    try:
        return psutil.Process(pid).memory_info().rss / MB
    except psutil.Error:
        return 0.0


def available_megabytes() -> float:
    """Memory that this process may still take: of the machine, or of its control group if that has less."""
    left = float(psutil.virtual_memory().available)
    for folder in control_groups(os.getpid()):
        left = min(left, _left_in(folder))
    return max(0.0, left) / MB


def yield_to_the_kernel(points: int = 500) -> None:
    """Make this process the one that the kernel's out-of-memory killer takes before its parent."""
    path = Path("/proc/self/oom_score_adj")
    with contextlib.suppress(OSError, ValueError):
        path.write_text(str(min(1000, int(path.read_text()) + points)))


class OutOfMemoryKills:
    """Counts the kernel's out-of-memory kills in the control group of a process, or else on the whole machine."""

    def __init__(self, pid: int) -> None:
        counters = (folder / name for folder in control_groups(pid) for name in ("memory.events", "memory.oom_control"))
        self.path = next((path for path in counters if _counter(path, "oom_kill") is not None), VMSTAT)
        self._seen = self._count()

    def another(self) -> bool:
        """Whether there was one more since the last call that said so (or the beginning)."""
        if self._count() <= self._seen:
            return False
        self._seen += 1
        return True

    def _count(self) -> int:
        return _counter(self.path, "oom_kill") or 0


def control_groups(pid: int) -> Iterator[Path]:
    """Folders of the memory control group of a process, version 2 or 1, that can be seen from here.

    In a container the path that /proc names may be the host's; the container's own group is then the mount's root.
    """
    try:
        lines = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        root = CGROUPS / "memory" if controllers else CGROUPS
        for folder in (root / path.lstrip("/"), root):
            if folder.is_dir():
                yield folder
                break


def _left_in(folder: Path) -> float:
    """Bytes that a control group may still take; file caches, which the kernel gives back, count as free."""
    for most, used, cache in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        with contextlib.suppress(OSError, ValueError):  # "max": there is no limit
            free = int((folder / most).read_text()) - int((folder / used).read_text())
            return float(free + (_counter(folder / "memory.stat", cache) or 0))
    return float("inf")


def _counter(path: Path, name: str) -> int | None:
    """The number after `name` in a file of "name number" lines; None if there is none."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.split()[:1] == [name]), None)
