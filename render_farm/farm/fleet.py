"""The farm's nodes and the workers on them, as they come, fail and vanish: nothing else changes their state."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, NamedTuple

from ..outcome import Cause, Result
from ..shard.request import Request
from .node import Report
from .remote import Remote
from .slots import free_slot, slot_cores, slot_count

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0  # between two looks at the list of nodes
RESTART_SECONDS = 2.0  # before what died is started again
DEATHS = 3  # of a node's processes in a row, after which it rests
REST_SECONDS = 600.0


@dataclass(eq=False)
class Worker:
    """A place for a worker on an accepted node, and the actor there, if it lives."""

    node: Node
    number: int
    slot: int  # on its machine, over all Ray nodes there
    actor: Any = None
    ready: bool = False  # the actor has started
    shard: int | None = None  # that it is at
    start: float = 0.0  # when it may be (re)started or given a shard
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
    inspected: bool = False  # or about to be
    accepted: bool = False
    refused: str = ""  # why
    deaths: int = 0  # of processes there, since one finished a shard
    start: float = 0.0  # when something may be started there
    workers: list[Worker] = field(default_factory=list)

    @property
    def waits(self) -> bool:
        """Whether somebody has to accept or refuse it now."""
        return self.report is not None and not self.accepted and not self.refused

    @property
    def resting(self) -> bool:
        """Whether nothing is started there for long, as processes kept dying."""
        return self.deaths >= DEATHS and self.start > time.monotonic()


class About(Enum):
    """What news are about: the first four are answers to calls."""

    REPORT = auto()
    PLAN = auto()
    SHARD = auto()
    EVENTS = auto()
    READY = auto()
    LOSS = auto()  # a worker is gone; the value is the shard that it was at


class News(NamedTuple):
    """Something that happened on a node or at a worker."""

    about: About
    where: Any  # Node or Worker
    result: Result


@dataclass
class Fleet:
    """Finds nodes, has them inspected (`inspection` is a function and its arguments), and keeps workers on them."""

    remote: Remote
    inspection: tuple[Callable[..., Result], ...]
    nodes: dict[str, Node] = field(default_factory=dict)
    _calls: dict[Any, tuple[About, Node | Worker]] = field(default_factory=dict)
    _losses: list[News] = field(default_factory=list)
    _looked: float = 0.0

    def look(self) -> None:
        """Notice nodes that came or went, and (re)start what is to run there; cheap to call often."""
        now = time.monotonic()
        if now - self._looked < LOOK_SECONDS:
            return
        self._looked, alive = now, self.remote.nodes()
        for gone in sorted(set(self.nodes) - set(alive)):
            self._forget(self.nodes.pop(gone))
        for new in sorted(set(alive) - set(self.nodes)):
            slots = slot_count(alive[new].resources, self.remote.cpus, self.remote.gpus)
            self.nodes[new] = Node(new, alive[new].address, slots)
        for node in self.nodes.values():
            if node.slots and node.start <= now:
                self._staff(node, now)

    def hear(self, seconds: float) -> list[News]:
        """What has happened since the last call, after a wait of up to `seconds` for it."""
        answers = self.remote.answers(self._calls, 0.0 if self._losses else seconds)
        news = []
        for call, result in answers.items():
            if call not in self._calls:  # its worker was lost by an answer before
                continue
            about, where = self._calls.pop(call)
            if result.cause is Cause.LOST:
                self._died(where, result.reason)
            elif about is About.READY:
                where.ready = True
            else:
                news.append(News(about, where, result))
        losses, self._losses = self._losses, []
        return [*news, *losses]

    def workers(self) -> Iterator[Worker]:
        """All workers that live or are being started."""
        return (worker for node in self.nodes.values() for worker in node.workers if worker.actor is not None)

    def idle(self) -> list[Worker]:
        """Those that may take a shard now."""
        now = time.monotonic()
        return [worker for worker in self.workers() if worker.ready and worker.shard is None and worker.start <= now]

    def report(self, node: Node, report: Report) -> None:
        """What the inspection of `node` found."""
        node.report = report

    def accept(self, node: Node) -> None:
        """Let `node` work, once `report` has told of it."""
        node.accepted, self._looked = True, 0.0

    def refuse(self, node: Node, reason: str) -> None:
        """Leave `node` out for good, and say so."""
        log.warning("node %s is not used: %s", node.address, reason)
        node.refused = reason

    def plan(self, node: Node, function: Callable[..., Result], *arguments: Any) -> None:
        """Have a plan made on `node`."""
        self._calls[self.remote.run(node.id, function, *arguments)] = About.PLAN, node

    def begin(self, worker: Worker, request: Request, plan: Any) -> None:
        """Have `worker` render a shard; `plan` is the files of the plan, shared."""
        worker.shard = request.shard
        self._calls[self.remote.call(worker.actor, "render", request, plan)] = About.SHARD, worker

    def ask_events(self, worker: Worker, *arguments: Any) -> None:
        """Ask for the event log of a shard on the disk of `worker`."""
        self._calls[self.remote.call(worker.actor, "events", *arguments)] = About.EVENTS, worker

    def free(self, worker: Worker, done: bool = False, full: bool = False, rest: float = 0.0) -> None:
        """`worker` may take another shard after `rest` seconds."""
        worker.shard, worker.full, worker.start = None, full, time.monotonic() + rest
        if done:
            worker.node.deaths = 0

    def cores(self, worker: Worker) -> tuple[int, ...]:
        """The cores that are the worker's."""
        return slot_cores(worker.slot, self.remote.cpus, worker.node.report.cores)

    def stop(self, seconds: float) -> None:
        """End all workers: those at a shard are told to and given `seconds` to keep what is finished."""
        busy = [worker for worker in self.workers() if worker.shard is not None]
        stops = [self.remote.call(worker.actor, "stop") for worker in busy]
        self.remote.wait([*stops, *(call for call, (_, where) in self._calls.items() if where in busy)], seconds)
        for worker in self.workers():
            self.remote.kill(worker.actor)

    def _staff(self, node: Node, now: float) -> None:
        if not node.inspected:
            node.inspected = True
            self._calls[self.remote.run(node.id, *self.inspection)] = About.REPORT, node
        if not node.accepted:
            return
        while len(node.workers) < node.slots:
            node.workers.append(Worker(node, len(node.workers), self._free_slot(node)))
        for worker in node.workers:
            if worker.actor is None and worker.start <= now:
                worker.actor = self.remote.hire(node.id)
                self._calls[self.remote.call(worker.actor, "__ray_ready__")] = About.READY, worker

    def _free_slot(self, node: Node) -> int:
        there = [other for other in self.nodes.values() if other.report and other.report.boot == node.report.boot]
        return free_slot({worker.slot for other in there for worker in other.workers})

    def _died(self, where: Node | Worker, how: str) -> None:
        """A process died: it is started again after a moment, unless they keep dying there."""
        now = time.monotonic()
        if isinstance(where, Worker):
            self._lose(where, how)
            where.start, node = now + RESTART_SECONDS, where.node
        else:
            where.inspected, where.start, node = where.report is not None, now + RESTART_SECONDS, where
            self._losses.append(News(About.LOSS, node, Result(None, Cause.LOST, how)))
        node.deaths += 1
        if node.deaths >= DEATHS and node.start <= now + RESTART_SECONDS:
            log.warning(
                "node %s: %d workers in a row died, none is started for %d min",
                node.address, node.deaths, REST_SECONDS // 60,
            )  # fmt: skip
            node.start = now + REST_SECONDS

    def _lose(self, worker: Worker, how: str) -> None:
        self._calls = {call: about for call, about in self._calls.items() if about[1] is not worker}
        self.remote.kill(worker.actor)
        self._losses.append(News(About.LOSS, worker, Result(worker.shard, Cause.LOST, how)))
        worker.actor, worker.ready, worker.full, worker.shard = None, False, False, None

    def _forget(self, node: Node) -> None:
        log.warning("node %s is gone", node.address)
        self._calls = {call: about for call, about in self._calls.items() if about[1] is not node}
        for worker in node.workers:
            if worker.actor is not None:
                self._lose(worker, "its node is gone")
