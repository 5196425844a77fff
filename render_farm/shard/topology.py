"""Which cores a worker gets: whole physical cores, both hyperthreads together."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from .memory import available_megabytes

SYSTEM = Path("/sys/devices/system/cpu")
WORKER_MEGABYTES = 1000  # what a worker is reckoned to need when workers are counted


def own_cores() -> tuple[int, ...]:
    """Logical cores that this process may use, as `taskset`, Slurm or a container limits them."""
    return tuple(sorted(os.sched_getaffinity(0)))


def physical_cores(cores: Sequence[int], system: Path = SYSTEM) -> list[tuple[int, ...]]:
    """`cores` (logical) by the physical core that they belong to; each alone where the system does not say."""
    groups: dict[str, list[int]] = {}
    for core in sorted(cores):
        groups.setdefault(_siblings(core, system), []).append(core)
    return [tuple(group) for group in groups.values()]


def core_share(number: int, workers: int, cores: Sequence[int], system: Path = SYSTEM) -> tuple[int, ...]:
    """Logical cores of worker `number` of `workers`: an equal share of the physical ones, with all their threads.

    With fewer physical cores than workers, an equal share of the logical ones; with fewer of those, one of them.
    """
    groups = physical_cores(cores, system)
    if workers > len(groups):
        groups = [(core,) for group in groups for core in group]
    if workers > len(groups):
        return groups[number % len(groups)]
    share = groups[number * len(groups) // workers : (number + 1) * len(groups) // workers]
    return tuple(sorted(core for group in share for core in group))


def worker_count(workers: int, tasks: int, cores: Sequence[int]) -> int:
    """How many workers to run for `tasks`: those asked for, or (0) one per physical core as memory allows."""
    if not workers:
        workers = min(len(physical_cores(cores)), int(available_megabytes() // WORKER_MEGABYTES))
    return max(1, min(workers, tasks))


def _siblings(core: int, system: Path) -> str:
    """The logical cores on the same physical core as `core`, as the system writes them."""
    try:
        return (system / f"cpu{core}" / "topology" / "thread_siblings_list").read_text().strip()
    except OSError:
        return str(core)
