"""What a release must let estimators show: claims that one way of estimating is nearer to the truth than another.

An *arm* is one way: its error on every test sample, for every seed of its training (or of simulated noise). All arms
are on the same samples in the same order, so that their differences are paired. A claim is decided by an interval of
the mean difference that resamples test subjects and seeds, see `metrics.intervals`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..metrics.intervals import Interval, paired_interval, shared_seeds


@dataclass(frozen=True)
class Arm:
    """Errors of one way of estimating."""

    errors: np.ndarray  # (seeds, n) mm
    made: str  # how, in words
    curve: tuple[float, ...] = ()  # share of all its joints within 0, 1, .. mm


@dataclass(frozen=True)
class Claim:
    """`better` has a smaller error than `worse`, both names of arms; a `must` that does not hold fails the gate."""

    name: str
    better: str
    worse: str
    says: str
    must: bool = False


FUSION = "mvhm_mv"


def network(views: int) -> str:
    """The arm of the fusion network with so many views."""
    return f"{FUSION}, {views} views"


MANY, FOUR, TWO = network(8), network(4), network(2)
ONE, QUARTER = "mvhm_sv", "mvhm_sv, a quarter of the data"
MEAN, MEDIAN, COVARIANCE = "mean of views", "median of views", "weighted mean of views"
OWN_DLT, OWN_RANSAC = "DLT of mvhm_sv's joints", "RANSAC of mvhm_sv's joints"
DLT, RANSAC = "DLT, outliers", "RANSAC, outliers"
LABEL_DLT, LABEL_RANSAC = "DLT of pseudo labels", "RANSAC of pseudo labels"  # made where a claim names them
ARMS = (
    ONE, QUARTER, TWO, FOUR, MANY, MEAN, MEDIAN, COVARIANCE, OWN_DLT, OWN_RANSAC, DLT, RANSAC, LABEL_DLT, LABEL_RANSAC,
)  # fmt: skip

CLAIMS = (
    Claim("views beat a view", MANY, ONE, "several views are better than one", must=True),
    Claim("8 beat 2", MANY, TWO, "8 views are better than 2", must=True),
    Claim("RANSAC beats DLT", RANSAC, DLT, "RANSAC is better than DLT where detections have outliers", must=True),
    Claim("4 beat 2", FOUR, TWO, "4 views are better than 2"),
    Claim("8 beat 4", MANY, FOUR, "8 views are better than 4"),
    Claim("fusion beats mean", MANY, MEAN, "the fusion network is better than the mean of the single views"),
    Claim("fusion beats median", MANY, MEDIAN, "the fusion network is better than the median of the single views"),
    Claim("fusion beats DLT", MANY, OWN_DLT, "the fusion network is better than triangulating mvhm_sv's joints"),
    Claim("data helps", ONE, QUARTER, "all of the data is better than a quarter of it"),
)


@dataclass(frozen=True)
class Finding:
    """What a claim came to. `verdict`: holds, opposite, not separable, too small (few subjects), or not run."""

    claim: Claim
    verdict: str
    better: float | None = None  # mean errors of both arms, mm
    worse: float | None = None
    interval: Interval | None = None  # of better - worse, mm

    @property
    def holds(self) -> bool:
        """Separable, and in the right direction."""
        return self.verdict == HOLDS


HOLDS, NOT_RUN = "holds", "not run"
WORDS = {"better": HOLDS, "worse": "opposite"}  # of a verdict of `metrics.intervals`; the others stay as they are


def judge(claim: Claim, arms: Mapping[str, Arm], clusters: np.ndarray, rng: np.random.Generator, draws: int) -> Finding:
    """Decide a claim; `clusters` (n,) are the subjects of the test samples. An arm that is not there: not run."""
    if claim.better not in arms or claim.worse not in arms:
        return Finding(claim, NOT_RUN)
    better, worse = shared_seeds(arms[claim.better].errors, arms[claim.worse].errors)
    interval = paired_interval(better - worse, clusters, rng, draws)
    words = WORDS.get(interval.verdict, interval.verdict)
    return Finding(claim, words, float(better.mean()), float(worse.mean()), interval)


def judge_all(
    arms: Mapping[str, Arm], clusters: np.ndarray, seed: int, draws: int, more: Sequence[Claim] = ()
) -> tuple[Finding, ...]:
    """Every claim in turn, then `more`; each with its own draws, so that one more changes no other's interval.

    clusters (n,) int: samples of one cluster are drawn together.
    """
    return tuple(
        judge(claim, arms, clusters, np.random.default_rng((seed, number)), draws)
        for number, claim in enumerate((*CLAIMS, *more))
    )


def unmet(findings: Iterable[Finding]) -> tuple[str, ...]:
    """A line for every claim that must hold and does not."""
    return tuple(
        f"{finding.claim.says}: {finding.verdict}" for finding in findings if finding.claim.must and not finding.holds
    )
