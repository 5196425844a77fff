"""Where the hand is in a photograph: the user's box, or a detector's where one is installed, or all of it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from rigging.errors import InputError

from .cameras import numbers_of

log = logging.getLogger(__name__)

How = Literal["box", "MediaPipe", "whole picture"]
Detector = Callable[[np.ndarray], np.ndarray | None]
WANTED = "x0,y0,x1,y1 in px, x0 < x1 and y0 < y1"


@dataclass(frozen=True)
class Box:
    """A hand's box (4,) px, x0, y0, x1, y1, and how it was found."""

    corners: np.ndarray
    how: How


class Finder:
    """Says where the hand is in each of the user's pictures, in their order."""

    def __init__(self, boxes: dict[str, np.ndarray] | None, detector: Detector | None) -> None:
        """Boxes by the file's name, "" for every file; without any, what `detector` finds."""
        self.boxes, self.detector = boxes, detector

    def __call__(self, name: str, picture: np.ndarray) -> Box:
        """The box in the picture (H, W, 3) of a file called `name`. Raises InputError for one that is outside."""
        height, width = picture.shape[:2]
        if self.boxes is not None:
            found = self.boxes.get(name, self.boxes.get(""))
            if found is None:
                raise InputError(f"--box: none is for {name}; there are boxes for: {', '.join(self.boxes)}")
            if not (found[0] < width and found[1] < height and found[2] > 0 and found[3] > 0):
                raise InputError(f"--box {found.tolist()}: outside {name}, which has {width} x {height} px")
            return Box(found, "box")
        found = self.detector(picture) if self.detector else None
        if found is not None:
            return Box(found, "MediaPipe")
        if self.detector:
            log.warning("%s: MediaPipe finds no hand; the whole picture is taken for its box", name)
        return Box(np.array([0.0, 0, width, height]), "whole picture")


def read_boxes(text: str, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Boxes (4,) px by file name: of "x0,y0,x1,y1", which is for all (""), or of a JSON file.

    JSON: {"NAME.jpg": [x0, y0, x1, y1], ...}, or a list of boxes in the order of `names`. Raises InputError.
    """
    numbers = numbers_of(text)
    if numbers is not None:
        return {"": _checked(numbers, f"--box {text}")}
    path = Path(text)
    if not path.is_file():
        raise InputError(f"--box {text}: {WANTED}, or a JSON file of boxes is wanted")
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"--box {path}: cannot be read as JSON ({error})") from error
    if isinstance(table, list):
        if len(table) != len(names):
            raise InputError(f"--box {path}: {len(table)} boxes for {len(names)} pictures")
        table = dict(zip(names, table))
    if not isinstance(table, dict):
        raise InputError(f"--box {path}: a table of boxes by file name, or a list of boxes, is wanted")
    return {str(name): _checked(box, f"--box {path}, {name}") for name, box in table.items()}


def _checked(box: object, where: str) -> np.ndarray:
    try:
        found = np.asarray(box, float)
    except (TypeError, ValueError):
        found = np.empty(0)
    if found.shape != (4,) or not np.isfinite(found).all() or not (found[:2] < found[2:]).all():
        raise InputError(f"{where}: {box!r}: {WANTED}, is wanted")
    return found


def mediapipe_detector() -> Detector | None:
    """The box of the joints that MediaPipe finds, with the models in its own wheel; None where it is not installed.

    Wheels of late versions bring no models: they are as good as not installed.
    """
    try:
        from mediapipe.python.solutions.hands import Hands
    except ImportError:
        return None
    hands = Hands(static_image_mode=True, max_num_hands=1)

    def detect(picture: np.ndarray) -> np.ndarray | None:
        found = hands.process(np.ascontiguousarray(picture)).multi_hand_landmarks
        if not found:
            return None
        points = np.array([[point.x, point.y] for point in found[0].landmark]) * picture.shape[1::-1]
        return np.concatenate([points.min(0), points.max(0)])

    return detect
