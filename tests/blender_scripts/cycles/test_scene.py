"""The scene is edited in place: every edit reaches the picture, undoing it brings the same picture back."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from blender_scripts.cycles.bodies import cloth_uv
from blender_scripts.cycles.framing import Box, camera_matrix, covering_box
from blender_scripts.cycles.scene import ARM_INDEX, HAND_INDEX
from blender_scripts.looks.look import Lamp
from rigging.hand.arm import build_arm


@pytest.fixture
def stage(studio, workshop, settings):
    """The scene in a known state; calling it renders the first camera."""
    studio.use(settings)
    cameras = workshop.cameras()
    studio.set_body("bare", False, workshop.vertices(workshop.pose(0.4)))
    studio.set_skin(workshop.skin)
    studio.set_light(np.ones((64, 128, 3), np.float32), ())
    studio.set_camera(cameras.K[0], cameras.world_to_cam[0])
    return lambda seed=1: studio.render(seed)["Combined"]


def edits(studio, workshop):
    cameras = workshop.cameras()
    dark = workshop.plain_skin((70, 45, 35))
    lamp = (Lamp("sun", (0, -1, 1), 5000.0, 3.0, 0.05),)
    bump = np.tile(np.repeat(np.array([20000, 50000], np.uint16), 4), (64, 8))
    fist = workshop.vertices(workshop.pose(1.2))
    plain = np.ones((64, 128, 3), np.float32)
    return {
        "vertices": lambda: studio.set_body("bare", False, fist),
        "arm style": lambda: studio.set_body("sleeve", False, workshop.vertices(workshop.pose(0.4, "sleeve"))),
        "albedo": lambda: studio.set_skin(dark),
        "height": lambda: studio.set_skin(dataclasses.replace(workshop.skin, height=bump)),
        "world": lambda: studio.set_light(plain * np.float32([1, 0.5, 0.2]), ()),
        "lamp": lambda: studio.set_light(plain, lamp),
        "camera": lambda: studio.set_camera(cameras.K[1], cameras.world_to_cam[1]),
        "focal length": lambda: studio.set_camera(cameras.K[0] * [[1.2], [1.2], [1]], cameras.world_to_cam[0]),
        "samples": lambda: studio.use(dataclasses.replace(studio.settings, samples_per_pixel=3)),
        "subsurface": lambda: studio.use(dataclasses.replace(studio.settings, subsurface="NONE")),
    }


NAMES = (
    "vertices", "arm style", "albedo", "height", "world", "lamp", "camera", "focal length", "samples", "subsurface",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_an_edit_reaches_the_picture_and_can_be_undone(stage, studio, workshop, settings, name):
    before = stage()
    edits(studio, workshop)[name]()
    assert np.abs(stage() - before).max() > 1e-3
    studio.use(settings)
    studio.set_body("bare", False, workshop.vertices(workshop.pose(0.4)))
    studio.set_skin(workshop.skin)
    studio.set_light(np.ones((64, 128, 3), np.float32), ())
    studio.set_camera(workshop.cameras().K[0], workshop.cameras().world_to_cam[0])
    assert np.array_equal(stage(), before)


def test_another_seed_is_another_picture(stage):
    assert np.array_equal(stage(1), stage(1))
    assert not np.array_equal(stage(1), stage(2))


def test_nothing_is_added_while_rendering(stage, studio, workshop):
    import bpy

    def count():
        return [len(kind) for kind in (bpy.data.images, bpy.data.meshes, bpy.data.lights, bpy.data.materials)]

    sleeve = workshop.vertices(workshop.pose(0.4, "sleeve"))
    counts = []
    for index in range(4):
        studio.set_skin(workshop.plain_skin((100 + index, 90, 80)))
        studio.set_light(np.full((64, 128, 3), 1 + index, np.float32), ())
        studio.set_body(("bare", "sleeve")[index % 2], False, sleeve)
        stage()
        counts.append(count())
    assert counts[2] == counts[3]


def test_a_bare_arm_shades_across_the_cut(stage, studio, workshop):
    """Uniform light and skin: with a seam the normals, and so the picture, would break at the cut."""
    surface = studio.bodies.surface("bare")
    assert (surface.seam != np.arange(len(surface.seam))).sum() == len(workshop.asset.cut_loop)
    index = studio.render(1)["IndexMA"]
    assert set(np.unique(np.rint(index))) == {0.0, float(HAND_INDEX), float(ARM_INDEX)}


def test_a_cropped_render_sees_the_same_surface(stage, studio, workshop):
    cameras = workshop.cameras()
    whole = studio.render(1)["Depth"]
    box = covering_box(workshop.vertices(workshop.pose(0.4)), cameras.K[0], cameras.world_to_cam[0], 96, 96)
    studio.set_camera(cameras.K[0], cameras.world_to_cam[0], box)
    part = studio.render(1)["Depth"]
    assert part.shape[:2] == (box.bottom - box.top, box.right - box.left)
    assert np.array_equal(part, whole[box.top : box.bottom, box.left : box.right])


def test_square_pixels_are_required(studio, workshop):
    K = workshop.cameras().K[0] * [[1.1], [1], [1]]
    with pytest.raises(ValueError, match="square pixels"):
        studio.set_camera(K, np.eye(4))


def test_blender_looks_along_minus_z(workshop):
    matrix = workshop.cameras().world_to_cam[1]
    ahead = np.linalg.inv(matrix) @ [0, 0, 1, 1]
    assert np.allclose(np.linalg.inv(camera_matrix(matrix)) @ ahead, [0, 0, -1, 1])


@examples(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.floats(60, 800))
def test_the_box_holds_every_projected_point(seed, focal):
    points = np.random.default_rng(seed).normal(0, 0.1, (50, 3))
    world_to_cam = np.eye(4)
    world_to_cam[2, 3] = 1.0
    K = np.array([[focal, 0, 100], [0, focal, 60], [0, 0, 1]])
    box = covering_box(points, K, world_to_cam, 200, 120)
    image = points[:, :2] / (points[:, 2:] + 1) * focal + (100, 60)
    inside = ((image >= 0) & (image < (200, 120))).all(1)
    kept = ((image >= (box.left, box.top)) & (image < (box.right, box.bottom))).all(1)
    assert (kept | ~inside).all()
    assert 0 <= box.left < box.right <= 200
    assert 0 <= box.top < box.bottom <= 120


def test_the_whole_image_is_rendered_if_something_is_behind_the_camera():
    points = np.array([[0, 0, 1.0], [0, 0, -1.0]])
    assert covering_box(points, np.diag([90.0, 90, 1]), np.eye(4), 64, 48) == Box(0, 0, 64, 48)


def test_cloth_runs_once_around_the_arm_and_is_nowhere_stretched(workshop):
    faces, uv = workshop.arm
    sleeve = build_arm(workshop.asset, workshop.rest, "sleeve", np.random.default_rng(3))
    cut = len(workshop.asset.cut_loop)
    cloth = cloth_uv(uv, build_arm(workshop.asset, workshop.rest, "sleeve", np.random.default_rng(0)), cut)
    assert (cloth[..., 0].min(), cloth[..., 0].max()) == (0, 1)
    visible = ((faces >= cut * 17) & (faces < cut * 45)).all(1)  # outer cloth, from behind the hem
    edges, paint = (np.diff(corners[visible], axis=1) for corners in (sleeve[faces], cloth))
    along = np.abs(paint[..., 0]) < 1e-6
    across = np.abs(paint[..., 1]) < 1e-6
    scale = [np.linalg.norm(edges[way], axis=1) / np.linalg.norm(paint[way], axis=1) for way in (along, across)]
    assert 0.7 < np.median(scale[0]) / np.median(scale[1]) < 1.4
    assert np.percentile(scale[0], 95) < 2 * np.percentile(scale[0], 5)
