"""Crop, mirror and rotate: every label moves with the picture: by reprojection, ray casting and the other hand."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labelled import SIZE, Labelled, cast_labels, labelled, labels_anew

from dataset_tools.format.schema import SAMPLE_FIELDS
from dataset_tools.load.resample import axis_weights, crop_colours, pick, sources, warp_colours
from dataset_tools.load.transforms import crop, mirror, rotate
from rigging.errors import InputError
from rigging.geometry.projection import project, to_camera
from rigging.geometry.rotations import random_rotation

MIRROR = np.array([-1.0, 1.0, 1.0])
few = settings(max_examples=60, deadline=None)


@pytest.fixture(scope="module")
def right() -> Labelled:
    return labelled()


@pytest.fixture(scope="module")
def sample(right) -> dict:
    """A sample with all fields that move. Not to be changed."""
    return right.sample


def turn(angle: float) -> np.ndarray:
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def equal(a: dict, b: dict, names: list[str] | None = None) -> None:
    """Bitwise the same, but for the sign of zero."""
    assert set(a) == set(b)
    for name in names or a:
        if name == "meta":
            for key in a["meta"]:
                assert np.array_equal(a["meta"][key], b["meta"][key]), key
        else:
            assert a[name].dtype == b[name].dtype
            assert np.array_equal(a[name], b[name]), name


# By reprojection: the moved camera sees a point where the moved picture shows it


def world(seed: int, views: int = 3) -> dict:
    """Random cameras, not all with square pixels, and the joints that they see."""
    rng = np.random.default_rng(seed)
    K = np.zeros((views, 3, 3))
    K[:, 0, 0], K[:, 2, 2] = rng.uniform(80, 300, views), 1
    K[:, 1, 1] = np.where(rng.random(views) < 0.5, K[:, 0, 0], rng.uniform(80, 300, views))
    K[:, 0, 1] = np.where(rng.random(views) < 0.5, 0, rng.uniform(-9, 9, views))
    K[:, :2, 2] = rng.uniform(20, 90, (views, 2))
    world_to_cam = np.tile(np.eye(4), (views, 1, 1))
    world_to_cam[:, :3, :3], world_to_cam[:, :3, 3] = random_rotation(rng, views), [0.02, -0.01, 0.7]
    sample = {"K": K, "world_to_cam": world_to_cam, "joints_world": rng.normal(0, 0.05, (21, 3)).astype(np.float32)}
    sample["joints_cam"] = to_camera(sample["joints_world"], world_to_cam).astype(np.float32)
    sample["joints_2d"] = project(sample["joints_world"], K, world_to_cam).astype(np.float32)
    return sample | {"joint_in_frame": np.ones((views, 21), bool)}


def check_moved(old: dict, new: dict, move, size: tuple[int, int], sides: np.ndarray | float = 1.0) -> None:
    """Points of `old`'s world, on `sides` of the new one, are seen by `new`'s cameras where `move` (of pixels) says."""
    points = np.random.default_rng(0).normal(0, 0.06, (40, 3))
    before, after = (project(p, s["K"], s["world_to_cam"]) for p, s in ((points, old), (points * sides, new)))
    assert np.abs(after - move(before)).max() < 1e-9
    rotations = new["world_to_cam"][:, :3, :3]
    assert np.abs(rotations @ rotations.transpose(0, 2, 1) - np.eye(3)).max() < 1e-12
    assert (np.linalg.det(rotations) > 0).all()
    assert (new["K"][:, [0, 1], [0, 1]] > 0).all()
    assert not new["K"][:, 1, 0].any()
    assert np.array_equal(new["K"][:, 2], np.tile([0.0, 0, 1], (len(new["K"]), 1)))
    pixels = move(old["joints_2d"].astype(float))
    assert np.abs(new["joints_2d"] - pixels).max() < 1e-3  # float32, enlarged up to 60 times
    assert np.abs(new["joints_cam"] - to_camera(new["joints_world"], new["world_to_cam"])).max() < 1e-6
    clear = (np.abs(pixels) > 1e-3).all(-1) & (np.abs(pixels - size) > 1e-3).all(-1)
    assert np.array_equal(new["joint_in_frame"][clear], ((pixels > 0) & (pixels < size)).all(-1)[clear])


number = st.floats(-40, 120)
seeds = st.integers(0, 2**32 - 1)


@few
@given(seeds, number, number, st.floats(5, 200), st.floats(5, 200), st.integers(1, 300), st.integers(1, 300))
def test_crop_moves_cameras_and_joints(seed, x0, y0, width, height, w, h):
    old = world(seed)
    scale = np.array([w / width, h / height])
    new = crop(old, (x0, y0, x0 + width, y0 + height), (w, h))
    check_moved(old, new, lambda p: (p - [x0, y0]) * scale, (w, h))
    assert np.array_equal(new["world_to_cam"], old["world_to_cam"])


@few
@given(seeds, st.floats(-7, 7), number, number)
def test_rotate_moves_cameras_and_joints(seed, angle, x, y):
    old, size = world(seed), (100, 80)
    new = rotate(old, angle, (x, y), size)
    check_moved(old, new, lambda p: (p - [x, y]) @ turn(angle).T + [x, y], size)
    square = (old["K"][:, 0, 0] == old["K"][:, 1, 1]) & (old["K"][:, 0, 1] == 0)
    assert np.array_equal(new["K"][square, :2, :2], old["K"][square, :2, :2])


@few
@given(seeds)
def test_mirror_moves_cameras_and_joints(seed):
    old, size = world(seed), (100, 80)
    old["joint_in_frame"] = ((old["joints_2d"] >= 0) & (old["joints_2d"] < size)).all(-1)
    check_moved(old, mirror(old, size), lambda p: p * [-1, 1] + [size[0], 0], size, MIRROR)


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


def test_pixels_move_without_the_cameras_too():
    """joints_2d alone, which cannot be derived."""
    old = {"joints_2d": world(3)["joints_2d"]}
    both = world(3)
    for move in (lambda s: crop(s, (5, 6, 70, 80), 90), lambda s: rotate(s, 0.4, size=(90, 90)),
                 lambda s: mirror(s, (90, 90))):  # fmt: skip
        assert np.abs(move(old)["joints_2d"] - move(both)["joints_2d"]).max() < 1e-4


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
TURNS = {"a little": (0.4, None), "far": (-2.2, None), "about a finger": (0.9, (30.0, 44.5))}


def check_cast(new: dict, before: np.ndarray, after: np.ndarray, view: int, at: np.ndarray, inside: np.ndarray) -> None:
    """Labels of `new`, whose pixels (h, w) show what is at `at` (h, w, 2) px, nowhere where not `inside` (h, w)."""
    expected = cast_labels(new, before, after, view, at[inside])
    got = {name: new[name][view][inside] for name in expected}
    assert not any(new[name][view][~inside].any() for name in expected)
    assert (expected["parts"] > 0).mean() > 0.05
    same = got["parts"] == expected["parts"]  # rays may pass on either side of an edge
    assert same.mean() > 0.998
    errors = {name: np.abs(got[name] - expected[name]).reshape(len(same), -1).max(1)[same] for name in expected}
    for name, limit in {"depth": 2e-6, "normals": 1e-4, "flow_forward": 1e-3, "flow_backward": 1e-3}.items():
        assert (errors[name] > limit).mean() < 0.002, (name, np.sort(errors[name])[-9:])
    assert np.array_equal(new["mask"], (new["parts"] > 0) & (new["parts"] < 18))


def grid(size: tuple[int, int]) -> np.ndarray:
    return np.stack(np.meshgrid(np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5), axis=-1)


def nearest(at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The centres of the old pixels that points (h, w, 2) px are in, and whether they are in the old picture."""
    return np.floor(at) + 0.5, ((at >= 0) & (at < SIZE)).all(-1)


