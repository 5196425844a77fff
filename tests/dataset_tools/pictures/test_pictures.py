"""Pictures show what the labels say, where they say it."""

from __future__ import annotations

import errno
import os

import cv2
import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from records import shard_record

from dataset_tools import HandDataset
from dataset_tools.format.schema import IMAGES
from dataset_tools.load.dataset import outward
from dataset_tools.pictures.drawing import (
    WHITE,
    draw_depth,
    draw_flow_arrows,
    draw_mask,
    draw_normals,
    draw_parts,
    draw_skeleton,
    draw_wireframe,
    flow_colours,
    joint_colours,
    part_colours,
)
from dataset_tools.pictures.sheet import caption, choose_samples, write_sheet
from dataset_tools.pictures.solid import Eye, draw_clay, look_from, nearest_triangles, upright, vertex_normals
from dataset_tools.pictures.view import PICTURES, overview, shown, write_views
from dataset_tools.store.encode import encode_sample
from dataset_tools.store.writer import write_shard
from rigging.command_line import main
from rigging.geometry.projection import project, to_camera


@pytest.fixture(scope="module")
def dataset(shard):
    return HandDataset(shard)


@pytest.fixture(scope="module")
def sample(dataset):
    return dataset[0]


def test_a_joint_is_drawn_at_the_centre_of_its_pixel_and_hollow_where_it_is_hidden():
    """Pixel (10, 20) has its centre at (10.5, 20.5): enlarged three times, that is the middle of 30..32, 60..62."""
    joints, black = np.full((21, 2), (10.5, 20.5)), np.zeros((192, 192, 3), np.uint8)
    picture = draw_skeleton(black, joints, np.ones(21, bool), 3, weight=2)
    assert (picture[61, 31] == joint_colours()[20]).all()
    ys, xs = np.nonzero(picture.any(-1))
    assert (ys.min() + ys.max(), xs.min() + xs.max()) == (122, 62)
    assert (draw_skeleton(black, joints, np.zeros(21, bool), 3, weight=2)[61, 31] == WHITE).all()


def test_every_finger_and_part_has_a_colour_of_its_own():
    assert len(np.unique(joint_colours(), axis=0)) == 6
    assert len(np.unique(part_colours(), axis=0)) == 19


def test_labels_in_colour_leave_the_background_white(sample):
    background = sample["parts"][0] == 0
    limits = (0.4, 0.8)
    for picture in (
        draw_parts(sample["parts"][0], 1),
        draw_depth(sample["depth"][0], limits, 1),
        draw_normals(sample["normals"][0], 1),
    ):
        assert (picture[background] == 255).all()
        assert (picture[~background] != 255).any(-1).all()


def test_near_is_brighter_than_far():
    near, far = draw_depth(np.array([[0.41, 0.79]], np.float32), (0.4, 0.8), 1)[0].astype(int).sum(1)
    assert near > far


def test_the_flow_wheel_turns_and_rest_is_white():
    right, down, still = flow_colours(np.array([[[5.0, 0], [0, 5.0], [0, 0]]]), 5.0)[0].astype(int)
    assert right.argmax() == 0
    assert down[0] < down[1]
    assert still.min() >= 250


def test_arrows_point_where_the_flow_goes():
    flow, depth = np.zeros((40, 40, 2), np.float32), np.zeros((40, 40), np.float32)
    flow[15, 15], depth[15, 15] = (16, 0), 0.5
    picture = draw_flow_arrows(np.zeros((40, 40, 3), np.uint8), flow, depth, 16, scale=4)
    ys, xs = np.nonzero(picture.any(-1))
    assert ys.mean() == pytest.approx(15.5 * 4, abs=1)
    assert 14 * 4 < xs.min() < 16 * 4
    assert 31 * 4 < xs.max() < 34 * 4


def test_the_mask_is_outlined_and_the_rest_pale(sample):
    rgb = np.full((64, 64, 3), 200, np.uint8)
    picture = draw_mask(rgb, sample["mask"][0], 1)
    mask, block = sample["mask"][0].astype(np.uint8), np.ones((5, 5), np.uint8)
    assert (picture[cv2.dilate(mask, block) == 0] == 222).all()
    assert (picture[cv2.erode(mask, block) > 0] == 200).all()
    edge = (mask > 0) & (cv2.erode(mask, block[:3, :3]) == 0)
    assert (picture[edge][:, 1] < 190).all()  # red: little green


