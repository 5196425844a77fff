"""The farm's pull queue: which worker renders which shard. No Ray, no disk, no clock: times are passed in.

A task is at all times exactly one of waiting, leased, done or given up. Workers ask for work (`take` is a lease) and
report; a worker that is gone is reported by whoever watches it (`lost`). Order: rising, so that a release fills up from
the front. A task whose worker was lost goes back to its own place: its staged samples make it short, and finishing it
frees their space. One that failed, was postponed or is lost again goes behind all that had less trouble, so that it
cannot keep the others waiting. A worker that fails at one task after another rests, twice as long each time: else one
broken machine, which fails faster than good ones work, would use up the attempts of every task.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Hashable, Iterable

LONGEST_REST = 3600.0  # seconds that a worker rests


class PullQueue:
    """Tasks for workers that come, fail and vanish.

    A task is given up after `attempts` failures, or when `losses` workers were lost with it (it may be what kills
    them). `given_up` maps such a task to its reasons, oldest first. Times are seconds on any clock that never goes
    back. Every call is O(log n) per task it moves. Raises ValueError for a task given twice.
    """

    def __init__(self, tasks: Iterable[int], attempts: int = 3, losses: int = 5) -> None:
        self.attempts, self.losses = attempts, losses
        self.given_up: dict[int, tuple[str, ...]] = {}
        ordered = sorted(tasks)
        self._waiting = set(ordered)
        if len(self._waiting) < len(ordered):
            raise ValueError("a task is in the queue twice")
        self._ready = [(0, task) for task in ordered]  # heap of (trouble, task); may hold tasks that are done since
        self._later: list[tuple[float, int]] = []  # heap of (due, task); likewise
        self._worker: dict[int, Hashable] = {}  # of each leased task
        self._tasks: dict[Hashable, dict[int, None]] = {}  # of each worker with leases, in the order of the leases
        self._done = 0
        self._trouble: Counter[int] = Counter()
        self._failures: Counter[int] = Counter()
        self._losses: Counter[int] = Counter()
        self._reasons: dict[int, tuple[str, ...]] = {}
        self._streak: Counter[Hashable] = Counter()  # of each worker: failures since it last did a task
        self._rest: dict[Hashable, float] = {}  # until when a worker rests

    def take(self, worker: Hashable, now: float) -> int | None:
        """Lease the next task to `worker`; None if there is none for it now. A worker may hold several."""
        self._wake(now)
        while self._ready and self._rest.get(worker, now) <= now:
            task = heapq.heappop(self._ready)[1]
            if task in self._waiting:
                self._waiting.remove(task)
                self._worker[task] = worker
                self._tasks.setdefault(worker, {})[task] = None
                return task
        return None

    def done(self, worker: Hashable, task: int) -> bool:
        """`worker` says that `task` is done: whether that is news (False: it was done already, and counts once).

        The result lies on the disk, so that a worker is believed that was declared lost before: the task then leaves
        its present holder, whose own report will be no news, or the tasks waiting or given up.
        """
        self._recover(worker)
        if task in self._worker:
            self._end_lease(self._worker[task], task)
        elif task in self._waiting:
            self._waiting.remove(task)
        elif self.given_up.pop(task, None) is None:
            return False
        self._done += 1
        return True

    def failed(self, worker: Hashable, task: int, reason: str, now: float, delay: float = 0.0) -> bool:
        """`worker` failed at `task`, which is tried again after `delay` seconds: whether it is given up instead.

        A report on a lease that `worker` no longer has changes nothing.
        """
        if not self._end_lease(worker, task):
            return False
        self._tire(worker, now, delay)
        self._failures[task] += 1
        self._note(task, reason)
        if self._failures[task] >= self.attempts:
            self._give_up(task)
            return True
        self._put_back(task, now + delay, trouble=True)
        return False

    def give_up(self, worker: Hashable, task: int, reason: str) -> bool:
        """`task` can never be done, such as for wrong input: whether `worker` has the lease to say so."""
        if not self._end_lease(worker, task):
            return False
        self._note(task, reason)
        self._give_up(task)
        return True

    def postpone(self, worker: Hashable, task: int, now: float, seconds: float) -> bool:
        """Try `task` again after `seconds` (locked by another farm, disk full): whether `worker` had the lease.

        It does not count as an attempt.
        """
        if not self._end_lease(worker, task):
            return False
        self._put_back(task, now + seconds, trouble=True)
        return True

    def lost(self, worker: Hashable, now: float, delay: float = 0.0) -> list[int]:
        """`worker` is gone: its tasks, all put back at once but for those lost too often, which are in `given_up`.

        A worker that comes back under the same name, and is lost again and again, rests for `delay`, twice that, ...
        """
        tasks = list(self._tasks.get(worker, ()))
        for task in tasks:
            self._end_lease(worker, task)
            self._losses[task] += 1
            self._note(task, f"lost with worker {worker}")
            if self._losses[task] >= self.losses:
                self._give_up(task)
            else:
                self._put_back(task, now, trouble=self._losses[task] > 1)
        if tasks:
            self._tire(worker, now, delay)
        return tasks

    @property
    def left(self) -> int:
        """Tasks that are neither done nor given up."""
        return len(self._waiting) + len(self._worker)

    @property
    def finished(self) -> bool:
        """Whether nothing is left."""
        return self.left == 0

    def _end_lease(self, worker: Hashable, task: int) -> bool:
        """Take the lease from `worker`: whether it had it."""
        if task not in self._worker or self._worker[task] != worker:
            return False
        del self._worker[task], self._tasks[worker][task]
        if not self._tasks[worker]:
            del self._tasks[worker]
        return True

    def _put_back(self, task: int, due: float, trouble: bool) -> None:
        self._trouble[task] += trouble
        self._waiting.add(task)
        heapq.heappush(self._later, (due, task))

    def _wake(self, now: float) -> None:
        """Move the tasks that are due from `_later` to `_ready`."""
        while self._later and self._later[0][0] <= now:
            task = heapq.heappop(self._later)[1]
            if task in self._waiting:
                heapq.heappush(self._ready, (self._trouble[task], task))

    def _tire(self, worker: Hashable, now: float, delay: float) -> None:
        """`worker` failed: from the second time in a row it rests for `delay`, twice that, ..."""
        self._streak[worker] += 1
        if self._streak[worker] > 1:
            self._rest[worker] = now + min(delay * 2.0 ** min(self._streak[worker] - 2, 99), LONGEST_REST)

    def _recover(self, worker: Hashable) -> None:
        self._streak.pop(worker, None)
        self._rest.pop(worker, None)

    def _note(self, task: int, reason: str) -> None:
        self._reasons[task] = (*self._reasons.get(task, ()), reason)

    def _give_up(self, task: int) -> None:
        self.given_up[task] = self._reasons.pop(task)
