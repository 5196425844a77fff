"""A farm without Blender, Ray or time: discrete events drive the real pull queue over a fake disk.

The disk has the locks and renames of the real one and remembers every commit. What goes wrong is drawn from a
generator: processes die, nodes die and come back, workers are declared lost that are not (cut off from the driver, or
frozen so long that their lock goes stale) and finish late, drivers die and start again from what the disk holds.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import inf

import numpy as np

from render_farm.farm.queue import PullQueue, rest_after
from render_farm.lock import STALE_SECONDS

SHARD_SECONDS = 1000.0  # on average; from half to one and a half of it
PROBE_SECONDS = 1.0  # to find that a shard is locked, or done already
NOTICE_SECONDS = 30.0  # until a driver knows that a process is gone, and until another is up
NODE_SECONDS = 600.0  # that a node stays away
RETRY_SECONDS = 10.0
LOCKED_SECONDS = 60.0
LOOK_SECONDS = 10.0  # until a driver without a task that is due looks again
ENDLESS_SECONDS = 1e6


@dataclass(frozen=True)
class Faults:
    """What goes wrong: shares of the leases, seconds between events, and shards with a fault of their own."""

    death: float = 0.01  # the process dies
    passing: float = 0.01  # an error that does not come back
    cut_off: float = 0.005  # declared lost, but goes on and reports late
    frozen: float = 0.002  # likewise, but its heartbeat stops too, and it goes on after its lock was taken over
    between_nodes: float = 500.0  # seconds from one node's death to the next one's
    driver_deaths: tuple[float, ...] = ()  # seconds
    failing: frozenset[int] = frozenset()  # shards that fail every time
    killing: frozenset[int] = frozenset()  # shards that kill their process every time
    wrong: frozenset[int] = frozenset()  # shards with wrong input
    broken_node: int | None = None  # where everything fails at once


@dataclass(eq=False)
class Process:
    """A worker process; it may live on when its driver has declared it lost."""

    name: str
    node: int
    driver: Driver
    alive: bool = True
    silent_since: float | None = None

    def is_dead(self, now: float, seen_from: int) -> bool:
        """As `lock.Owner.is_dead`: by its pid on the same node, by its silence from another."""
        if seen_from == self.node:
            return not self.alive
        return self.silent_since is not None and now - self.silent_since > STALE_SECONDS


class Disk:
    """The output folder: locks, and shards that appear by a rename."""

    def __init__(self, shards: int) -> None:
        self.commits = [0] * shards
        self.locks: dict[int, Process] = {}

    def lock(self, shard: int, process: Process, now: float) -> bool:
        """Take the lock, over from a dead owner if need be: whether `process` has it now."""
        owner = self.locks.get(shard)
        if owner is not None and not owner.is_dead(now, process.node):
            return False
        self.locks[shard] = process
        return True

    def unlock(self, shard: int, process: Process) -> None:
        """Give the lock back, if it is still that of `process`."""
        if self.locks.get(shard) is process:
            del self.locks[shard]

    def commit(self, shard: int) -> bool:
        """Assemble the staged samples and rename: not if another did, as the staging folder is gone then."""
        if self.commits[shard]:
            return False
        self.commits[shard] += 1
        return True


@dataclass(eq=False)
class Driver:
    """What the Ray driver does, without Ray. One that died is replaced by another object."""

    farm: Farm
    number: int
    alive: bool = True
    calls: int = 0
    done: int = 0
    known: dict[Process, int | None] = field(default_factory=dict)  # and the shard that each is at
    idle: deque[Process] = field(default_factory=deque)
    failures: Counter[str] = field(default_factory=Counter)  # in a row, by process
    wakes: float = inf

    def __post_init__(self) -> None:
        self.queue = PullQueue(self.farm.missing())
        self.tasks = self.queue.left
        for node in range(self.farm.nodes):
            self.staff(node)

    def staff(self, node: int) -> None:
        """Bring a node up to its number of processes, and give them work."""
        there = sum(process.node == node for process in self.known)
        if self.alive and self.farm.up[node] and self.queue.left:
            for _ in range(self.farm.share - there):
                process = Process(f"node {node} process {next(self.farm.names)}", node, self)
                self.known[process] = None
                self.idle.append(process)
            self.fill()

    def fill(self) -> None:
        """Give tasks to idle processes; if none is ready, come back soon."""
        while self.alive and self.idle:
            if self.idle[0] not in self.known:
                self.idle.popleft()
                continue
            self.calls += 1
            task = self.queue.take(self.farm.now)
            if task is None:
                return self._wake_later()
            process = self.idle.popleft()
            self.known[process] = task
            self.farm.begin(process, task)

    def _wake_later(self) -> None:
        if self.queue.left and self.wakes == inf:
            self.wakes = self.farm.now + LOOK_SECONDS
            self.farm.after(LOOK_SECONDS, self.wake)

    def wake(self) -> None:
        """A task may be due."""
        self.wakes = inf
        self.fill()

    def rested(self, process: Process) -> None:
        """A process may work again."""
        self.idle.append(process)
        self.fill()

    def hear(self, process: Process, report: str, *arguments: float) -> None:
        """A report of a process, unless it has been declared lost: then nobody waits for it."""
        if not self.alive or process not in self.known:
            return
        self.calls += 1
        task, self.known[process] = self.known[process], None
        getattr(self.queue, report)(task, *arguments)
        self.done += report == "done"
        self.failures[process.name] = (self.failures[process.name] + 1) * (report == "failed")
        self.farm.after(rest_after(self.failures[process.name], RETRY_SECONDS), self.rested, process)

    def lose(self, process: Process) -> None:
        """Declare a process lost and have another started in its place."""
        if self.alive and process in self.known:
            self.calls += 1
            if (task := self.known.pop(process)) is not None:
                self.queue.lost(task, self.farm.now)
            self.farm.after(NOTICE_SECONDS, self.staff, process.node)
            self.fill()


class Farm:
    """Nodes, drivers and what happens to them."""

    def __init__(
        self, shards: int, workers: int, nodes: int, drivers: int, faults: Faults, rng: np.random.Generator
    ) -> None:
        self.nodes, self.share, self.faults = nodes, workers // nodes // drivers, faults
        self.now, self.disk, self.up = 0.0, Disk(shards), [True] * nodes
        self.names = itertools.count()
        self._draw, self._node = _uniform(rng), rng
        self._events: list[tuple[float, int, Callable[..., object], tuple]] = []
        self._order = itertools.count()
        self.deaths = {"processes": 0, "nodes": 0, "drivers": 0, "zombies": 0}
        self.drivers = [Driver(self, number) for number in range(drivers)]
        self.after(faults.between_nodes, self.lose_node)
        for seconds in faults.driver_deaths:
            self.after(seconds, self.lose_driver, 0)

    def missing(self) -> list[int]:
        """Shards that the disk does not hold."""
        return [shard for shard, commits in enumerate(self.disk.commits) if not commits]

    def after(self, seconds: float, action: Callable[..., object], *arguments: object) -> None:
        """Have `action` happen."""
        heapq.heappush(self._events, (self.now + seconds, next(self._order), action, arguments))

    def run(self) -> None:
        """Until nothing happens any more, the reports of the last zombie included, or for longer than can be."""
        while self._events and self.now < ENDLESS_SECONDS:
            self.now, _, action, arguments = heapq.heappop(self._events)
            action(*arguments)

    @property
    def finished(self) -> bool:
        """Whether every living driver is."""
        return all(driver.alive and not driver.queue.left for driver in self.drivers)

    def begin(self, process: Process, shard: int) -> None:
        """A process is given a shard: what becomes of it."""
        if not process.alive or process.silent_since is not None:
            return  # the driver does not know yet
        if process.node == self.faults.broken_node:
            return self.after(PROBE_SECONDS, self.fail, process, shard)
        if not self.disk.lock(shard, process, self.now):
            return self.after(PROBE_SECONDS, self.find_locked, process, shard)
        if self.disk.commits[shard]:
            return self.after(PROBE_SECONDS, self.report_done, process, shard)
        if shard in self.faults.wrong:
            return self.after(PROBE_SECONDS, self.refuse, process, shard)
        self._render(process, shard, SHARD_SECONDS * (0.5 + next(self._draw)))

    def _render(self, process: Process, shard: int, seconds: float) -> None:
        faults, fate, midway = self.faults, next(self._draw), seconds * next(self._draw)
        if shard in faults.killing or (fate := fate - faults.death) < 0:
            self.after(midway, self.die, process)
        elif shard in faults.failing or (fate := fate - faults.passing) < 0:
            self.after(midway, self.fail, process, shard)
        elif (fate := fate - faults.cut_off) < 0:
            self.after(midway, self.cut_off, process)
            self.after(seconds, self.finish, process, shard)
        elif (fate := fate - faults.frozen) < 0:
            self.after(midway, self.freeze, process)
            self.after(midway + NOTICE_SECONDS, self.cut_off, process)
            self.after(midway + 2 * SHARD_SECONDS, self.finish, process, shard)
        else:
            self.after(seconds, self.finish, process, shard)

    def finish(self, process: Process, shard: int) -> None:
        """The last sample is staged: assemble the shard."""
        process.silent_since = None if process.alive else process.silent_since
        if process.alive and self.disk.commit(shard):
            self.report_done(process, shard)
        else:
            self.fail(process, shard)

    def report_done(self, process: Process, shard: int) -> None:
        """The shard is there."""
        if process.alive:
            self.disk.unlock(shard, process)
            process.driver.hear(process, "done")

    def fail(self, process: Process, shard: int) -> None:
        """The shard cannot be finished this time."""
        if process.alive:
            self.disk.unlock(shard, process)
            process.driver.hear(process, "failed", self.now + RETRY_SECONDS)

    def refuse(self, process: Process, shard: int) -> None:
        """The shard can never be rendered."""
        if process.alive:
            self.disk.unlock(shard, process)
            process.driver.hear(process, "give_up")

    def find_locked(self, process: Process, shard: int) -> None:
        """Another process is at the shard."""
        if process.alive:
            process.driver.hear(process, "postpone", self.now + LOCKED_SECONDS)

    def freeze(self, process: Process) -> None:
        """Neither heartbeat nor report, until `finish`."""
        process.silent_since = self.now if process.alive else process.silent_since

    def cut_off(self, process: Process) -> None:
        """The driver takes a process for lost that is not."""
        self.deaths["zombies"] += process.alive
        process.driver.lose(process)

    def die(self, process: Process) -> None:
        """A process is gone; its driver hears of it later."""
        if process.alive:
            self.deaths["processes"] += 1
            process.alive, process.silent_since = False, self.now
            self.after(NOTICE_SECONDS, process.driver.lose, process)

    def lose_node(self) -> None:
        """A node dies with all its processes, and comes back after a while."""
        if self.finished:
            return
        node = int(self._node.integers(self.nodes))
        if self.up[node]:
            self.up[node] = False
            self.deaths["nodes"] += 1
            for process in [p for driver in self.drivers for p in driver.known if p.node == node]:
                self.die(process)
            self.after(NODE_SECONDS, self.return_node, node)
        self.after(self.faults.between_nodes, self.lose_node)

    def return_node(self, node: int) -> None:
        """A node is back."""
        self.up[node] = True
        for driver in self.drivers:
            driver.staff(node)

    def lose_driver(self, number: int) -> None:
        """A driver dies with its processes; another one starts from the disk."""
        self.deaths["drivers"] += 1
        driver = self.drivers[number]
        driver.alive = False
        for process in driver.known:
            self.die(process)
        self.after(NOTICE_SECONDS, self.start_driver, number, driver.calls)

    def start_driver(self, number: int, calls: int) -> None:
        """A driver in the place of a dead one; it goes on counting calls."""
        self.drivers[number] = Driver(self, number)
        self.drivers[number].calls += calls


def _uniform(rng: np.random.Generator) -> Iterator[float]:
    """Numbers in [0, 1), drawn many at a time."""
    while True:
        yield from rng.random(4096).tolist()
