"""Renders many shards with Ray: a pull queue of shards, whose workers may fail, vanish and come."""

from __future__ import annotations

import contextlib
import logging
import secrets
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
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
from .fleet import Fleet, Worker
from .queue import PullQueue, rest_after
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
        fleet = Fleet(Remote(request.cpus, request.gpus))
        with contextlib.closing(Driver(request, Admission(request, fleet, mark))) as driver:
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
    admission: Admission
    queue: PullQueue | None = None  # once there is a plan
    tally: Tally | None = None
    _plan: Any = None  # the files of the plan, shared, for nodes with disks of their own
    _locked: dict[int, float] = field(default_factory=dict)  # since when, for shards that others render
    _fetches: dict[Future, Worker] = field(default_factory=dict)
    _looked: float = 0.0
    _asked: float = 0.0

    def __post_init__(self) -> None:
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="fetch")
        self.fleet = self.admission.fleet

    def run(self) -> Tally:
        """Render until nothing is left to do."""
        while self.queue is None or self.queue.left:
            self.turn()
        return self.tally

    def turn(self) -> None:
        """Do what there is to do now; nothing in it waits longer than a moment."""
        self.admission.turn()
        if self.queue is None and self.admission.plan is not None:
            self._make_queue(self.admission.plan)
        if self.queue is not None:
            self._hand_out()
            self._follow()
        self.fleet.hear(POLL_SECONDS)
        self._hear_fetches()

    def close(self) -> None:
        """End the workers and what they do."""
        self.fleet.stop(STOP_SECONDS)
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self.tally is not None:
            self.tally.progress.__exit__(None, None, None)

    def _make_queue(self, plan: Plan) -> None:
        request, configuration = self.request, Configuration.of(plan, self.request.each.samples)
        samples = {shard: len(request.release.shard_samples(shard)[: request.each.samples]) for shard in request.shards}
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
            if (shard := self.queue.take(now)) is not None:
                self.tally.begin(shard)
                request = self.request.shard(shard, self.fleet.cores(worker))
                self.fleet.begin(worker, shard, partial(self._rendered, worker), render, request, self._plan)

    def _rendered(self, worker: Worker, result: Result) -> None:
        """A worker's call has ended: settle it, once what is on a disk of the node's own is here."""
        if self.request.collect is None or result.cause not in (None, Cause.INCOMPLETE):
            return self._settle(worker, result)
        ask = partial(self.fleet.remote.value, worker.node.id)
        source, target = self.request.node_files, self.request.files
        self._fetches[self._threads.submit(attempt, fetch, ask, source, target, worker.shard, result)] = worker
        return None

    def _hear_fetches(self) -> None:
        for future in [future for future in self._fetches if future.done()]:
            fetched: Result = future.result()
            self._settle(self._fetches.pop(future), fetched.value if fetched.cause is None else fetched)

    def _settle(self, worker: Worker, result: Result) -> None:
        """Do with the shard of `worker` what its cause asks for."""
        shard, now = worker.shard, time.monotonic()
        if result.cause is not Cause.LOCKED:
            self._locked.pop(shard, None)
        if result.cause is None:
            self.fleet.free(worker)
            self.queue.done(shard)
            return self.tally.finish(shard)
        log.warning("shard %d on %s: %s: %s", shard, worker.name, result.cause, result.reason)
        self.tally.leave(shard)
        failures, rest, full = worker.failures, 0.0, result.cause is Cause.DISK_FULL
        match result.cause.meaning.farm:
            case FarmDoes.GIVE_UP:
                self.queue.give_up(shard)
            case FarmDoes.LOOK_AGAIN:
                self._look_again(shard, now)
            case FarmDoes.WAIT:
                self.queue.postpone(shard, now + RETRY_SECONDS)
                rest = FULL_SECONDS if full else RETRY_SECONDS
            case FarmDoes.TRY_AGAIN:
                self.queue.failed(shard, now + RETRY_SECONDS)
                failures += 1
            case FarmDoes.PASS_ON:
                self.queue.lost(shard, now)
                result = replace(result, reason=f"{self.queue.losses} workers were lost with it: {result.reason}")
                failures += 1
        if failures > worker.failures:
            rest = rest_after(failures, RETRY_SECONDS)
        self.fleet.free(worker, failures, rest, full)
        if shard in self.queue.given_up:
            self.tally.give_up(shard, result)
        if full and all(worker.full for worker in self.fleet.workers()):
            raise PassingError(result.reason)
        return None

    def _look_again(self, shard: int, now: float) -> None:
        """Others render the shard: look again later and later, but not for ever once nothing else is left."""
        waited = now - self._locked.setdefault(shard, now)
        if waited > PATIENCE_SECONDS and self.queue.left == len(self._locked):
            del self._locked[shard]
            return self.queue.give_up(shard)
        first, longest = LOCKED_SECONDS
        return self.queue.postpone(shard, now + min(longest, max(first, waited)))

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
                    self.fleet.ask(node, self._add_events, logs, self.request.node_files, shards)

    def _add_events(self, result: Result) -> None:
        for shard, events in (result.value or {}).items():
            add_events(self.request.files.path, shard, events)