def test_the_wireframe_stays_on_the_hand(sample, dataset):
    points = project(sample["vertices_world"], sample["K"], sample["world_to_cam"])[0]
    z = to_camera(sample["vertices_world"], sample["world_to_cam"])[0, :, 2]
    black = np.zeros((64, 64, 3), np.uint8)
    drawn = draw_wireframe(black, points, z, dataset.faces, sample["depth"][0], 1).any(-1)
    seen = sample["parts"][0] > 0
    near = cv2.dilate(seen.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0  # a line is up to two pixels wide
    assert not (drawn & ~near).any()
    assert (drawn & sample["mask"][0]).sum() > 0.7 * sample["mask"][0].sum()
    assert not draw_wireframe(black, points, z, dataset.faces, np.full((64, 64), 0.1, np.float32), 1).any()


def test_faces_of_a_left_hand_are_turned():
    faces = np.array([[0, 1, 2]])
    assert outward(faces, "right") is faces
    assert outward(faces, "left").tolist() == [[2, 1, 0]]


def test_nearer_clay_covers_farther_clay():
    square = np.array([[-1, 0, -1], [1, 0, -1], [1, 0, 1], [-1, 0, 1.0]])
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    eye = Eye(look_from(0, 0), np.zeros(3), 4.0, 64)
    hand_first = draw_clay(eye, square - [0, 1, 0], faces, square, faces, WHITE)[32, 32].astype(int)
    arm_first = draw_clay(eye, square + [0, 1, 0], faces, square, faces, WHITE)[32, 32].astype(int)
    assert hand_first[0] > hand_first[2]  # skin is warm
    assert arm_first[0] < arm_first[2]  # the arm's grey is cool
    assert (draw_clay(eye, square, faces, square, faces, WHITE)[0, 0] == 255).all()


def test_a_bare_arm_is_of_the_hands_clay_and_joins_it_without_a_seam():
    hand = np.array([[-1, 0, 0], [1, 0, 0], [1, -0.5, 1], [-1, -0.5, 1.0]])
    arm = np.array([[-1, -0.5, -1], [1, -0.5, -1], [1, 0, 0], [-1, 0, 0.0]])
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    eye = Eye(look_from(0, 0), np.zeros(3), 4.0, 64)
    bare, sleeve = (draw_clay(eye, hand, faces, arm, faces, WHITE, bare=bare).astype(int) for bare in (True, False))
    steps = [np.abs(np.diff(picture[24:40, 32].sum(1))).max() for picture in (bare, sleeve)]
    assert bare[40, 32, 0] > bare[40, 32, 2]
    assert sleeve[40, 32, 0] < sleeve[40, 32, 2]
    assert steps[0] < 0.3 * steps[1]


def naive_nearest(seen: np.ndarray, faces: np.ndarray, x: float, y: float) -> int:
    """The nearest front face over one point of the picture, one face after another."""
    best, nearest = -1, np.inf
    for i, corners in enumerate(seen[faces]):
        matrix = np.column_stack([corners[:, :2], np.ones(3)]).T
        weights = np.linalg.solve(matrix, [x, y, 1])
        if np.linalg.det(matrix) < 0 and (weights >= 0).all() and weights @ corners[:, 2] < nearest:
            best, nearest = i, weights @ corners[:, 2]
    return best


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_depth_buffer_finds_what_a_search_of_all_faces_finds(seed):
    rng = np.random.default_rng(seed)
    seen = rng.uniform(-4, 16, (18, 3))
    faces = np.arange(18).reshape(6, 3)
    triangle, weights = nearest_triangles(seen, faces, (12, 14))
    expected = [[naive_nearest(seen, faces, x + 0.5, y + 0.5) for x in range(14)] for y in range(12)]
    assert (triangle == expected).all()
    found = triangle >= 0
    y, x = np.nonzero(found)
    points = (seen[faces[triangle[found]]] * weights[found][..., None]).sum(1)
    assert np.abs(points[:, :2] - np.column_stack([x, y]) - 0.5).max(initial=0) < 1e-4


def test_an_eye_keeps_up_and_right():
    eye = Eye(look_from(0, 0), np.zeros(3), 2.0, 100)
    assert eye.pixels(np.array([[0.5, 3, 0], [0, 3, 0.5]])) == pytest.approx(np.array([[75, 50, 3], [50, 25, 3]]))
    camera = np.eye(4)  # looks along +z, y down
    assert upright(camera) @ [0, 0, 1] == pytest.approx([0, 1, 0])
    assert upright(camera) @ [0, -1, 0] == pytest.approx([0, 0, 1])
    for axes in (look_from(0.7, 0.4), upright(camera)):
        assert np.linalg.det(axes) == pytest.approx(1)


def test_vertex_normals_of_a_ball_point_outwards():
    ball = trimesh.creation.icosphere(3)
    vertices, faces = np.asarray(ball.vertices), np.asarray(ball.faces)
    assert np.abs(vertex_normals(vertices, faces) - vertices).max() < 0.02


def test_view_writes_a_picture_of_every_label(shard, tmp_path, capsys):
    assert main(["view", str(shard), "--sample", "2", "--out", str(tmp_path)]) == 0
    names = {f"{name}.png" for name in PICTURES} | {"overview.png"}
    assert set(os.listdir(tmp_path)) == names
    for name in names:
        with Image.open(tmp_path / name) as picture:
            assert picture.width > 1000
            assert np.asarray(picture).std() > 5
    assert capsys.readouterr().out.count(".png") == len(names)


def test_view_of_a_sample_that_is_not_there(shard, tmp_path, capsys):
    assert main(["view", str(shard), "--sample", "9", "--out", str(tmp_path / "new")]) == 2
    assert capsys.readouterr().err == f"error: --sample 9: {shard} has samples 0 to 2\n"
    assert not (tmp_path / "new").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(FileExistsError):
        write_views(shard, 0, tmp_path / "file")


def test_a_sheet_lies_beside_its_shard_and_is_the_same_every_time(shard, tmp_path, capsys):
    elsewhere = write_sheet(shard, tmp_path / "a.png")
    assert os.listdir(tmp_path) == ["a.png"]
    assert main(["sheet", str(shard)]) == 0
    beside = shard.with_suffix(".png")
    assert capsys.readouterr().out == f"{beside}\n"
    assert beside.read_bytes() == elsewhere.read_bytes()
    with Image.open(beside) as picture:
        assert picture.width > 1800
    beside.unlink()


def test_view_on_a_full_disk_leaves_no_empty_folder(shard, tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space") as error:
        write_views(shard, 0, tmp_path / "new")
    assert error.value.filename == str(tmp_path / "new" / "rgb.png") and not list(tmp_path.iterdir())


def test_a_sheet_is_a_png(shard, tmp_path, capsys):
    assert main(["sheet", str(shard), "--out", str(tmp_path / "a.jpg")]) == 2
    assert capsys.readouterr().err == f"error: --out {tmp_path / 'a.jpg'}: a contact sheet is a .png\n"
    assert not list(tmp_path.iterdir())


def test_a_sheet_shows_different_pairs_first(shard, release):
    assert choose_samples(HandDataset(shard), 2) == [0, 2]  # samples 0 and 1 are a pair
    assert choose_samples(HandDataset(shard), 5) == [0, 1, 2]
    assert choose_samples(HandDataset(release), 1) == [0]


def test_a_flow_without_neighbour_is_not_drawn(sample):
    assert shown(sample) == list(PICTURES)
    names = shown(sample | {"flow_backward_valid": np.bool_(False)})
    assert set(PICTURES) - set(names) == {"flow_backward", "flow_backward_arrows"}


def test_images_need_not_be_square(records, tmp_path):
    record = {name: np.ascontiguousarray(value[:, 8:56]) if name in IMAGE_NAMES else value
              for name, value in records[0].items()}  # fmt: skip
    path = tmp_path / "shard-00000.h5"
    write_shard(path, [encode_sample(record)], shard_record())
    with Image.open(write_sheet(path)) as picture:
        assert picture.width > 2 * picture.height
    assert overview(HandDataset(path)[0], HandDataset(path)).shape[0] == 6 + len(PICTURES) * (168 + 6)


IMAGE_NAMES = {field.name for field in IMAGES}


def test_a_caption_says_what_a_reader_asks(sample):
    text = caption(sample["meta"])
    for words in ("sample 0", "subject 3", "right hand", "190 mm", "Monk 4", "clip turn, frame 00000", "stripes"):
        assert words in text
    assert "background" not in caption(sample["meta"] | {"background": "not JSON"})
