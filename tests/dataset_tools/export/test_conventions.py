"""What the formats mean by a joint, a metre, a pixel, a box: worked out by hand, and by naive twins."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dataset_tools.export.boxes import mask_box, run_lengths
from dataset_tools.export.coco import keypoints
from dataset_tools.export.conventions import CONVENTIONS
from dataset_tools.export.huggingface import depth_codes
from dataset_tools.export.source import Sample, require_names
from dataset_tools.export.target import keyed, listed
from rigging.errors import InputError
from rigging.joints import JOINT_NAMES
from rigging.poses.clip import PoseError
from rigging.poses.readers.permutations import JOINT_ORDERS, from_canonical, to_canonical

MASKS = arrays(bool, st.tuples(st.integers(1, 6), st.integers(1, 6)))


def test_a_joint_is_where_the_format_looks_for_it():
    """InterHand2.6M: thumb from the tip, then the fingers likewise, the wrist last; the others as we do."""
    names = np.array(JOINT_NAMES)[:, None]
    interhand = CONVENTIONS["interhand"].joints(names)[:, 0].tolist()
    assert interhand[:5] == ["thumb_tip", "thumb_ip", "thumb_mcp", "thumb_cmc", "index_tip"]
    assert interhand[19:] == ["little_mcp", "wrist"]
    for kind in set(CONVENTIONS) - {"interhand"}:
        assert CONVENTIONS[kind].joints(names)[:, 0].tolist() == list(JOINT_NAMES)


@pytest.mark.parametrize("name", [name for name in JOINT_ORDERS if name not in ("stb", "mhp", "nyu36")])
def test_what_is_written_in_an_order_is_read_back_from_it(name):
    joints = np.random.default_rng(0).normal(size=(2, 21, 3))
    if JOINT_ORDERS[name].count != 21 or JOINT_ORDERS[name].lacks_thumb_base:
        with pytest.raises(PoseError, match="has not our 21 joints"):
            from_canonical(name, joints)
    else:
        assert np.array_equal(to_canonical(name, from_canonical(name, joints)), joints)


def test_nothing_is_written_as_a_palm_centre():
    with pytest.raises(PoseError, match="has not our 21 joints"):
        from_canonical("stb", np.zeros((21, 3)))


@pytest.mark.parametrize("kind", CONVENTIONS)
def test_moved_intrinsics_project_to_moved_pixels(kind):
    """u = f x / z + c: the principal point moves with the pixels, half a pixel where the first centre is (0, 0)."""
    convention = CONVENTIONS[kind]
    K = np.array([[100.0, 0, 32], [0, 110, 30], [0, 0, 1]])
    point = np.array([0.02, -0.03, 0.5])
    u, v = 100 * 0.02 / 0.5 + 32, 110 * -0.03 / 0.5 + 30
    moved = convention.intrinsics(K) @ point
    assert moved[:2] / moved[2] == pytest.approx(convention.pixels([u, v]))
    ours = kind in ("webdataset", "huggingface", "obj", "ply", "glb")
    assert convention.pixels([u, v]) == pytest.approx([u, v] if ours else [u - 0.5, v - 0.5])
    assert K[0, 2] == 32  # the caller's stays


def test_points_are_in_the_formats_frame_and_unit():
    turned = np.array([[0.0, -1, 0, 0.1], [1, 0, 0, 0.2], [0, 0, 1, 0.5], [0, 0, 0, 1]])[None]
    point = np.array([[0.01, 0.02, 0.03]])
    assert CONVENTIONS["freihand"].points(point, turned)[0, 0] == pytest.approx([0.08, 0.21, 0.53])
    assert CONVENTIONS["interhand"].points(point, turned)[0, 0] == pytest.approx([10, 20, 30])


@given(MASKS)
def test_run_lengths_are_those_of_a_walk_down_the_columns(mask):
    counts, value, run = [], False, 0
    for x in range(mask.shape[1]):
        for y in range(mask.shape[0]):
            if mask[y, x] != value:
                counts.append(run)
                value, run = not value, 0
            run += 1
    assert run_lengths(mask) == {"size": list(mask.shape), "counts": [*counts, run]}


@given(MASKS)
def test_a_box_holds_its_mask_and_nothing_more(mask):
    x, y, width, height = mask_box(mask)
    inside = np.zeros_like(mask)
    inside[int(y) : int(y + height), int(x) : int(x + width)] = True
    assert not (mask & ~inside).any()
    if mask.any():
        corner = mask[int(y) : int(y + height), int(x) : int(x + width)]
        assert all(edge.any() for edge in (corner[0], corner[-1], corner[:, 0], corner[:, -1]))
    else:
        assert (x, y, width, height) == (0, 0, 0, 0)


@given(st.lists(st.integers()))
def test_tables_written_in_pieces_are_json(numbers):
    assert json.loads("".join(listed(map(str, numbers)))) == numbers
    table = {f"key {number}": number for number in numbers}
    assert json.loads("".join(keyed((name, str(value)) for name, value in table.items()))) == table


def test_one_pixel_is_a_box_of_one_pixel():
    mask = np.zeros((4, 5), bool)
    mask[2, 3] = True
    assert mask_box(mask) == (3, 2, 1, 1)


def test_a_joint_outside_the_picture_is_not_labelled():
    values = {
        "joints_2d": np.full((1, 21, 2), 10.0),
        "joint_visible": np.arange(21)[None] < 2,
        "joint_in_frame": np.arange(21)[None] < 3,
    }
    points = keypoints(Sample(0, 0, values, (), np.zeros((0, 3))), CONVENTIONS["coco"])[0]
    assert points[:4].tolist() == [[9.5, 9.5, 2], [9.5, 9.5, 2], [9.5, 9.5, 1], [0, 0, 0]]


def test_depth_beyond_sixteen_bits_is_refused():
    assert depth_codes(np.array([0, 0.00004, 0.00006, 0.5321, 6.5535])).tolist() == [0, 0, 1, 5321, 65535]
    with pytest.raises(InputError, match=r"depth 6\.60 m"):
        depth_codes(np.array([6.6]))


def test_a_split_that_would_leave_the_folder_is_refused(tmp_path):
    require_names(tmp_path, ["train", "test_pose"])
    with pytest.raises(InputError, match=r"split '\.\./x'"):
        require_names(tmp_path, ["train", "../x"])
