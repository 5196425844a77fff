"""Reader of HanCo (Zimmermann, Argus & Brox, GCPR 2021): a tree of JSON files, one per frame.

meta.json       {is_train, subject_id, is_valid, object_id, has_fit}: per sequence a list over frames
xyz/SSSS/FFFFFFFF.json    21 x 3, world frame, metres, our joint order; exists where has_fit
calib/SSSS/FFFFFFFF.json  K [8][3][3], M [8][4][4] world to camera, per frame because the crops differ
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ..clip import PoseClip, PoseError
from ..rejects import Reject
from .files import numbers, read_json, runs
from .permutations import to_canonical
from .units import unit_scale

META_KEYS = ("is_train", "subject_id", "is_valid", "object_id", "has_fit")
HAMUCO_TRAIN, HAMUCO_TEST = range(0, 1200), range(1201, 1518)
LICENCE = "HanCo: research only, no commercial use"


@dataclass(frozen=True)
class HancoSource:
    """The root folder of HanCo.

    split="train" and "other" follow is_train, which tells green screen recordings from others and is no
    benchmark split. "hamuco-train" is the first 1200 sequences and "hamuco-test" the last 317 of 1517, as the HaMuCo
    paper counts them; the data set's code counts 1518, so which one the paper lacks is not known: here sequence 1200
    is in neither.

    Raises:
        PoseError, FileNotFoundError: from `clips`, naming the file.
    """

    path: Path
    split: Literal["all", "train", "other", "hamuco-train", "hamuco-test"] = "all"
    is_valid: bool = False  # only frames that a person has verified
    has_fit: bool = True  # False asks for all frames; one without its file is then an error
    rejects: list[Reject] = field(default_factory=list, init=False)

    def clips(self) -> Iterator[PoseClip]:
        """Clips of consecutive frames, sequence by sequence; extra holds K and M of the eight cameras."""
        self.rejects.clear()
        root = Path(self.path)
        meta = _read_meta(root / "meta.json")
        for sequence in range(len(meta["has_fit"])):
            for frames in runs(self._wanted(root, meta, sequence)):
                yield _read_clip(root, sequence, frames, meta["subject_id"][sequence])

    def _wanted(self, root: Path, meta: dict[str, Any], sequence: int) -> list[int]:
        wanted = []
        for frame, fit in enumerate(meta["has_fit"][sequence]):
            if not self._in_split(sequence, meta["is_train"][sequence][frame]):
                continue
            reason = self._reason(fit, meta["is_valid"][sequence][frame])
            if reason:
                self.rejects.append(Reject("hanco", f"{sequence:04d}", frame, reason, "meta.json"))
            else:
                wanted.append(frame)
        return wanted

    def _reason(self, fit: bool, verified: bool) -> str:
        if self.has_fit and not fit:
            return "no fit"
        return "not verified" if self.is_valid and not verified else ""

    def _in_split(self, sequence: int, is_train: bool) -> bool:
        return {
            "all": True,
            "train": bool(is_train),
            "other": not is_train,
            "hamuco-train": sequence in HAMUCO_TRAIN,
            "hamuco-test": sequence in HAMUCO_TEST,
        }[self.split]


def _read_meta(path: Path) -> dict[str, Any]:
    meta = read_json(path)
    missing = set(META_KEYS) - set(meta) if isinstance(meta, dict) else set(META_KEYS)
    if missing:
        raise PoseError(f"{path}: no {', '.join(sorted(missing))} in it")
    counts = {key: [len(row) for row in meta[key]] for key in META_KEYS}
    for key in META_KEYS:
        if counts[key] != counts["has_fit"]:
            raise PoseError(f"{path}: {key} counts other frames than has_fit")
    return meta


def _read_clip(root: Path, sequence: int, frames: np.ndarray, subjects: list[Any]) -> PoseClip:
    digest = hashlib.sha256()
    arrays = {"joints": [], "K": [], "M": []}
    for frame in frames:
        xyz = root / "xyz" / f"{sequence:04d}" / f"{frame:08d}.json"
        calib = root / "calib" / f"{sequence:04d}" / f"{frame:08d}.json"
        arrays["joints"].append(numbers(read_json(xyz), (21, 3), str(xyz)))
        cameras = read_json(calib)
        for key, shape in (("K", (-1, 3, 3)), ("M", (-1, 4, 4))):
            if not isinstance(cameras, dict) or key not in cameras:
                raise PoseError(f"{calib}: no {key} in it")
            arrays[key].append(numbers(cameras[key], shape, f"{calib} {key}"))
        digest.update(xyz.read_bytes() + calib.read_bytes())
    joints = to_canonical("hanco", np.stack(arrays["joints"]))
    return PoseClip(
        joints=joints * unit_scale(joints, "m", f"{root}/xyz/{sequence:04d}"),
        name=f"{sequence:04d}/{frames[0]:08d}",
        subject=f"hanco_{subjects[frames[0]]}",
        source="hanco",
        licence=LICENCE,
        frame_ids=tuple(f"{sequence:04d}/{frame:08d}" for frame in frames),
        tip_def="mano",
        extra={"K": np.stack(arrays["K"]), "M": np.stack(arrays["M"])},
        sha256=digest.hexdigest(),
    )
