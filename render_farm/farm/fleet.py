"""The farm's nodes and the workers on them, as they come, fail and vanish: nothing else changes their state."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, NamedTuple

from ..outcome import Cause, Result
from .node import Report
from .remote import Remote
from .slots import free_slot, slot_cores, slot_count

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0  # between two looks at the list of nodes


@dataclass(eq=False)
class Worker:
    """A place on an accepted node where one shard at a time is rendered."""

    node: Node
    number: int
    slot: int  # on its machine, over all Ray nodes there
    shard: int | None = None  # that it is at
    start: float = 0.0  # when it may be given a shard
    full: bool = False  # it found the disk full

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


class About(Enum):
    """What a call was about."""

    REPORT = auto()
    PLAN = auto()
    SHARD = auto()
    EVENTS = auto()


class News(NamedTuple):
    """How a call on a node or at a worker has ended."""

    about: About
    where: Any  # Worker for SHARD, else Node
    result: Result


@dataclass
class Fleet:
    """Finds nodes, has them inspected (`inspection` is a function and its arguments), and gives them work."""

    remote: Remote
    inspection: tuple[Callable[..., Result], ...]
    nodes: dict[str, Node] = field(default_factory=dict)
    _calls: dict[Any, tuple[About, Node | Worker]] = field(default_factory=dict)
    _gone: list[News] = field(default_factory=list)  # of workers whose nodes are gone
    _looked: float = 0.0

    def look(self) -> None:
        """Notice nodes that came or went, and have new ones inspected; cheap to call often."""
        now = time.monotonic()
        if now - self._looked < LOOK_SECONDS:
            return
        self._looked, alive = now, self.remote.nodes()
        for gone in sorted(set(self.nodes) - set(alive)):
            self._forget(self.nodes.pop(gone))
        for new in sorted(set(alive) - set(self.nodes)):
            slots = slot_count(alive[new].resources, self.remote.cpus, self.remote.gpus)
            self.nodes[new] = node = Node(new, alive[new].address, slots)
            if slots:
                self._calls[self.remote.work(new, *self.inspection, once=True)] = About.REPORT, node

    def hear(self, seconds: float) -> list[News]:
        """What has happened since the last call, after a wait of up to `seconds` for it."""
        news, self._gone = self._gone, []
        for call, result in self.remote.answers(self._calls, 0.0 if news else seconds).items():
            news.append(News(*self._calls.pop(call), result))
        return news

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

    def plan(self, node: Node, function: Callable[..., Result], *arguments: Any) -> None:
        """Have a plan made on `node`."""
        self._calls[self.remote.work(node.id, function, *arguments, once=True)] = About.PLAN, node

    def begin(self, worker: Worker, shard: int, function: Callable[..., Result], *arguments: Any) -> None:
        """Have `worker` render a shard."""
        worker.shard = shard
        self._calls[self.remote.work(worker.node.id, function, *arguments)] = About.SHARD, worker

    def ask_events(self, node: Node, function: Callable[..., Any], *arguments: Any) -> None:
        """Ask `node` for event logs."""
        self._calls[self.remote.ask(node.id, function, *arguments)] = About.EVENTS, node

    def free(self, worker: Worker, full: bool = False, rest: float = 0.0) -> None:
        """`worker` may take another shard after `rest` seconds."""
        worker.shard, worker.full, worker.start = None, full, time.monotonic() + rest

    def cores(self, worker: Worker) -> tuple[int, ...]:
        """The cores that are the worker's."""
        return slot_cores(worker.slot, self.remote.cpus, worker.node.report.cores)

    def stop(self, seconds: float) -> None:
        """End what is being done: shards are given `seconds` to keep what is finished."""
        self.remote.stop([call for call, (about, _) in self._calls.items() if about is About.SHARD], seconds)

    def _forget(self, node: Node) -> None:
        log.warning("node %s is gone", node.address)
        gone = Result(None, Cause.LOST, "its node is gone")
        self._gone += [News(About.SHARD, worker, gone) for worker in node.workers if worker.shard is not None]
        for call, (about, where) in list(self._calls.items()):
            if where is node or where in node.workers:
                del self._calls[call]
                self._gone += [News(about, where, gone)] if about is About.PLAN else []
