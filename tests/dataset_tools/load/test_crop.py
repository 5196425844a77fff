"""Crop: cameras, joints and labels move with the part of the picture that is kept."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from labelled import labels_anew
from moved_samples import check_cast, check_moved, few, grid, nearest, number, seeds, world

from dataset_tools.load.transforms import crop


@few
@given(seeds, number, number, st.floats(5, 200), st.floats(5, 200), st.integers(1, 300), st.integers(1, 300))
def test_crop_moves_cameras_and_joints(seed, x0, y0, width, height, w, h):
    old = world(seed)
    scale = np.array([w / width, h / height])
    new = crop(old, (x0, y0, x0 + width, y0 + height), (w, h))
    check_moved(old, new, lambda p: (p - [x0, y0]) * scale, (w, h))
    assert np.array_equal(new["world_to_cam"], old["world_to_cam"])


def test_a_joint_behind_the_camera_has_no_pixel_and_is_not_in_frame():
    old = world(0)
    old["joints_world"][4] = np.linalg.inv(old["world_to_cam"][1])[:3] @ [0, 0, -0.2, 1]
    new = crop(old, (0, 0, 90, 90), 45)
    assert np.isnan(new["joints_2d"][1, 4]).all()
    assert not new["joint_in_frame"][1, 4]


# By ray casting: the moved camera sees, at the new pixel, what the label says

CORNERS = {
    "a part, smaller": ((10.3, 5.7, 61.2, 68.9), (40, 50)),
    "a part, larger": ((20, 22, 50, 46), (72, 81)),
    "over the edge": ((-15, -10.5, 50, 80), (48, 64)),
}


@pytest.mark.parametrize("kind", CORNERS)
def test_cropped_labels_are_what_the_moved_camera_sees(kind, right):
    box, size = CORNERS[kind]
    corner, scale = np.array(box[:2]), np.array(size) / (np.array(box[2:]) - box[:2])
    centres, inside = nearest(grid(size) / scale + corner)
    new = crop(right.sample, box, size)
    for view in (0, 3):
        check_cast(new, right.before, right.after, view, (centres - corner) * scale, inside)


@pytest.mark.parametrize("box", [(9, 4, 60, 70), (30, 30, 55, 50)])
def test_labels_made_anew_for_the_moved_cameras_are_the_moved_labels(box, right):
    """Inside the picture and from pixel to pixel: also what is visible at t - 1 and t + 1, and which joints are."""
    size = (box[2] - box[0], box[3] - box[1])
    new = crop(right.sample, box, size)
    labels = labels_anew(new, right.before, right.after, size)
    for name, value in labels.items():
        differ = np.abs(value.astype(float) - new[name]) > 1e-4
        assert differ.mean() < 1e-3, name
    visible = new["flow_forward_visible"]
    picked = right.sample["flow_forward_visible"][:, box[1] : box[3], box[0] : box[2]]
    assert (picked & ~visible).sum() > 50  # surface that leaves the new picture
