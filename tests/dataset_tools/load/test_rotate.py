"""Rotate: cameras, joints and labels turn with the picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from labelled import SIZE
from moved_samples import check_cast, check_moved, few, grid, nearest, number, seeds, turn, world

from dataset_tools.load.transforms import rotate


@few
@given(seeds, st.floats(-7, 7), number, number)
def test_rotate_moves_cameras_and_joints(seed, angle, x, y):
    old, size = world(seed), (100, 80)
    new = rotate(old, angle, (x, y), size)
    check_moved(old, new, lambda p: (p - [x, y]) @ turn(angle).T + [x, y], size)
    square = (old["K"][:, 0, 0] == old["K"][:, 1, 1]) & (old["K"][:, 0, 1] == 0)
    assert np.array_equal(new["K"][square, :2, :2], old["K"][square, :2, :2])


TURNS = {"a little": (0.4, None), "far": (-2.2, None), "about a finger": (0.9, (30.0, 44.5))}


@pytest.mark.parametrize("kind", TURNS)
def test_rotated_labels_are_what_the_moved_camera_sees(kind, right):
    angle, centre = TURNS[kind]
    middle = np.array(centre or (SIZE / 2, SIZE / 2))
    centres, inside = nearest((grid((SIZE, SIZE)) - middle) @ turn(angle) + middle)
    new = rotate(right.sample, angle, centre)
    for view in (1, 6):
        check_cast(new, right.before, right.after, view, (centres - middle) @ turn(angle).T + middle, inside)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_quarter_turns_lose_nothing(quarters, sample):
    turned = rotate(sample, quarters * np.pi / 2)
    for name in ("parts", "depth", "mask", "alpha", "rgb"):
        assert np.array_equal(turned[name], np.rot90(sample[name], -quarters, (1, 2))), name
    back = rotate(turned, -quarters * np.pi / 2)
    for name in ("depth", "normals", "flow_forward", "joints_2d", "joints_cam"):
        assert np.abs(back[name] - sample[name]).max() < 1e-4, name
    assert np.array_equal(back["parts"], sample["parts"])
