"""The plan of a release: every pose, subject, pair, split and seed, decided once before any pixel."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rigging.files import file_sha256, write_atomic
from rigging.geometry.calibration import Calibration
from rigging.hand.asset import DEFAULT_ASSET, HandAsset, load_asset
from rigging.npz import read_npz

from ..errors import InputError
from ..files import digest
from .hold_out import HoldOut
from .strata import ARRAYS as STRATA
from .strata import Strata

PLAN_VERSION = 2
CALIBRATION = "calibration_"  # what the names of a calibration's arrays begin with in a plan's file


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
    files: dict[str, dict[str, Any]] = field(default_factory=dict)  # kind of files: how many, sha256 over all
    left: np.ndarray | None = None  # (P,) bool, which pairs show a left hand; None: all show the release's `hand`
    calibration: Calibration | None = None  # with [cameras] rig = "calibration"

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
        clips = json.dumps(self.clips, sort_keys=True)
        texts = [str(PLAN_VERSION), clips, self.release, self.inputs, self.asset, self.device]
        if self.strata is not None:
            arrays += [np.ascontiguousarray(getattr(self.strata, name)) for name in STRATA]
            texts.append(self.strata.hold_out.to_json())
        if self.left is not None:
            arrays.append(np.ascontiguousarray(self.left))
        if self.calibration is not None:
            texts.append(self.calibration.digest)
        described = [f"{array.dtype.str}{array.shape}" for array in arrays]
        return digest(*texts, *described, *(array.tobytes() for array in arrays))


ARRAYS = tuple(name for name, kind in Plan.__annotations__.items() if kind == "np.ndarray")


def planned_asset(plan: Plan) -> HandAsset:
    """The hand asset that `plan` was made with. Raises InputError if the file has changed since."""
    found = file_sha256(DEFAULT_ASSET)
    if found != plan.asset:
        raise InputError(
            f"{DEFAULT_ASSET}: sha256 {found[:12]} is not the plan's {plan.asset[:12]}: the hand has changed since "
            "this release was planned; bring it back, or choose another --out"
        )
    return load_asset()


def save_plan(plan: Plan, path: Path) -> None:
    """Write `plan` as an .npz, atomically; the same plan gives the same bytes."""
    values = dict(vars(plan))
    if (strata := values.pop("strata")) is not None:
        values |= vars(strata) | {"hold_out": strata.hold_out.to_json()}
    if (calibration := values.pop("calibration")) is not None:
        values |= {CALIBRATION + name: np.asarray(value) for name, value in vars(calibration).items()}
    values["clips"] = json.dumps(plan.clips, sort_keys=True)
    if files := values.pop("files"):
        values["files"] = json.dumps(files, sort_keys=True)
    if plan.left is None:
        del values["left"]
    buffer = io.BytesIO()
    np.savez_compressed(buffer, version=PLAN_VERSION, **values)
    write_atomic(path, buffer.getvalue())


def load_plan(path: Path) -> Plan:
    """Read a plan. Raises InputError if the file is not a whole plan of this version, OSError if it cannot be read."""
    try:
        values = read_npz(path)
        if int(values.pop("version")) != PLAN_VERSION:
            raise ValueError(f"not version {PLAN_VERSION}")
        for name in ("release", "inputs", "asset", "device"):
            values[name] = str(values[name])
        values["clips"] = tuple(json.loads(str(values["clips"])))
        values["files"] = json.loads(str(values.get("files", "{}")))
        if "hold_out" in values:
            arrays = {name: values.pop(name) for name in STRATA}
            values["strata"] = Strata(hold_out=HoldOut.from_json(str(values.pop("hold_out"))), **arrays)
        if found := {name: values.pop(name) for name in list(values) if name.startswith(CALIBRATION)}:
            found = {name.removeprefix(CALIBRATION): value for name, value in found.items()}
            values["calibration"] = Calibration(**found | {"names": tuple(map(str, found["names"]))})
        return Plan(**values)
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"{path}: not a whole plan ({error}): remove it to plan again") from error
