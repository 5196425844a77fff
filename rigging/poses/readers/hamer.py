"""Reader of what HaMeR, WiLoR and WiLoR-mini predict, saved as .npz, .npy or .json: 21 joints from pictures.

npz: `pred_keypoints_3d` or `joints` (N, 21, 3) metres, `is_right` or `right` (N,), optionally `frame` (N,) and the
camera translation `pred_cam_t_full` or `cam_t` (N, 3). npy: (N, 21, 3). json: a list of frames, each a list of hands
with the same keys, in `wilor_preds` or not. They are a network's estimates, no measurements, with MANO's tips.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ...files import file_sha256
from ..clip import PoseClip, PoseError, load_arrays
from ..rejects import Reject
from .columns import as_names, check_read, one_value
from .fields import get, only, point, rate, read_frames, side
from .folders import files_sha256, find_files, person_of, read_each, without_folder
from .mirror import mirror_points
from .recordings import Origin, clips_of
from .seen import Seen, recorded, with_sides
from .sides import evidence

JOINTS = ("pred_keypoints_3d", "keypoints_3d", "joints", "joints_3d")
RIGHT = ("is_right", "right", "handedness", "hand")
PICKLES = (".pkl", ".pickle", ".pt", ".pth")
FRAME = ("frame", "frames", "frame_ids")
MOST_FRAMES = 10**7
SUFFIXES = (".npz", ".npy", ".json", ".jsonl", *PICKLES)


@dataclass(frozen=True)
class HamerSource:
    """A file or all such files of a folder; a clip per hand and uninterrupted run, each frame around the hand's root.

    The networks predict right hands; the demos negate x of left ones afterwards, WiLoR-mini does not. `left="auto"`
    goes by the way they bend.

    Raises:
        PoseError, FileNotFoundError: from `clips`, naming the file; also if it is not said which hand it is, or left
            hands are too flat to tell whether x was negated.
    """

    path: Path
    left: Literal["auto", "flipped", "raw"] = "auto"  # whether left hands have their x negated
    hand: Literal["file", "right", "left"] = "file"  # "file": as the file says
    frames: Literal["inside", "files"] = "inside"  # "files": each file is a frame, its folder the recording
    licence: str = "unknown"
    subject: str = "file"  # who was filmed: "file" (another person each), "folder", or a name for all
    fps: float | None = None  # where the file does not say
    sequences: tuple[str, ...] = ()  # names or patterns of the files to read
    rejects: list[Reject] = field(default_factory=list, init=False)
    name: str = field(default="hamer", init=False)

    def clips(self) -> Iterator[PoseClip]:
        """Clips of estimated joints."""
        self.rejects.clear()
        files = find_files(self.path, SUFFIXES, self.sequences)
        if self.frames == "files":
            yield from read_each(self.name, _folders(files), self._read_folder, self.rejects)
        else:
            yield from read_each(self.name, files, self._read, self.rejects)

    def _read(self, name: str, file: Path) -> list[PoseClip]:
        seen, count, fps = _read_file(file)
        return self._clips(name, file, seen, count, fps, file_sha256(file))

    def _read_folder(self, name: str, folder: Path) -> list[PoseClip]:
        """A recording of which each file is a frame; one that cannot be read is a frame left out."""
        files = [file for file in find_files(folder, SUFFIXES).values() if file.parent == folder]
        seen: list[Seen] = []
        for number_, file in enumerate(files):
            try:
                seen += [replace(hand, frame=number_) for hand in _read_file(file)[0]]
            except PoseError as fault:
                self.rejects.append(Reject(self.name, name, number_, "missing", without_folder(fault, file)))
        if not seen:
            raise PoseError(f"{folder}: no hand in any of {len(files)} files")
        return self._clips(name, folder, seen, len(files), None, files_sha256(files))

    def _clips(
        self, name: str, file: Path, seen: list[Seen], frames: int, fps: float | None, digest: str
    ) -> list[PoseClip]:
        if self.hand != "file":
            seen = [replace(hand, hand=self.hand) for hand in seen]
        needed = f"{file}: no is_right for each hand, allowed are right, left (option hand)"
        sided, left_out = with_sides(seen, frames, self.name, name, needed)
        origin = Origin(
            file,
            name,
            self.name,
            digest,
            "freihand",  # OpenPose's order, and MANO's tips
            "m",
            self.licence,
            fps=fps or self.fps,
            estimated=f"all joints, from pictures ({self.name})",
        )
        clips = clips_of(recorded(self._flipped(sided, file), person_of(name, self.subject), None, str(file)), origin)
        known = {reject.frame for reject in self.rejects if reject.clip == name}
        self.rejects.extend(reject for reject in left_out if reject.frame not in known)
        return clips

    def _flipped(self, seen: list[Seen], file: Path) -> list[Seen]:
        """The hands, left ones with their x negated if they are not yet."""
        left = [hand.joints for hand in seen if hand.hand == "left"]
        flipped = self.left == "flipped"
        if left and self.left == "auto":
            bend = evidence(np.stack(left), np.ones(len(left), bool))
            if not bend:
                raise PoseError(f"{file}: left hands too flat to tell whether x was negated: left=flipped or left=raw")
            flipped = bend > 0
        if flipped:
            return seen
        return [replace(hand, joints=mirror_points(hand.joints)) if hand.hand == "left" else hand for hand in seen]


@dataclass(frozen=True)
class WilorSource(HamerSource):
    """As HamerSource, of WiLoR and WiLoR-mini."""

    name: str = field(default="wilor", init=False)


def _folders(files: Mapping[str, Path]) -> dict[str, Path]:
    """The folders that hold the files, by the files' names without their last part."""
    return {str(Path(name).parent) if "/" in name else file.parent.name: file.parent for name, file in files.items()}