@pytest.mark.parametrize("kind", CORNERS)
def test_cropped_labels_are_what_the_moved_camera_sees(kind, right):
    box, size = CORNERS[kind]
    corner, scale = np.array(box[:2]), np.array(size) / (np.array(box[2:]) - box[:2])
    centres, inside = nearest(grid(size) / scale + corner)
    new = crop(right.sample, box, size)
    for view in (0, 3):
        check_cast(new, right.before, right.after, view, (centres - corner) * scale, inside)


@pytest.mark.parametrize("kind", TURNS)
def test_rotated_labels_are_what_the_moved_camera_sees(kind, right):
    angle, centre = TURNS[kind]
    middle = np.array(centre or (SIZE / 2, SIZE / 2))
    centres, inside = nearest((grid((SIZE, SIZE)) - middle) @ turn(angle) + middle)
    new = rotate(right.sample, angle, centre)
    for view in (1, 6):
        check_cast(new, right.before, right.after, view, (centres - middle) @ turn(angle).T + middle, inside)


def test_mirrored_labels_are_what_the_moved_camera_sees(right):
    new = mirror(right.sample)
    for view in (0, 3, 5):
        everywhere = np.ones((SIZE, SIZE), bool)
        check_cast(new, right.before * MIRROR, right.after * MIRROR, view, grid((SIZE, SIZE)), everywhere)


