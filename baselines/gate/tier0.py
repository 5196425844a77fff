"""Tier 0: the labels, without learning. The release validates; broken in every way we know, it does not.

The release itself is validated whole. Copies of its first samples are then broken one mutation at a time, in one sample
and in all, and the validation must name what is broken in each (see docs/mutations.md).
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dataset_tools.check.mutation_table import Line, mutation_table
from dataset_tools.check.mutations import MUTATIONS
from dataset_tools.check.report import Report
from dataset_tools.check.sample import need_embree
from dataset_tools.check.validate import validate
from dataset_tools.progress import Progress
from dataset_tools.store.carry import encoded_of, shard_record_of
from dataset_tools.store.layout import ReleaseFolder
from dataset_tools.store.shard_file import ShardFile
from dataset_tools.store.writer import write_manifest, write_shard
from rigging.errors import InputError

from ..batch import Batch
from ..config import Data
from ..data.batches import Batches
from ..data.opening import open_source
from ..geometry.camera import to_world
from ..geometry.triangulate import triangulate

SHOWN = 5  # things that are wrong, named in the report
EXACT = 0.01  # mm
SAMPLES = 32  # that are triangulated


@dataclass(frozen=True)
class Broken:
    """One mutation: in how many samples it was tried, in one and in all, and in how many it was rightly named."""

    mutation: str
    breaks: str
    tried: int
    named: int
    noticed: bool  # every broken sample by a check meant for it, and the verdict was fail


@dataclass(frozen=True)
class Tier0:
    """The validation of the release, and what it says of broken copies of its first `mutated` samples."""

    state: str  # verdict and extent in one line
    valid: bool
    wrong: tuple[str, ...]  # the first things that are wrong
    mutated: int
    intact: bool  # the copy passes before it is broken
    broken: tuple[Broken, ...]
    without: tuple[str, ...]  # mutations of what the release does not have
    triangulated: float | None = None  # mm, largest distance of labels from what DLT makes of their places in crops

    @property
    def problems(self) -> tuple[str, ...]:
        """A line for everything that lets the tier fail."""
        lines = [] if self.valid else [f"validation: {self.state}", *self.wrong]
        if self.triangulated is not None and not self.triangulated < EXACT:
            lines.append(f"joints triangulated from their places in crops are {self.triangulated:.2g} mm off")
        lines += [] if self.intact else ["the untouched copy of the first samples does not pass"]
        unseen = [one for one in self.broken if not one.noticed]
        return (*lines, *(f"{one.mutation}: noticed in {one.named} of {one.tried}" for one in unseen))


def tier0(data: Path, mutated: int, seed: int, workers: int, workspace: Path) -> Tier0:
    """Validate the release in the folder `data`, and broken copies of its first `mutated` samples.

    Copies come and go in `workspace`. Raises InputError where there is nothing to validate, or Embree is missing.
    """
    need_embree()
    report = validate(ReleaseFolder(data), workers).report
    if report.verdict == "fail":  # what is broken already shows nothing by being broken once more
        return Tier0(report.state, False, wrong(report), 0, True, (), ())
    with tempfile.TemporaryDirectory(prefix="mutants-", dir=workspace) as folder:
        part, count = first_samples(data, Path(folder) / "part", mutated)
        lines, without = mutants(part, Path(folder), seed, lambda path: validate(ReleaseFolder(path)).report)
    return Tier0(
        report.state, report.verdict == "pass", wrong(report), count,
        all(line.right for line in lines if line.mutation is None), summed(lines), without, triangulated(data),
    )  # fmt: skip


def wrong(report: Report) -> tuple[str, ...]:
    """The first things that a validation found wrong, one line each."""
    failed = sorted((one for one in report.results if one.verdict == "fail"), key=lambda one: -one.score)
    lines = [*report.problems, *(f"shard {one.shard} row {one.row}: {one.messages[0]}" for one in failed)]
    return tuple(lines[:SHOWN])


def first_samples(data: Path, part: Path, count: int) -> tuple[Path, int]:
    """A folder `part` with a shard of the first `count` samples of the release's first shard, byte for byte.

    Returns it and how many there are.
    """
    source, target = ReleaseFolder(data), ReleaseFolder(part)
    part.mkdir()
    number = source.shards()[0]
    with ShardFile(source.shard(number)) as shard:
        count = min(count, len(shard))
        rows = (encoded_of(shard, row) for row in range(count))
        digest = write_shard(target.shard(number), rows, shard_record_of(shard))
    write_manifest(target.shard(number), digest)
    return part, count


def mutants(
    part: Path, workspace: Path, seed: int, check: Callable[[Path], Report]
) -> tuple[list[Line], tuple[str, ...]]:
    """Lines of the mutation table of `part`, and the names of mutations of what it does not have (flow, say)."""
    intact = check(part)
    lines, without = list(mutation_table(part, workspace, lambda _: intact, np.random.default_rng(seed), ())), []
    with Progress("mutations", len(MUTATIONS), "mutation") as progress:
        for place, name in enumerate(MUTATIONS):
            rng = np.random.default_rng((seed, place))
            try:
                lines += _lines_of(name, part, workspace, rng, lambda path: intact if path == part else check(path))
            except InputError:
                without.append(name)
            progress.add(1)
    return lines, tuple(without)


def _lines_of(
    name: str, part: Path, workspace: Path, rng: np.random.Generator, check: Callable[[Path], Report]
) -> Iterator[Line]:
    return (line for line in mutation_table(part, workspace, check, rng, [name]) if line.mutation)


def summed(lines: list[Line]) -> tuple[Broken, ...]:
    """One row a mutation, of the lines for one sample and for all."""
    out = []
    for name, mutation in MUTATIONS.items():
        mine = [line for line in lines if line.mutation and line.mutation.name == name]
        tried, named = sum(len(line.broken) for line in mine), sum(line.named for line in mine)
        if mine:
            out.append(Broken(name, mutation.breaks, tried, named, all(line.right for line in mine)))
    return tuple(out)


def triangulated(data: Path) -> float:
    """Largest distance, mm, of joints of the first samples from DLT of their places in the crops that training sees."""
    source = open_source(data)
    crops = Data(size=128, samples=SAMPLES, batch=source.views, views=source.views)
    return max(map(_distance, Batches(source, crops, needed=("joints_cam",), multi_view=True).ordered()))


def _distance(batch: Batch) -> float:
    """Of one sample."""
    joints, pixels, K, pose = (x.double() for x in (batch.joints_cam, batch.joints_2d, batch.K, batch.world_to_cam))
    return float((triangulate(pixels, K, pose) - to_world(joints, pose)).norm(dim=-1).max() * 1000)
