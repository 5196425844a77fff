"""The farm's nodes and the workers on them, as they come, fail and vanish: nothing else changes their state."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..outcome import Cause, Result
from .node import Report
from .remote import Remote

log = logging.getLogger(__name__)

TINY = 1e-9  # Ray counts resources in steps of 0.0001
LOOK_SECONDS = 2.0  # between two looks at the list of nodes
Then = Callable[[Result], object]  # hears how a call ended


@dataclass(eq=False)
class Worker:
    """A place on an accepted node where one shard at a time is rendered."""

    node: Node
    number: int
    slot: int  # on its machine, over all Ray nodes there
    shard: int | None = None  # that it is at
    start: float = 0.0  # when it may be given a shard
    full: bool = False  # it found the disk full
    failures: int = 0  # since it last did a shard

    @property
    def name(self) -> str:
        """Such as 10.0.0.7/0."""
        return f"{self.node.address}/{self.number}"


@dataclass(eq=False)
class Node:
    """A node of the cluster: it is inspected, and then accepted, which gives it workers, or refused for good."""

    id: str
    address: str
    slots: int  # workers that it has room for
    report: Report | None = None
    refused: str = ""  # why
    workers: list[Worker] = field(default_factory=list)  # once it is accepted

    @property
    def waits(self) -> bool:
        """Whether somebody has to accept or refuse it now."""
        return self.report is not None and not self.workers and not self.refused


@dataclass
class Fleet:
    """Finds nodes, calls functions there, whose `then` hears how each call ends, and keeps who is at what."""

    remote: Remote
    nodes: dict[str, Node] = field(default_factory=dict)
    _calls: dict[Any, tuple[Node | Worker, Then]] = field(default_factory=dict)
    _looked: float = 0.0

    def look(self) -> list[Node]:
        """Notice nodes that came or went; the new ones with room for a worker. Cheap to call often."""
        now = time.monotonic()
        if now - self._looked < LOOK_SECONDS:
            return []
        self._looked, alive = now, self.remote.nodes()
        for gone in sorted(set(self.nodes) - set(alive)):
            self._forget(self.nodes.pop(gone))
        new = []
        for name in sorted(set(alive) - set(self.nodes)):
            slots = slot_count(alive[name].resources, self.remote.cpus, self.remote.gpus)
            self.nodes[name] = Node(name, alive[name].address, slots)
            new += [self.nodes[name]] if slots else []
        return new

    def hear(self, seconds: float) -> None:
        """Tell how calls have ended, after a wait of up to `seconds` for one."""
        for call, result in self.remote.answers(self._calls, seconds).items():
            self._calls.pop(call)[1](result)

    def workers(self) -> Iterator[Worker]:
        """Those of all accepted nodes."""
        return (worker for node in self.nodes.values() for worker in node.workers)

    def idle(self) -> list[Worker]:
        """Those that may take a shard now."""
        now = time.monotonic()
        return [worker for worker in self.workers() if worker.shard is None and worker.start <= now]

    def report(self, node: Node, report: Report) -> None:
        """What the inspection of `node` found."""
        node.report = report

    def accept(self, node: Node) -> None:
        """Let `node` work, once there is a report of it."""
        beside = [other for other in self.nodes.values() if other.report and other.report.boot == node.report.boot]
        taken = {worker.slot for other in beside for worker in other.workers}
        for number in range(node.slots):
            slot = free_slot(taken)
            taken.add(slot)
            node.workers.append(Worker(node, number, slot))

    def refuse(self, node: Node, reason: str) -> None:
        """Leave `node` out for good, and say so."""
        log.warning("node %s is not used: %s", node.address, reason)
        node.refused = reason

    def call(self, node: Node, then: Then, function: Callable[..., Any], *arguments: Any) -> None:
        """Call a function on `node` in a process of its own, in the place of a worker."""
        self._calls[self.remote.work(node.id, function, *arguments, once=True)] = node, then

    def ask(self, node: Node, then: Then, function: Callable[..., Any], *arguments: Any) -> None:
        """Call a function on `node` that takes a moment."""
        self._calls[self.remote.ask(node.id, function, *arguments)] = node, then

    def begin(self, worker: Worker, shard: int, then: Then, function: Callable[..., Result], *arguments: Any) -> None:
        """Have `worker` render a shard."""
        worker.shard = shard
        self._calls[self.remote.work(worker.node.id, function, *arguments)] = worker, then

    def free(self, worker: Worker, failures: int = 0, rest: float = 0.0, full: bool = False) -> None:
        """`worker`, which has failed so often in a row, may take another shard after `rest` seconds."""
        worker.shard, worker.failures, worker.full = None, failures, full
        worker.start = time.monotonic() + rest

    def cores(self, worker: Worker) -> tuple[int, ...]:
        """The cores that are the worker's."""
        return slot_cores(worker.slot, self.remote.cpus, worker.node.report.cores)

    def stop(self, seconds: float) -> None:
        """End what is being done: shards are given `seconds` to keep what is finished."""
        self.remote.stop([call for call, (where, _) in self._calls.items() if isinstance(where, Worker)], seconds)

    def _forget(self, node: Node) -> None:
        log.warning("node %s is gone", node.address)
        for call, (where, then) in list(self._calls.items()):
            if where is node or where in node.workers:
                del self._calls[call]
                then(Result(None, Cause.LOST, "its node is gone"))


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
