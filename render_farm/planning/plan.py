"""The plan of a release: every pose, subject, pair, split and seed, decided once before any pixel."""

from __future__ import annotations

import dataclasses
import io
import json
import logging
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dataset_tools.format.schema import SCHEMA_VERSION
from dataset_tools.store.errors import ShardError
from dataset_tools.store.layout import ReleaseFolder
from dataset_tools.store.manifest import read_manifest
from rigging.files import file_sha256, write_atomic
from rigging.hand.asset import DEFAULT_ASSET, HandAsset, load_asset

from ..device import device_kind
from ..errors import InputError
from ..files import digest, fingerprint
from ..lock import Lock
from .configuration import difference
from .hold_out import HoldOut
from .release import Release
from .strata import ARRAYS as STRATA
from .strata import Strata

log = logging.getLogger(__name__)

PLAN_VERSION = 2
PLAN_KEY = f"plan {PLAN_VERSION} schema 1"  # how shards are stored decides nothing in a plan: as it was at first
POSE_SUFFIXES = (".json", ".mat", ".npz", ".npy")
ARRAYS = (
    "joints", "up", "wrist", "clip", "frame_id", "split", "subject", "coefficients", "hand_length", "age", "gender",
    "ita", "skin_seed", "subject_split",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Plan:
    """P pairs of L poses (L = 2, or 1 without neighbours), S subjects. Sample i is pose i % L of pair i // L."""

    joints: np.ndarray  # (P, L, 21, 3) float32 m, in the source's frame
    up: np.ndarray  # (P, 3, 3) float64, rotation from the source's frame to the world (+z up)
    wrist: np.ndarray  # (P, L, 2) float64 rad, flexion and radial deviation
    clip: np.ndarray  # (P,) int32, index into clips
    frame_id: np.ndarray  # (P, L) str, the source's own frame names
    split: np.ndarray  # (P,) uint8, index into splits.SPLITS
    subject: np.ndarray  # (P,) int32
    coefficients: np.ndarray  # (S, K) float64, shape in standard deviations
    hand_length: np.ndarray  # (S,) float64 m
    age: np.ndarray  # (S,) float64
    gender: np.ndarray  # (S,) float64
    ita: np.ndarray  # (S,) float64 degrees
    skin_seed: np.ndarray  # (S,) int64
    subject_split: np.ndarray  # (S,) uint8, whose it is; train's are shared by splits that hold no subject out
    clips: tuple[dict, ...]  # name, subject, source, licence, mirrored, tip_def, wrist_def, fps, has_up, sha256
    release: str  # canonical JSON of the release
    inputs: str  # key of what the plan was made from
    asset: str  # sha256 of the hand asset's file
    device: str  # kind of processor that renders the release
    strata: Strata | None = None  # with splits that hold a factor out

    @property
    def poses_per_pair(self) -> int:
        """L."""
        return self.joints.shape[1]

    def pair_of(self, sample: int) -> int:
        """The pair of sample `sample`."""
        return sample // self.poses_per_pair

    def role_of(self, sample: int) -> int:
        """Which pose of its pair sample `sample` is, from 0."""
        return sample % self.poses_per_pair

    @property
    def samples(self) -> int:
        """How many samples there are poses for: those of the release, or fewer."""
        return self.joints.shape[0] * self.joints.shape[1]

    @property
    def content(self) -> str:
        """sha256 over everything in the plan: two plans with the same one give the same release."""
        arrays = [np.ascontiguousarray(getattr(self, name)) for name in ARRAYS]
        if self.strata is not None:
            arrays += [np.ascontiguousarray(getattr(self.strata, name)) for name in STRATA]
        described = [f"{array.dtype.str}{array.shape}" for array in arrays]
        clips = json.dumps(self.clips, sort_keys=True)
        texts = [str(PLAN_VERSION), clips, self.release, self.inputs, self.asset, self.device]
        if self.strata is not None:
            texts.append(self.strata.hold_out.to_json())
        return digest(*texts, *described, *(array.tobytes() for array in arrays))


def planned_asset(plan: Plan) -> HandAsset:
    """The hand asset that `plan` was made with. Raises InputError if the file has changed since."""
    found = file_sha256(DEFAULT_ASSET)
    if found != plan.asset:
        raise InputError(
            f"{DEFAULT_ASSET}: sha256 {found[:12]} is not the plan's {plan.asset[:12]}: the hand has changed since "
            "this release was planned; bring it back, or choose another --out"
        )
    return load_asset()


def inputs_key(release: Release) -> str:
    """Key of all that decides a plan: the release's settings, the pose files, the hand asset and the versions."""
    poses = pose_files(release.poses.source)
    return digest(
        PLAN_KEY,
        release.to_json(),
        fingerprint(poses, POSE_SUFFIXES) if poses is not None else "no pose files",
        file_sha256(DEFAULT_ASSET),
        *(fingerprint(Path(folder)) for folder in (release.files.hdris, release.files.photos) if folder),
    )


def pose_files(spec: str) -> Path | None:
    """The file or folder that a pose source spec names, or None. Raises InputError if it is not there."""
    path = spec.partition("?")[0].partition(":")[2]
    if not path:
        return None
    if not Path(path).exists():
        raise InputError(f"--poses {spec}: {path}: there is no such file or folder")
    return Path(path)


def ensure_plan(release: Release, folder: Path) -> Plan:
    """The plan of `release` in `folder`, made and saved there if it is not yet.

    One process plans, others wait; a plan that is there is read without a lock, as many processes may begin at once.
    Raises InputError if the folder holds shards of another configuration.
    """
    refuse_other_schema(folder)
    files, key = ReleaseFolder(folder), inputs_key(release)
    files.locks.mkdir(parents=True, exist_ok=True)
    path = files.plan
    if (plan := _plan_of(path, key)) is not None:
        check_device(plan, release, folder)
        return plan
    lock = Lock(files.plan_lock)
    lock.wait()
    with lock:
        if (plan := _plan_of(path, key)) is not None:  # made meanwhile
            check_device(plan, release, folder)
            return plan
        if path.exists():
            refuse_to_mix(load_plan(path), release, folder)
            log.info("%s: of another configuration and without shards, made anew", path)
        from .make_plan import make_plan

        plan = make_plan(release, key, folder)
        save_plan(plan, path)
        return plan


def _plan_of(path: Path, key: str) -> Plan | None:
    """The plan in `path` if it was made from `key`."""
    plan = load_plan(path) if path.exists() else None
    return plan if plan is not None and plan.inputs == key else None


def check_device(plan: Plan, release: Release, folder: Path) -> None:
    """Raise InputError if this host would not give the bytes of the hosts that began the release."""
    here = device_kind(release.render)
    if plan.device != here:
        raise InputError(
            f"{folder}: this release is rendered on {plan.device!r}, this host is {here!r} and would give other "
            "bytes: use hosts of one kind, or another --out"
        )


def refuse_to_mix(plan: Plan, release: Release, folder: Path) -> None:
    """Raise InputError if `folder` holds shards, made from another `plan`."""
    shards = ReleaseFolder(folder).shards()
    if shards:
        changed = difference(plan.release, release.to_json()) or "pose files, hand or version"
        raise InputError(
            f"{folder}: holds {len(shards)} shard(s) of another configuration ({changed}): "
            "choose another --out, or move them away"
        )


def refuse_other_schema(folder: Path) -> None:
    """Raise InputError if `folder` holds shards of another schema version: a release is of one."""
    files = ReleaseFolder(folder)
    for shard in files.shards():
        try:
            version = read_manifest(files.shard(shard)).get("schema_version")
        except (FileNotFoundError, ShardError):  # it is told when that shard's turn comes
            continue
        if version != SCHEMA_VERSION:
            raise InputError(
                f"{folder}: begun with another configuration (schema_version {version}, now {SCHEMA_VERSION}): finish "
                "it with the version of mvhm that began it (0.1 for schema_version 1), or choose another --out"
            )
        return


def save_plan(plan: Plan, path: Path) -> None:
    """Write `plan` as an .npz, atomically; the same plan gives the same bytes."""
    values = {field.name: getattr(plan, field.name) for field in dataclasses.fields(plan)}
    if (strata := values.pop("strata")) is not None:
        values |= {name: getattr(strata, name) for name in STRATA} | {"hold_out": strata.hold_out.to_json()}
    values["clips"] = json.dumps(plan.clips, sort_keys=True)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, version=PLAN_VERSION, **values)
    write_atomic(path, buffer.getvalue())


def load_plan(path: Path) -> Plan:
    """Read a plan. Raises InputError if the file is not a whole plan of this version."""
    try:
        with np.load(path, allow_pickle=False) as data:
            values = {name: data[name] for name in data.files}
        if int(values.pop("version")) != PLAN_VERSION:
            raise ValueError(f"not version {PLAN_VERSION}")
        for name in ("release", "inputs", "asset", "device"):
            values[name] = str(values[name])
        values["clips"] = tuple(json.loads(str(values["clips"])))
        if "hold_out" in values:
            arrays = {name: values.pop(name) for name in STRATA}
            values["strata"] = Strata(hold_out=HoldOut.from_json(str(values.pop("hold_out"))), **arrays)
        return Plan(**values)
    except (OSError, ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: not a whole plan ({error}): remove it to plan again") from error
