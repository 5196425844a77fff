"""Crop, mirror and rotate alike: one after the other, of any fields, of one view or all, and what cannot be moved."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from labelled import SIZE
from moved_samples import MIRROR, check_cast, check_moved, equal, few, grid, seeds, turn, world

from dataset_tools.format.schema import SAMPLE_FIELDS
from dataset_tools.load.transforms import crop, mirror, rotate
from rigging.errors import InputError

# One after the other


@few
@given(seeds, st.floats(-3, 3))
def test_one_after_the_other(seed, angle):
    old, box, size = world(seed), np.array([[3.5, -8, 77, 60], [0, 0, 50, 50], [10, 20, 90, 44]]), (60, 50)
    new = mirror(rotate(crop(old, box, size), angle, size=size), size)

    def move(pixels: np.ndarray) -> np.ndarray:
        corner, scale = box[:, None, :2], size / (box[:, None, 2:] - box[:, None, :2])
        cropped = (pixels - corner) * scale
        return ((cropped - np.array(size) / 2) @ turn(angle).T + np.array(size) / 2) * [-1, 1] + [size[0], 0]

    check_moved(old, new, move, size, MIRROR)


def test_a_chain_that_keeps_pixel_centres_is_exact_at_the_new_ones(right):
    new = mirror(rotate(crop(right.sample, (4, -3, SIZE + 4, SIZE - 3), SIZE), np.pi / 2))
    inside = mirror(rotate(crop({"alpha": np.full((8, SIZE, SIZE), 255, np.uint8)}, (4, -3, SIZE + 4, SIZE - 3), SIZE),
                           np.pi / 2))["alpha"][2] > 0  # fmt: skip
    assert inside.sum() == (SIZE - 4) * (SIZE - 3)
    check_cast(new, right.before * MIRROR, right.after * MIRROR, 2, grid((SIZE, SIZE)), inside)


# What does nothing, and what stays


def test_the_full_box_and_no_turn_give_the_sample(sample):
    equal(crop(sample, (0, 0, SIZE, SIZE), SIZE), sample)
    equal(rotate(sample, 0.0), sample)
    equal(rotate(sample, 0.0, (3.0, 80.0)), sample)


def test_the_given_sample_stays_as_it_was(sample):
    before = copy.deepcopy(sample)
    for new in (crop(sample, (1, 2, 60, 50), 32), rotate(sample, 1), mirror(sample)):
        assert list(new) == list(sample)
        assert {name: value.dtype for name, value in new.items() if name != "meta"} == {
            name: value.dtype for name, value in sample.items() if name != "meta"
        }
    equal(sample, before)


# Any fields, one view or all


def moves(boxes: np.ndarray | tuple) -> dict:
    return {"crop": lambda s: crop(s, boxes, (30, 40)), "rotate": lambda s: rotate(s, 0.3, size=(SIZE, SIZE)),
            "mirror": lambda s: mirror(s, (SIZE, SIZE))}  # fmt: skip


def test_pixels_move_without_the_cameras_too():
    """joints_2d alone, which cannot be derived."""
    old = {"joints_2d": world(3)["joints_2d"]}
    both = world(3)
    for move in (lambda s: crop(s, (5, 6, 70, 80), 90), lambda s: rotate(s, 0.4, size=(90, 90)),
                 lambda s: mirror(s, (90, 90))):  # fmt: skip
        assert np.abs(move(old)["joints_2d"] - move(both)["joints_2d"]).max() < 1e-4


@pytest.mark.parametrize("kind", ["crop", "rotate", "mirror"])
def test_one_view_moves_as_it_does_among_all(kind, sample):
    boxes = np.array([[k, 2 * k, 60 + k, 50 + k / 2] for k in range(8)])
    whole = moves(boxes)[kind](sample)
    for view in (0, 5):
        single = {n: v[view] if n != "meta" and SAMPLE_FIELDS[n].per == "view" else v for n, v in sample.items()}
        new = moves(boxes[view])[kind](single)
        equal(new, {n: v[view] if n != "meta" and SAMPLE_FIELDS[n].per == "view" else v for n, v in whole.items()})


@pytest.mark.parametrize("kind", ["crop", "rotate", "mirror"])
@pytest.mark.parametrize("name", [name for name in SAMPLE_FIELDS if SAMPLE_FIELDS[name].group != "metadata"])
def test_every_field_moves_alone_or_says_what_it_needs(kind, name, sample):
    move = moves((2, 3, 50, 60))[kind]
    needs = {"joint_in_frame": "joints_2d", "flow_forward_visible": "flow_forward",
             "flow_backward_visible": "flow_backward"}.get(name)  # fmt: skip
    if needs and kind != "mirror":
        with pytest.raises(InputError, match=f"{kind}: {name} cannot be moved without {needs}; load both"):
            move({name: sample[name]})
        equal(move({n: sample[n] for n in (needs, name)}), {n: move(sample)[n] for n in (needs, name)}, [name])
    elif name in ("joints_2d", "joints_cam"):
        assert np.abs(move({name: sample[name]})[name] - move(sample)[name]).max() < 1e-4
    elif name in ("world_to_cam", "normals") and kind == "rotate":
        assert np.allclose(move({name: sample[name]})[name], move(sample)[name], atol=1e-6)
    else:
        equal(move({name: sample[name]}), {name: move(sample)[name]})


# Bad input is one line

BAD = {
    "heat": (lambda s: crop(s | {"heat": 1}, (0, 0, 9, 9), 9), "no field heat in the schema"),
    "no sample": (lambda s: mirror(5), "mirror: a sample as the loader gives it is wanted, got int"),
    "words": (lambda s: crop(s, "left", 9), "crop: box is 'left', x0, y0, x1, y1 in px are wanted"),
    "ragged": (lambda s: crop(s, [(0, 0, 9, 9), (0, 0, 9)], 9), "x0, y0, x1, y1 in px are wanted"),
    "vanishing": (lambda s: crop(s, (5, 5, 5 + 1e-9, 9), 9), "sides from 0.001 px within 1e\\+06 px are wanted"),
    "far": (lambda s: crop(s, (0, 0, 1e30, 9), 9), "sides from 0.001 px within"),
    "huge": (lambda s: crop(s, (0, 0, 9, 9), 40000), "size is 40000, a whole number of px from 1 to 32767"),
    "angle in words": (lambda s: rotate(s, "left"), "rotate: angle 'left'"),
    "angles": (lambda s: rotate(s, [1, 2]), r"rotate: angle \[1, 2\]"),
    "centre in words": (lambda s: rotate(s, 1, "middle"), "centre 'middle'"),
    "far centre": (lambda s: rotate(s, 1, (1e30, 0)), "finite"),
    "no hand": (lambda s: mirror(s | {"meta": s["meta"] | {"hand": "foot"}}), "hand is 'foot', 'right' or 'left' is"),
    "empty": (lambda s: crop(s, (5, 0, 5, 9), 9), r"crop: box is \[5, 0, 5, 9\], x0 < x1"),
    "endless": (lambda s: crop(s, (0, 0, np.inf, 9), 9), "finite"),
    "boxes": (lambda s: crop(s, np.zeros((3, 4)), 9), r"box has shape \(3, 4\), \(4,\) or \(8, 4\) is wanted"),
    "no size": (lambda s: crop(s, (0, 0, 9, 9), 0), "size is 0, a whole number of px from 1 to 32767"),
    "half": (lambda s: crop(s, (0, 0, 9, 9), (9, 8.5)), "a whole number of px"),
    "triple": (lambda s: crop(s, (0, 0, 9, 9), (9, 8, 3)), "a whole number of px"),
    "angle": (lambda s: rotate(s, np.nan), "rotate: angle nan"),
    "centre": (lambda s: rotate(s, 1, (3, 4, 5)), r"\(x, y\) in px are wanted"),
    "other size": (lambda s: mirror(s, (9, 9)), r"mirror: size is \(9, 9\), the images have .* = \(72, 72\)"),
    "no image": (lambda s: mirror({"K": s["K"]}), r"no image in the sample; pass size=\(width, height\)"),
    "mixed": (lambda s: mirror({"rgb": s["rgb"], "depth": s["depth"][0]}), "depth has shape"),
    "views": (lambda s: mirror({"rgb": s["rgb"], "K": s["K"][:3]}), r"rgb, K differ in \(V\)"),
    "sizes": (lambda s: mirror({"rgb": s["rgb"], "depth": s["depth"][:, :9]}), r"differ in \(V, H, W\)"),
    "flat": (lambda s: mirror({"joints_world": s["joints_world"][0]}, (8, 8)), "joints_world has shape"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_cannot_be_moved_is_one_clear_line(kind, sample):
    move, message = BAD[kind]
    with pytest.raises(InputError, match=message) as error:
        move(sample)
    assert "\n" not in str(error.value)
