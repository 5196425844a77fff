"""What rendering costs: measured once and written down here, or taken from shards that were rendered already."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from dataset_tools.pictures.sheet import ROWS
from dataset_tools.store.layout import ReleaseFolder

from ..errors import InputError
from ..lock import HEARTBEAT_SECONDS
from ..planning.configuration import difference
from ..planning.plan import load_plan
from ..planning.release import Release, planned_release
from ..shard.events import Done, Entry, EventLog, Start

# Seconds of one core, as processor time on two cores of an AMD EPYC; to measure them anew:
#   taskset -c 0 python -m render_farm render --release demo --shard 0 --samples K --workers 1 --out EMPTY
# for K = 2 and 10, each twice, the second time with --cache of the first. Between K lies what a sample costs, between
# the first and second time what a skin does, and what is left at K = 0 is the start and the end of a shard.
VIEW_SECONDS = 0.23  # per view, whatever the number of samples per pixel
PIXEL_SAMPLE_SECONDS = 1.65e-6  # per pixel and sample per pixel
BAKE_SECONDS = 3.0  # per skin of 1024 x 1024
START_SECONDS = 3.0  # per worker process: Blender, the hand, the plan
SHEET_SECONDS = 2.0  # per shard: contact sheet, manifest, locks
PACK_SECONDS = 0.01  # per view: packed, read back and hashed
CANDIDATE_SECONDS = 6e-4  # per candidate, once: planning
# Bytes
VIEW_BYTES = 114_000  # per view of 256 x 256
SAMPLE_BYTES = 45_000  # per sample: mesh, arm, joints, metadata
SHEET_VIEW_BYTES = 100_000  # per view of a row of a contact sheet
SKIN_BYTES = 6  # per pixel of a skin
REFERENCE_PIXELS = 256 * 256
REFERENCE_SKIN = 1024 * 1024
ATOMIC = 4  # calls of a file written whole (rigging.files.write_atomic): made, flushed, renamed, folder flushed


@dataclass(frozen=True)
class Costs:
    """What a sample costs, its share of the skins included, and on what that rests."""

    sample: float  # seconds of one core
    basis: str


def subject_runs(release: Release) -> int:
    """Runs of pairs, clips or poses that share a subject."""
    return -(-release.samples // (release.subjects.run * release.pairs.length))


def most_subjects(release: Release) -> int:
    """Distinct subjects, at most, each of them with a skin that is baked."""
    return min(release.subjects.count, subject_runs(release))


def sample_bytes(release: Release) -> int:
    """Of one sample, staged or in a shard."""
    return int(SAMPLE_BYTES + release.cameras.views * VIEW_BYTES * release.cameras.image_size**2 / REFERENCE_PIXELS)


def release_bytes(release: Release) -> int:
    """Of the finished release: shards and contact sheets."""
    sheet = SHEET_VIEW_BYTES * min(release.shard_size, ROWS) * release.cameras.views
    return release.samples * sample_bytes(release) + release.shards * sheet


def known_costs(release: Release, sample: float | None = None) -> Costs:
    """What is written down above, scaled to `release`; `sample` (seconds) replaces it."""
    if sample is not None:
        return Costs(sample, "as given")
    views, pixels = release.cameras.views, release.cameras.image_size**2
    seconds = views * (VIEW_SECONDS + PIXEL_SAMPLE_SECONDS * pixels * release.render.samples_per_pixel)
    skin = BAKE_SECONDS * release.subjects.skin_resolution**2 / REFERENCE_SKIN
    return Costs(seconds + skin * most_subjects(release) / release.samples, "measured on two cores of an AMD EPYC")


def measured_costs(release: Release, out: Path) -> Costs:
    """What the samples cost that lie in the event logs of OUT/RELEASE, skins included.

    Raises InputError if there are none, or if they were rendered with other cameras or settings of the renderer.
    """
    folder = out / release.name
    files = ReleaseFolder(folder)
    if files.plan.exists():
        there = planned_release(load_plan(files.plan).release, files.plan)
        same = replace(there, cameras=release.cameras, render=release.render)
        if changed := difference(there.to_json(), same.to_json()):
            raise InputError(f"{folder}: its samples are of other cameras or settings ({changed})")
    by_shard = [core_seconds(EventLog.of(folder, shard).read()) for shard in files.logged()]
    seconds, shards = [each for samples in by_shard for each in samples], sum(map(bool, by_shard))
    if not seconds:
        raise InputError(f"{folder}: no sample was rendered there, so no cost can be measured")
    rests_on = f"{len(seconds):,} samples in {shards:,} shard(s) of {folder}"
    spread = f"({min(seconds):.1f} to {max(seconds):.1f} s)"
    return Costs(math.fsum(seconds) / len(seconds), f"mean of {rests_on}, skins included {spread}")


def core_seconds(entries: Iterable[Entry]) -> list[float]:
    """Seconds of one core of each sample that was rendered: its worker's seconds times the worker's cores."""
    cores, samples = 1.0, []
    for entry in entries:
        match entry.event:
            case Start() as start:
                cores = max(1.0, start.cores / max(1, start.workers))
            case Done(seconds=seconds):
                samples.append(seconds * cores)
    return samples


def shard_operations(samples: int, workers: int, seconds: float, scratch: bool = False) -> int:
    """Calls that change the file system of OUT, as a large farm wears out its one server for names first.

    Of one shard of a planned release, without skins; `scratch`: finished samples wait on a local disk. Counted from the
    code and tested with strace.
    """
    whole = 4 if scratch else 5 + samples  # lock, shard, manifest, sheet; staged samples and their configuration
    lock = 5 + int(seconds / HEARTBEAT_SECONDS)  # its guard is made and removed twice, itself removed once; heartbeats
    log = 1 + (2 * samples + 2) + samples  # made; lines; those that say that a sample begins are flushed
    staging = 0 if scratch else samples + 2 * (workers + 1) + 2  # made and removed: samples, logs, the folder
    return ATOMIC * whole + lock + log + staging
