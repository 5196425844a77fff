"""Passes come out of memory, silently, and Cycles sees the surface that the labels describe."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from blender_scripts.blender import choose_device
from blender_scripts.cycles.crosscheck import CrossCheckError, crosscheck_view, require_agreement
from blender_scripts.cycles.framing import Box
from blender_scripts.cycles.passes import render_passes
from blender_scripts.labels.hand import label_hand
from rigging.joints import ARM_PART

VARIANTS = {"bare": ("bare", False), "sleeve": ("sleeve", False), "left": ("bare", True), "rolled": ("rolled", True)}


@pytest.fixture(params=VARIANTS.values(), ids=VARIANTS)
def seen(request, studio, workshop, settings):
    """Labels and Cycles' passes of one view."""
    style, left = request.param
    vertices = workshop.vertices(workshop.pose(0.7, style, left)).astype(np.float32).astype(float)
    cameras = workshop.cameras()
    studio.use(settings)
    studio.set_body(style, left, vertices)
    studio.set_skin(workshop.skin)
    studio.set_camera(cameras.K[0], cameras.world_to_cam[0])
    joints = workshop.pose(0.7, style, left).joints
    surface, size = studio.bodies.surface(style, left), (settings.width, settings.height)
    labels = label_hand(surface, vertices, joints, cameras.K[:1], cameras.world_to_cam[:1], size)
    return labels["parts"][0], labels["depth"][0], studio.render(1)


WHOLE = Box(0, 0, 96, 96)


def test_cycles_and_the_labels_see_one_surface(seen):
    check = crosscheck_view(*seen, WHOLE)
    assert check.covered > 1000
    assert check.agrees, check
    assert check.depth_median < 3e-6  # metres


def test_a_wrong_label_is_noticed(seen):
    parts, depth, passes = seen
    wrong = {
        "mesh 2 mm away": (parts, np.where(parts > 0, depth + 0.002, 0)),
        "one pixel aside": (np.roll(parts, 1, 1), np.roll(depth, 1, 1)),
        "arm taken for hand": (np.where(parts == ARM_PART, 1, parts), depth),
        "hole": (np.where(np.arange(96) // 6 == 8, 0, parts), depth),
    }
    for name, (bad_parts, bad_depth) in wrong.items():
        check = crosscheck_view(bad_parts, bad_depth, passes, WHOLE)
        assert not check.agrees, name
        with pytest.raises(CrossCheckError, match="sample 4, view 2"):
            require_agreement(check, 4, 2)


def test_what_lies_outside_the_rendered_box_counts(seen):
    parts, depth, passes = seen
    part = {name: picture[40:56, 40:56] for name, picture in passes.items()}
    assert not crosscheck_view(parts, depth, part, Box(40, 40, 56, 56)).agrees


def test_rendering_prints_nothing_and_leaves_cycles_as_it_was(studio, capfd):
    from cycles import CyclesRender

    original = CyclesRender.render
    studio.render(1)
    with pytest.raises(KeyError, match="no pass 'Vector'"):
        render_passes(studio.scene, ("Vector",))
    assert CyclesRender.render is original
    assert capfd.readouterr().out == ""


def test_a_missing_gpu_is_an_error(settings):
    with pytest.raises(ValueError, match=r"no such device|allowed are"):
        choose_device("HIP")
    with pytest.raises(ValueError, match="device is 'TPU'"):
        dataclasses.replace(settings, device="TPU")
