"""Reader of HanCo (Zimmermann, Argus & Brox, GCPR 2021): a tree of JSON files, one per frame.

meta.json       {is_train, subject_id, is_valid, object_id, has_fit}: per sequence a list over frames
xyz/SSSS/FFFFFFFF.json    21 x 3, world frame, metres, our joint order; exists where has_fit
calib/SSSS/FFFFFFFF.json  K [8][3][3], M [8][4][4] world to camera, per frame because the crops differ
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ..clip import PoseClip, PoseError
from ..rejects import Reject
from .files import chosen_numbers, numbers, parse_json, read_file, read_json
from .permutations import to_canonical

META_KEYS = ("is_train", "subject_id", "is_valid", "object_id", "has_fit")
TRUTHS = ("has_fit", "is_train", "is_valid")
HAMUCO_TRAIN, HAMUCO_TEST = range(0, 1200), range(1201, 1518)
CAMERAS = {"K": (-1, 3, 3), "M": (-1, 4, 4)}
LICENCE = "HanCo: research only, no commercial use"


@dataclass(frozen=True)
class HancoSource:
    """The root folder of HanCo, or of a part of it: frames of meta.json without a file are left out as "no file".

    split="train" and "other" follow is_train, which tells green screen recordings from others and is no
    benchmark split. "hamuco-train" is the first 1200 sequences and "hamuco-test" the last 317 of 1517, as the HaMuCo
    paper counts them; the data set's code counts 1518, so which one the paper lacks is not known: here sequence 1200
    is in neither.

    Raises:
        PoseError, FileNotFoundError: from `clips`: meta.json, or a folder without any pose.
    """

    path: Path
    split: Literal["all", "train", "other", "hamuco-train", "hamuco-test"] = "all"
    is_valid: bool = False  # only frames that a person has verified
    has_fit: bool = True  # False asks for all frames, whatever meta.json says
    sequences: tuple[str, ...] = ()  # numbers and ranges, such as 0-99; all if empty
    rejects: list[Reject] = field(default_factory=list, init=False)

    def clips(self) -> Iterator[PoseClip]:
        """Clips of consecutive frames of one person, sequence by sequence.

        `extra` holds K and M of the eight cameras where all frames of a clip have them.
        """
        self.rejects.clear()
        root = Path(self.path)
        meta = read_meta(root / "meta.json")
        if not (root / "xyz").is_dir():
            raise FileNotFoundError(f"{root / 'xyz'}: no such folder, allowed is HanCo or a part of it")
        for sequence in sorted(chosen_numbers(self.sequences, f"{root}: sequences", len(meta["has_fit"]))):
            wanted = self._wanted(meta, sequence)
            for run in _runs(self._read(root, sequence, wanted), meta["subject_id"][sequence]):
                yield _clip(sequence, run, meta["subject_id"][sequence])

    def _wanted(self, meta: dict[str, Any], sequence: int) -> list[int]:
        wanted = []
        for frame, fit in enumerate(meta["has_fit"][sequence]):
            if not self._in_split(sequence, meta["is_train"][sequence][frame]):
                continue
            reason = self._reason(fit, meta["is_valid"][sequence][frame])
            if reason:
                self._reject(sequence, frame, reason, "meta.json")
            else:
                wanted.append(frame)
        return wanted

    def _read(self, root: Path, sequence: int, wanted: list[int]) -> list[_Frame]:
        """The frames that can be read; a sequence that was not downloaded costs no look at each of its files."""
        here = (root / "xyz" / f"{sequence:04d}").is_dir()
        frames = []
        for frame in wanted:
            tail = f"{sequence:04d}/{frame:08d}.json"
            try:
                if not here:
                    raise FileNotFoundError(tail)
                frames.append(_read_frame(root, tail, frame))
            except FileNotFoundError:
                self._reject(sequence, frame, "no file", f"xyz/{tail}")
            except PoseError as error:
                self._reject(sequence, frame, "damaged", str(error).removeprefix(f"{root}/"))
        return frames

    def _reject(self, sequence: int, frame: int, reason: str, detail: str) -> None:
        self.rejects.append(Reject("hanco", f"{sequence:04d}", frame, reason, detail))

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


@dataclass(frozen=True)
class _Frame:
    number: int
    joints: np.ndarray  # (21, 3) m, world
    cameras: dict[str, np.ndarray]  # K (8, 3, 3) and M (8, 4, 4), empty where their file cannot be used
    data: bytes


def read_meta(path: Path) -> dict[str, Any]:
    """meta.json: META_KEYS, each a list over sequences of lists over frames. Raises FileNotFoundError, PoseError."""
    meta = read_json(path)
    missing = set(META_KEYS) - set(meta) if isinstance(meta, dict) else set(META_KEYS)
    if missing:
        raise PoseError(f"{path}: no {', '.join(sorted(missing))} in it")
    for key in META_KEYS:
        if not isinstance(meta[key], list) or not all(isinstance(row, list) for row in meta[key]):
            raise PoseError(f"{path}: {key} is no list of lists over frames")
    counts = {key: [len(row) for row in meta[key]] for key in META_KEYS}
    for key in META_KEYS:
        if counts[key] != counts["has_fit"]:
            raise PoseError(f"{path}: {key} counts other frames than has_fit")
    for key in TRUTHS:
        odd = next((value for row in meta[key] for value in row if value not in (None, False, True)), None)
        if odd is not None:
            raise PoseError(f"{path}: {key} holds {odd!r}, allowed are true, false and null")
    return meta


def _read_frame(root: Path, tail: str, number: int) -> _Frame:
    xyz = root / "xyz" / tail
    data = read_file(xyz)
    joints = numbers(parse_json(data, xyz), (21, 3), str(xyz))
    cameras, more = _read_cameras(root / "calib" / tail)
    return _Frame(number, to_canonical("hanco", joints), cameras, data + more)


def _read_cameras(path: Path) -> tuple[dict[str, np.ndarray], bytes]:
    """K and M and the bytes they were read from; nothing where they are not there or damaged: poses do without."""
    try:
        data = read_file(path)
        values = parse_json(data, path)
        if not isinstance(values, dict):
            return {}, data
        return {key: numbers(values.get(key), shape, str(path)) for key, shape in CAMERAS.items()}, data
    except (FileNotFoundError, PoseError):
        return {}, b""


def _runs(frames: list[_Frame], subjects: list[Any]) -> Iterator[list[_Frame]]:
    """Frames that follow each other and show one person."""
    run: list[_Frame] = frames[:1]
    for before, frame in pairwise(frames):
        if frame.number != before.number + 1 or subjects[frame.number] != subjects[before.number]:
            yield run
            run = []
        run.append(frame)
    if run:
        yield run


def _clip(sequence: int, frames: list[_Frame], subjects: list[Any]) -> PoseClip:
    shapes = {tuple((key, value.shape) for key, value in frame.cameras.items()) for frame in frames}
    keys = frames[0].cameras if len(shapes) == 1 else ()
    return PoseClip(
        joints=np.stack([frame.joints for frame in frames]),
        name=f"{sequence:04d}/{frames[0].number:08d}",
        subject=f"hanco_{subjects[frames[0].number]}",
        source="hanco",
        licence=LICENCE,
        frame_ids=tuple(f"{sequence:04d}/{frame.number:08d}" for frame in frames),
        tip_def="mano",
        extra={key: np.stack([frame.cameras[key] for frame in frames]) for key in keys},
        sha256=hashlib.sha256(b"".join(frame.data for frame in frames)).hexdigest(),
    )
