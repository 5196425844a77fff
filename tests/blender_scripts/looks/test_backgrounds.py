"""Backgrounds: the same from the same seed, seen consistently by all views, sharp; compositing keeps both sides."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blender_scripts.labels.coverage import composite, pixel_coverage
from blender_scripts.labels.rasterise import rasterise, view_vertices
from blender_scripts.looks.backgrounds import PhotoFolder, develop, make_backgrounds
from blender_scripts.looks.caster import cast
from blender_scripts.looks.clutter import build_room
from blender_scripts.looks.colour import srgb_to_linear
from blender_scripts.looks.look import LookSettings, draw_look
from blender_scripts.looks.room import BALL, BOX, Camera
from blender_scripts.looks.textures import PAINTERS, paint_textures

LIGHT = np.ones((64, 128, 3), np.float32)
GAINS = np.ones(3, np.float32)


def backgrounds(workshop, kind, photos=None, **changes):
    look = draw_look(np.random.default_rng(2), LookSettings(), ("city",))
    look = dataclasses.replace(look, background=kind, **changes)
    panorama = np.random.default_rng(0).random((64, 128, 3)).astype(np.float32)
    cameras = workshop.cameras(3)
    return make_backgrounds(look, panorama, GAINS, LIGHT, cameras.K, cameras.world_to_cam, (96, 80), photos)


def test_every_kind_is_deterministic_and_seeded(workshop, tmp_path):
    for index in range(5):
        cv2.imwrite(str(tmp_path / f"{index}.png"), np.full((60, 90, 3), 40 * index + 20, np.uint8))
    photos = PhotoFolder.open(tmp_path)
    for kind in ("clutter", "folder", "hdri", "none"):
        first = backgrounds(workshop, kind, photos)
        assert first.shape == (3, 80, 96, 3)
        assert first.dtype == np.float32
        assert np.array_equal(first, backgrounds(workshop, kind, photos)), kind
        other = backgrounds(workshop, kind, photos, background_seed=77, rotation=3.0)
        assert np.array_equal(first, other) == (kind == "none"), kind
    assert not backgrounds(workshop, "none").any()


def test_a_photograph_keeps_its_colours(workshop, tmp_path):
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((60, 90, 3), 100, np.uint8))
    view = backgrounds(workshop, "folder", PhotoFolder.open(tmp_path))[0]
    assert np.allclose(view, srgb_to_linear(np.uint8(100)), rtol=1e-3)


def test_photographs_that_cannot_be_read_are_named(workshop, tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no photograph"):
        PhotoFolder.open(tmp_path)
    with pytest.raises(FileNotFoundError, match="does not exist"):
        PhotoFolder.open(tmp_path / "none")
    (tmp_path / "broken.jpg").write_bytes(b"no jpeg")
    with pytest.raises(ValueError, match=r"broken\.jpg"):
        backgrounds(workshop, "folder", PhotoFolder.open(tmp_path))
    with pytest.raises(ValueError, match="needs a folder"):
        backgrounds(workshop, "folder")


def naive_first(objects, origin, direction, nearest):
    """Distance along a ray to the first surface of a room, and its object: every object, one formula at a time."""
    found = []
    for index, item in enumerate(objects):
        c, s = item["turn"]
        turn = np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])
        o, d, half = turn @ (origin - item["centre"]), turn @ direction, item["half"]
        flat = np.array([1, 1, 0.0]) if item["kind"] != BALL else np.ones(3)
        spans = []
        if item["kind"] == BOX:
            spans = [sorted([(-half[k] - o[k]) / d[k], (half[k] - o[k]) / d[k]]) for k in range(3)]
        else:
            roots = np.roots([(d * flat) @ d, 2 * (o * flat) @ d, (o * flat) @ o - half[0] ** 2])
            spans = [sorted(roots.real)] if np.isreal(roots).all() else [(1, 0)]
            if item["kind"] != BALL:
                spans.append(sorted([(-half[2] - o[2]) / d[2], (half[2] - o[2]) / d[2]]))
        enter, leave = max(span[0] for span in spans), min(span[1] for span in spans)
        if enter <= leave and index > 0 and enter > nearest:
            found.append((enter, index))
        if index == 0:
            found.append((leave, 0))
    return min(found)


@pytest.mark.parametrize("view", [0, 1])
def test_the_room_is_cast_as_a_naive_caster_casts_it(workshop, view):
    room, cameras = build_room(5), workshop.cameras()
    K, matrix = cameras.K[view], cameras.world_to_cam[view]
    rotation = np.ascontiguousarray(matrix[:3, :3])
    position = -rotation.T @ matrix[:3, 3]
    first = cast(room.objects, room.window, Camera(K, rotation, position, 96, 96)).first
    assert len(np.unique(first.owner)) > 5
    nearest = (rotation @ -position)[2]
    for row, column in np.random.default_rng(view).integers(0, 96, (60, 2)):
        ray = rotation.T @ [(column + 0.5 - K[0, 2]) / K[0, 0], (row + 0.5 - K[1, 2]) / K[1, 1], 1.0]
        distance, index = naive_first(room.objects, position, ray, nearest)
        assert np.allclose(first.rays[row, column], ray, atol=1e-12)
        assert np.isclose(first.depth[row, column], distance, atol=1e-9), (row, column)
        assert first.owner[row, column] == index or np.isclose(first.depth[row, column], distance, atol=1e-12)


def test_clutter_is_cluttered_and_sharp(workshop):
    for seed in range(3):
        for view in backgrounds(workshop, "clutter", background_seed=seed, background_blur=0.0):
            assert view.std() > 0.03
            assert np.abs(np.diff(view.mean(2), axis=1)).max() > 0.1


@pytest.mark.parametrize("kind", sorted(PAINTERS))
def test_textures_are_albedos(kind):
    texture = paint_textures(np.random.default_rng(3), (kind,))
    assert texture.shape == (1, 256, 256, 3)
    assert 0 < texture.min() <= texture.max() < 255


def test_compositing_keeps_hand_and_background():
    hand = np.zeros((20, 20, 4), np.float32)
    hand[:, :10] = [0.3, 0.2, 0.1, 1]
    hand[:, 10] = np.float32([0.3, 0.2, 0.1, 1]) * 0.375  # few paths: not the covered share
    coverage = np.zeros((20, 20), np.float32)
    coverage[:, :10], coverage[:, 10] = 1, 0.5
    background = np.full((20, 20, 3), 0.8, np.float32)
    picture = composite(hand, coverage, background, np.float32([2, 1, 1]))
    assert np.allclose(picture[:, :10], [0.6, 0.2, 0.1], rtol=1e-5)
    assert np.allclose(picture[:, 11:], 0.8)
    # half of each: the outline has the colour of its covered side
    assert np.allclose(picture[:, 10], [0.7, 0.5, 0.45], rtol=1e-4)


def test_coverage_is_that_of_a_larger_picture(studio, workshop):
    vertices, cameras = workshop.vertices(workshop.pose(0.5)), workshop.cameras(1)
    faces, K, matrix = studio.bodies.surface("bare").faces, cameras.K[0], cameras.world_to_cam[0]
    viewed = view_vertices(vertices, K, matrix)
    seen = rasterise(viewed, faces, 96, 96)[1] >= 0
    coverage = pixel_coverage(viewed, faces, seen)
    fine = rasterise(view_vertices(vertices, K * [[4], [4], [1]], matrix), faces, 384, 384)[1] >= 0
    exact = fine.reshape(96, 4, 96, 4).mean((1, 3))
    assert ((exact > 0) & (exact < 1)).sum() > 100
    assert (coverage != exact).sum() <= 2  # a corner may poke out of the pixels beside the outline


@given(st.integers(0, 2**32 - 1))
def test_only_pixels_beside_the_outline_are_looked_at_again(seed):
    """They are those that a dilation and an erosion of the seen pixels differ in; nothing covers the others anew."""
    seen = np.random.default_rng(seed).random((9, 12)) < 0.2
    box, mask = np.ones((3, 3), np.uint8), seen.astype(np.uint8)
    beside = cv2.dilate(mask, box) != cv2.erode(mask, box)
    nothing = view_vertices(np.zeros((3, 3)), np.eye(3), np.eye(4))
    coverage = pixel_coverage(nothing, np.zeros((0, 3), np.int32), seen)
    assert np.array_equal(coverage, np.where(beside, 0, seen))


def test_noise_and_blur_are_optional_and_seeded():
    picture = np.full((40, 40, 3), 0.4, np.float32)
    plain = develop(picture, 0.0, 0.0, np.random.default_rng(0))
    assert len(np.unique(plain)) == 1
    first, second = (develop(picture, 0.5, 0.05, np.random.default_rng(seed)) for seed in (1, 1))
    assert np.array_equal(first, second)
    assert first.std() > 2