def _read_file(file: Path) -> tuple[list[Seen], int, float | None]:
    """Hands, the number of frames, and the frame rate where it is said."""
    suffix = file.suffix.lower()
    if suffix in PICKLES:
        raise PoseError(
            f"{file}: a pickle can run code, so it is not read; save the joints with numpy.savez (pred_keypoints_3d,"
            " is_right, frame) instead"
        )
    if suffix in (".json", ".jsonl"):
        frames, said = read_frames(file)
        seen = [hand for number_, frame in enumerate(frames) for hand in _hands(number_, frame)]
        if not seen:
            raise PoseError(f"{file}: no 21 joints of a hand in any of {len(frames)} frames, as pred_keypoints_3d")
        return seen, len(frames), rate(get(said, "fps"), str(file))
    arrays = load_arrays(file)
    seen = _rows({"joints": arrays[""]} if "" in arrays else arrays, file)
    return seen, max(hand.frame for hand in seen) + 1, rate(one_value(arrays, "fps", str(file)), str(file))


def _rows(arrays: Mapping[str, np.ndarray], file: Path) -> list[Seen]:
    """The hands of an .npz, a frame each if it does not number them."""
    joints = get(arrays, *JOINTS)
    if joints is None:
        raise PoseError(f"{file}: no {' or '.join(JOINTS)} in it but {', '.join(sorted(arrays)) or 'nothing'}")
    if joints.shape[-2:] != (21, 3) or not joints.size or joints.dtype.kind not in "fiu":
        raise PoseError(f"{file}: joints are {joints.dtype} {joints.shape}, allowed are numbers of shape (N, 21, 3)")
    check_read(arrays, (*JOINTS, *RIGHT, *FRAME, "fps"), str(file))
    joints = joints.reshape(-1, 21, 3).astype(np.float64)
    right, frame = get(arrays, *RIGHT), get(arrays, *FRAME)
    sides = np.full(len(joints), "") if right is None else _column(right, len(joints), f"{file}: is_right")
    numbers = np.arange(len(joints)) if frame is None else _column(frame, len(joints), f"{file}: frame")
    numbers = as_names(numbers, f"{file}: frame")
    if numbers.dtype.kind not in "iu":
        raise PoseError(f"{file}: frame holds {str(numbers[0])!r}, allowed are whole numbers from 0")
    first, last = int(numbers.min()), int(numbers.max())
    if first < 0 or last - first > MOST_FRAMES:
        raise PoseError(f"{file}: frame holds {first} to {last}, allowed are {MOST_FRAMES} numbers from 0")
    return [Seen(int(f) - first, _side(s), points) for f, s, points in zip(numbers, sides, joints)]


def _column(value: np.ndarray, rows: int, what: str) -> np.ndarray:
    if value.size not in (1, rows):
        raise PoseError(f"{what} has shape {value.shape}, allowed is one per hand ({rows},)")
    return np.broadcast_to(value.ravel(), rows)


def _side(value: Any) -> str:
    """A side by name, or as the networks say it: 1 or true for right, 0 for left."""
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, bool | int | float):
        return {0: "left", 1: "right"}.get(value, "")
    return side(value)


def _hands(frame_number: int, frame: Any) -> Iterator[Seen]:
    """The hands in a frame of a .json."""
    hands = frame if isinstance(frame, list) else get(frame, "hands", "outputs", "detections")
    for hand in hands if isinstance(hands, list) else [frame]:
        points = only(get(get(hand, "wilor_preds") or hand, *JOINTS))
        if isinstance(points, list) and len(points) == 21:
            yield Seen(frame_number, _side(only(get(hand, *RIGHT))), np.array([point(p) for p in points]))
