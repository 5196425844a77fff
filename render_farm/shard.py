"""Renders one shard: plan, lock, what is missing, assembly. Needs no cluster; every way to run a farm calls this."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from dataset_tools.shard_file import ShardError, ShardFile
from dataset_tools.sheet import write_sheet
from dataset_tools.writer import manifest_path, read_manifest, write_manifest, write_shard
from rigging.files import file_sha256

from .configuration import Configuration, difference
from .errors import InputError, PassingError, ReleaseError, RenderError
from .files import is_disk_full
from .job import SampleJob
from .lock import Lock
from .plan import Plan, ensure_plan, planned_asset
from .pool import Outcome, Pool, PoolSettings
from .progress import Progress
from .release import Release
from .spec import shard_record
from .staging import Staging

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Request:
    """One shard to render."""

    release: Release
    shard: int
    out: Path
    samples: int | None = None  # only the first so many samples of the shard
    cache: Path | None = None  # of baked skins; default OUT/.cache
    pool: PoolSettings = field(default_factory=PoolSettings)
    scratch: Path | None = None  # folder on a local disk to stage finished samples in; default OUT
    retry: bool = False  # try samples again that were set aside

    @property
    def staging(self) -> Path:
        """Where finished samples wait for the shard to be written."""
        return (self.scratch or self.out) / self.release.name / ".staging" / f"shard-{self.shard:05d}"

    @property
    def folder(self) -> Path:
        """Where the release lies."""
        return self.out / self.release.name

    @property
    def path(self) -> Path:
        """The shard's file."""
        return self.folder / f"shard-{self.shard:05d}.h5"

    @property
    def sheet(self) -> Path:
        """The shard's contact sheet."""
        return self.path.with_suffix(".png")

    @property
    def indices(self) -> range:
        """Samples to render. Raises ReleaseError for a shard or number of samples that cannot be."""
        whole = self.release.shard_samples(self.shard)
        if self.samples is not None and not 1 <= self.samples <= len(whole):
            raise ReleaseError(f"SAMPLES={self.samples}: shard {self.shard} has samples 1..{len(whole)}")
        return whole[: self.samples]


def render_shard(request: Request) -> Path:
    """Render a shard unless it is there already, and return its path.

    Raises InputError (wrong configuration or input), LockedError, PassingError (disk full), RenderError; each
    carries the exit code. Whatever was interrupted, the next call goes on from the staged samples and gives the
    same bytes.
    """
    indices = request.indices
    try:
        (request.folder / ".locks").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if is_disk_full(error):
            raise PassingError(f"{request.folder}: the disk is full") from error
        raise InputError(f"{request.folder}: cannot be written to: {error.strerror or error}") from error
    try:
        plan = ensure_plan(request.release, request.folder)
        check_poses(request, plan, indices)
        with Lock(request.folder / ".locks" / f"shard-{request.shard:05d}.lock"):
            return _render_locked(request, plan, indices)
    except OSError as error:
        if is_disk_full(error):
            raise PassingError(f"{request.folder}: the disk is full; staged samples are kept, run again") from error
        raise


def check_poses(request: Request, plan: Plan, indices: range) -> None:
    """Raise InputError if the pose source had too few poses for the samples `indices`."""
    if indices.stop <= plan.samples:
        return
    left = max(0, plan.samples - indices.start)
    advice = f"SAMPLES={left} renders those" if left else "lower SHARD"
    raise InputError(
        f"SHARD={request.shard}: needs samples {indices.start} to {indices.stop - 1} of release "
        f"{request.release.name!r}, but POSES={request.release.poses.source} has usable poses for the first "
        f"{plan.samples} only: {advice}, or take more poses"
    )


def _render_locked(request: Request, plan: Plan, indices: Sequence[int]) -> Path:
    configuration = Configuration.of(plan, request.samples)
    if not is_done(request.path, configuration):
        staging = Staging(request.staging)
        staging.open(configuration.sample_hash)
        _render_missing(request, plan, staging, indices)
        record = shard_record(request.release, request.shard, plan, planned_asset(plan), configuration)
        sha256 = write_shard(request.path, staging.read(indices), record)
        write_manifest(request.path, sha256)
        staging.remove()
    if not request.sheet.exists():
        write_sheet(request.path, request.sheet)
    log.info("%s: done, %d samples", request.path, len(indices))
    return request.path


def is_done(path: Path, configuration: Configuration) -> bool:
    """Whether the shard is there, whole and of this configuration; a manifest lost on the way is written again.

    Raises InputError for a file of another configuration, a foreign or a damaged one: it is never overwritten.
    """
    if not path.exists():
        return False
    advice = "choose another OUT, or move the file away"
    try:
        with ShardFile(path) as shard:
            found, text = str(shard.attrs["configuration_hash"]), str(shard.attrs["configuration"])
    except (ShardError, KeyError) as error:
        raise InputError(f"{error}; {advice}") from error
    if found != configuration.hash:
        raise InputError(f"{path}: made with another configuration ({difference(text, configuration.text)}): {advice}")
    sha256 = file_sha256(path)
    if not manifest_path(path).exists():
        write_manifest(path, sha256)
    elif read_manifest(path)["sha256"] != sha256:
        raise InputError(f"{path}: damaged, its sha256 is not the manifest's; move it away to render it again")
    return True


def _render_missing(request: Request, plan: Plan, staging: Staging, indices: Sequence[int]) -> None:
    missing = staging.missing(indices)
    if not missing:
        return
    views = request.release.cameras.views
    if len(missing) < len(indices):
        log.info("shard %d: %d of %d samples are there", request.shard, len(indices) - len(missing), len(indices))
    job = partial(
        SampleJob,
        plan=request.folder / "plan.npz",
        release=request.release,
        staging=staging,
        cache=request.cache or request.out / ".cache",
    )
    pool = Pool(job, request.pool, staging.folder, groups=lambda sample: int(plan.subject[plan.pair_of(sample)]))
    failures: list[Outcome] = []
    name = f"{request.release.name} shard {request.shard}"
    progress = Progress(name, views * len(indices), views * (len(indices) - len(missing)))
    with progress, closing(pool.run(missing)) as outcomes:
        for outcome in outcomes:
            if outcome.fault == "disk full":
                raise PassingError(f"{request.folder}: the disk is full; staged samples are kept, run again")
            if outcome.fault:
                log.error("sample %d: %s", outcome.task, outcome.reason)
                failures.append(outcome)
            else:
                progress.add(views)
    if failures:
        first = failures[0]
        raise RenderError(
            f"{request.path}: {len(failures)} of {len(indices)} samples failed, first sample {first.task} "
            f"({first.reason}); the others are kept, logs in {staging.folder}"
        )
