"""Renders many shards with Ray: a pull queue of shards, whose workers may fail, vanish and come."""

from __future__ import annotations

import contextlib
import logging
import secrets
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dataset_tools.shard_file import ShardError
from dataset_tools.writer import read_manifest
from rigging.files import write_atomic

from .child import Result, attempt
from .configuration import Configuration
from .delivery import add_events
from .errors import InputError, PassingError
from .fetch import fetch
from .files import is_disk_full
from .fleet import Fleet, Node, Worker
from .node import Environment
from .plan import load_plan, refuse_to_mix
from .pool import PoolSettings
from .progress import Progress
from .queue import PullQueue
from .release import Release
from .shard import Request
from .tally import Tally

log = logging.getLogger(__name__)

POLL_SECONDS = 0.5
LOOK_SECONDS = 2.0  # between two looks at the event logs
RETRY_SECONDS = 5.0  # before a shard that failed is tried again
PASSING_SECONDS = 60.0  # before a worker whose disk is full tries again
LOCKED_SECONDS = (5.0, 60.0)  # the first and the longest wait for a shard that others render
PATIENCE_SECONDS = 600.0  # for the last locked shards, and without a node
SCOUT_SECONDS = 120.0  # for the reports of the nodes that were there at the start
STOP_SECONDS = 15.0  # for workers to end by themselves


@dataclass(frozen=True)
class FarmRequest:
    """What to render, and with what. A worker has `cpus` cores and `gpus` GPUs."""

    release: Release
    shards: tuple[int, ...]
    out: Path
    samples: int | None = None
    cpus: float = 1.0
    gpus: float = 0.0
    scratch: Path | None = None
    collect: Path | None = None  # a folder of the nodes' own to render in; shards are sent to `out`
    retry: bool = False

    @property
    def folder(self) -> Path:
        """Where the release lies here."""
        return self.out / self.release.name

    @property
    def node_out(self) -> Path:
        """OUT as the nodes have it."""
        return self.collect or self.out

    @property
    def node_folder(self) -> Path:
        """Where the release lies on the nodes."""
        return self.node_out / self.release.name


def run_farm(request: FarmRequest) -> Tally:
    """Render the shards with the Ray that this process is connected to, and say what became of them.

    Raises InputError if no node can be used or the release cannot be planned, PassingError if the disk is full or all
    nodes are gone. Whatever ends it, the workers end too and finished samples are kept.
    """
    try:
        (request.folder / ".locks").mkdir(parents=True, exist_ok=True)
        with _mark(request.folder) as mark, contextlib.closing(Driver(request, mark)) as driver:
            return driver.run()
    except OSError as error:
        if is_disk_full(error):
            raise PassingError(f"{request.folder}: the disk is full; staged samples are kept, run again") from error
        raise InputError(f"{request.folder}: cannot be written to: {error.strerror or error}") from error


@contextlib.contextmanager
def _mark(folder: Path) -> Iterator[str]:
    """A file by which nodes see whether their OUT is this one."""
    mark = f".locks/farm-{secrets.token_hex(8)}"
    (folder / mark).touch()
    try:
        yield mark
    finally:
        (folder / mark).unlink(missing_ok=True)


