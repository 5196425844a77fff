"""Samples that keep failing: when they are quarantined, and what is told of them."""

from __future__ import annotations

import shlex
import sys

from dataset_tools.store.incomplete import Quarantined

from ..outcome import Cause
from ..planning.seeds import render_seed
from .request import Request

LOST_ATTEMPTS = 5  # sudden ends of the shard's process during a sample, after which it is quarantined
SUSPECT = 2  # sudden ends after which a sample is rendered last and alone, so that bystanders are cleared


def quarantined(request: Request, sample: int, cause: Cause, reason: str, attempts: int) -> Quarantined:
    """Sample `sample` of `request`, given up."""
    seed = render_seed(request.release, sample)
    return Quarantined(sample, request.shard, cause, reason, seed, attempts, reproducing_command(request, sample))


def reproducing_command(request: Request, sample: int) -> str:
    """A line for a shell that renders `sample` alone, from the plan in OUT."""
    words = [sys.executable, "-m", "render_farm", "sample", "--release", request.release.name]
    words += ["--out", str(request.out.resolve()), "--sample", str(sample)]
    if request.cache is not None:
        words += ["--cache", str(request.cache.resolve())]
    return shlex.join(words)
