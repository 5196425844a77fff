"""From what was measured to a report: limits, verdicts, and how bad each sample is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .extent import Extent
from .figures import Check
from .finding import Finding, Place
from .release_checks import RELEASE_CHECKS
from .report import CheckResult, Report, SampleResult, ShardCount, Verdict, finite
from .sample import SAMPLE_CHECKS, Outcome
from .shard_facts import ShardFacts

CHECKS: Mapping[str, Check] = {check.name: check for check in (*SAMPLE_CHECKS, *RELEASE_CHECKS)}
MESSAGES = 12  # lines that a sample's verdict gives at most


def make_report(
    extent: Extent,
    facts: Sequence[ShardFacts],
    outcomes: Mapping[Place, Outcome],
    findings: Sequence[Finding],
    problems: Sequence[str],
) -> Report:
    """The report of a folder: `findings` fail their samples, `problems` fail the whole."""
    found: dict[Place, list[Finding]] = {}
    for finding in findings:
        for place in finding.samples:
            found.setdefault(place, []).append(finding)
    results = tuple(_result(place, outcome, found.get(place, [])) for place, outcome in sorted(outcomes.items()))
    lines = [*problems, *(f"{finding.check}: {finding.message}" for finding in findings)]
    first = facts[0] if facts else None
    return Report(
        release=first.release if first else "",
        configuration_hash=first.configuration_hash if first else "",
        shards=ShardCount(extent.expected, len(extent.present), {fact.path.name: fact.sha256 for fact in facts}),
        samples=len(results),
        verdict=_verdict(extent, results, lines),
        checks=tuple(_over_all(check, outcomes, results) for check in CHECKS.values()),
        problems=tuple(lines),
        results=results,
    )


def _verdict(extent: Extent, results: Sequence[SampleResult], problems: Sequence[str]) -> Verdict:
    if problems or any(one.verdict == "fail" for one in results) or (extent.published and not extent.complete):
        return "fail"
    return "pass" if extent.complete and not extent.unfinished else "incomplete"


def _result(place: Place, outcome: Outcome, findings: Sequence[Finding]) -> SampleResult:
    failed = [name for name, figure in outcome.figures.items() if CHECKS[name].fails(figure.value)]
    messages = [CHECKS[name].sentence(outcome.figures[name]) for name in failed]
    names = sorted({finding.check for finding in findings})
    worst = max([CHECKS[name].severity(figure.value) for name, figure in outcome.figures.items()], default=0.0)
    return SampleResult(
        shard=place[0],
        row=place[1],
        sample=int(outcome.columns.get("sample", -1)),
        verdict="fail" if failed or findings else "pass",
        score=float(f"{max(worst, 2.0 if findings else 0.0):.6g}"),
        failed=tuple(failed + names),
        messages=tuple((messages + [f"{one.check}: {one.message}" for one in findings])[:MESSAGES]),
        figures={name: finite(figure.value) for name, figure in outcome.figures.items()},
    )


def _over_all(check: Check, outcomes: Mapping[Place, Outcome], results: Sequence[SampleResult]) -> CheckResult:
    """One check over all samples; the worst figure, and where it was seen."""
    failed = sum(check.name in one.failed for one in results)
    seen = [
        (place, outcome.figures[check.name]) for place, outcome in outcomes.items() if check.name in outcome.figures
    ]
    worst, where = None, ""
    if seen:
        place, figure = max(seen, key=lambda one: check.severity(one[1].value))
        worst = finite(figure.value)
        where = f"shard {place[0]} row {place[1]}" + (f", {figure.where}" if figure.where else "")
    elif check in RELEASE_CHECKS:
        worst = float(failed)
    return CheckResult(check.name, check.what, check.unit, check.limit, check.at_least, worst, where, failed)
