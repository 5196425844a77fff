"""How long a release takes on a farm of many machines, and what that asks of disks and of the driver."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dataset_tools.progress import duration

from ..shard.pool import PoolSettings
from .costs import EVENT_BYTES, PACK_SECONDS, SHEET_SECONDS, SKIN_BYTES, START_SECONDS, WORKER_MEGABYTES
from .estimate import Estimate
from .operations import ATOMIC, shard_operations

MESSAGES = 2  # per shard, of the driver: a call of an actor and its result
LOOK_SECONDS = 2.0  # between two looks of the driver at the log of each shard in work
WORTHWHILE = 0.8  # another shard size is advised if it takes less than this share of the time


@dataclass(frozen=True)
class Extrapolation:
    """A release on `machines` with `cores` each, where a shard is rendered by `cpus` of them."""

    estimate: Estimate
    machines: int
    cores: int
    cpus: int
    scratch: bool = False  # finished samples wait on local disks

    @property
    def at_once(self) -> int:
        """Shards that are rendered at once."""
        return min(self.machines * (self.cores // self.cpus), self.estimate.release.shards)

    @property
    def machines_used(self) -> int:
        """Machines that get any work."""
        return min(self.machines, self.estimate.release.shards)

    @property
    def rounds(self) -> int:
        """Shards that a worker renders one after another; in the last round some may be idle."""
        return -(-self.estimate.release.shards // self.at_once)

    @property
    def bakes(self) -> int:
        """Skins baked: each once, but shards that are rendered at the same time do not wait for one another's."""
        first_round = self.at_once * -(-self.estimate.runs // self.estimate.release.shards)
        return min(self.estimate.runs, max(self.estimate.subjects, first_round))

    @property
    def shard_seconds(self) -> float:
        """Of one shard: start, samples and skins shared out to `cpus` workers in whole ones, then one core packs."""
        release, costs = self.estimate.release, self.estimate.costs
        share, skins = math.ceil(release.shard_size / self.cpus), self.bakes / release.shards / self.cpus
        starts = 1 + (share - 1) // PoolSettings().recycle
        pack = PACK_SECONDS * release.shard_size * release.cameras.views + SHEET_SECONDS
        return starts * START_SECONDS + share * costs.sample + skins * costs.bake + pack

    @property
    def seconds(self) -> float:
        """Until all is done: planning, then the rounds."""
        return self.estimate.planning_seconds + self.rounds * self.shard_seconds

    @property
    def busy(self) -> float:
        """Share of all cores' time that goes into samples and skins."""
        return self.estimate.seconds / (self.seconds * self.machines * self.cores)

    @property
    def operations(self) -> int:
        """Calls that change names or times in OUT."""
        size, shards = self.estimate.release.shard_size, self.estimate.release.shards
        each = shard_operations(size, min(self.cpus, size), self.shard_seconds, self.scratch)
        return shards * each.total() + self.bakes * ATOMIC.total()

    @property
    def written(self) -> int:
        """Bytes written to OUT: shards, their samples before unless those wait elsewhere, sheets, skins, logs."""
        release, samples = self.estimate.release, self.estimate.release.samples
        staged = 0 if self.scratch else samples * self.estimate.sample_bytes
        skins = self.bakes * SKIN_BYTES * release.subjects.skin_resolution**2
        return self.estimate.size + staged + skins + EVENT_BYTES * 2 * (samples + release.shards)

    @property
    def staging(self) -> int:
        """Most bytes that wait at one time: all shards in work about to end, each with its samples and packed."""
        return 2 * self.at_once * self.estimate.release.shard_size * self.estimate.sample_bytes

    def rows(self) -> list[tuple[str, str]]:
        """The figures in words."""
        shards, seconds = self.estimate.release.shards, self.seconds
        waiting = self.staging / (self.machines_used if self.scratch else 1)
        processes = min(self.cores, self.cpus * math.ceil(self.at_once / self.machines_used))
        return [
            ("cores per shard", f"{self.cpus}"),
            ("shards at once", f"{self.at_once:,}"),
            ("machines at work", f"{self.machines_used:,}"),
            ("until done", duration(seconds)),
            ("cores' time used", f"{100 * self.busy:.0f} %"),
            ("memory per machine", f"{processes * WORKER_MEGABYTES / 1000:.1f} GB"),
            ("staging per machine" if self.scratch else "staging in OUT", f"{waiting / 1e9:,.1f} GB"),
            ("written to OUT", f"{self.written / 1e9:,.1f} GB"),
            ("  a second", f"{self.written / seconds / 1e6:,.1f} MB"),
            ("changes of files", f"{self.operations:,}"),
            ("  a second", f"{self.operations / seconds:,.1f}"),
            ("driver's messages", f"{60 * MESSAGES * shards / seconds:,.1f} a min"),
            ("  reads of logs", f"{self.at_once / LOOK_SECONDS:,.1f} a s"),
        ]


def extrapolate(
    estimate: Estimate, machines: int, cores: int, scratch: bool = False, cpus: int | None = None
) -> Extrapolation:
    """The release on `machines`; without `cpus`, as many cores per shard as end soonest, the fewest of them."""
    choices = [cpus] if cpus else [count for count in range(1, cores + 1) if cores % count == 0]
    farms = (Extrapolation(estimate, machines, cores, count, scratch) for count in choices)
    return min(farms, key=lambda farm: farm.seconds)


def advise(farm: Extrapolation) -> str:
    """A line on the shard size, if shards of another one would end much sooner; else ""."""
    best = min((_with_shards_of(farm, size) for size in _smaller(farm)), default=farm, key=lambda other: other.seconds)
    if best.seconds > WORTHWHILE * farm.seconds:
        return ""
    idle, release = farm.machines - farm.machines_used, best.estimate.release
    why = f"{idle:,} of {farm.machines:,} machines get no shard" if idle else "too few shards for so many cores"
    return (
        f"{farm.machines:,} machines: {why}; shard_size = {release.shard_size} ({release.shards:,} shards) would take "
        f"{duration(best.seconds)} instead of {duration(farm.seconds)}"
    )


def _smaller(farm: Extrapolation) -> list[int]:
    """Half of the shard size, a quarter, ... down to one pair or clip, of which none is cut in two."""
    size, unit = farm.estimate.release.shard_size, max(2, farm.estimate.release.pairs.length)
    halves = (size >> halvings for halvings in range(1, size.bit_length()))
    return [half - half % unit for half in halves if half >= unit]


def _with_shards_of(farm: Extrapolation, size: int) -> Extrapolation:
    estimate = replace(farm.estimate, release=replace(farm.estimate.release, shard_size=size))
    return extrapolate(estimate, farm.machines, farm.cores, farm.scratch)


def side_by_side(farms: Sequence[Extrapolation]) -> str:
    """A table with a column per farm, and the advice below."""
    heads = [f"{farm.machines:,} machine{'s' if farm.machines > 1 else ''}" for farm in farms]
    lines = [f"{f'each of {farms[0].cores} cores':<20}" + "".join(f"{head:>18}" for head in heads)]
    for cells in zip(*(farm.rows() for farm in farms)):
        lines.append(f"{cells[0][0]:<20}" + "".join(f"{value:>18}" for _, value in cells))
    return "\n".join(lines + [line for farm in farms if (line := advise(farm))])
