"""Reader of MediaPipe's hand landmarks: JSON of results as its tasks and its older solutions give them.

A result has world landmarks (`hand_world_landmarks`, `worldLandmarks`, `multi_hand_world_landmarks`, in any spelling):
21 points per hand, in metres around the hand's centre, x right, y down, z away from the camera; and per hand its
`handedness`. They are a network's estimates from pictures, no measurements. Image landmarks have no scale: not read.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ...files import file_sha256
from ..clip import PoseClip, PoseError
from ..rejects import Reject
from .fields import get, number, only, point, rate, read_frames, side
from .folders import find_files, person_of, read_each
from .recordings import Origin, clips_of
from .seen import Seen, recorded, with_sides
from .sides import evidence

log = logging.getLogger(__name__)

WORLD = ("hand_world_landmarks", "world_landmarks", "multi_hand_world_landmarks")
IMAGE = ("hand_landmarks", "landmarks", "multi_hand_landmarks")
SIDES = ("handedness", "handednesses", "multi_handedness")


@dataclass(frozen=True)
class MediapipeSource:
    """A file, or all .json and .jsonl files of a folder, a result per frame; a clip per hand and uninterrupted run.

    MediaPipe names hands as if pictures were mirrored, as a front camera's often are: of others the labels are swapped.
    `labels="auto"` goes by the way the hands bend, and keeps the labels where that does not tell.

    Raises:
        PoseError, FileNotFoundError: from `clips`, naming the file.
    """

    path: Path
    labels: Literal["auto", "kept", "swapped"] = "auto"
    threshold: float | None = None  # the least score of a hand
    licence: str = "unknown"
    subject: str = "file"  # who was filmed: "file" (another person each), "folder", or a name for all
    fps: float | None = None  # where the file does not say
    sequences: tuple[str, ...] = ()  # names or patterns of the files to read
    rejects: list[Reject] = field(default_factory=list, init=False)

    def clips(self) -> Iterator[PoseClip]:
        """Clips of estimated joints, each frame around its own origin: the hand's centre."""
        self.rejects.clear()
        files = find_files(self.path, (".json", ".jsonl"), self.sequences)
        yield from read_each("mediapipe", files, self._read, self.rejects)

    def _read(self, name: str, file: Path) -> list[PoseClip]:
        frames, said = read_frames(file)
        seen = [hand for number, frame in enumerate(frames) for hand in _hands(number, frame)]
        if not seen:
            image = any(get(frame, *IMAGE) for frame in frames)
            got = "image landmarks only, which have no scale" if image else "no world landmarks"
            raise PoseError(f"{file}: {got} in any of {len(frames)} frames, needed are hand_world_landmarks")
        needed = f"{file}: frame {seen[0].frame} has no handedness for each of its hands"
        sided, left_out = with_sides(seen, len(frames), "mediapipe", name, needed)
        origin = Origin(
            file,
            name,
            "mediapipe",
            file_sha256(file),
            "mediapipe",
            "m",
            self.licence,
            fps=rate(get(said, "fps", "frameRate"), str(file)) or self.fps,
            estimated="all joints, from pictures (MediaPipe)",
        )
        clips = clips_of(
            recorded(self._named(sided, file), person_of(name, self.subject), self.threshold, str(file)), origin
        )
        self.rejects.extend(left_out)
        return clips

    def _named(self, seen: list[Seen], file: Path) -> list[Seen]:
        """The hands with their sides as this source's `labels` has it."""
        swap = self.labels == "swapped"
        if self.labels == "auto":
            left = np.array([hand.hand == "left" for hand in seen])
            swap = evidence(np.stack([hand.joints for hand in seen]), left) < 0
            if swap:
                log.info("%s: the hands bend as left and right swapped, and are taken so", file)
        other = {"left": "right", "right": "left"}
        return [replace(hand, hand=other[hand.hand]) for hand in seen] if swap else seen


def _hands(frame_number: int, frame: Any) -> Iterator[Seen]:
    """The hands in a result."""
    frame = get(frame, "result", "results") or frame
    for name in ("left", "right"):  # the holistic task has one list per side
        points = _points(get(frame, f"{name}_hand_world_landmarks"))
        if points is not None:
            yield Seen(frame_number, name, points)
    hands, sides = get(frame, *WORLD), get(frame, *SIDES)
    for i, landmarks in enumerate(hands if isinstance(hands, list) else ()):
        points = _points(landmarks)
        if points is None:
            continue
        told = _category(sides[i] if isinstance(sides, list) and i < len(sides) else None)
        name = told if isinstance(told, str) else get(told, "category_name", "label", "display_name")
        yield Seen(frame_number, side(name), points, confidence=number(get(told, "score")))


def _points(landmarks: Any) -> np.ndarray | None:
    """(21, 3), or None where there are no 21 points."""
    landmarks = only(landmarks)
    landmarks = get(landmarks, "landmark", "landmarks") or landmarks
    if not isinstance(landmarks, list) or len(landmarks) != 21:
        return None
    return np.array([point(landmark) for landmark in landmarks])


def _category(told: Any) -> Any:
    """The first category of a classification, however it is wrapped."""
    told = get(told, "classification", "categories") or told
    return told[0] if isinstance(told, list) and told else told
