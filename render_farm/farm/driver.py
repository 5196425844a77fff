"""Renders many shards with Ray: a pull queue of shards, whose workers may fail, vanish and come."""

from __future__ import annotations

import contextlib
import logging
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from dataset_tools.progress import Progress
from dataset_tools.store.layout import ReleaseFolder
from dataset_tools.store.shard_state import State, file_state

from ..errors import PassingError, full_disk_is_told, writing
from ..outcome import Cause, FarmDoes, Result, attempt
from ..planning.configuration import Configuration
from ..planning.plan import Plan
from .admission import PATIENCE_SECONDS, Admission
from .calls import render
from .farm_request import FarmRequest
from .fleet import About, Fleet, News, Worker
from .node import inspect
from .queue import PullQueue
from .remote import Remote
from .tally import Tally
from .transfer import add_events, fetch, logs

log = logging.getLogger(__name__)

POLL_SECONDS = 0.5
LOOK_SECONDS = 2.0  # between two looks at the event logs
ASK_SECONDS = 30.0  # between two questions for those on the nodes' own disks, which cost a process each
RETRY_SECONDS = 5.0  # before a shard that failed is tried again
FULL_SECONDS = 60.0  # before a worker whose disk is full tries again
LOCKED_SECONDS = (5.0, 60.0)  # the first and the longest wait for a shard that others render
STOP_SECONDS = 15.0  # for workers to end by themselves


def run_farm(request: FarmRequest) -> Tally:
    """Render the shards with the Ray that this process is connected to, and say what became of them.

    Raises InputError if no node can be used or the release cannot be planned, PassingError if the disk is full or all
    nodes are gone. Whatever ends it, the workers end too and finished samples are kept.
    """
    with full_disk_is_told(request.files.path), _mark(request.files) as mark:
        inspection = inspect, request.release, request.node_out, mark, request.scratch
        fleet = Fleet(Remote(request.cpus, request.gpus), inspection)
        with contextlib.closing(Driver(request, fleet)) as driver:
            return driver.run()


@contextlib.contextmanager
def _mark(files: ReleaseFolder) -> Iterator[str]:
    """A file by which nodes see whether their OUT is this one. Raises InputError if it cannot be made."""
    mark = files.farm_mark(secrets.token_hex(8))
    with writing(files.path):
        files.locks.mkdir(parents=True, exist_ok=True)
        mark.touch()
    try:
        yield str(mark.relative_to(files.path))
    finally:
        mark.unlink(missing_ok=True)


