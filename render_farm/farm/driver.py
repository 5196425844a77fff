"""Renders many shards with Ray: a pull queue of shards, whose workers may fail, vanish and come."""

from __future__ import annotations

import contextlib
import logging
import secrets
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from ray.actor import ActorHandle

from dataset_tools.progress import Progress
from dataset_tools.store.layout import ReleaseFolder
from dataset_tools.store.shard_state import State, file_state
from rigging.errors import is_disk_full

from ..errors import InputError, PassingError
from ..planning.configuration import Configuration
from ..planning.plan import Plan
from ..shard.render import Request
from .admission import PATIENCE_SECONDS, Admission
from .child import Result, attempt
from .delivery import add_events
from .farm_request import FarmRequest
from .fetch import fetch
from .fleet import Fleet, Worker
from .queue import PullQueue
from .tally import Tally

log = logging.getLogger(__name__)

POLL_SECONDS = 0.5
LOOK_SECONDS = 2.0  # between two looks at the event logs
RETRY_SECONDS = 5.0  # before a shard that failed is tried again
FULL_SECONDS = 60.0  # before a worker whose disk is full tries again
LOCKED_SECONDS = (5.0, 60.0)  # the first and the longest wait for a shard that others render
STOP_SECONDS = 15.0  # for workers to end by themselves


def run_farm(request: FarmRequest) -> Tally:
    """Render the shards with the Ray that this process is connected to, and say what became of them.

    Raises InputError if no node can be used or the release cannot be planned, PassingError if the disk is full or all
    nodes are gone. Whatever ends it, the workers end too and finished samples are kept.
    """
    try:
        with _mark(request.files) as mark, contextlib.closing(Driver(request, mark)) as driver:
            return driver.run()
    except OSError as error:
        if is_disk_full(error):
            raise PassingError(f"{request.folder}: the disk is full; staged samples are kept, run again") from error
        raise


@contextlib.contextmanager
def _mark(files: ReleaseFolder) -> Iterator[str]:
    """A file by which nodes see whether their OUT is this one. Raises InputError if it cannot be made."""
    mark = files.farm_mark(secrets.token_hex(8))
    try:
        files.locks.mkdir(parents=True, exist_ok=True)
        mark.touch()
    except OSError as error:
        if is_disk_full(error):
            raise
        raise InputError(f"{files.path}: cannot be written to: {error.strerror or error}") from error
    try:
        yield str(mark.relative_to(files.path))
    finally:
        mark.unlink(missing_ok=True)


@dataclass
class Driver:
    """The loop. Nothing in it waits longer than a moment."""

    request: FarmRequest
    mark: str
    queue: PullQueue | None = None  # once there is a plan
    tally: Tally | None = None
    _locked: dict[int, float] = field(default_factory=dict)  # since when, for shards that others render
    _waits: Counter[int] = field(default_factory=Counter)
    _fetches: dict[Future, tuple[Worker, ActorHandle]] = field(default_factory=dict)
    _looked: float = 0.0

    def __post_init__(self) -> None:
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="fetch")
        self.fleet = Fleet(self.request.cpus, self.request.gpus, self._scout, self._lose)
        self.admission = Admission(self.request, self.fleet, self.mark, self._make_queue)

    def run(self) -> Tally:
        """Render until nothing is left to do."""
        while self.queue is None or not self.queue.finished:
            self.fleet.look()
            self.admission.judge()
            if self.queue is not None:
                self._hand_out()
                self._follow()
            self.fleet.hear(POLL_SECONDS)
            self._hear_fetches()
        return self.tally

    def close(self) -> None:
        """End the workers and what they do."""
        self.fleet.stop(STOP_SECONDS)
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self.tally is not None:
            self.tally.progress.__exit__(None, None, None)

    def _scout(self, worker: Worker) -> None:
        self.admission.scout(worker)

    def _make_queue(self, plan: Plan) -> None:
        request, configuration = self.request, Configuration.of(plan, self.request.samples)
        samples = {shard: len(request.release.shard_samples(shard)[: request.samples]) for shard in request.shards}
        found = {shard: file_state(request.files.shard(shard), configuration.hash) for shard in samples}
        before = frozenset(
            shard for shard in samples if found[shard].state is State.WHOLE
        )  # else a worker looks closer
        views = request.release.cameras.views
        total, there = views * sum(samples.values()), views * sum(samples[shard] for shard in before)
        log.info("%s: %d shards, %d of them are there", request.release.name, len(samples), len(before))
        self.tally = Tally(
            request.folder, views, samples, before, Progress(request.release.name, total, finished=there)
        )
        self.queue = PullQueue(shard for shard in samples if shard not in before)

    def _hand_out(self) -> None:
        now = time.monotonic()
        for worker in [worker for worker in self.fleet.idle() if worker.start <= now]:
            if (shard := self.queue.take(worker.name, now)) is not None:
                worker.shard = shard
                self.tally.begin(shard)
                self.fleet.call(worker, self._rendered, "render", self._shard_request(worker))

    def _shard_request(self, worker: Worker) -> Request:
        request = self.request
        pool = replace(request.limits, workers=1 if request.gpus else 0, cores=self.fleet.cores(worker))
        return Request(
            request.release, worker.shard, request.node_out, request.samples,
            pool=pool, scratch=request.scratch, retry=request.retry,
        )  # fmt: skip

    def _rendered(self, worker: Worker, result: Result) -> None:
        if self.request.collect is not None and result.kind in ("done", "incomplete"):
            future = self._threads.submit(
                attempt, fetch, worker.actor, self.request.node_folder, worker.shard, self.request.folder, result
            )
            self._fetches[future] = worker, worker.actor
        else:
            self._settle(worker, result)

    def _hear_fetches(self) -> None:
        for future in [future for future in self._fetches if future.done()]:
            worker, actor = self._fetches.pop(future)
            if worker.actor is actor:  # else it was lost meanwhile
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
            worker.start = now + (FULL_SECONDS if worker.full else RETRY_SECONDS)
            self.queue.postpone(worker.name, shard, now, RETRY_SECONDS)
            self._require_space(result)
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

    def _require_space(self, result: Result) -> None:
        """Raise PassingError once all workers found the disk full."""
        if result.kind == "passing" and all(worker.full for worker in self.fleet.workers()):
            raise PassingError(result.reason)

    def _lose(self, worker: Worker, how: str) -> None:
        """A worker is gone; the shard it had goes to another."""
        shard, worker.shard = worker.shard, None
        log.warning("worker %s is lost%s: %s", worker.name, "" if shard is None else f" with shard {shard}", how)
        self.admission.lost(worker)
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
