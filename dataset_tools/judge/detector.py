"""MediaPipe's hand model on one picture. It lives in an environment of its own (`make judge`): extra `judge`."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from rigging.errors import InputError

WANTED = "0.10.14"  # its wheel holds the models; those after 0.10.21 hold none
SETTINGS = {"static_image_mode": True, "max_num_hands": 1, "model_complexity": 1, "min_detection_confidence": 0.5}
# Its labels are those of a mirrored picture, such as a selfie; ours are not mirrored.
OUR_SIDE = {"Left": "right", "Right": "left"}


@dataclass(frozen=True)
class Hand:
    """A hand that was found."""

    points: np.ndarray  # (21, 2) px, in our order, which is also its own
    score: float  # of the side it takes it for, 0.5 to 1
    side: str  # "right" or "left"


class Detector:
    """Finds the surest hand of a picture; each picture is looked at by itself."""

    def __init__(self) -> None:
        """Start the model; no network is used. Raises InputError where MediaPipe is not installed."""
        need_mediapipe()
        with _without_chatter():
            from mediapipe.python.solutions.hands import Hands

            self._hands = Hands(**SETTINGS)
            self._hands.process(np.zeros((64, 64, 3), np.uint8))  # the model is loaded by its first picture

    def __call__(self, picture: np.ndarray) -> Hand | None:
        """The hand in a picture (H, W, 3) uint8 RGB, None for none."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of what its protobuf will not do for ever
            found = self._hands.process(np.ascontiguousarray(picture))
        if not found.multi_hand_landmarks:
            return None
        return _hand(found.multi_hand_landmarks[0], found.multi_handedness[0], picture.shape)

    def close(self) -> None:
        """Give the model's memory back."""
        self._hands.close()


def _hand(landmarks: Any, handedness: Any, shape: tuple[int, ...]) -> Hand:
    """What MediaPipe says, in our terms; its coordinates are shares of the picture's width and height."""
    points = np.array([(point.x, point.y) for point in landmarks.landmark]) * (shape[1], shape[0])
    surest = handedness.classification[0]
    return Hand(points, float(surest.score), OUR_SIDE[surest.label])


def need_mediapipe() -> None:
    """Raise InputError where MediaPipe is not installed, or is another version than the figures are of."""
    try:
        found = version("mediapipe")
    except PackageNotFoundError:
        raise InputError("MediaPipe is not installed here: make judge DATA=path makes an environment for it") from None
    if found != WANTED:
        raise InputError(f"MediaPipe {found} is installed, {WANTED} is wanted: make judge DATA=path installs it")


@contextmanager
def _without_chatter() -> Iterator[None]:
    """Without the lines that native code writes to stderr as it starts."""
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)
