"""Slots: how many of the farm's workers a node has room for, and which cores each of them gets."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

TINY = 1e-9  # Ray counts resources in steps of 0.0001


def slot_count(resources: Mapping[str, float], cpus: float, gpus: float) -> int:
    """How many workers with `cpus` and `gpus` each fit a node with these Ray resources.

    Ray never takes one worker's share from two GPUs, so that with 0.4 of a GPU each, two workers share one.
    """
    room = [math.floor(resources.get("CPU", 0.0) / cpus + TINY)]
    if gpus >= 1:
        room.append(math.floor(resources.get("GPU", 0.0) / gpus + TINY))
    elif gpus > 0:
        room.append(math.floor(resources.get("GPU", 0.0)) * math.floor(1 / gpus + TINY))
    return min(room)


def slot_cores(slot: int, cpus: float, cores: Sequence[int]) -> tuple[int, ...]:
    """The cores of slot number `slot` of a machine, counted over all its Ray nodes.

    Slots are laid one after another along `cores`; those of a machine that promised more than it has share them.
    """
    start = math.floor(slot * cpus + TINY)
    stop = max(start + 1, math.ceil((slot + 1) * cpus - TINY))
    return tuple(sorted({cores[core % len(cores)] for core in range(start, stop)}))


def free_slot(taken: set[int]) -> int:
    """The lowest number that is not taken."""
    return next(slot for slot in range(len(taken) + 1) if slot not in taken)
