"""A hand's gesture in a word: which fingers are stretched."""

from __future__ import annotations

import numpy as np

from rigging.joints import FINGER_NAMES, JOINT_NAMES

STRETCHED = 0.92  # of a finger's length, the distance from its first joint to its tip; bent by 45 degrees it is 0.9
THUMB_STRETCHED = 0.96  # the thumb bends less
NAMES = {(): "fist", FINGER_NAMES: "open hand", FINGER_NAMES[1:]: "four fingers"}


def straightness(joints: np.ndarray) -> np.ndarray:
    """For joints (21, 3) m: (5,) by finger, the distance from knuckle to tip over the length of the bones between."""
    chains = np.array([[JOINT_NAMES.index(name) for name in JOINT_NAMES if name.startswith(f)] for f in FINGER_NAMES])
    points = np.asarray(joints, float)[chains]  # (5, 4, 3)
    bones = np.linalg.norm(np.diff(points, axis=1), axis=-1).sum(1)
    return np.linalg.norm(points[:, -1] - points[:, 0], axis=-1) / np.maximum(bones, 1e-9)


def gesture(joints: np.ndarray) -> str:
    """The stretched fingers of joints (21, 3) m, such as "index + middle", "fist" or "open hand"."""
    limits = np.array([THUMB_STRETCHED] + [STRETCHED] * 4)
    fingers = tuple(name for name, straight in zip(FINGER_NAMES, straightness(joints) >= limits) if straight)
    return NAMES.get(fingers) or " + ".join(fingers)
