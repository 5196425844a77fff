"""What was found as JSON and OBJ: numbers with their names, units and what they rest on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rigging.files import write_atomic
from rigging.hand.asset import load_asset
from rigging.joints import JOINT_NAMES
from rigging.posing.mesh_files import obj_text

from .estimate import Hand, View
from .several_views import FusedHand, reprojection_errors

VERSION = 1
DIGITS = {"px": 3, "m": 6, "": 4}


@dataclass(frozen=True)
class About:
    """What all answers of a command have in common."""

    checkpoint: str
    estimator: str
    left: bool
    hand_length: float | None = None  # m, as the user gave it

    def head(self) -> dict[str, Any]:
        """The first lines of an answer."""
        return {
            "format": "mvhm-hand",
            "version": VERSION,
            "checkpoint": self.checkpoint,
            "estimator": self.estimator,
            "hand": "left" if self.left else "right",
            "joint_names": list(JOINT_NAMES),
        }


def single_answer(about: About, view: View, hand: Hand) -> dict[str, Any]:
    """The answer for one photograph."""
    return about.head() | _scale(view.assumed, about.hand_length) | view_answer(view, hand)


def film_answer(about: About, name: str, fps: float, frames: Sequence[dict[str, Any]], assumed: bool) -> dict[str, Any]:
    """The answer for a film; `frames` are those of its pictures."""
    return about.head() | _scale(assumed, about.hand_length) | {"film": name, "fps": fps, "frames": list(frames)}


def fused_answer(about: About, views: Sequence[View], hand: FusedHand) -> dict[str, Any]:
    """The answer for several views of one hand."""
    told = [view_answer(view, one) for view, one in zip(views, hand.views)]
    for one, view, error in zip(told, views, reprojection_errors(hand, views)):
        one |= {"world_to_cam": view.world_to_cam.tolist(), "median_reprojection_error": round(float(error), 3)}
    metric = {"metric": True, "scale": "m: the size follows from the cameras"}
    return about.head() | metric | {"joints_world": _numbers(hand.joints_world, "m"), "views": told}


def view_answer(view: View, hand: Hand) -> dict[str, Any]:
    """What was found in one photograph: pixels count from its upper left corner, camera axes are OpenCV's."""
    x, y, side = view.square
    half = side / 2
    return {
        "picture": view.name,
        "size": [view.rgb.shape[1], view.rgb.shape[0]],
        "box": _numbers(view.box.corners, "px"),
        "box_from": view.box.how,
        "crop": _numbers(np.array([x - half, y - half, x + half, y + half]), "px"),
        "K": view.K.tolist(),
        "K_from": "assumed" if view.assumed else "given",
        "joints_2d": _numbers(hand.joints_2d, "px"),
        "confidence": None if hand.confidence is None else _numbers(hand.confidence, ""),
        "joints_cam": _numbers(hand.joints_cam, "m"),
    }


def _scale(assumed: bool, hand_length: float | None) -> dict[str, Any]:
    """Whether metres are metres, and if not, why."""
    if not assumed and hand_length is not None:
        return {"metric": True, "scale": f"m: K and the hand's length of {hand_length:g} m are given"}
    lacking = [*(["K, so that the shape is that which an assumed camera sees"] if assumed else []),
               *(["the hand's length, for which a believed one stands"] if hand_length is None else [])]  # fmt: skip
    return {"metric": False, "scale": f"up to scale: without {', and without '.join(lacking)}"}


def _numbers(array: np.ndarray, unit: str) -> list:
    """Rounded; what is no number, such as the pixel of a point behind the camera, is None."""
    return np.where(np.isfinite(array), np.round(array, DIGITS[unit]).astype(object), None).tolist()


def write_json(path: Path, answer: dict[str, Any]) -> None:
    """Write an answer, a line a key."""
    lines = ",\n".join(f" {json.dumps(key)}: {json.dumps(value)}" for key, value in answer.items())
    write_atomic(path, f"{{\n{lines}\n}}\n".encode())


def write_obj(path: Path, vertices: np.ndarray, left: bool) -> None:
    """Write a mesh of vertices (2651, 3) m; triangles of `left` hands are turned, to face outwards."""
    write_atomic(path, obj_text(vertices, hand_faces(left)).encode())


def hand_faces(left: bool) -> np.ndarray:
    """(F, 3) triangles that face outwards."""
    faces = load_asset().faces
    return faces[:, ::-1] if left else faces
