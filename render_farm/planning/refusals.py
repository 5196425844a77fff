"""Why a folder cannot be gone on with: its release was begun with other settings, files, programs or processors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from dataset_tools.format.optional import WITH_OPTIONAL
from dataset_tools.format.schema import SCHEMA_VERSION
from dataset_tools.store.errors import ShardError
from dataset_tools.store.layout import ReleaseFolder
from dataset_tools.store.manifest import read_manifest
from rigging.files import file_sha256
from rigging.hand.asset import DEFAULT_ASSET

from ..device import device_kind
from ..errors import InputError
from .catalogue import Catalogue, changes
from .configuration import difference, differing, package_versions
from .earlier import is_earlier
from .keep_inputs import kept_inputs
from .plan import Plan
from .release import Release, pathless


def check_device(plan: Plan, release: Release, folder: Path) -> None:
    """Raise InputError if this host would not give the bytes of the hosts that began the release."""
    here = device_kind(release.render)
    if plan.device != here:
        raise InputError(
            f"{folder}: this release is rendered on {plan.device!r}, this host is {here!r} and would give other "
            "bytes: use hosts of one kind, or another --out"
        )


def refuse_to_mix(plan: Plan, release: Release, folder: Path, inputs: Mapping[str, Catalogue] | None = None) -> None:
    """Raise InputError if `folder` holds shards, made from another `plan`; it names what differs, as far as known."""
    if not (shards := ReleaseFolder(folder).shards()):
        return
    told = difference(json.dumps(pathless(json.loads(plan.release))), release.to_json())
    if not told and is_earlier(plan):
        raise InputError(
            f"{folder}: holds {len(shards)} shard(s) that mvhm 0.2 began when it knew files by their paths: finish it "
            "with that version, or with this one and the same files at the paths that it was begun with; or choose "
            "another --out"
        )
    told = told or changed_inputs(plan, ReleaseFolder(folder), inputs or {})
    raise InputError(
        f"{folder}: holds {len(shards)} shard(s) of another configuration ({told or _changed_hand(plan)}): bring back "
        "what it was begun with, choose another --out, or move the shards away"
    )


def changed_inputs(plan: Plan, files: ReleaseFolder, inputs: Mapping[str, Catalogue]) -> str:
    """Which files of the release are not those that `plan` was made from, in words; "" if all are."""
    told = []
    for kind, now in sorted(inputs.items()):
        if plan.files.get(kind, {}).get("sha256") == now.digest:
            continue
        try:
            before = kept_inputs(files, plan, kind, str(now.root))
        except InputError:  # lost: that they have changed is known nevertheless
            before = None
        told.append(f"{kind}: {(before and changes(before, now)) or 'not those it was planned with'}")
    return "; ".join(told)


def _changed_hand(plan: Plan) -> str:
    found = file_sha256(DEFAULT_ASSET)
    if found != plan.asset:
        return f"the hand asset's sha256 {plan.asset[:12]}, now {found[:12]}"
    return "planned by another version of mvhm"


def refuse_other_version(folder: Path) -> None:
    """Raise InputError if `folder` holds shards of another schema version, or made by other packages.

    A shard made by other packages may have other bytes: no release is of both.
    """
    files, here = ReleaseFolder(folder), package_versions()
    for shard in files.shards():
        try:
            manifest = read_manifest(files.shard(shard))
        except (FileNotFoundError, ShardError):  # it is told when that shard's turn comes
            continue
        version, there = manifest.get("schema_version"), manifest.get("package_versions") or here
        told, other = differing(there, here), [name for name in there if there[name] not in ("", here.get(name))]
        finish = ", ".join(f"{name}=={there[name]}" for name in other) or "those"
        if version not in (SCHEMA_VERSION, WITH_OPTIONAL):
            told = f"schema_version {version}, now {SCHEMA_VERSION}"
            finish = "the version of mvhm that began it (0.1 for schema_version 1)"
        if told:
            raise InputError(
                f"{folder}: begun with another configuration ({told}): finish it with {finish}, or choose another --out"
            )
        return
