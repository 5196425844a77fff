"""Reader of InterHand2.6M (Moon et al., ECCV 2020).

annotations/SPLIT/InterHand2.6M_SPLIT_joint_3d.json   [capture][frame]: world_coord 42 x 3 mm, joint_valid 42
annotations/SPLIT/InterHand2.6M_SPLIT_camera.json     [capture]: campos, camrot, focal, princpt by camera, mm
annotations/SPLIT/InterHand2.6M_SPLIT_data.json       image records: which sequence a frame belongs to
Points 0..20 are the right hand, 21..41 the left one.
"""

from __future__ import annotations

from collections.abc import Iterator
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
from .units import unit_scale

HAND_ROWS = {"right": slice(0, 21), "left": slice(21, 42)}
LICENCE = "InterHand2.6M: CC BY-NC 4.0"


@dataclass(frozen=True)
class InterhandSource:
    """The root folder of InterHand2.6M (the one that holds `annotations`).

    A frame with both hands gives a frame in two clips; left hands are mirrored. A frame is used where all 21 joints
    of the hand are valid. Frames of a sequence follow each other by the data set's own step (it annotates every few
    frames); a clip ends where a step is missing.

    Raises:
        PoseError, FileNotFoundError: from `clips`, naming the file.
    """

    path: Path
    split: Literal["train", "val", "test"] = "train"
    hands: Literal["both", "right", "left"] = "both"
    sequences: bool = True  # False leaves the large data.json unread: clips then end at gaps only
    rejects: list[Reject] = field(default_factory=list, init=False)

    def clips(self) -> Iterator[PoseClip]:
        """Clips by capture, sequence and hand, in the world frame of the capture."""
        self.rejects.clear()
        file, digest, poses, sequences = self._read()
        for capture in sorted(poses, key=int):
            names = sequences.get(capture, {})
            for sequence in sorted({names.get(frame, "") for frame in poses[capture]}):
                frames = sorted(int(f) for f in poses[capture] if names.get(f, "") == sequence)
                yield from self._sequence_clips(poses[capture], capture, sequence, frames, file, digest)

    def _read(self) -> tuple[Path, str, dict[str, Any], dict[str, dict[str, str]]]:
        stem = Path(self.path) / "annotations" / self.split / f"InterHand2.6M_{self.split}"
        file = stem.with_name(f"{stem.name}_joint_3d.json")
        poses = read_json(file)
        if not isinstance(poses, dict) or not poses:
            raise PoseError(f"{file}: no captures in it")
        data = stem.with_name(f"{stem.name}_data.json")
        sequences = _sequences(read_json(data), data) if self.sequences else {}
        return file, file_sha256(file), poses, sequences

    def _sequence_clips(
        self, poses: dict[str, Any], capture: str, sequence: str, frames: list[int], file: Path, digest: str
    ) -> Iterator[PoseClip]:
        where = f"{file} capture {capture}"
        points = [numbers(poses[str(f)].get("world_coord"), (42, 3), f"{where} frame {f}") for f in frames]
        valid = [numbers(np.ravel(poses[str(f)].get("joint_valid")), (42,), f"{where} frame {f}") for f in frames]
        wanted = HAND_ROWS if self.hands == "both" else (self.hands,)
        for hand in wanted:
            rows = HAND_ROWS[hand]
            complete = [bool((v[rows] > 0).all()) for v in valid]
            self._reject_incomplete(valid, complete, f"{capture}/{sequence}/{hand}", frames, rows)
            used = [i for i, whole in enumerate(complete) if whole]
            for run in _steps(np.array([frames[i] for i in used], dtype=int), _step(frames)):
                joints = to_canonical("interhand", np.stack([points[used[i]][rows] for i in run]))
                yield _clip(joints, capture, sequence, hand, [frames[used[i]] for i in run], where, digest)

    def _reject_incomplete(
        self, valid: list[np.ndarray], complete: list[bool], name: str, frames: list[int], rows: slice
    ) -> None:
        for mask, whole, frame in zip(valid, complete, frames):
            count = int((mask[rows] > 0).sum())
            if not whole and count:  # a hand of which nothing is annotated was never there
                self.rejects.append(Reject("interhand", name, frame, "missing", f"{count} of 21 joints valid"))


def _sequences(data: Any, file: Path) -> dict[str, dict[str, str]]:
    """[capture][frame] -> name of the sequence, from the image records."""
    if not isinstance(data, dict) or "images" not in data:
        raise PoseError(f"{file}: no images in it")
    result: dict[str, dict[str, str]] = {}
    for image in data["images"]:
        if not {"capture", "frame_idx", "seq_name"} <= set(image):
            raise PoseError(f"{file}: an image without capture, frame_idx or seq_name")
        result.setdefault(str(image["capture"]), {})[str(image["frame_idx"])] = str(image["seq_name"])
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


def _clip(
    joints: np.ndarray, capture: str, sequence: str, hand: str, frames: list[int], where: str, digest: str
) -> PoseClip:
    joints = joints * unit_scale(joints, "mm", where)
    return PoseClip(
        joints=mirror_points(joints) if hand == "left" else joints,
        name=f"{capture}/{sequence}/{hand}/{frames[0]}",
        subject=f"interhand_{capture}",
        source="interhand",
        licence=LICENCE,
        mirrored=hand == "left",
        frame_ids=tuple(frames),
        tip_def=joint_order("interhand").tip_def,
        sha256=digest,
    )
