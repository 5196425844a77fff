"""FreiHAND (Zimmermann et al., ICCV 2019), from the user's own folder.

training_K.json, training_xyz.json          lists over 32,560 poses: (3, 3) px and (21, 3) m in camera axes
training/rgb/00000000.jpg ...               224 x 224; picture i + 32,560 v shows pose i in version v
evaluation_K.json, evaluation_xyz.json      the same over 3,960 poses (the labels came out after the challenge)
evaluation/rgb/00000000.jpg ...

Its meshes have the 778 vertices of another hand than ours, and are not read.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rigging.errors import InputError
from rigging.poses.readers.files import numbers, read_json
from rigging.poses.readers.units import unit_scale

from .real import HALF, Frame, Layout, RealSource, check_any_folder

FOLDERS = {"training": "train", "evaluation": "val"}
VERSIONS = ("gs", "hom", "sample", "auto")  # green screen, homogenised, coloured by samples and without, in their order


@dataclass(frozen=True)
class Part:
    """A version of the training set, or the evaluation set: n poses, of which some have a picture here."""

    folder: str
    version: str
    xyz: np.ndarray  # (n, 21, 3) m
    K: np.ndarray  # (n, 3, 3) px
    poses: np.ndarray  # (m,) int64, those whose picture is there

    @property
    def first(self) -> int:
        """Number of the first picture."""
        return VERSIONS.index(self.version) * len(self.xyz)


class FreihandSource(RealSource):
    """Single views of right hands. `split` is "train" (training), "val" (evaluation) or "" for both.

    Of the training set `versions` of every pose. What is not there is left out, pictures that lack are counted
    (`skipped`); `subjects` numbers poses, so that versions of a pose are resampled together. See RealSource for the
    rest. Raises FileNotFoundError; InputError for a folder of another layout and for damaged files.
    """

    def __init__(self, root: Path | str, split: str = "", versions: Sequence[str] = VERSIONS) -> None:
        root = Path(root)
        if not versions or not set(versions) <= set(VERSIONS):
            raise InputError(f"versions {versions}: some of {', '.join(VERSIONS)} are wanted")
        folders = [name for name in check_any_folder(root, tuple(FOLDERS), "FreiHAND") if _has_labels(root, name)]
        if not folders:
            raise InputError(f"{root}: no training_xyz.json and no evaluation_xyz.json")
        self._parts = [part for folder in folders for part in _parts(root, folder, versions)]
        self.skipped = sum(len(part.xyz) - len(part.poses) for part in self._parts)
        names = tuple(f"{part.folder} {part.version}" for part in self._parts)
        counts, splits = zip(*((len(part.poses), FOLDERS[part.folder]) for part in self._parts))
        if not sum(counts):
            raise InputError(f"{root}: no picture of its labels is there, such as training/rgb/00000000.jpg")
        trained = max((len(part.xyz) for part in self._parts if part.folder == "training"), default=0)
        poses = [part.poses + trained * (part.folder == "evaluation") for part in self._parts]
        super().__init__(root, Layout("FreiHAND", names, counts, splits, 1, np.concatenate(poses)), split)

    def _frame(self, sequence: int, place: int) -> Frame:
        part = self._parts[sequence]
        pose = part.poses[place]
        picture = self.root / part.folder / "rgb" / f"{part.first + pose:08d}.jpg"
        if not np.isfinite(part.xyz[pose]).all() or not np.isfinite(part.K[pose]).all():
            raise InputError(f"{self.root}: {part.folder}_xyz.json or _K.json: entry {pose} is not finite")
        return Frame((picture,), part.xyz[pose], False, part.K[pose, None] + HALF, np.eye(4)[None])


def _has_labels(root: Path, folder: str) -> bool:
    return (root / f"{folder}_xyz.json").is_file()


def _parts(root: Path, folder: str, versions: Sequence[str]) -> list[Part]:
    """A folder's versions, each with what is there of it."""
    xyz, K = (_read(root / f"{folder}_{name}.json", shape) for name, shape in (("xyz", (-1, 21, 3)), ("K", (-1, 3, 3))))
    if len(xyz) != len(K):
        raise InputError(f"{root}: {folder}_xyz.json has {len(xyz)} entries, {folder}_K.json has {len(K)}")
    xyz = xyz * unit_scale(xyz, "m", f"{root / folder}_xyz.json")
    there = _pictures(root / folder / "rgb")
    parts = [
        Part(folder, version, xyz, K, np.arange(0)) for version in (versions if folder == "training" else VERSIONS[:1])
    ]
    return [
        Part(folder, one.version, xyz, K, np.flatnonzero(np.isin(np.arange(len(xyz)) + one.first, there)))
        for one in parts
    ]


def _read(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """(n, ...) float64 of a list over poses."""
    found = numbers(read_json(path), shape, str(path))
    if not len(found):
        raise InputError(f"{path}: an empty list")
    return found


def _pictures(folder: Path) -> np.ndarray:
    """(m,) int64: numbers of the pictures of a folder."""
    if not folder.is_dir():
        return np.arange(0)
    return np.array(
        [int(name[:-4]) for name in os.listdir(folder) if name.endswith(".jpg") and name[:-4].isdigit()], int
    )
