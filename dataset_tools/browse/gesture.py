"""A hand's gesture in a word: which fingers are stretched."""

from __future__ import annotations

import numpy as np

from rigging.joints import FINGER_NAMES, JOINT_NAMES

STRETCHED = 65.0  # degrees, at most, that a finger bends at its three joints together
THUMB_STRETCHED = 35.0  # at its two
CLENCHED = 120.0  # at least, that every finger but the thumb bends in a fist
OPEN, FOUR = FINGER_NAMES, FINGER_NAMES[1:]


def bends(joints: np.ndarray) -> np.ndarray:
    """Of joints (21, 3) m: (5,) degrees by finger, the angles between its bones in a row, added up.

    The first bone of a finger is that from the wrist to its knuckle; of the thumb its metacarpal.
    """
    places = [[JOINT_NAMES.index(name) for name in JOINT_NAMES if name.startswith(finger)] for finger in FINGER_NAMES]
    chains = [places[0], *([JOINT_NAMES.index("wrist"), *chain] for chain in places[1:])]
    return np.array([_bend(np.asarray(joints, float)[chain]) for chain in chains])


def _bend(points: np.ndarray) -> float:
    bones = np.diff(points, axis=0)
    bones /= np.maximum(np.linalg.norm(bones, axis=-1, keepdims=True), 1e-12)
    return float(np.degrees(np.arccos(np.clip((bones[1:] * bones[:-1]).sum(-1), -1, 1))).sum())


def gesture(joints: np.ndarray) -> str:
    """The stretched fingers of joints (21, 3) m, such as "index + middle"; or "fist", "bent hand", "open hand"."""
    angles = bends(joints)
    limits = [THUMB_STRETCHED, STRETCHED, STRETCHED, STRETCHED, STRETCHED]
    fingers = tuple(name for name, angle, limit in zip(FINGER_NAMES, angles, limits) if angle <= limit)
    if fingers in (OPEN, FOUR):
        return "open hand" if fingers == OPEN else "four fingers"
    if not fingers:
        return "fist" if (angles[1:] >= CLENCHED).all() else "bent hand"
    return " + ".join(fingers)