def test_a_chain_that_keeps_pixel_centres_is_exact_at_the_new_ones(right):
    new = mirror(rotate(crop(right.sample, (4, -3, SIZE + 4, SIZE - 3), SIZE), np.pi / 2))
    inside = mirror(rotate(crop({"alpha": np.full((8, SIZE, SIZE), 255, np.uint8)}, (4, -3, SIZE + 4, SIZE - 3), SIZE),
                           np.pi / 2))["alpha"][2] > 0  # fmt: skip
    assert inside.sum() == (SIZE - 4) * (SIZE - 3)
    check_cast(new, right.before * MIRROR, right.after * MIRROR, 2, grid((SIZE, SIZE)), inside)


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


# What undoes itself, and what does nothing


def test_mirrored_twice_is_the_sample(sample):
    twice = mirror(mirror(sample))
    for name, value in sample.items():
        if name != "meta":
            assert twice[name].tobytes() == value.tobytes(), name
    equal(twice, sample)


def test_the_full_box_and_no_turn_give_the_sample(sample):
    equal(crop(sample, (0, 0, SIZE, SIZE), SIZE), sample)
    equal(rotate(sample, 0.0), sample)
    equal(rotate(sample, 0.0, (3.0, 80.0)), sample)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_quarter_turns_lose_nothing(quarters, sample):
    turned = rotate(sample, quarters * np.pi / 2)
    for name in ("parts", "depth", "mask", "alpha", "rgb"):
        assert np.array_equal(turned[name], np.rot90(sample[name], -quarters, (1, 2))), name
    back = rotate(turned, -quarters * np.pi / 2)
    for name in ("depth", "normals", "flow_forward", "joints_2d", "joints_cam"):
        assert np.abs(back[name] - sample[name]).max() < 1e-4, name
    assert np.array_equal(back["parts"], sample["parts"])


def test_the_given_sample_stays_as_it_was(sample):
    before = copy.deepcopy(sample)
    for new in (crop(sample, (1, 2, 60, 50), 32), rotate(sample, 1), mirror(sample)):
        assert list(new) == list(sample)
        assert {name: value.dtype for name, value in new.items() if name != "meta"} == {
            name: value.dtype for name, value in sample.items() if name != "meta"
        }
    equal(sample, before)


def test_mirroring_changes_the_hand_in_the_metadata(sample):
    meta = mirror(sample)["meta"]
    assert (meta["hand"], meta["mirrored"], meta["subject"]) == ("left", True, 3)
    assert np.array_equal(meta["source_joints"], sample["meta"]["source_joints"] * np.float32([-1, 1, 1]))
    assert mirror({"meta": {"subject": 3}}, (8, 8))["meta"] == {"subject": 3}


# Any fields, one view or all


def moves(boxes: np.ndarray | tuple) -> dict:
    return {"crop": lambda s: crop(s, boxes, (30, 40)), "rotate": lambda s: rotate(s, 0.3, size=(SIZE, SIZE)),
            "mirror": lambda s: mirror(s, (SIZE, SIZE))}  # fmt: skip


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


# Colours, against their naive twins


def naive_axis(start: float, end: float, new: int, old: int) -> np.ndarray:
    """Weights one by one: the mean over the new pixel's span by a fine sum, or linear between two centres."""
    out, step = np.zeros((new, old)), (end - start) / new
    for j in range(new):
        if not 0 <= start + (j + 0.5) * step < old:
            continue
        if step > 1:
            points = start + (j + (np.arange(20000) + 0.5) / 20000) * step
            points = points[(points >= 0) & (points < old)]
            out[j] = np.bincount(points.astype(int), minlength=old) / len(points)
        else:
            at = min(max(start + (j + 0.5) * step - 0.5, 0), old - 1)
            low = min(int(at), old - 2)
            out[j, low], out[j, low + 1] = 1 - (at - low), at - low
    return out


