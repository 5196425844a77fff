"""The farm's pull queue: which shard is rendered next. No Ray, no disk, no clock, no workers: times are passed in.

A task is at all times exactly one of waiting, leased, done or given up. Order: rising, so that a release fills up from
the front. A task whose worker was lost goes back to its own place: its staged samples make it short, and finishing it
frees their space. One that failed, was postponed or is lost again goes behind all that had less trouble, so that it
cannot keep the others waiting.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable

LONGEST_REST = 3600.0  # seconds


class PullQueue:
    """Tasks, each of which is leased to one worker at a time.

    A task is given up after `attempts` failures, or when `losses` workers were lost with it (it may be what kills
    them); `given_up` has those. Times are seconds on any clock that never goes back. Every call but `take` is about a
    leased task, and O(log n).
    """

    def __init__(self, tasks: Iterable[int], attempts: int = 3, losses: int = 5) -> None:
        self.attempts, self.losses = attempts, losses
        self.given_up: set[int] = set()
        self.leased: set[int] = set()
        self._ready = [(0, task) for task in sorted(set(tasks))]  # heap of (trouble, task)
        self._later: list[tuple[float, int]] = []  # heap of (due, task)
        self._trouble: Counter[int] = Counter()
        self._failures: Counter[int] = Counter()
        self._lost: Counter[int] = Counter()

    def take(self, now: float) -> int | None:
        """Lease the next task; None if there is none now."""
        while self._later and self._later[0][0] <= now:
            task = heapq.heappop(self._later)[1]
            heapq.heappush(self._ready, (self._trouble[task], task))
        if not self._ready:
            return None
        task = heapq.heappop(self._ready)[1]
        self.leased.add(task)
        return task

    def done(self, task: int) -> None:
        """`task` is done."""
        self.leased.remove(task)

    def give_up(self, task: int) -> None:
        """`task` can never be done, such as for wrong input."""
        self.leased.remove(task)
        self.given_up.add(task)

    def postpone(self, task: int, due: float) -> None:
        """Try `task` again from `due` on (locked by another farm, disk full). It does not count as an attempt."""
        self._put_back(task, due, trouble=True)

    def failed(self, task: int, due: float) -> None:
        """`task` failed: it is tried again from `due` on, or given up."""
        self._failures[task] += 1
        if self._failures[task] >= self.attempts:
            self.give_up(task)
        else:
            self._put_back(task, due, trouble=True)

    def lost(self, task: int, now: float) -> None:
        """The worker of `task` is gone: it is put back at once, or given up."""
        self._lost[task] += 1
        if self._lost[task] >= self.losses:
            self.give_up(task)
        else:
            self._put_back(task, now, trouble=self._lost[task] > 1)

    @property
    def left(self) -> int:
        """Tasks that are neither done nor given up."""
        return len(self._ready) + len(self._later) + len(self.leased)

    def _put_back(self, task: int, due: float, trouble: bool) -> None:
        self.leased.remove(task)
        self._trouble[task] += trouble
        heapq.heappush(self._later, (due, task))


def rest_after(failures: int, delay: float) -> float:
    """Seconds that a worker rests after so many failures in a row: none, `delay`, twice that, ...

    Else one broken machine, which fails faster than good ones work, would use up the attempts of every task.
    """
    return min(delay * 2.0 ** min(failures - 2, 99), LONGEST_REST) if failures > 1 else 0.0
