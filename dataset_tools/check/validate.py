"""The validation of a release's folder: every check on every sample there is, in parallel; a report comes out."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from rigging.errors import InputError

from ..store.layout import ReleaseFolder
from ..store.shard_file import ShardError
from ..workers import run_jobs
from .anatomy import subject_figures
from .extent import Extent, digest_problem, look
from .figures import Figure
from .release_checks import release_findings
from .report import Report
from .sample import READABLE, Outcome, check_rows, need_embree
from .shard_facts import ShardFacts, odd_ones_out, shard_facts
from .verdicts import Place, make_report

BATCH = 8  # samples of a job, or one clip that is longer: whole pairs and clips
FEW_SHARDS = 8  # fewer are hashed sooner than processes start


@dataclass(frozen=True)
class Validation:
    """A report, and the seconds of processor time that the samples' checks took in all processes."""

    report: Report
    seconds: float


def validate(folder: ReleaseFolder, workers: int = 1) -> Validation:
    """Validate what is in a folder. Raises InputError without shards or Embree, PassingError if a worker dies."""
    need_embree()
    extent = look(folder)
    facts, problems = _shards(folder, extent, workers)
    outcomes, seconds = _samples(facts, workers)
    if not any(outcome.columns for outcome in outcomes.values()):
        raise InputError(f"{folder.path}: no sample can be read; {_why_none(outcomes, problems)}")
    outcomes = _with_subjects(outcomes)
    findings = release_findings(columns_of(outcomes), _hashes(outcomes), _poses(outcomes), folder.plan)
    problems = [*extent.problems, *problems, *odd_ones_out(facts), *numbering(facts, outcomes, extent)]
    return Validation(make_report(extent, facts, outcomes, findings, problems), seconds)


def _why_none(outcomes: Mapping[Place, Outcome], problems: Sequence[str]) -> str:
    """The first reason why no sample was read."""
    messages = [*problems, *(figure.where for outcome in outcomes.values() for figure in outcome.figures.values())]
    return messages[0] if messages else "the shards are empty"


def _shards(folder: ReleaseFolder, extent: Extent, workers: int) -> tuple[list[ShardFacts], list[str]]:
    """Facts of the shards that can be read, and what is wrong with files."""
    digests, facts, problems = dict(extent.digests), [], []
    paths = [folder.shard(number) for number in extent.present]
    hashers = workers if len(paths) >= FEW_SHARDS else 1
    for path, found in run_jobs(shard_facts, paths, [1] * len(paths), hashers, "checksums", "shard"):
        if isinstance(found, str):
            problems.append(found)
            continue
        facts.append(found)
        problems += found.problems
        wanted = digests.pop(path.name, found.sha256)
        if wanted != found.sha256:
            problems.append(f"{path.name}: sha256 is not the release manifest's {wanted[:12]}..")
    others = [digest_problem(folder.path, name, wanted) for name, wanted in sorted(digests.items())]
    return sorted(facts, key=lambda fact: fact.number), sorted(problems) + [line for line in others if line]


def _samples(facts: Sequence[ShardFacts], workers: int) -> tuple[dict[Place, Outcome], float]:
    """What the checks measured of all samples, by shard and row, and the processor time that it took."""
    jobs = [(fact.path, fact.number, rows) for fact in facts for rows in _batches(fact)]
    found, seconds = {}, 0.0
    for (_, number, _), (outcomes, spent) in run_jobs(_check, jobs, [len(job[2]) for job in jobs], workers, "samples"):
        found |= {(number, outcome.row): outcome for outcome in outcomes}
        seconds += spent
    return dict(sorted(found.items())), seconds


def _batches(fact: ShardFacts) -> list[range]:
    """The rows of a shard in jobs of whole clips."""
    size = fact.poses * max(1, BATCH // fact.poses)
    return [range(start, min(start + size, fact.samples)) for start in range(0, fact.samples, size)]


def _check(job: tuple[Path, int, range]) -> tuple[list[Outcome], float]:
    start = time.process_time()
    path, _, rows = job
    try:
        outcomes = check_rows(path, rows)
    except (ShardError, OSError) as error:
        outcomes = [Outcome(row, {READABLE.name: Figure(1.0, str(error))}) for row in rows]
    return outcomes, time.process_time() - start


def _with_subjects(outcomes: Mapping[Place, Outcome]) -> dict[Place, Outcome]:
    """The same with the figures that compare samples of one subject."""
    read = [place for place, outcome in outcomes.items() if outcome.columns]
    bones = np.array([outcomes[place].bones for place in read]).reshape(len(read), -1)
    edges = np.array([outcomes[place].edge for place in read])
    subject = np.array([outcomes[place].columns["subject"] for place in read])
    added = dict(zip(read, subject_figures(bones, edges, subject)))
    return {
        place: replace(outcome, figures=outcome.figures | added.get(place, {})) for place, outcome in outcomes.items()
    }


def columns_of(outcomes: Mapping[Place, Outcome]) -> dict[str, np.ndarray]:
    """Columns as those of a release's index, of the samples that could be read."""
    read = [(place, outcome.columns) for place, outcome in outcomes.items() if outcome.columns]
    places = np.array([place for place, _ in read], np.int64).reshape(-1, 2)
    names = read[0][1] if read else ()
    return {"shard": places[:, 0], "row": places[:, 1]} | {
        name: np.array([columns[name] for _, columns in read]) for name in names
    }


def _hashes(outcomes: Mapping[Place, Outcome]) -> np.ndarray:
    return np.array([outcome.hashes for outcome in outcomes.values() if outcome.columns], np.uint64)


def _poses(outcomes: Mapping[Place, Outcome]) -> np.ndarray:
    return np.array([outcome.pose for outcome in outcomes.values() if outcome.columns], np.float32)


def numbering(facts: Sequence[ShardFacts], outcomes: Mapping[Place, Outcome], extent: Extent) -> list[str]:
    """A line for each shard that does not hold the samples of the release that it should, in order."""
    lines = []
    for fact in facts:
        wanted = extent.rows(fact.number, fact.truncated)
        if wanted is not None and fact.samples != wanted:
            lines.append(f"{fact.path.name}: holds {fact.samples} samples, the plan says {wanted}")
        numbers = [
            int(outcomes[fact.number, row].columns.get("sample", -1)) - row
            for row in range(fact.samples)
            if outcomes[fact.number, row].columns
        ]
        first = fact.number * extent.shard_size if extent.shard_size else (numbers[0] if numbers else 0)
        if any(number != first for number in numbers):
            lines.append(f"{fact.path.name}: its samples are not numbers {first} and on, in order")
    return lines
