"""The pull queue with what only its tests ask of it: how many tasks are in each state, and when the next one is due."""

from __future__ import annotations

import heapq
from collections.abc import Hashable
from typing import NamedTuple

from render_farm.farm.queue import PullQueue


class Counts(NamedTuple):
    """How many tasks are in each state."""

    waiting: int
    leased: int
    done: int
    given_up: int


class WatchedQueue(PullQueue):
    """Tasks for workers, watched."""

    @property
    def counts(self) -> Counts:
        """How many tasks are waiting, leased, done, given up."""
        return Counts(len(self._waiting), len(self._worker), self._done, len(self.given_up))

    def next_ready(self, now: float, worker: Hashable = None) -> float | None:
        """Seconds until `take` has a task: 0 if it has one now, None if it will not by waiting alone.

        With `worker`, for that one: it may have to rest.
        """
        due = self._next_due(now)
        return None if due is None else max(due, self._rest.get(worker, now) - now)

    def _next_due(self, now: float) -> float | None:
        self._wake(now)
        while self._ready and self._ready[0][1] not in self._waiting:
            heapq.heappop(self._ready)
        if self._ready:
            return 0.0
        while self._later and self._later[0][1] not in self._waiting:
            heapq.heappop(self._later)
        return self._later[0][0] - now if self._later else None
