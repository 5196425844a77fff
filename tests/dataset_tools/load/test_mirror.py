"""Mirror: the sample becomes one of the other hand, in a mirrored world."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from labelled import SIZE, labelled
from moved_samples import MIRROR, check_cast, check_moved, equal, few, grid, seeds, world

from dataset_tools.format.schema import SAMPLE_FIELDS
from dataset_tools.load.transforms import mirror, right_handed
from rigging.errors import InputError


@few
@given(seeds)
def test_mirror_moves_cameras_and_joints(seed):
    old, size = world(seed), (100, 80)
    old["joint_in_frame"] = ((old["joints_2d"] >= 0) & (old["joints_2d"] < size)).all(-1)
    check_moved(old, mirror(old, size), lambda p: p * [-1, 1] + [size[0], 0], size, MIRROR)


def test_mirrored_labels_are_what_the_moved_camera_sees(right):
    new = mirror(right.sample)
    for view in (0, 3, 5):
        everywhere = np.ones((SIZE, SIZE), bool)
        check_cast(new, right.before * MIRROR, right.after * MIRROR, view, grid((SIZE, SIZE)), everywhere)


def test_the_mirror_image_is_the_left_handed_release_of_the_same_plan(right):
    """Without a phase, view k of the right hand is the mirror image of view (4 - k) mod 8 of the left one."""
    left, mirrored = labelled(left=True).sample, mirror(right.sample)
    order = [(4 - k) % 8 for k in range(8)]
    for name, value in mirrored.items():
        if name in ("meta", "rgb"):  # this picture shows normals in camera axes: it is none of a mirrored world
            continue
        other = left[name][order] if SAMPLE_FIELDS[name].per == "view" else left[name]
        if name in ("world_to_cam", "joints_cam"):
            assert np.abs(value - other).max() < 1e-15
        else:
            assert np.array_equal(value, other), name
    equal({"meta": mirrored["meta"]}, {"meta": left["meta"]})


def test_mirrored_twice_is_the_sample(sample):
    twice = mirror(mirror(sample))
    for name, value in sample.items():
        if name != "meta":
            assert twice[name].tobytes() == value.tobytes(), name
    equal(twice, sample)


def test_mirroring_changes_the_hand_in_the_metadata(sample):
    meta = mirror(sample)["meta"]
    assert (meta["hand"], meta["mirrored"], meta["subject"]) == ("left", True, 3)
    assert np.array_equal(meta["source_joints"], sample["meta"]["source_joints"] * np.float32([-1, 1, 1]))
    assert mirror({"meta": {"subject": 3}}, (8, 8))["meta"] == {"subject": 3}


def test_right_handed_mirrors_left_hands_only(sample):
    left = mirror(sample)
    for old in (sample, left):
        equal(right_handed(old), sample)
    assert right_handed(left)["meta"]["hand"] == "right"


def test_a_sample_that_does_not_say_its_hand_is_not_guessed(sample):
    with pytest.raises(InputError, match=r'right_handed: the sample does not say .* load the field "hand", too'):
        right_handed({"rgb": sample["rgb"]})
