"""Reader of InterHand2.6M (Moon et al., ECCV 2020).

annotations/SPLIT/InterHand2.6M_SPLIT_joint_3d.json   [capture][frame]: world_coord 42 x 3 mm, joint_valid 42
annotations/SPLIT/InterHand2.6M_SPLIT_camera.json     [capture]: campos, camrot, focal, princpt by camera, mm
annotations/SPLIT/InterHand2.6M_SPLIT_data.json       image records: which sequence a frame belongs to
Points 0..20 are the right hand, 21..41 the left one.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ...files import file_sha256
from ..clip import PoseClip, PoseError
from ..rejects import Reject
from .files import numbers, read_json
from .mirror import mirror_points
from .permutations import joint_order, to_canonical
from .units import SCALES

log = logging.getLogger(__name__)

HAND_ROWS = {"right": slice(0, 21), "left": slice(21, 42)}
LICENCE = "InterHand2.6M: CC BY-NC 4.0"


@dataclass(frozen=True)
class InterhandSource:
    """The root folder of InterHand2.6M (the one that holds `annotations`), or of a part of it.

    A frame with both hands gives a frame in two clips; left hands are mirrored. A frame is used where all 21 joints
    of the hand are valid. Frames of a sequence follow each other by the data set's own step (it annotates every few
    frames); a clip ends where a step is missing. Without data.json clips end at such gaps only.

    Raises:
        PoseError, FileNotFoundError: from `clips`, naming the file.
    """

    path: Path
    split: Literal["train", "val", "test"] = "train"
    hands: Literal["both", "right", "left"] = "both"
    captures: tuple[str, ...] = ()  # all if empty
    sequences: tuple[str, ...] = ()  # names as in data.json; all if empty
    names: bool = True  # False leaves the large data.json unread
    rejects: list[Reject] = field(default_factory=list, init=False)

    def clips(self) -> Iterator[PoseClip]:
        """Clips by capture, sequence and hand, in the world frame of the capture."""
        self.rejects.clear()
        file = self._file("joint_3d")
        poses, names, digest = _read_poses(file), self._read_names(), file_sha256(file)
        _require_known(self.captures, poses, f"{file}: captures")
        _require_known(self.sequences, {n for of in names.values() for n in of.values()}, f"{file}: sequences")
        for capture in sorted(set(self.captures or poses), key=_by_number):
            frames = self._frames(capture, poses[capture], names.get(capture, {}))
            for sequence in sorted({frame.sequence for frame in frames}):
                if not self.sequences or sequence in self.sequences:
                    yield from self._sequence_clips([f for f in frames if f.sequence == sequence], capture, digest)

    def _file(self, kind: str) -> Path:
        return Path(self.path) / "annotations" / self.split / f"InterHand2.6M_{self.split}_{kind}.json"

    def _read_names(self) -> dict[str, dict[str, str]]:
        file = self._file("data")
        if self.names and not self.sequences and not file.is_file():
            log.warning("%s: no such file, so clips end at gaps only", file)
            return {}
        return _sequence_names(read_json(file), file) if self.names or self.sequences else {}

    def _frames(self, capture: str, entries: Any, names: dict[str, str]) -> list[_Frame]:
        """The frames of a capture in order; what cannot be read is left out as damaged."""
        frames = []
        for key in sorted(entries, key=_by_number) if isinstance(entries, dict) else ["(all)"]:
            sequence = names.get(key, "")
            try:
                if not key.isdecimal():
                    raise PoseError("no frame number")
                frames.append(_read_frame(entries[key], int(key), sequence))
            except PoseError as error:
                self.rejects.append(Reject("interhand", f"{capture}/{sequence}", key, "damaged", str(error)))
        return frames

    def _sequence_clips(self, frames: list[_Frame], capture: str, digest: str) -> Iterator[PoseClip]:
        step = _step([frame.number for frame in frames])
        for hand in HAND_ROWS if self.hands == "both" else (self.hands,):
            rows = HAND_ROWS[hand]
            name = f"{capture}/{frames[0].sequence}/{hand}"
            self._reject_incomplete(frames, rows, name)
            used = [frame for frame in frames if frame.valid[rows].all()]
            for run in _steps(np.array([frame.number for frame in used], dtype=int), step):
                yield _clip([used[i] for i in run], name, hand, capture, digest)

    def _reject_incomplete(self, frames: list[_Frame], rows: slice, name: str) -> None:
        for frame in frames:
            count = int(frame.valid[rows].sum())
            if 0 < count < 21:  # a hand of which nothing is annotated was never there
                self.rejects.append(Reject("interhand", name, frame.number, "missing", f"{count} of 21 joints valid"))


@dataclass(frozen=True)
class _Frame:
    number: int
    sequence: str
    points: np.ndarray  # (42, 3) mm
    valid: np.ndarray  # (42,) bool


def _read_poses(file: Path) -> dict[str, Any]:
    poses = read_json(file)
    if not isinstance(poses, dict) or not poses:
        raise PoseError(f"{file}: no captures in it")
    return poses


def _read_frame(entry: Any, number: int, sequence: str) -> _Frame:
    if not isinstance(entry, dict):
        raise PoseError("no table with world_coord and joint_valid")
    points = numbers(entry.get("world_coord"), (42, 3), "world_coord")
    valid = entry.get("joint_valid")
    nested = isinstance(valid, list) and valid and isinstance(valid[0], list)
    valid = numbers(valid, (42, 1) if nested else (42,), "joint_valid").ravel()
    return _Frame(number, sequence, points, valid > 0)


def _require_known(chosen: Sequence[str], known: dict | set, option: str) -> None:
    for name in chosen:
        if name not in known:
            allowed = sorted(known, key=_by_number)
            shown = ", ".join(allowed[:8]) + (", ..." if len(allowed) > 8 else "")
            raise PoseError(f"{option}: {name!r}, allowed are {shown}")


def _by_number(name: str) -> tuple[bool, int, str]:
    """A key that sorts numbers as such, and before other names."""
    return not name.isdecimal(), int(name) if name.isdecimal() else 0, name


def _sequence_names(data: Any, file: Path) -> dict[str, dict[str, str]]:
    """[capture][frame] -> name of the sequence, from those image records that say it."""
    if not isinstance(data, dict) or not isinstance(data.get("images"), list):
        raise PoseError(f"{file}: no images in it")
    result: dict[str, dict[str, str]] = {}
    for image in data["images"]:
        if isinstance(image, dict) and {"capture", "frame_idx", "seq_name"} <= set(image):
            result.setdefault(str(image["capture"]), {})[str(image["frame_idx"])] = str(image["seq_name"])
    if not result:
        raise PoseError(f"{file}: no image with capture, frame_idx and seq_name")
    return result


def _step(frames: list[int]) -> int:
    """The usual distance of annotated frames."""
    steps = np.diff(frames)
    return int(np.median(steps)) if len(steps) else 1


def _steps(frames: np.ndarray, step: int) -> list[np.ndarray]:
    """Indices of `frames` in runs without a gap of more than `step`."""
    if not len(frames):
        return []
    return np.split(np.arange(len(frames)), np.flatnonzero(np.diff(frames) > step) + 1)


def _clip(frames: list[_Frame], name: str, hand: str, capture: str, digest: str) -> PoseClip:
    points = np.stack([frame.points[HAND_ROWS[hand]] for frame in frames])
    joints = to_canonical("interhand", points) * SCALES["mm"]
    return PoseClip(
        joints=mirror_points(joints) if hand == "left" else joints,
        name=f"{name}/{frames[0].number}",
        subject=f"interhand_{capture}",
        source="interhand",
        licence=LICENCE,
        mirrored=hand == "left",
        frame_ids=tuple(frame.number for frame in frames),
        tip_def=joint_order("interhand").tip_def,
        sha256=digest,
    )
