"""The joints of WebXR and OpenXR by name, in whatever spelling an engine gives them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from .fields import NOWHERE, get, number, plain, point, untracked

_FINGER = ("metacarpal", "phalanx-proximal", "phalanx-intermediate", "phalanx-distal", "tip")
WEBXR_NAMES = (
    "wrist",
    *(f"thumb-{part}" for part in ("metacarpal", "phalanx-proximal", "phalanx-distal", "tip")),
    *(f"{finger}-finger-{part}" for finger in ("index", "middle", "ring", "pinky") for part in _FINGER),
)


@lru_cache(4096)
def joint_key(name: str) -> str:
    """One name for `index-finger-tip`, `XR_HAND_JOINT_INDEX_TIP_EXT` and `IndexTip`: `indextip`."""
    key = plain(name).removeprefix("xrhandjoint").removesuffix("ext")
    return key.replace("finger", "").replace("phalanx", "").replace("little", "pinky")


_KEYS = tuple(map(joint_key, WEBXR_NAMES))


def named_joints(joints: Any) -> list[Any] | None:
    """What is said of each of the 25 joints, None where nothing is; None if `joints` is neither by name nor a list.

    `joints` is an object by name, a list of 25 in WebXR's order or of 26 in OpenXR's, or a list of objects with `name`.
    """
    if isinstance(joints, list) and joints and all(get(joint, "name", "joint", "jointName") for joint in joints):
        joints = {str(get(joint, "name", "joint", "jointName")): joint for joint in joints}
    if isinstance(joints, Mapping):
        known = {joint_key(str(name)): joint for name, joint in joints.items()}
        return [known.get(key) for key in _KEYS]
    if isinstance(joints, list) and len(joints) in (25, 26):
        return joints[-25:]
    return None


def position(joint: Any) -> tuple[float, float, float]:
    """Where a joint is: a point, or an object with `position`, or a pose's `transform`, or a column-major `matrix`."""
    if untracked(joint):
        return NOWHERE
    place = get(joint, "transform", "pose") or joint
    if (found := get(place, "position")) is not None:
        return point(found)
    matrix = get(place, "matrix")
    if matrix is not None:
        values = get(matrix, "elements") or matrix
        return point(values[12:15]) if isinstance(values, list) and len(values) == 16 else NOWHERE
    return point(place)


def hand_points(joints: Any) -> tuple[np.ndarray, np.ndarray] | None:
    """Points (25, 3) and radii (25,) below 1 m of a hand, NaN where not tracked; None where there is no hand."""
    named = named_joints(joints)
    if named is None or not any(named):
        return None
    points = np.array([position(joint) for joint in named])
    radii = np.array([number(get(joint, "radius")) for joint in named])
    return points, np.where(np.abs(radii) < 1, radii, np.nan)
