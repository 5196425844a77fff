"""Reader of WebXR and OpenXR hand tracking: 25 or 26 joints per hand and frame, right-handed metres with y up.

npz: `mat` (25, 4, 4), (T, 25, 4, 4) or (T, H, 25, 4, 4) joint-to-world matrices, or 16 numbers each as fillPoses gives
them; 26 joints in OpenXR's order; optional `radius`, `names`, `handedness`, `fps`, `subject`.
json: {"handedness", "fps", "subject", "frames": [{"joints": {NAME: {"position": [3], "radius"}}}]}, NAME as in the
WebXR Hand Input specification or OpenXR; several hands as `hands` or `left` and `right`; poses of handy.js.
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
from .columns import annotated, check_read, one_value, texts
from .fields import get, person, rate, read_frames, side, untracked
from .folders import find_files, person_of, read_each
from .joint_names import WEBXR_NAMES, hand_points, joint_key
from .matrices import positions
from .recordings import Origin, Recorded, clips_of

KEYS = ("mat", "radius", "names", "handedness", "subject", "fps", "valid", "confidence")
Y_UP = (0.0, 1.0, 0.0)


@dataclass(frozen=True)
class WebxrSource:
    """A file, or all .npz and .json files of a folder in order of name; a clip per hand and uninterrupted run.

    Raises:
        PoseError, FileNotFoundError: from `clips`, naming the file.
    """

    path: Path
    hand: Literal["file", "right", "left"] = "file"  # "file": as the file says; needed where it does not
    licence: str = "unknown"
    subject: str = "file"  # who recorded it: "file" (another person each), "folder", or a name for all
    fps: float | None = None  # where the file does not say
    matrices: Literal["auto", "rows", "columns"] = "auto"  # see `positions`
    threshold: float | None = None  # from which confidence on a joint of an .npz is valid
    sequences: tuple[str, ...] = ()  # names or patterns of the files to read
    rejects: list[Reject] = field(default_factory=list, init=False)

    def clips(self) -> Iterator[PoseClip]:
        """Clips; extra holds the points `webxr25` (T, 25, 3) and `radius` (T, 25) in metres, mirrored if it was left.

        Untracked joints and frames are NaN, for the gate to reject.
        """
        self.rejects.clear()
        files = find_files(self.path, (".npz", ".json", ".jsonl"), self.sequences)
        yield from read_each("webxr", files, self._read, self.rejects)

    def _read(self, name: str, file: Path) -> list[PoseClip]:
        if file.suffix.lower() == ".npz":
            recorded, said = _read_npz(file, self.matrices, self.threshold)
        else:
            recorded, said = _read_json(file)
        recorded = self._with_sides(recorded, file)
        person = np.where(recorded.person == "", person_of(name, self.subject), recorded.person)
        origin = Origin(
            file,
            name,
            "webxr",
            file_sha256(file),
            "webxr25" if recorded.points.shape[1] == 25 else "openxr26",
            "mm" if said.get("handy") else "m",
            licence=self.licence,
            fps=rate(said.get("fps"), str(file)) or self.fps,
            up=None if said.get("handy") else Y_UP,
            keep_points=True,
        )
        return clips_of(replace(recorded, person=person), origin)

    def _with_sides(self, recorded: Recorded, file: Path) -> Recorded:
        """With right or left for each row, as the file says or the option; rows of which neither says are untracked."""
        sides = np.array([side(word) for word in recorded.hand])
        told = sorted(set(sides) - {""})
        if self.hand != "file":
            if len(told) > 1:
                raise PoseError(f"{file}: both hands are in it, so the option hand={self.hand} is not for this file")
            return replace(recorded, hand=np.full(len(sides), self.hand))
        if not told:
            got = recorded.hand[0] or "not in the file"
            raise PoseError(f"{file}: handedness is {got}, allowed are right, left (option hand)")
        points = np.where((sides == "")[:, None, None], np.nan, recorded.points)
        return replace(recorded, points=points, hand=np.where(sides == "", told[0], sides))


def _read_npz(
    file: Path, order: Literal["auto", "rows", "columns"], threshold: float | None
) -> tuple[Recorded, Mapping[str, Any]]:
    arrays = load_arrays(file)
    if "mat" not in arrays:
        raise PoseError(f"{file}: no mat in it but {', '.join(sorted(arrays)) or 'nothing'}")
    check_read(arrays, KEYS, str(file))
    hands = arrays["mat"].shape[1] if arrays["mat"].ndim == 5 else 1
    points = positions(arrays["mat"], order, f"{file} mat", hands)
    frames, hands, count = points.shape[:3]
    _check_names(arrays, count, file)
    rows, joints = frames * hands, "webxr25" if count == 25 else "openxr26"
    try:
        radius = np.broadcast_to(arrays.get("radius", np.nan), (frames, hands, count) if hands > 1 else (frames, count))
    except ValueError:
        raise PoseError(f"{file}: radius has shape {arrays['radius'].shape}, allowed is {(frames, count)}") from None
    recorded = Recorded(
        points.reshape(rows, count, 3),
        np.repeat(np.arange(frames), hands),
        texts(arrays, "handedness", "", frames, hands, str(file)),
        texts(arrays, "subject", "", frames, hands, str(file)),
        np.tile(np.arange(hands), frames),
        annotated(arrays, points, joints, threshold, str(file)),
        extra={"radius": np.asarray(radius, np.float32).reshape(rows, count)},
    )
    return recorded, {"fps": one_value(arrays, "fps", str(file))}


def _check_names(arrays: Mapping[str, np.ndarray], count: int, file: Path) -> None:
    wanted = [joint_key(name) for name in (WEBXR_NAMES if count == 25 else ("palm", *WEBXR_NAMES))]
    if "names" in arrays and [joint_key(str(name)) for name in arrays["names"].ravel()] != wanted:
        raise PoseError(f"{file}: names are not the {count} WebXR joints in their order")


def _read_json(file: Path) -> tuple[Recorded, Mapping[str, Any]]:
    frames, said = read_frames(file)
    handy = any(get(frame, "jointPositions") is not None for frame in frames)
    hand, who = get(said, "handedness") or "", person(get(said, "subject"), str(file))
    told = [(f, *h) for f, frame in enumerate(frames) for h in _hands(frame, str(hand), who, str(file))]
    seen = [(f, s, p, hand_points(joints)) for f, s, p, joints in told]
    if not any(points for *_, points in seen):
        raise PoseError(f"{file}: no joints of a hand in any of {len(frames)} frames")
    seen = _without_absent(seen, str(hand))
    nothing = (np.full((25, 3), np.nan), np.full(25, np.nan))
    recorded = Recorded(
        np.stack([(points or nothing)[0] for *_, points in seen]),
        np.array([f * (1 + handy) for f, *_ in seen]),  # poses of handy.js do not follow each other
        np.array([s for _, s, *_ in seen]),
        np.array([p for _, _, p, _ in seen]),
        extra={"radius": np.stack([(points or nothing)[1] for *_, points in seen]).astype(np.float32)},
    )
    return recorded, {"fps": get(said, "fps", "frameRate"), "handy": handy}


def _hands(frame: Any, hand: str, who: str, where: str) -> list[tuple[str, str, Any]]:
    """(handedness, subject, joints) of the hands in a frame; what it does not say is as the file says."""
    hands = get(frame, "hands", "inputSources")
    if isinstance(hands, list):
        inside = [(None, item) for item in hands]
    else:
        inside = [(s, get(hands or frame, s)) for s in ("left", "right") if get(hands or frame, s) is not None]
    if hands is None and not inside:
        inside = [(None, frame)]
    who = person(get(frame, "subject"), where) or who
    return [
        (
            str(s or get(item, "handedness", "hand", "side") or hand),
            person(get(item, "subject"), where) or who,
            None if untracked(frame) or untracked(item) else _joints(item),
        )
        for s, item in inside
    ]


def _joints(item: Any) -> Any:
    """The joints of a hand, which may be the hand itself."""
    found = get(item, "joints", "jointPositions")
    return item if found is None and get(item, "wrist") is not None else found


def _without_absent(seen: list[tuple], hand: str) -> list[tuple]:
    """Without hands that a frame does not show while it shows another; a frame without any stays, as one untracked."""
    shown = {f for f, *_, points in seen if points}
    usual = next((s for _, s, _, points in seen if points and s), hand)
    kept: dict[int, bool] = {}
    result = []
    for f, s, p, points in seen:
        if points or (f not in shown and not kept.get(f)):
            result.append((f, s or usual if not points else s, p, points))
            kept[f] = True
    return result