@pytest.mark.parametrize(
    ("start", "end", "new"), [(0, 12, 12), (0, 12, 4), (1.3, 9.1, 3), (-4, 15.5, 8), (2.2, 5.7, 9), (-3, 6, 20)]
)
def test_weights_are_areas_or_linear(start, end, new):
    assert np.abs(axis_weights(start, end, new, 12) - naive_axis(start, end, new, 12)).max() < 2e-4


def test_cropped_colours_are_the_weighted_sums_of_both_axes(sample):
    box, size = (10.2, 7.5, 60.1, 71), (20, 90)
    got = crop_colours(sample["rgb"][:1], np.array([box]), size)[0]
    across, down = axis_weights(box[0], box[2], 20, SIZE), axis_weights(box[1], box[3], 90, SIZE)
    for y, x in ((3, 4), (50, 11), (89, 19)):
        exact = sum(down[y, i] * across[x, j] * sample["rgb"][0, i, j].astype(float)
                    for i in range(SIZE) for j in range(SIZE) if down[y, i] and across[x, j])  # fmt: skip
        assert np.abs(got[y, x] - exact).max() <= 0.501


def test_turned_colours_are_linear_between_centres_to_a_32nd_of_a_pixel():
    """Of a smooth picture, whose slope says what 1/64 px is worth."""
    y, x = np.mgrid[:40, :50] + 0.5
    smooth = np.rint(120 + 60 * np.sin(x / 5) * np.cos(y / 6)).astype(np.uint8)
    angle, middle = 0.7, np.array([25.0, 20.0])
    got = rotate({"alpha": smooth[None]}, angle)["alpha"][0].astype(float)
    for i, j in ((20, 25), (8, 30), (33, 20), (20, 3)):
        u, v = turn(-angle) @ (np.array([j + 0.5, i + 0.5]) - middle) + middle - 0.5
        a, b = int(np.floor(u)), int(np.floor(v))
        corners = smooth[b : b + 2, a : a + 2].astype(float)
        exact = np.array([1 - (v - b), v - b]) @ corners @ np.array([1 - (u - a), u - a])
        assert abs(got[i, j] - exact) <= 12 / 32 + 1


def test_labels_are_picked_where_the_centre_falls():
    """The naive twin: one pixel at a time."""
    rng = np.random.default_rng(1)
    image, matrix = rng.integers(0, 99, (1, 7, 9, 2)), np.array([[0.7, -0.4, 1.0], [0.3, 0.9, -2.0], [0, 0, 1]])
    got = pick(image, sources(matrix[None], (9, 7), (6, 5)))[0]
    for i in range(5):
        for j in range(6):
            u, v, _ = matrix @ [j + 0.5, i + 0.5, 1]
            inside = 0 <= u < 9 and 0 <= v < 7
            assert np.array_equal(got[i, j], image[0, int(v), int(u)] if inside else [0, 0])


def test_what_is_outside_is_black_and_background():
    image = np.full((1, 8, 8, 3), 200, np.uint8)
    new = crop({"rgb": image, "parts": image[..., 0]}, (-4, -8, 8, 4), 12)
    inside = np.zeros((12, 12), bool)
    inside[8:, 4:] = True
    assert np.array_equal(new["rgb"][0] == 200, np.repeat(inside[..., None], 3, 2))
    assert np.array_equal(new["parts"][0] == 200, inside)
    outside = sources(np.eye(3)[None], (8, 8), (10, 8)) < 0
    assert np.array_equal(warp_colours(image, np.eye(3)[None], np.where(outside, -1, 0))[0, :, 8:], np.zeros((8, 2, 3)))


# Bad input is one line

BAD = {
    "heat": (lambda s: crop(s | {"heat": 1}, (0, 0, 9, 9), 9), "no field heat in the schema"),
    "empty": (lambda s: crop(s, (5, 0, 5, 9), 9), r"crop: box is \[5, 0, 5, 9\], x0 < x1"),
    "endless": (lambda s: crop(s, (0, 0, np.inf, 9), 9), "finite"),
    "boxes": (lambda s: crop(s, np.zeros((3, 4)), 9), r"box has shape \(3, 4\), \(4,\) or \(8, 4\) is wanted"),
    "no size": (lambda s: crop(s, (0, 0, 9, 9), 0), "size is 0, a whole number of px above 0"),
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
