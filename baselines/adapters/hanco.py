"""HanCo (Zimmermann, Argus & Brox, GCPR 2021), from the user's own folder, or a part of it.

rgb/SSSS/cam0/FFFFFFFF.jpg ... cam7         224 x 224; or rgb_merged, rgb_homo, rgb_color_auto, rgb_color_sample
xyz/SSSS/FFFFFFFF.json                      (21, 3) m in the world
calib/SSSS/FFFFFFFF.json                    {"K": (8, 3, 3) px, "M": (8, 4, 4) world to camera, m}
meta.json                                   has_fit, is_valid, subject_id, ...: per sequence a list over frames

Sequences 0 to 1199 train and the last 317 validate, as HaMuCo counts: see `rigging.poses.readers.hanco`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from rigging.errors import InputError
from rigging.poses.readers.files import numbers, read_json
from rigging.poses.readers.hanco import HAMUCO_TEST, HAMUCO_TRAIN, read_meta
from rigging.poses.readers.units import unit_scale

from .real import HALF, Frame, Layout, RealSource, check_folder

CAMERAS = 8
PICTURES = ("rgb", "rgb_merged", "rgb_homo", "rgb_color_auto", "rgb_color_sample")


class HancoSource(RealSource):
    """Eight views of every frame with a fit whose joints, cameras and pictures are all there; `skipped` the others.

    `split` is "train", "val" or "" for both; sequences that were not downloaded are left out. `pictures` names a folder
    of PICTURES; with `verified` only frames count that a person looked at. `subjects` are those of meta.json. All hands
    are right ones. See RealSource for the rest. Raises FileNotFoundError; InputError for a folder of another layout,
    damaged files, and a split without samples.
    """

    def __init__(self, root: Path | str, split: str = "", pictures: str = "rgb", verified: bool = False) -> None:
        root = Path(root)
        if pictures not in PICTURES:
            raise InputError(f"pictures {pictures!r}: one of {', '.join(PICTURES)} is wanted")
        check_folder(root, (pictures, "xyz", "calib"), "HanCo")
        self.pictures, meta = pictures, read_meta(root / "meta.json")
        sequences = [s for s in (*HAMUCO_TRAIN, *HAMUCO_TEST) if s < len(meta["has_fit"])]
        there = {s: _whole_frames(root, pictures, s) for s in sequences if (root / "xyz" / f"{s:04d}").is_dir()}
        wanted = {s: _wanted(meta, s, verified) for s in there}
        self._frames = {s: [f for f in wanted[s] if f in there[s]] for s in there}
        self.skipped = sum(len(wanted[s]) - len(self._frames[s]) for s in there)
        self._frames = {s: frames for s, frames in self._frames.items() if frames}
        if not self._frames:
            raise InputError(f"{root}: no frame has its joints, its cameras and {CAMERAS} pictures in {pictures}")
        names, counts = tuple(f"{s:04d}" for s in self._frames), tuple(map(len, self._frames.values()))
        splits = tuple("train" if s in HAMUCO_TRAIN else "val" for s in self._frames)
        people = np.array([_subject(meta, s, f) for s, frames in self._frames.items() for f in frames])
        super().__init__(root, Layout("HanCo", names, counts, splits, CAMERAS, people), split)

    def _frame(self, sequence: int, place: int) -> Frame:
        name = self.layout.sequences[sequence]
        frame = f"{self._frames[int(name)][place]:08d}"
        path = self.root / "xyz" / name / f"{frame}.json"
        joints = _finite(read_json(path), (21, 3), path)
        cameras = self.root / "calib" / name / f"{frame}.json"
        found = read_json(cameras)
        K, world_to_cam = (
            _finite(found.get(key) if isinstance(found, dict) else None, shape, f"{cameras}: {key}")
            for key, shape in (("K", (CAMERAS, 3, 3)), ("M", (CAMERAS, 4, 4)))
        )
        pictures = tuple(self.root / self.pictures / name / f"cam{c}" / f"{frame}.jpg" for c in range(CAMERAS))
        return Frame(pictures, joints * unit_scale(joints[None], "m", str(path)), False, K + HALF, world_to_cam)


def _wanted(meta: dict[str, Any], sequence: int, verified: bool) -> list[int]:
    """Frames of a sequence that have a fit, and if it is wanted were verified."""
    flags = zip(meta["has_fit"][sequence], meta["is_valid"][sequence])
    return [frame for frame, (fit, valid) in enumerate(flags) if fit and (valid or not verified)]


def _whole_frames(root: Path, pictures: str, sequence: int) -> set[int]:
    """Frames whose joints, cameras and pictures are there."""
    name = f"{sequence:04d}"
    folders = [(root / kind / name, ".json") for kind in ("xyz", "calib")]
    folders += [(root / pictures / name / f"cam{camera}", ".jpg") for camera in range(CAMERAS)]
    return set.intersection(*(_numbers(folder, ending) for folder, ending in folders))


def _numbers(folder: Path, ending: str) -> set[int]:
    if not folder.is_dir():
        return set()
    stems = (name.removesuffix(ending) for name in os.listdir(folder) if name.endswith(ending))
    return {int(stem) for stem in stems if stem.isdigit()}


def _subject(meta: dict[str, Any], sequence: int, frame: int) -> int:
    subject = meta["subject_id"][sequence][frame]
    if not isinstance(subject, int):
        raise InputError(f"meta.json: subject_id of sequence {sequence}, frame {frame} is {subject!r}, no number")
    return subject


def _finite(value: Any, shape: tuple[int, ...], where: Path | str) -> np.ndarray:
    """`value` as float64 (...) of `shape`, finite."""
    found = numbers(value, shape, str(where))
    if not np.isfinite(found).all():
        raise InputError(f"{where}: not finite")
    return found
