"""Gestures by the fingers that are stretched: bends computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from dataset_tools.browse.gesture import bends, gesture
from rigging.joints import FINGER_NAMES


def hand(**bent: tuple[float, float, float]) -> np.ndarray:
    """Joints (21, 3) of a flat hand, fingers along y from one point; those named bend by degrees at their joints."""
    joints = np.zeros((21, 3))
    for finger, name in enumerate(FINGER_NAMES):
        angle, at = 0.0, np.zeros(3)
        turns = np.radians([0, *bent.get(name, (0, 0, 0))])
        for joint, turn in enumerate(turns):
            angle += turn
            at = at + 0.03 * np.array([0, np.cos(angle), np.sin(angle)])
            joints[1 + 4 * finger + joint] = at
    return joints


def test_the_bends_of_a_finger_add_up():
    found = bends(hand(index=(30, 20, 10), little=(90, -80, 70)))
    assert found == pytest.approx([0, 60, 0, 0, 240], abs=1e-5)


def test_the_thumb_bends_at_two_joints_and_its_metacarpal_may_point_anywhere():
    assert bends(hand(thumb=(50, 20, 5)))[0] == pytest.approx(25, abs=1e-5)
    moved = hand()
    moved[0] += [0.05, 0, 0]  # the wrist
    assert bends(moved)[0] == pytest.approx(0, abs=1e-5)
    assert (bends(moved)[1:] > 10).all()


CURLED = (80, 90, 40)


@pytest.mark.parametrize(
    ("bent", "name"),
    [
        ({}, "open hand"),
        ({"thumb": (0, 20, 16)}, "four fingers"),
        ({"thumb": (40, 20, 14)}, "open hand"),
        ({"thumb": (0, 40, 0)}, "four fingers"),
        (dict.fromkeys(FINGER_NAMES, CURLED), "fist"),
        (dict.fromkeys(FINGER_NAMES, (30, 40, 20)), "bent hand"),
        (dict.fromkeys(("thumb", "ring", "little"), CURLED), "index + middle"),
        (dict.fromkeys(FINGER_NAMES[1:], CURLED), "thumb"),
        ({"middle": (30, 20, 14)}, "open hand"),
        ({"middle": (30, 20, 16)}, "thumb + index + ring + little"),
    ],
)
def test_gestures(bent, name):
    assert gesture(hand(**bent)) == name
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    assert gesture(1.3 * hand(**bent) @ turn.T + 2) == name, "wherever the hand is, whichever hand it is"
