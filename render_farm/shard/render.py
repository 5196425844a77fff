"""Renders one shard: plan, lock, what is missing, assembly. Needs no cluster; every way to run a farm calls this."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dataset_tools.format.schema import SchemaError
from dataset_tools.pictures.sheet import write_sheet
from dataset_tools.store.errors import ShardError
from dataset_tools.store.shard_file import ShardFile
from dataset_tools.store.shard_state import FAULTY, State, file_state
from dataset_tools.store.writer import write_manifest, write_shard
from rigging.files import file_sha256

from ..errors import InputError, RenderError, full_disk_is_told, writing
from ..files import chunks, write_checked
from ..lock import Lock
from ..planning.configuration import Configuration, difference
from ..planning.earlier import is_earlier
from ..planning.ensure_plan import ensure_plan
from ..planning.plan import Plan, load_plan, planned_asset
from ..planning.spec import shard_record
from .events import EventLog, Finish
from .missing import render_missing, told_stop
from .request import Request
from .staging import Staging

log = logging.getLogger(__name__)


def render_shard(request: Request) -> Path:
    """Render a shard unless it is there already, and return its path.

    Raises InputError (wrong configuration or input), LockedError, DiskFullError, IncompleteError (samples are
    quarantined), RenderError; each carries the exit code. Whatever was interrupted, the next call goes on from the
    staged samples and gives the same bytes.
    """
    indices = request.indices
    for folder in (request.files.locks, request.staging.parent):
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
    with full_disk_is_told(request.folder):
        try:
            plan = ensure_plan(request.release, request.folder)
        except InputError as error:
            if not was_finished(request):
                raise
            log.warning("%s (shard %d was finished before)", error, request.shard)
            return request.path
        check_poses(request, plan, indices)
        with Lock(request.files.lock(request.shard)):
            return _render_locked(request, plan)


def was_finished(request: Request) -> bool:
    """Whether the shard is whole and as this release planned it, whatever has become of the release's files since."""
    if not request.files.plan.exists():
        return False
    plan = load_plan(request.files.plan)
    text = request.release.to_json(paths=is_earlier(plan))
    wanted = Configuration.of(plan, request.samples).hash
    return plan.release == text and file_state(request.path, wanted, deep=True).state is State.WHOLE


def check_poses(request: Request, plan: Plan, indices: range) -> None:
    """Raise InputError if the pose source had too few poses for the samples `indices`."""
    if indices.stop <= plan.samples:
        return
    left = max(0, plan.samples - indices.start)
    advice = f"--samples {left} renders those" if left else "lower --shard"
    raise InputError(
        f"--shard {request.shard}: needs samples {indices.start} to {indices.stop - 1} of release "
        f"{request.release.name!r}, but --poses {request.release.poses.source} has usable poses for the first "
        f"{plan.samples} only: {advice}, or take more poses"
    )


def _render_locked(request: Request, plan: Plan) -> Path:
    configuration = Configuration.of(plan, request.samples)
    if not is_done(request, configuration):
        staging, events = Staging(request.staging), EventLog.of(request.folder, request.shard)
        with told_stop(events):
            staging.open(configuration.sample_hash)
            render_missing(request, plan, staging, events, configuration.sample_hash)
            record = shard_record(request.release, request.shard, plan, planned_asset(plan), configuration)
            sha256 = _write(request, staging, record)
            write_manifest(request.path, sha256)
            events.add(Finish(request.path.stat().st_size, sha256))
        staging.remove()
    request.files.incomplete(request.shard).unlink(missing_ok=True)
    if not (sheet := request.files.sheet(request.shard)).exists():
        write_sheet(request.path, sheet)
    log.info("%s: done, %d samples", request.path, len(request.indices))
    return request.path


def _write(request: Request, staging: Staging, record: Mapping[str, Any]) -> str:
    """Pack the staged samples into the shard's file and return its sha256.

    With a local disk, packing happens there: HDF5 writes and reads back in small pieces all over the file, and a
    shared file system is spared all but one sequential stream. Raises RenderError if it does not read back.
    """
    samples = staging.read(request.indices)
    packed = request.path if request.scratch is None else staging.folder / request.path.name
    try:
        sha256 = write_shard(packed, samples, record)
    except (ShardError, SchemaError) as error:  # as of a disk that gives back other bytes than it was given
        raise RenderError(f"{packed}: cannot be written: {error}; run again") from error
    if packed != request.path:
        write_checked(request.path, chunks(packed), sha256)
    return sha256


def is_done(request: Request, configuration: Configuration) -> bool:
    """Whether the shard is there, whole and of this configuration; a manifest lost on the way is written again.

    Raises InputError for a file of another configuration, a foreign, unreadable or damaged one: none is overwritten.
    """
    path = request.path
    shard = file_state(path, configuration.hash, deep=True)
    if shard.state is State.OTHER:
        changed = f" ({changes})" if (changes := _changes(path, configuration)) else ""
        raise InputError(f"{path}: {shard.reason}{changed}: choose another --out, or move the file away")
    if shard.state in FAULTY:
        advice = "; move it away to render it again, or choose another --out"
        raise InputError(f"{path}: {shard.reason}{advice if shard.state is State.DAMAGED else ''}")
    if shard.state is State.PARTIAL:
        write_manifest(path, file_sha256(path))
    return shard.state is not State.MISSING


def _changes(path: Path, configuration: Configuration) -> str:
    """In which settings a shard's configuration is not this one; "" where it does not say."""
    try:
        with ShardFile(path) as shard:
            return difference(str(shard.attrs["configuration"]), configuration.text)
    except (ShardError, KeyError, ValueError):
        return ""