@dataclass
class Driver:
    """The loop: which worker gets which shard, and what is done about a shard that was not done."""

    request: FarmRequest
    fleet: Fleet
    queue: PullQueue | None = None  # once there is a plan
    tally: Tally | None = None
    _plan: Any = None  # the files of the plan, shared, for nodes with disks of their own
    _locked: dict[int, float] = field(default_factory=dict)  # since when, for shards that others render
    _waits: Counter[int] = field(default_factory=Counter)
    _fetches: dict[Future, Worker] = field(default_factory=dict)
    _looked: float = 0.0
    _asked: float = 0.0

    def __post_init__(self) -> None:
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="fetch")
        self.admission = Admission(self.request, self.fleet)

    def run(self) -> Tally:
        """Render until nothing is left to do."""
        while self.queue is None or not self.queue.finished:
            self.turn()
        return self.tally

    def turn(self) -> None:
        """Do what there is to do now; nothing in it waits longer than a moment."""
        self.fleet.look()
        self.admission.judge()
        if self.queue is not None:
            self._hand_out()
            self._follow()
        for news in self.fleet.hear(POLL_SECONDS):
            self._take(news)
        self._hear_fetches()

    def close(self) -> None:
        """End the workers and what they do."""
        self.fleet.stop(STOP_SECONDS)
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self.tally is not None:
            self.tally.progress.__exit__(None, None, None)

    def _take(self, news: News) -> None:
        match news.about:
            case About.REPORT:
                self.admission.reported(news.where, news.result)
            case About.PLAN:
                self.admission.planned(news.where, news.result)
                if self.admission.plan is not None:
                    self._make_queue(self.admission.plan)
            case About.SHARD:
                self._rendered(news.where, news.result)
            case About.EVENTS if news.result.cause is None:
                for shard, events in news.result.value.items():
                    add_events(self.request.files.path, shard, events)

    def _make_queue(self, plan: Plan) -> None:
        request, configuration = self.request, Configuration.of(plan, self.request.samples)
        samples = {shard: len(request.release.shard_samples(shard)[: request.samples]) for shard in request.shards}
        states = {shard: file_state(request.files.shard(shard), configuration.hash).state for shard in samples}
        before = frozenset(shard for shard in samples if states[shard] is State.WHOLE)  # else a worker looks closer
        views = request.release.cameras.views
        total, finished = views * sum(samples.values()), views * sum(samples[shard] for shard in before)
        log.info("%s: %d shards, %d of them are there", request.release.name, len(samples), len(before))
        progress = Progress(request.release.name, total, finished=finished)
        self.tally = Tally(request.files.path, views, samples, before, progress)
        self.queue = PullQueue(shard for shard in samples if shard not in before)
        self._plan = self.fleet.remote.share(self.admission.plan_files)

    def _hand_out(self) -> None:
        now = time.monotonic()
        for worker in self.fleet.idle():
            if (shard := self.queue.take(worker.name, now)) is not None:
                self.tally.begin(shard)
                request = self.request.shard(shard, self.fleet.cores(worker))
                self.fleet.begin(worker, shard, render, request, self._plan)

    def _rendered(self, worker: Worker, result: Result) -> None:
        """A worker's call has ended: settle it, once what is on a disk of the node's own is here."""
        if self.request.collect is None or result.cause not in (None, Cause.INCOMPLETE):
            return self._settle(worker, result)
        ask = partial(self._ask, worker.node.id)
        source, target = self.request.node_files, self.request.files
        self._fetches[self._threads.submit(attempt, fetch, ask, source, target, worker.shard, result)] = worker
        return None

    def _ask(self, node: str, function: Callable[..., Any], *arguments: Any) -> Any:
        remote = self.fleet.remote
        return remote.get(remote.ask(node, function, *arguments))

    def _hear_fetches(self) -> None:
        for future in [future for future in self._fetches if future.done()]:
            worker = self._fetches.pop(future)
            if worker.shard is not None:  # else its node was lost meanwhile
                fetched: Result = future.result()
                self._settle(worker, fetched.value if fetched.cause is None else fetched)

    def _settle(self, worker: Worker, result: Result) -> None:
        """Do with the shard of `worker` what its cause asks for."""
        shard, now = worker.shard, time.monotonic()
        if result.cause is None:
            self.fleet.free(worker)
            self.queue.done(worker.name, shard)
            self._locked.pop(shard, None)
            return self.tally.finish(shard)
        log.warning("shard %d on %s: %s: %s", shard, worker.name, result.cause, result.reason)
        self.tally.leave(shard)
        does, full = result.cause.meaning.farm, result.cause is Cause.DISK_FULL
        rest = (FULL_SECONDS if full else RETRY_SECONDS) if does is FarmDoes.WAIT else 0.0
        self.fleet.free(worker, full=full, rest=rest)
        match does:
            case FarmDoes.GIVE_UP:
                self._give_up(worker, shard, result)
            case FarmDoes.LOOK_AGAIN:
                self._look_again(worker, shard, result, now)
            case FarmDoes.WAIT:
                self.queue.postpone(worker.name, shard, now, RETRY_SECONDS)
                self._require_space(result)
            case FarmDoes.TRY_AGAIN:
                if self.queue.failed(worker.name, shard, result.reason, now, RETRY_SECONDS):
                    self.tally.give_up(shard, result)
            case FarmDoes.PASS_ON:
                self.queue.lost(worker.name, now, RETRY_SECONDS)
                if lost := self.queue.given_up.get(shard):
                    reason = f"{len(lost)} workers were lost with it: {result.reason}"
                    self.tally.give_up(shard, Result(None, result.cause, reason))
        return None

    def _give_up(self, worker: Worker, shard: int, result: Result) -> None:
        self.queue.give_up(worker.name, shard, result.reason)
        self.tally.give_up(shard, result)

    def _look_again(self, worker: Worker, shard: int, result: Result, now: float) -> None:
        """Others render the shard: look again later, but not for ever once nothing else is left."""
        since = self._locked.setdefault(shard, now)
        if now - since > PATIENCE_SECONDS and self.queue.left == len(self._locked):
            del self._locked[shard]
            return self._give_up(worker, shard, result)
        self._waits[shard] += 1
        first, longest = LOCKED_SECONDS
        self.queue.postpone(worker.name, shard, now, min(longest, first * 2 ** (self._waits[shard] - 1)))
        return None

    def _require_space(self, result: Result) -> None:
        """Raise PassingError once all workers found the disk full."""
        if result.cause is Cause.DISK_FULL and all(worker.full for worker in self.fleet.workers()):
            raise PassingError(result.reason)

    def _follow(self) -> None:
        """Count images; without a shared OUT, ask for the event logs now and then."""
        now = time.monotonic()
        if now - self._looked >= LOOK_SECONDS:
            self._looked = now
            self.tally.look()
        if self.request.collect is not None and now - self._asked >= ASK_SECONDS:
            self._asked = now
            for node in self.fleet.nodes.values():
                if shards := [worker.shard for worker in node.workers if worker.shard is not None]:
                    self.fleet.ask_events(node, logs, self.request.node_files, shards)
