"""Reader of Leap Motion frames: JSON of the WebSocket service (v6 and later), LeapC, its Python bindings, or Unity.

A frame has `hands`, a list or an object by side. A hand has `type` (or `isLeft`), its wrist (`wrist`, or where the
`arm` ends) and five `digits` or `fingers` of four bones, each with `next_joint`, its far end. The service gives
`pointables` beside the hands instead, with `mcpPosition`, `pipPosition`, `dipPosition` and `btipPosition`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ...files import file_sha256
from ..clip import PoseClip, PoseError
from ..rejects import Reject
from .fields import NOWHERE, get, number, only, point, rate, read_frames, side
from .folders import find_files, person_of, read_each
from .recordings import Origin, clips_of
from .seen import Seen, recorded, with_sides

DIGITS = ("thumb", "index", "middle", "ring", "pinky")
BONES = ("metacarpal", "proximal", "intermediate", "distal")
FAR_ENDS = ("mcpPosition", "pipPosition", "dipPosition", "btipPosition")  # of BONES, in the service's frames


@dataclass(frozen=True)
class LeapSource:
    """A file, or all .json and .jsonl files of a folder; a clip per hand and uninterrupted run.

    The thumb's metacarpal has no length in Leap's model: its end is the CMC, so the far ends of a digit's bones are our
    joints. A frame without a hand is rejected as `missing`.

    Raises:
        PoseError, FileNotFoundError: from `clips`, naming the file.
    """

    path: Path
    mounted: Literal["desk", "head", "screen"] = "desk"  # on the desk y is up; elsewhere up is not known
    axes: Literal["leap", "unity"] = "leap"  # Unity's are left-handed: z is negated
    unit: Literal["auto", "m", "cm", "mm"] = "auto"  # millimetres from the device, metres from Unity
    threshold: float | None = None  # the least confidence of a hand
    licence: str = "unknown"
    subject: str = "file"  # who recorded it: "file" (another person each), "folder", or a name for all
    fps: float | None = None  # where the file does not say
    sequences: tuple[str, ...] = ()  # names or patterns of the files to read
    rejects: list[Reject] = field(default_factory=list, init=False)

    def clips(self) -> Iterator[PoseClip]:
        """Clips in the device's frame: x right, y away from it, z towards the person where it lies on the desk."""
        self.rejects.clear()
        files = find_files(self.path, (".json", ".jsonl"), self.sequences)
        yield from read_each("leap", files, self._read, self.rejects)

    def _read(self, name: str, file: Path) -> list[PoseClip]:
        frames, said = read_frames(file)
        seen = [hand for number, frame in enumerate(frames) for hand in _hands(number, frame, self.axes)]
        if not seen:
            raise PoseError(f"{file}: no hands in any of {len(frames)} frames")
        needed = f"{file}: frame {seen[0].frame} does not say whether its hand is left or right"
        sided, left_out = with_sides(seen, len(frames), "leap", name, needed)
        origin = Origin(
            file,
            name,
            "leap",
            file_sha256(file),
            "canonical",
            self.unit,
            self.licence,
            fps=rate(get(said, "fps", "frameRate"), str(file)) or _rate(frames) or self.fps,
            up=(0.0, 1.0, 0.0) if self.mounted == "desk" else None,
        )
        clips = clips_of(recorded(sided, person_of(name, self.subject), self.threshold, str(file)), origin)
        self.rejects.extend(left_out)
        return clips


def _hands(number_: int, frame: Any, axes: str) -> Iterator[Seen]:
    """The hands in a frame, which may be wrapped, as in a tracking event."""
    frame = get(frame, "tracking_event", "frame") or frame
    hands = get(frame, "hands")
    listed = hands if isinstance(hands, list) else ()
    sides = hands.items() if isinstance(hands, Mapping) else [("", hand) for hand in listed if hand]
    for told, hand in sides:
        digits = _digits(hand, get(frame, "pointables"))
        if digits is None:
            continue
        joints = np.array([_wrist(hand), *(end for digit in digits for end in digit)])
        yield Seen(
            number_,
            side(told) or _side(hand),
            joints * ((1, 1, -1) if axes == "unity" else 1),
            str(get(hand, "id") or ""),
            number(get(hand, "confidence")),
        )


def _side(hand: Any) -> str:
    """Leap's type is a word, or 0 for left and 1 for right."""
    left = get(hand, "isLeft")
    if isinstance(left, bool):
        return "left" if left else "right"
    told = get(hand, "type", "handedness", "chirality")
    return {0: "left", 1: "right"}.get(told, "") if isinstance(told, int) else side(told)


def _wrist(hand: Any) -> tuple[float, float, float]:
    return point(get(hand, "wrist", "wristPosition") or get(get(hand, "arm"), "next_joint", "wristPosition"))


def _digits(hand: Any, pointables: Any) -> list[list[tuple[float, float, float]]] | None:
    """The four far ends of the bones of five digits, thumb first; None where they are not told."""
    if isinstance(pointables, list):
        owner = get(hand, "id")
        mine = {str(get(p, "type")): p for p in pointables if owner is not None and get(p, "handId") == owner}
        digits = [[point(get(mine.get(str(i)), end)) for end in FAR_ENDS] for i in range(5)] if mine else None
        if digits is not None:
            return digits
    told = get(hand, "digits", "fingers")
    if isinstance(told, Mapping):
        told = [get(told, name) for name in DIGITS]
    named = [get(hand, name) for name in DIGITS]
    digits = told if isinstance(told, list) and len(told) == 5 else named if all(named) else None
    return None if digits is None else [_far_ends(digit) for digit in digits]


def _far_ends(digit: Any) -> list[tuple[float, float, float]]:
    bones = digit if isinstance(digit, list) else get(digit, "bones") or [get(digit, bone) for bone in BONES]
    if not isinstance(bones, list) or len(bones) != 4:
        return [NOWHERE] * 4
    return [point(only(get(bone, "next_joint") or bone)) for bone in bones]


def _rate(frames: list[Any]) -> float | None:
    """The median frame rate that the device reports, rounded to whole frames; None where it reports none."""
    rates = np.array([number(get(frame, "currentFrameRate", "framerate")) for frame in frames])
    rates = rates[np.isfinite(rates) & (rates >= 1)]
    return float(round(np.median(rates))) if len(rates) else None
