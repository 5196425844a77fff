"""Renders those samples of a shard that are not staged yet, and sets aside those that keep failing."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from functools import partial

from dataset_tools.progress import Progress
from dataset_tools.store.incomplete import Quarantined, write_incomplete
from rigging.errors import is_disk_full

from ..errors import DiskFullError, IncompleteError, PassingError, RenderError
from ..planning.plan import Plan
from .events import EventLog
from .job import SampleJob
from .pool import Pool
from .request import Request
from .set_aside import LOST_ATTEMPTS, SUSPECT, Record, quarantined, read_record
from .staging import Staging
from .topology import own_cores, worker_count

log = logging.getLogger(__name__)

HOPELESS = 5  # samples that fail for good without one that is done: it is not the samples, nothing works here


def render_missing(request: Request, plan: Plan, staging: Staging, events: EventLog, configuration: str) -> None:
    """Render what is missing; `configuration` is the hash of the samples' one.

    Raises IncompleteError once all samples are staged but those set aside; DiskFullError; RenderError.
    """
    indices = request.indices
    missing = staging.missing(indices)
    record = read_record(request.shard, events.read(), configuration)
    _tell_start(request, plan, events, configuration, missing)
    _count_losses(request, events, record, missing)
    if request.retry and record.aside:
        events.add("retry", samples=sorted(record.aside))
        record.forgive(list(record.aside))
    _render(request, plan, staging, events, record, [sample for sample in missing if sample not in record.aside])
    if lacking := [record.aside[sample] for sample in missing if sample in record.aside]:
        report = request.files.incomplete(request.shard)
        write_incomplete(report, request.release.name, request.shard, len(request.indices), lacking)
        events.add("incomplete", lacking=[one.sample for one in lacking])
        raise IncompleteError(_complaint(request, lacking))


@contextmanager
def told_stop(events: EventLog) -> Iterator[None]:
    """Tell the log of whatever ends the process before the shard is complete."""
    try:
        yield
    except IncompleteError:
        raise  # has told so itself
    except BaseException as error:
        events.add("stop", cause=_cause(error), reason=" ".join(str(error).split()) or type(error).__name__)
        raise


def _tell_start(request: Request, plan: Plan, events: EventLog, configuration: str, missing: Sequence[int]) -> None:
    samples, staged = len(request.indices), len(request.indices) - len(missing)
    cores = request.pool.cores or own_cores()
    if missing and staged:
        log.info("shard %d: %d of %d samples are there", request.shard, staged, samples)
    events.add(
        "start",
        samples=samples,
        views=request.release.cameras.views,
        staged=staged,
        workers=worker_count(request.pool.workers, len(missing), cores),
        cores=len(cores),
        device=plan.device,
        scratch=str(request.scratch or ""),
        configuration=configuration,
    )


def _count_losses(request: Request, events: EventLog, record: Record, missing: Sequence[int]) -> None:
    """Samples that a process was at which ended suddenly: each lost an attempt by it, or is set aside now."""
    reason = "the shard's process ended suddenly (killed, or its node lost) while it was being rendered"
    for sample in sorted(record.begun & set(missing)):
        record.lost[sample] += 1
        lost = record.lost[sample]
        if lost < LOST_ATTEMPTS:
            log.warning("sample %d: %s (%d times of %d)", sample, reason, lost, LOST_ATTEMPTS)
            events.add("fault", sample=sample, worker=0, cause="lost", reason=reason, attempt=lost)
        else:
            _set_aside(events, record, quarantined(request, sample, "lost", reason, lost))


def _set_aside(events: EventLog, record: Record, one: Quarantined) -> None:
    record.aside[one.sample] = one
    events.add("aside", **asdict(one))
    log.error(
        "sample %d: set aside after %d attempt(s): %s; alone: %s", one.sample, one.attempts, one.reason, one.command
    )


def _render(
    request: Request, plan: Plan, staging: Staging, events: EventLog, record: Record, samples: Sequence[int]
) -> None:
    if not samples:
        return
    job = partial(SampleJob, plan=request.files.plan, release=request.release, staging=staging, cache=request.skins)
    pool = Pool(job, request.pool, staging.folder, lambda sample: int(plan.subject[plan.pair_of(sample)]), events.add)
    suspects = {sample for sample in samples if record.lost[sample] >= SUSPECT}
    views, total = request.release.cameras.views, len(request.indices)
    name = f"{request.release.name} shard {request.shard}"
    progress = Progress(name, views * total, finished=views * (total - len(samples)))
    done, failed = 0, []
    with progress, closing(pool.run(samples, record.tries, suspects)) as outcomes:
        for outcome in outcomes:
            if outcome.cause == "disk full":
                raise DiskFullError(f"{staging.folder}: the disk is full; staged samples are kept, run again")
            if outcome.cause:
                gone = quarantined(request, outcome.task, outcome.cause, outcome.reason, outcome.attempts)
                _set_aside(events, record, gone)
                failed.append(outcome.task)
                if not (done or request.retry):
                    _require_hope(events, record, failed, outcome.reason)
            else:
                done += 1
                progress.add(views)


def _require_hope(events: EventLog, record: Record, failed: Sequence[int], reason: str) -> None:
    """Raise RenderError, and set nothing aside, if all that was tried failed for good: another machine may do."""
    if len(failed) < HOPELESS:
        return
    events.add("retry", samples=list(failed))
    record.forgive(failed)
    raise RenderError(
        f"nothing can be rendered here: the first {len(failed)} samples all failed for good, last {reason}"
    )


def _complaint(request: Request, lacking: Sequence[Quarantined]) -> str:
    first, total, report = lacking[0], len(request.indices), request.files.incomplete(request.shard)
    return (
        f"{request.path}: incomplete: {len(lacking)} of {total} samples are set aside, first sample {first.sample} "
        f"({first.cause}, {first.attempts} attempt(s): {first.reason}); the others are kept. {report} says "
        "more; --retry tries them again"
    )


def _cause(error: BaseException) -> str:
    """One of events.CAUSES."""
    if isinstance(error, DiskFullError) or is_disk_full(error):
        return "disk full"
    orderly = isinstance(error, PassingError) or not isinstance(error, Exception)
    return "interrupted" if orderly else "error"
