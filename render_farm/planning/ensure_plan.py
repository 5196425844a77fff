"""The plan of a release in its folder: found there and of the same content, or made; never mixed with another's."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping
from pathlib import Path

from dataset_tools.store.layout import ReleaseFolder
from rigging.files import file_sha256
from rigging.geometry.calibration import Calibration
from rigging.hand.asset import DEFAULT_ASSET

from ..files import digest
from ..lock import Lock
from . import earlier
from .catalogue import PANORAMAS, PHOTOGRAPHS, POSES, Catalogue
from .inputs import read_inputs
from .keep_inputs import keep_inputs
from .make_plan import make_plan
from .plan import Plan, load_plan, save_plan
from .refusals import check_device, refuse_other_version, refuse_to_mix
from .release import Release
from .rig import release_calibration, try_rig

log = logging.getLogger(__name__)

PLAN_KEY = "plan 2 schema 1"  # how shards are stored decides nothing in a plan: as it was at first


def ensure_plan(release: Release, folder: Path) -> Plan:
    """The plan of `release` in `folder`, made and saved there if it is not yet.

    All files that the release names are read first, unless they were before. One process plans, others wait; a plan
    that is there is read without a lock, as many processes may begin at once. Raises InputError for files that cannot
    be used, and if the folder holds shards of another configuration.
    """
    refuse_other_version(folder)
    inputs, calibration = read_inputs(release, folder.parent / ".cache"), release_calibration(release)
    try_rig(release, calibration)
    files, key = ReleaseFolder(folder), inputs_key(release, inputs, calibration)
    if (plan := _plan_of(files, release, key)) is None:
        files.locks.mkdir(parents=True, exist_ok=True)
        lock = Lock(files.plan_lock)
        lock.wait()
        with lock:
            plan = _plan_of(files, release, key) or _make(files, release, key, inputs, calibration)
    check_device(plan, release, folder)
    keep_inputs(files, plan, release, inputs)
    return plan


def inputs_key(release: Release, inputs: Mapping[str, Catalogue], calibration: Calibration | None = None) -> str:
    """Key of all that decides a plan: the release's settings, what its files hold, the hand asset and the versions."""
    poses = inputs.get(POSES)
    return digest(
        PLAN_KEY,
        release.to_json(),
        "no pose files" if poses is None else poses.digest,
        file_sha256(DEFAULT_ASSET),
        *(inputs[kind].digest for kind in (PANORAMAS, PHOTOGRAPHS) if kind in inputs),
        *([] if calibration is None else [calibration.digest]),
    )


def node_key(release: Release, folder: Path) -> str:
    """The key that the plan of `release` must have for a node that sees its `folder` to render it."""
    key = inputs_key(release, read_inputs(release, folder.parent / ".cache"), release_calibration(release))
    plan = _plan_of(ReleaseFolder(folder), release, key)
    return key if plan is None else plan.inputs


def _plan_of(files: ReleaseFolder, release: Release, key: str) -> Plan | None:
    """The plan in the folder if it was made from what `key` stands for."""
    plan = load_plan(files.plan) if files.plan.exists() else None
    return plan if plan is not None and (plan.inputs == key or earlier.agrees(plan, release)) else None


def _make(
    files: ReleaseFolder, release: Release, key: str, inputs: Mapping[str, Catalogue], calibration: Calibration | None
) -> Plan:
    if files.plan.exists():
        refuse_to_mix(load_plan(files.plan), release, files.path, inputs)
        log.info("%s: of another configuration and without shards, made anew", files.plan)
    told = {kind: {"files": len(found.names), "sha256": found.digest} for kind, found in inputs.items()}
    plan = dataclasses.replace(make_plan(release, key, files.path), files=told, calibration=calibration)
    keep_inputs(files, plan, release, inputs)
    save_plan(plan, files.plan)
    return plan
