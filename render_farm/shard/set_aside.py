"""Samples that keep failing: what the event log remembers of them.

The log in OUT is the memory, since it survives the process, the node and its local disk.
"""

from __future__ import annotations

import contextlib
import shlex
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dataset_tools.store.incomplete import Quarantined, quarantined_of

from ..planning.seeds import render_seed
from .request import Request

LOST_ATTEMPTS = 5  # sudden ends of the shard's process during a sample, after which it is set aside
SUSPECT = 2  # sudden ends after which a sample is rendered last and alone, so that bystanders are cleared


@dataclass
class Record:
    """What earlier processes met with at a shard."""

    aside: dict[int, Quarantined] = field(default_factory=dict)
    tries: Counter[int] = field(default_factory=Counter)  # failed attempts by sample
    lost: Counter[int] = field(default_factory=Counter)  # sudden ends of the process by sample
    begun: set[int] = field(default_factory=set)  # that a process which ended suddenly was at

    def forgive(self, samples: Iterable[int]) -> None:
        """Forget all about `samples`, so that they are tried again as if for the first time."""
        for sample in samples:
            for memory in (self.aside, self.tries, self.lost):
                memory.pop(sample, None)


def read_record(shard: int, events: Iterable[Mapping[str, Any]], configuration: str) -> Record:
    """What the `events` of a shard say of samples of this configuration (`Configuration.sample_hash`).

    A line that makes no sense is passed over.
    """
    record, ours = Record(), False
    for event in events:
        kind = event["event"]
        if kind == "start":
            ours = event.get("configuration") == configuration
            record = record if ours else Record()
        elif ours:
            with contextlib.suppress(KeyError, TypeError, ValueError, OverflowError):
                _take(record, shard, kind, event)
    return record


def _take(record: Record, shard: int, kind: str, event: Mapping[str, Any]) -> None:
    if kind == "begin":
        record.begun.add(event["sample"])
    elif kind in ("done", "fault", "aside"):
        record.begun.discard(event["sample"])
    if kind == "fault":
        (record.lost if event["cause"] == "lost" else record.tries)[event["sample"]] += 1
    elif kind == "aside":
        record.aside[event["sample"]] = quarantined_of(event, shard)
    elif kind == "retry":
        record.forgive(event["samples"])
    elif kind in ("stop", "incomplete", "finish"):
        record.begun.clear()


def quarantined(request: Request, sample: int, cause: str, reason: str, attempts: int) -> Quarantined:
    """Sample `sample` of `request`, given up; `cause` is one of events.CAUSES."""
    seed = render_seed(request.release, sample)
    return Quarantined(sample, request.shard, cause, reason, seed, attempts, reproducing_command(request, sample))


def reproducing_command(request: Request, sample: int) -> str:
    """A line for a shell that renders `sample` alone, from the plan in OUT."""
    words = [sys.executable, "-m", "render_farm", "sample", "--release", request.release.name]
    words += ["--out", str(request.out.resolve()), "--sample", str(sample)]
    if request.cache is not None:
        words += ["--cache", str(request.cache.resolve())]
    return shlex.join(words)
