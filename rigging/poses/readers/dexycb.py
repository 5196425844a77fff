"""Reader of DexYCB's label files (Chao et al., CVPR 2021): one .npz per frame and camera.

SUBJECT/SEQUENCE/CAMERA/labels_NNNNNN.npz   joint_3d (1, 21, 3) metres, camera frame, our order; all -1 without a hand
SUBJECT/SEQUENCE/meta.yml                   mano_sides: which hand
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from ..clip import PoseClip, PoseError, load_arrays
from ..rejects import Reject
from .columns import counts
from .files import numbers
from .folders import files_sha256, matching, read_each
from .recordings import Origin, Recorded, clips_of
from .sides import evidence

log = logging.getLogger(__name__)

LICENCE = "DexYCB: CC BY-NC 4.0"
FPS = 30.0
LABELS = "labels_*.npz"
SUBJECT = re.compile(r"(?:\d{8}-)?subject-\d+")


@dataclass(frozen=True)
class DexycbSource:
    """The root folder of DexYCB, or a subject's, sequence's or camera's, or one label file.

    A clip is the hand of a sequence seen by a camera: in all cameras it is the same, in another frame. Frames without a
    hand are NaN, for the gate to reject. The subject is the folder named so, else the sequence is its own.

    Raises:
        PoseError, FileNotFoundError: from `clips`, naming the file; also if neither meta.yml nor the hand's bend says
            whether it is a left or a right hand.
    """

    path: Path
    cameras: tuple[str, ...] = ("first",)  # "first" of each sequence, "all", or serial numbers
    hand: Literal["file", "right", "left"] = "file"  # "file": as meta.yml says
    sequences: tuple[str, ...] = ()  # names or patterns, such as 20200709-subject-01/*
    rejects: list[Reject] = field(default_factory=list, init=False)

    def clips(self) -> Iterator[PoseClip]:
        """Clips in the frame of their camera, x right, y down, z forward."""
        self.rejects.clear()
        yield from read_each("dexycb", self._folders(), self._read, self.rejects)

    def _folders(self) -> dict[str, Path]:
        """Name to folder of label files: SUBJECT/SEQUENCE/CAMERA."""
        root = Path(self.path)
        if not root.is_dir():
            return {_name(root.parent, root.parent): root}
        sequences: dict[str, list[Path]] = {}
        for folder in sorted({file.parent for file in root.rglob(LABELS)}):
            sequences.setdefault(_name(_sequence(folder), root), []).append(folder)
        if not sequences:
            raise FileNotFoundError(f"{root}: no such folder, or no {LABELS} in it or below")
        chosen = matching({name: folders[0] for name, folders in sequences.items()}, self.sequences, str(root))
        return {
            name if folder == _sequence(folder) else f"{name}/{folder.name}": folder
            for name in chosen
            for folder in self._of_cameras(sequences[name], name)
        }

    def _of_cameras(self, folders: Sequence[Path], name: str) -> Sequence[Path]:
        if self.cameras == ("first",):
            return folders[:1]
        chosen = [folder for folder in folders if self.cameras == ("all",) or folder.name in self.cameras]
        if not chosen:
            there = ", ".join(folder.name for folder in folders)
            raise PoseError(f"{self.path}: {name} has no camera {'+'.join(self.cameras)}, there are {there}")
        return chosen

    def _read(self, name: str, place: Path) -> list[PoseClip]:
        """The clip of a folder of label files, or of one."""
        files = sorted(place.glob(LABELS)) if place.is_dir() else [place]
        joints = _joints(files)
        left = self._side(place, joints) == "left"
        ids = [file.stem.removeprefix("labels_") for file in files]
        counted = counts(np.array([int(text) for text in ids])) if all(map(str.isdecimal, ids)) else np.arange(len(ids))
        recorded = Recorded(
            joints,
            counted,
            np.full(len(files), "left" if left else "right"),
            np.full(len(files), _person(place)),
        )
        named = dict(zip(counted.tolist(), ids))
        origin = Origin(place, name, "dexycb", files_sha256(files), "dexycb", "m", LICENCE, FPS, frame_ids=named)
        return clips_of(recorded, origin)

    def _side(self, place: Path, joints: np.ndarray) -> str:
        if self.hand != "file":
            return self.hand
        for meta in (parent / "meta.yml" for parent in (place, *place.parents[:2])):
            if meta.is_file():
                return _side_in(meta)
        bend = evidence(joints, np.zeros(len(joints), bool))
        if not bend:
            raise PoseError(f"{place}: no meta.yml says which hand it is, allowed are right, left (option hand)")
        return "right" if bend > 0 else "left"


def _sequence(folder: Path) -> Path:
    """The folder of a sequence, of that of label files: the one above where this is a camera's, named by its serial."""
    return folder.parent if folder.resolve().name.isdigit() else folder


def _name(sequence: Path, root: Path) -> str:
    """SUBJECT/SEQUENCE where the folders are named so, else the path below `root`, or the folder's name."""
    parts = sequence.resolve().parts
    named = [i for i, part in enumerate(parts) if SUBJECT.fullmatch(part)]
    if named:
        return "/".join(parts[named[-1] :])
    return parts[-1] if sequence == root or root not in sequence.parents else sequence.relative_to(root).as_posix()


def _person(place: Path) -> str:
    """The subject's folder, else that of the sequence: one person's, whoever it is."""
    folder = place if place.is_dir() else place.parent
    named = [part for part in folder.resolve().parts if SUBJECT.fullmatch(part)]
    return named[-1] if named else _sequence(folder.resolve()).name


def _joints(files: Sequence[Path]) -> np.ndarray:
    """(T, 21, 3) metres, NaN where there is no hand, or where one of several files is damaged, which is named."""
    joints = np.full((len(files), 21, 3), np.nan)
    for row, file in enumerate(files):
        try:
            joints[row] = _label(file)
        except PoseError as fault:
            if len(files) == 1:
                raise
            log.warning("a frame is missing: %s", fault)
    return joints


def _label(file: Path) -> np.ndarray:
    """joint_3d (21, 3) of a label file; DexYCB's -1 for what is not annotated is NaN."""
    arrays = load_arrays(file, ("joint_3d",))
    if "joint_3d" not in arrays:
        raise PoseError(f"{file}: no joint_3d in it")
    joints = arrays["joint_3d"]
    joints = numbers(joints[0] if joints.shape[:1] == (1,) else joints, (21, 3), f"{file} joint_3d")
    return np.where((joints == -1).all(-1, keepdims=True), np.nan, joints)


def _side_in(meta: Path) -> str:
    """The hand that a sequence's meta.yml names under mano_sides."""
    found = re.search(
        r"^mano_sides:\s*(?:-\s*|\[\s*)['\"]?(right|left)\b", meta.read_text(errors="replace"), re.MULTILINE
    )
    if not found:
        raise PoseError(f"{meta}: no mano_sides in it, right or left")
    return found[1]
