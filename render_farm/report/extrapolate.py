"""How long a release takes on a farm of many machines, and what that asks of disks and of the driver."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dataset_tools.progress import duration

from ..planning.release import Release
from ..shard.pool import PoolSettings
from . import costs
from .costs import ATOMIC, Costs, shard_operations

MESSAGES = 2  # per shard, of the driver: a call of an actor and its result
LOOK_SECONDS = 2.0  # between two looks of the driver at the log of each shard in work
WORTHWHILE = 0.8  # another shard size is advised if it takes less than this share of the time


@dataclass(frozen=True)
class Farm:
    """A release on `machines` with `cores` each, where a shard is rendered by `cpus` of them."""

    release: Release
    costs: Costs
    machines: int
    cores: int
    cpus: int
    scratch: bool  # finished samples wait on local disks
    at_once: int  # shards that are rendered at once
    busy_machines: int  # that get any work
    shard_seconds: float  # of one shard
    seconds: float  # until all is done: planning, then the rounds
    used: float  # share of all cores' time that goes into samples
    operations: int  # calls that change names or times in OUT
    written: int  # bytes written to OUT: shards, their samples before unless those wait elsewhere, sheets, skins
    staging: int  # most bytes that wait at one time: all shards in work about to end, each with its samples and packed

    def rows(self) -> list[tuple[str, str]]:
        """The figures in words."""
        waiting = self.staging / (self.busy_machines if self.scratch else 1)
        return [
            ("cores per shard", f"{self.cpus}"),
            ("shards at once", f"{self.at_once:,}"),
            ("machines at work", f"{self.busy_machines:,}"),
            ("until done", duration(self.seconds)),
            ("cores' time used", f"{100 * self.used:.0f} %"),
            ("staging per machine" if self.scratch else "staging in OUT", f"{waiting / 1e9:,.1f} GB"),
            ("written to OUT", f"{self.written / 1e9:,.1f} GB"),
            ("  a second", f"{self.written / self.seconds / 1e6:,.1f} MB"),
            ("changes of files", f"{self.operations:,}"),
            ("  a second", f"{self.operations / self.seconds:,.1f}"),
            ("driver's messages", f"{60 * MESSAGES * self.release.shards / self.seconds:,.1f} a min"),
            ("  reads of logs", f"{self.at_once / LOOK_SECONDS:,.1f} a s"),
        ]


def estimate(release: Release, cost: Costs) -> str:
    """How much work a release is, whoever renders it, as lines for a person."""
    samples, views, pairs = f"{release.samples:,}", release.cameras.views, release.samples // release.pairs.length
    seconds = release.samples * cost.sample
    rows = [
        ("release", release.name),
        ("poses from", release.poses.source),
        ("shards", f"{release.shards:,} of {release.shard_size} samples"),
        ("poses (samples)", f"{samples} in {pairs:,} {release.pairs.word}s" if release.pairs.length > 1 else samples),
        ("images", f"{release.samples * views:,} ({views} views)"),
        ("subjects", f"at most {costs.most_subjects(release):,}"),
        ("disk", f"about {costs.release_bytes(release) / 1e9:.1f} GB"),
        ("a sample", f"{cost.sample:.2f} s of one core, {cost.basis}"),
        ("one core", f"about {seconds / 3600:,.1f} h, {duration(seconds / release.shards)} per shard"),
    ]
    return "\n".join(f"{label:<16} {value}" for label, value in rows)


def extrapolate(
    release: Release, cost: Costs, machines: int, cores: int, scratch: bool = False, cpus: int | None = None
) -> Farm:
    """The release on `machines`; without `cpus`, as many cores per shard as end soonest, the fewest of them."""
    choices = [cpus] if cpus else [count for count in range(1, cores + 1) if cores % count == 0]
    farms = (_farm(release, cost, machines, cores, count, scratch) for count in choices)
    return min(farms, key=lambda farm: farm.seconds)


def _farm(release: Release, cost: Costs, machines: int, cores: int, cpus: int, scratch: bool) -> Farm:
    shards, size, runs = release.shards, release.shard_size, costs.subject_runs(release)
    at_once = min(machines * (cores // cpus), shards)
    # each once, but shards that are rendered at the same time do not wait for one another's
    skins = min(runs, max(costs.most_subjects(release), at_once * -(-runs // shards)))
    each = _shard_seconds(release, cost, cpus)
    rounds = -(-shards // at_once)  # shards that a worker renders one after another; in the last some may be idle
    seconds = release.poses.candidates * costs.CANDIDATE_SECONDS + rounds * each
    calls = shard_operations(size, min(cpus, size), each, scratch)
    sample_bytes = costs.sample_bytes(release)
    staged = 0 if scratch else release.samples * sample_bytes
    skin_bytes = skins * costs.SKIN_BYTES * release.subjects.skin_resolution**2
    return Farm(
        *(release, cost, machines, cores, cpus, scratch),
        at_once=at_once,
        busy_machines=min(machines, shards),
        shard_seconds=each,
        seconds=seconds,
        used=release.samples * cost.sample / (seconds * machines * cores),
        operations=shards * calls + skins * ATOMIC,
        written=costs.release_bytes(release) + staged + skin_bytes,
        staging=2 * at_once * size * sample_bytes,
    )


def _shard_seconds(release: Release, cost: Costs, cpus: int) -> float:
    """Of one shard: start, and samples shared out to `cpus` workers in whole ones; then one core packs."""
    share = math.ceil(release.shard_size / cpus)
    starts = 1 + (share - 1) // PoolSettings().recycle
    pack = costs.PACK_SECONDS * release.shard_size * release.cameras.views + costs.SHEET_SECONDS
    return starts * costs.START_SECONDS + share * cost.sample + pack


def advise(farm: Farm) -> str:
    """A line on the shard size, if shards of another one would end much sooner; else "".

    Tried are half of the shard size, a quarter, ... down to one pair or clip, of which none is cut in two.
    """
    size, unit = farm.release.shard_size, max(2, farm.release.pairs.length)
    halves = [half - half % unit for k in range(1, size.bit_length()) if (half := size >> k) >= unit]
    others = (replace(farm.release, shard_size=half) for half in halves)
    farms = (extrapolate(other, farm.costs, farm.machines, farm.cores, farm.scratch) for other in others)
    best = min(farms, default=farm, key=lambda other: other.seconds)
    if best.seconds > WORTHWHILE * farm.seconds:
        return ""
    idle, release = farm.machines - farm.busy_machines, best.release
    why = f"{idle:,} of {farm.machines:,} machines get no shard" if idle else "too few shards for so many cores"
    return (
        f"{farm.machines:,} machines: {why}; shard_size = {release.shard_size} ({release.shards:,} shards) would take "
        f"{duration(best.seconds)} instead of {duration(farm.seconds)}"
    )


def side_by_side(farms: Sequence[Farm]) -> str:
    """A table with a column per farm, and the advice below."""
    heads = [f"{farm.machines:,} machine{'s' if farm.machines > 1 else ''}" for farm in farms]
    rows = [(f"each of {farms[0].cores} cores", *heads)]
    rows += [(cells[0][0], *(value for _, value in cells)) for cells in zip(*(farm.rows() for farm in farms))]
    lines = [f"{row[0]:<20}" + "".join(f"{cell:>18}" for cell in row[1:]) for row in rows]
    return "\n".join(lines + [line for farm in farms if (line := advise(farm))])
