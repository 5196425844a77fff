"""The farm's workers: actors on every node that fits, as nodes come, fail and vanish. Decides nothing about shards."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import ray
from ray.actor import ActorHandle
from ray.exceptions import RayActorError, RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from .actor import Supervisor
from .child import Result
from .node import Report
from .seats import free_seat, seat_cores, seat_count

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0  # between two looks at the list of nodes
RESTART_SECONDS = 2.0  # before a dead worker is replaced
DEATHS = 3  # of a node's workers in a row, after which it is put aside
ASIDE_SECONDS = 600.0


@dataclass(eq=False)
class Worker:
    """A seat on a node and the actor on it, if it lives."""

    node: Node
    number: int
    actor: ActorHandle | None = None
    ready: bool = False  # the actor has started
    seat: int | None = None  # number on its machine, over all Ray nodes there
    shard: int | None = None  # that it renders
    start: float = 0.0  # when it may be (re)started or given a shard
    full: bool = False  # its last call found the disk full

    @property
    def name(self) -> str:
        """Such as 10.0.0.7/0."""
        return f"{self.node.address}/{self.number}"


@dataclass(eq=False)
class Node:
    """A Ray node. Its first worker asks it for a report; the others are hired when it is accepted."""

    id: str
    address: str
    seats: int
    report: Report | None = None
    accepted: bool = False
    refused: str = ""  # why
    deaths: int = 0  # of its workers, since one finished a shard
    aside: float = 0.0  # until when nothing is started
    workers: list[Worker] = field(default_factory=list)


@dataclass
class Fleet:
    """Keeps workers on nodes. `scout` is called for the first one on a node, `lost` when one is gone."""

    cpus: float
    gpus: float
    scout: Callable[[Worker], None]
    lost: Callable[[Worker, str], None]
    nodes: dict[str, Node] = field(default_factory=dict)
    _calls: dict[ray.ObjectRef, tuple[Worker, Callable[[Worker, Any], None]]] = field(default_factory=dict)
    _looked: float = 0.0

    def look(self) -> None:
        """Notice nodes that came or went, and (re)start workers; cheap to call often."""
        now = time.monotonic()
        if now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        alive = {node["NodeID"]: node for node in ray.nodes() if node["Alive"]}
        for gone in sorted(set(self.nodes) - set(alive)):
            self._forget(self.nodes.pop(gone))
        for new in sorted(set(alive) - set(self.nodes)):
            seats = seat_count(alive[new]["Resources"], self.cpus, self.gpus)
            self.nodes[new] = Node(new, alive[new]["NodeManagerAddress"], seats)
        for node in self.nodes.values():
            self._staff(node, now)

    def workers(self) -> Iterator[Worker]:
        """All workers that live or are being started, on accepted nodes."""
        nodes = (node for node in self.nodes.values() if node.accepted)
        return (worker for node in nodes for worker in node.workers if worker.actor is not None)

    def idle(self) -> Iterator[Worker]:
        """Those that could take a shard."""
        return (worker for worker in self.workers() if worker.ready and worker.shard is None)

    def accept(self, node: Node) -> None:
        """Let `node` work."""
        node.accepted, self._looked = True, 0.0
        for worker in node.workers:
            self._seat(worker)
            worker.ready = worker.actor is not None

    def refuse(self, node: Node, reason: str) -> None:
        """Send the workers of `node` away for good, and say so."""
        log.warning("node %s is not used: %s", node.address, reason)
        node.accepted, node.refused = False, reason
        for worker in node.workers:
            self._dismiss(worker)
        node.workers.clear()

    def call(self, worker: Worker, then: Callable[[Worker, Any], None], method: str, *arguments: Any) -> None:
        """Call a method of the worker's actor; `then(worker, value)` runs in `hear`, unless the actor is lost."""
        self._calls[getattr(worker.actor, method).remote(*arguments)] = worker, then

    def hear(self, seconds: float) -> None:
        """Wait up to `seconds` for answers and pass them on."""
        if not self._calls:
            time.sleep(seconds)
            return
        ray.wait(list(self._calls), timeout=seconds)
        for ref in ray.wait(list(self._calls), num_returns=len(self._calls), timeout=0)[0]:
            if ref in self._calls:  # else its worker was lost meanwhile
                worker, then = self._calls.pop(ref)
                self._pass_on(worker, then, ref)

    def cores(self, worker: Worker) -> tuple[int, ...]:
        """The cores that are the worker's."""
        return seat_cores(worker.seat, self.cpus, worker.node.report.cores)

    def bury(self, worker: Worker, how: str) -> None:
        """A worker's actor is gone: it is replaced after a moment, unless they keep dying there."""
        if worker.actor is None:
            return
        self._dismiss(worker)
        now, node = time.monotonic(), worker.node
        worker.start = now + RESTART_SECONDS
        node.deaths += 1
        self.lost(worker, how)
        if node.deaths >= DEATHS and node.aside < now:
            log.warning("node %s: %d workers in a row died, none is started for %d min", node.address, node.deaths,
                        ASIDE_SECONDS // 60)  # fmt: skip
            node.aside = now + ASIDE_SECONDS

    def stop(self, seconds: float) -> None:
        """End all workers: those that render are told to and given `seconds` to keep what is finished."""
        live = [worker.actor for node in self.nodes.values() for worker in node.workers if worker.actor is not None]
        busy = [worker for worker in self.workers() if worker.shard is not None]
        stops = [worker.actor.stop.remote() for worker in busy]
        waited = stops + [ref for ref, (worker, _) in self._calls.items() if worker in busy]
        if waited:
            ray.wait(waited, num_returns=len(waited), timeout=seconds)
        for actor in live:
            ray.kill(actor)

    def _staff(self, node: Node, now: float) -> None:
        if node.refused or node.aside > now:
            return
        wanted = node.seats if node.accepted else min(1, node.seats)
        while len(node.workers) < wanted:
            node.workers.append(Worker(node, len(node.workers)))
        for worker in node.workers[:wanted]:
            if worker.actor is None and worker.start <= now:
                self._hire(worker)

    def _hire(self, worker: Worker) -> None:
        kind = ray.remote(
            num_cpus=self.cpus, num_gpus=self.gpus, max_restarts=0, max_task_retries=0,
            scheduling_strategy=NodeAffinitySchedulingStrategy(worker.node.id, soft=False),
            concurrency_groups={"side": 2},
        )  # fmt: skip
        worker.actor = kind(Supervisor).remote()
        if not worker.node.accepted:
            if worker.node.report is None:
                self.scout(worker)
            return
        self._seat(worker)
        self.call(worker, lambda worker, _: setattr(worker, "ready", True), "__ray_ready__")

    def _seat(self, worker: Worker) -> None:
        if worker.seat is None:
            boot = worker.node.report.boot
            others = (other for node in self.nodes.values() if node.report and node.report.boot == boot
                      for other in node.workers)  # fmt: skip
            worker.seat = free_seat({other.seat for other in others if other.seat is not None})

    def _dismiss(self, worker: Worker) -> None:
        self._calls = {ref: call for ref, call in self._calls.items() if call[0] is not worker}
        if worker.actor is not None:
            ray.kill(worker.actor)
        worker.actor, worker.ready, worker.full = None, False, False

    def _forget(self, node: Node) -> None:
        log.warning("node %s is gone", node.address)
        for worker in node.workers:
            if worker.actor is not None:
                self._dismiss(worker)
                self.lost(worker, "its node is gone")

    def _pass_on(self, worker: Worker, then: Callable[[Worker, Any], None], ref: ray.ObjectRef) -> None:
        try:
            value = ray.get(ref)
        except RayActorError as error:
            return self.bury(worker, _death(error))
        except RayError as error:
            value = Result("failed", reason=str(error).strip().rpartition("\n")[2])
        then(worker, value)
        return None


def _death(error: RayActorError) -> str:
    """Ray's long explanation, cut to the cause."""
    cause = " ".join(str(error).split()).partition("The actor is dead because ")[2]
    return cause.partition(". ")[0] or "the actor died"