@dataclass
class Driver:
    """The loop. Nothing in it waits longer than a moment."""

    request: FarmRequest
    mark: str
    fleet: Fleet = field(init=False)
    queue: PullQueue | None = None  # once there is a plan
    tally: Tally | None = None
    _expected: tuple[str, str] | None = None  # device and inputs of the plan
    _plan: dict[str, bytes] = field(default_factory=dict)  # its files
    _planner: Node | None = None
    _locked: dict[int, float] = field(default_factory=dict)  # since when, for shards that others render
    _waits: Counter[int] = field(default_factory=Counter)
    _looked: float = 0.0
    _worked: float = 0.0  # when there was last a worker

    def __post_init__(self) -> None:
        self.fleet = Fleet(self.request.cpus, self.request.gpus, self._scout, self._lose)
        self._environment = Environment.here()
        self._fetches: dict[Future, Worker] = {}
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="fetch")
        self._started = self._worked = time.monotonic()

    def run(self) -> Tally:
        """Render until nothing is left to do."""
        while self.queue is None or not self.queue.finished:
            self.fleet.look()
            self._judge_nodes()
            if self.queue is not None:
                self._hand_out()
                self._follow()
            self._require_nodes()
            self.fleet.hear(POLL_SECONDS)
            self._hear_fetches()
        return self.tally

    def close(self) -> None:
        """End the workers and what they do."""
        self.fleet.stop(STOP_SECONDS)
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self.tally is not None:
            self.tally.progress.__exit__(None, None, None)

    # Nodes

    def _scout(self, worker: Worker) -> None:
        request = self.request
        self.fleet.call(worker, self._reported, "report", request.release, request.node_out, self.mark, request.scratch)

    def _reported(self, worker: Worker, result: Result) -> None:
        if result.kind != "done":
            return self.fleet.refuse(worker.node, result.reason)
        worker.node.report = report = result.value
        difference = report.environment.difference(self._environment)
        if difference:
            self.fleet.refuse(worker.node, difference)
        elif self.request.collect is None and not report.shares_out:
            hint = "share one folder, or render with --collect DIR (COLLECT=DIR)"
            self.fleet.refuse(worker.node, f"its {self.request.out} is not the driver's: {hint}")
        return None

    def _judge_nodes(self) -> None:
        """Accept or refuse the nodes that have reported; before there is a plan, have one made."""
        waiting = [node for node in self.fleet.nodes.values() if node.report and not node.accepted and not node.refused]
        if self._expected is not None:
            for node in waiting:
                self._judge(node)
        elif waiting and self._planner not in waiting and self._all_reported():
            self._planner = self._choose_planner(waiting)
            self._have_planned(self._planner.workers[0])

    def _all_reported(self) -> bool:
        silent = (node for node in self.fleet.nodes.values() if node.seats and not node.report and not node.refused)
        return not any(silent) or time.monotonic() - self._started > SCOUT_SECONDS

    def _choose_planner(self, nodes: list[Node]) -> Node:
        """A node of the kind that the plan was made for, or else that most seats are of."""
        with contextlib.suppress(InputError):
            plan = load_plan(self.request.folder / "plan.npz")
            kinds = [node for node in nodes if (node.report.device, node.report.inputs) == (plan.device, plan.inputs)]
            if kinds:
                return kinds[0]
        seats: Counter[tuple[str, str]] = Counter()
        for node in nodes:
            seats[node.report.device, node.report.inputs] += node.seats
        best = max(sorted(seats), key=seats.__getitem__)
        return next(node for node in nodes if (node.report.device, node.report.inputs) == best)

    def _have_planned(self, worker: Worker) -> None:
        self._put_plan(worker, _plan_files(self.request.folder))
        self.fleet.call(worker, self._planned, "plan", self.request.release, self.request.node_folder)

    def _put_plan(self, worker: Worker, files: dict[str, bytes]) -> None:
        if self.request.collect is not None and files:
            self.fleet.call(worker, lambda worker, _: None, "put_plan", self.request.node_folder, files)

    def _planned(self, worker: Worker, result: Result) -> None:
        if result.kind in ("passing", "locked", "stopped"):
            raise PassingError(result.reason)
        if result.kind != "done":
            raise InputError(result.reason)
        if self.request.collect is not None:
            self._adopt_plan(result.value)
        self._plan = result.value
        plan = load_plan(self.request.folder / "plan.npz")
        self._expected = plan.device, plan.inputs
        self._make_queue(Configuration.of(plan, self.request.samples))
        self._judge_nodes()

    def _adopt_plan(self, files: dict[str, bytes]) -> None:
        path = self.request.folder / "plan.npz"
        if path.exists() and path.read_bytes() != files["plan.npz"]:
            refuse_to_mix(load_plan(path), self.request.release, self.request.folder)
        for name, data in files.items():
            write_atomic(self.request.folder / name, data)

    def _judge(self, node: Node) -> None:
        device, inputs = self._expected
        if node.report.device != device:
            return self.fleet.refuse(node, f"it is {node.report.device!r}, this release is rendered on {device!r}")
        if node.report.inputs != inputs:
            return self.fleet.refuse(node, "its pose files, panoramas or photographs are not those of the plan")
        log.info("node %s (%s): %d workers on %s", node.address, node.report.host, node.seats, node.report.renders_on)
        self._put_plan(node.workers[0], self._plan)
        return self.fleet.accept(node)

    def _require_nodes(self) -> None:
        """Raise InputError if no node can be used, PassingError if there has been none for long."""
        nodes, now = self.fleet.nodes.values(), time.monotonic()
        if any(node.seats and not node.refused and node.aside < now for node in nodes):
            self._worked = now
        elif self.queue is None and nodes:
            needs = f"{self.request.cpus:g} CPUs" + (f" and {self.request.gpus:g} GPUs" if self.request.gpus else "")
            reasons = sorted({node.refused for node in nodes if node.refused})
            reasons += [f"workers died on {node.address}" for node in nodes if node.aside > now]
            why = "; ".join(reasons) or f"none of {len(nodes)} has {needs} for a worker"
            raise InputError(f"no node can be used: {why}")
        elif now - self._worked > PATIENCE_SECONDS:
            minutes = PATIENCE_SECONDS / 60
            raise PassingError(f"no usable node for {minutes:.0f} min; finished samples are kept, run again")

    # Shards

    def _make_queue(self, configuration: Configuration) -> None:
        request = self.request
        samples = {shard: len(request.release.shard_samples(shard)[: request.samples]) for shard in request.shards}
        before = frozenset(shard for shard in samples if _is_there(request, shard, configuration.hash))
        views = request.release.cameras.views
        total, there = views * sum(samples.values()), views * sum(samples[shard] for shard in before)
        log.info("%s: %d shards, %d of them are there", request.release.name, len(samples), len(before))
        self.tally = Tally(request.folder, views, samples, before, Progress(request.release.name, total, there))
        self.queue = PullQueue(shard for shard in samples if shard not in before)

    def _hand_out(self) -> None:
        now = time.monotonic()
        for worker in list(self.fleet.idle()):
            if (shard := self.queue.take(worker.name, now)) is not None:
                worker.shard = shard
                self.tally.begin(shard)
                self.fleet.call(worker, self._rendered, "render", self._shard_request(worker))

    def _shard_request(self, worker: Worker) -> Request:
        request = self.request
        pool = PoolSettings(workers=1 if request.gpus else 0, cores=self.fleet.cores(worker))
        return Request(
            request.release, worker.shard, request.node_out, request.samples,
            pool=pool, scratch=request.scratch, retry=request.retry,
        )  # fmt: skip

    def _rendered(self, worker: Worker, result: Result) -> None:
        if self.request.collect is not None and result.kind in ("done", "incomplete"):
            future = self._threads.submit(
                attempt, fetch, worker.actor, self.request.node_folder, worker.shard, self.request.folder, result
            )
            self._fetches[future] = worker
        else:
            self._settle(worker, result)

    def _hear_fetches(self) -> None:
        for future in [future for future in self._fetches if future.done()]:
            worker = self._fetches.pop(future)
            if worker.shard is not None:  # else it was lost meanwhile
                result: Result = future.result()
                self._settle(worker, result.value if result.kind == "done" else result)

    def _settle(self, worker: Worker, result: Result) -> None:
        """A worker's call has ended."""
        shard, worker.shard, now = worker.shard, None, time.monotonic()
        worker.full = result.kind == "passing"
        if result.kind == "done":
            worker.node.deaths = 0
            self.queue.done(worker.name, shard)
            self._locked.pop(shard, None)
            return self.tally.end(shard)
        self.tally.leave(shard)
        log.warning("shard %d on %s: %s: %s", shard, worker.name, result.kind, result.reason)
        if result.kind in ("input", "incomplete"):
            self._give_up(worker, shard, result)
        elif result.kind == "locked":
            self._wait_for_lock(worker, shard, result, now)
        elif result.kind in ("passing", "stopped"):
            self.queue.postpone(worker.name, shard, now, RETRY_SECONDS)
            self._require_space(result.reason)
        elif self.queue.failed(worker.name, shard, result.reason, now, RETRY_SECONDS):
            self.tally.end(shard, "failed", result.reason)
        return None

    def _give_up(self, worker: Worker, shard: int, result: Result) -> None:
        self.queue.give_up(worker.name, shard, result.reason)
        self.tally.end(shard, result.kind, result.reason)

    def _wait_for_lock(self, worker: Worker, shard: int, result: Result, now: float) -> None:
        """Others render the shard: look again later, but not for ever once nothing else is left."""
        since = self._locked.setdefault(shard, now)
        if now - since > PATIENCE_SECONDS and self.queue.left == len(self._locked):
            del self._locked[shard]
            return self._give_up(worker, shard, result)
        self._waits[shard] += 1
        first, longest = LOCKED_SECONDS
        self.queue.postpone(worker.name, shard, now, min(longest, first * 2 ** (self._waits[shard] - 1)))
        return None

    def _require_space(self, reason: str) -> None:
        """Raise PassingError once all workers found the disk full."""
        if all(worker.full for worker in self.fleet.workers()):
            raise PassingError(reason)

    def _lose(self, worker: Worker, how: str) -> None:
        """A worker is gone; the shard it had goes to another."""
        shard, worker.shard = worker.shard, None
        log.warning("worker %s is lost%s: %s", worker.name, "" if shard is None else f" with shard {shard}", how)
        if self._planner is worker.node:
            self._planner = None
        if self.queue is not None:
            for task in self.queue.lost(worker.name, time.monotonic()):
                self.tally.leave(task)
                if task in self.queue.given_up:
                    self.tally.end(task, "failed", f"{len(self.queue.given_up[task])} workers were lost with it: {how}")

    def _follow(self) -> None:
        """Count images; without a shared OUT, bring the event logs here first."""
        now = time.monotonic()
        if now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        if self.request.collect is not None:
            for worker in list(self.fleet.workers()):
                if worker.shard is not None:
                    self.fleet.call(worker, self._bring_events, "events", self.request.node_folder, worker.shard)
        self.tally.look()

    def _bring_events(self, worker: Worker, events: tuple[int, bytes]) -> None:
        add_events(self.request.folder, *events)


def _plan_files(folder: Path) -> dict[str, bytes]:
    from .actor import PLAN_FILES

    return {name: (folder / name).read_bytes() for name in PLAN_FILES if (folder / name).exists()}


def _is_there(request: FarmRequest, shard: int, configuration: str) -> bool:
    """Whether the shard is done, by its manifest and size; in any doubt a worker will look closer."""
    path = request.folder / f"shard-{shard:05d}.h5"
    try:
        manifest: dict[str, Any] = read_manifest(path)
        return manifest["configuration_hash"] == configuration and manifest["bytes"] == path.stat().st_size
    except (OSError, ShardError, KeyError):
        return False
