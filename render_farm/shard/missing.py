"""Renders those samples of a shard that are not staged yet, and quarantines those that keep failing."""

from __future__ import annotations

import logging
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial

from dataset_tools.progress import Progress
from dataset_tools.store.incomplete import Quarantined, write_incomplete

from ..errors import IncompleteError, RenderError
from ..outcome import Cause, cause_of, reason_of
from ..planning.plan import Plan
from ..planning.seeds import render_seed
from .events import Event, EventLog, Fault, Lacking, Retry, Start, Stop
from .history import History
from .job import SampleJob
from .pool import Outcome, Pool
from .request import Request
from .staging import Staging
from .topology import own_cores, worker_count

log = logging.getLogger(__name__)

LOST_ATTEMPTS = 5  # sudden ends of the shard's process during a sample, after which it is quarantined
SUSPECT = 2  # sudden ends after which a sample is rendered last and alone, so that bystanders are cleared
HOPELESS = 5  # samples that fail for good without one that is done: it is not the samples, nothing works here


def render_missing(request: Request, plan: Plan, staging: Staging, events: EventLog, configuration: str) -> None:
    """Render what is missing; `configuration` is the hash of the samples' one.

    Raises IncompleteError once all samples are staged but those quarantined; DiskFullError; RenderError.
    """
    missing = staging.missing(request.indices)
    history = History.of(events.read())
    if history.start.configuration != configuration:
        history = History()
    attempt = _Attempt(request, plan, staging, events, history)
    attempt.count_losses(missing)
    attempt.start(missing, configuration)
    if request.retry and history.quarantined:
        attempt.tell(Retry(tuple(sorted(history.quarantined))))
    attempt.render([sample for sample in missing if sample not in history.quarantined])
    if lacking := [history.quarantined[sample] for sample in missing if sample in history.quarantined]:
        report = request.files.incomplete(request.shard)
        write_incomplete(report, request.release.name, request.shard, len(request.indices), lacking)
        attempt.tell(Lacking(tuple(one.sample for one in lacking)))
        raise IncompleteError(_complaint(request, lacking))


@contextmanager
def told_stop(events: EventLog) -> Iterator[None]:
    """Tell the log of whatever ends the process before the shard is complete."""
    try:
        yield
    except IncompleteError:
        raise  # has told so itself
    except BaseException as error:
        events.add(Stop(cause_of(error), reason_of(error)))
        raise


@dataclass
class _Attempt:
    """One process at a shard; `history` is what its log says, kept up to date."""

    request: Request
    plan: Plan
    staging: Staging
    events: EventLog
    history: History

    def tell(self, event: Event) -> None:
        """Append to the log."""
        self.history.take(self.events.add(event))

    def start(self, missing: Sequence[int], configuration: str) -> None:
        """Tell that this process begins."""
        request, samples = self.request, len(self.request.indices)
        staged, cores = samples - len(missing), request.pool.cores or own_cores()
        if missing and staged:
            log.info("shard %d: %d of %d samples are there", request.shard, staged, samples)
        workers = worker_count(request.pool.workers, len(missing), cores)
        scratch, views = str(request.scratch or ""), request.release.cameras.views
        self.tell(Start(samples, views, staged, workers, len(cores), self.plan.device, scratch, configuration))

    def count_losses(self, missing: Sequence[int]) -> None:
        """Samples that a process was at which ended suddenly: each lost an attempt by it, or is quarantined now."""
        reason = "the shard's process ended suddenly (killed, or its node lost) while it was being rendered"
        for sample in sorted(self.history.abandoned.intersection(missing)):
            losses = self.history.losses[sample] + 1
            if losses < LOST_ATTEMPTS:
                log.warning("sample %d: %s (%d times of %d)", sample, reason, losses, LOST_ATTEMPTS)
                self.tell(Fault(sample, 0, Cause.LOST, reason, losses))
            else:
                self._quarantine(sample, Cause.LOST, reason, losses)

    def render(self, samples: Sequence[int]) -> None:
        """Render these samples. Raises DiskFullError; RenderError if nothing can be rendered here."""
        if not samples:
            return
        views, total = self.request.release.cameras.views, len(self.request.indices)
        name = f"{self.request.release.name} shard {self.request.shard}"
        progress = Progress(name, views * total, finished=views * (total - len(samples)))
        done, failed = 0, []
        with progress, closing(self._outcomes(samples)) as outcomes:
            for outcome in outcomes:
                if outcome.cause is None:
                    done += 1
                    progress.add(views)
                    continue
                self._quarantine(outcome.task, outcome.cause, outcome.reason, outcome.attempts)
                failed.append(outcome.task)
                if not (done or self.request.retry):
                    self._require_hope(failed, outcome.reason)

    def _outcomes(self, samples: Sequence[int]) -> Iterator[Outcome]:
        request, plan, history = self.request, self.plan, self.history
        job = partial(
            SampleJob, plan=request.files.plan, release=request.release, staging=self.staging, cache=request.skins
        )
        subjects = {sample: int(plan.subject[plan.pair_of(sample)]) for sample in samples}
        pool = Pool(job, request.pool, self.staging.folder, subjects.__getitem__, self.tell)
        suspects = {sample for sample in samples if history.losses[sample] >= SUSPECT}
        return pool.run(samples, history.tries, suspects)

    def _quarantine(self, sample: int, cause: Cause, reason: str, attempts: int) -> None:
        request, seed = self.request, render_seed(self.request.release, sample)
        command = reproducing_command(request, sample)
        gone = Quarantined(sample, request.shard, cause, reason, seed, attempts, command)
        self.tell(gone)
        log.error("sample %d: set aside after %d attempt(s): %s; alone: %s", sample, attempts, reason, gone.command)

    def _require_hope(self, failed: Sequence[int], reason: str) -> None:
        """Raise RenderError, and quarantine nothing, if all that was tried failed for good: another machine may do."""
        if len(failed) < HOPELESS:
            return
        self.tell(Retry(tuple(failed)))
        raise RenderError(
            f"nothing can be rendered here: the first {len(failed)} samples all failed for good, last {reason}"
        )


def reproducing_command(request: Request, sample: int) -> str:
    """A line for a shell that renders `sample` alone, from the plan in OUT."""
    words = [sys.executable, "-m", "render_farm", "sample", "--release", request.release.name]
    words += ["--out", str(request.out.resolve()), "--sample", str(sample)]
    if request.cache is not None:
        words += ["--cache", str(request.cache.resolve())]
    return shlex.join(words)


def _complaint(request: Request, lacking: Sequence[Quarantined]) -> str:
    first, total, report = lacking[0], len(request.indices), request.files.incomplete(request.shard)
    return (
        f"{request.path}: incomplete: {len(lacking)} of {total} samples are set aside, first sample {first.sample} "
        f"({first.cause}, {first.attempts} attempt(s): {first.reason}); the others are kept. {report} says "
        "more; --retry tries them again"
    )
