"""A sample is a function of its spec: same bytes again, in another order and with other threads."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from blender_scripts.labels.hand import make_surface
from blender_scripts.looks.look import CLOTH_PATTERNS, Cloth, Lamp
from blender_scripts.render_sample import label_sample, render_sample
from blender_scripts.sensor.sensor import draw_sensors
from blender_scripts.sensor.settings import SensorSettings
from blender_scripts.settings import RenderSettings
from rigging.joints import ARM_PART

ARRAYS = {
    "rgb": (np.uint8, (2, 96, 96, 3)), "alpha": (np.uint8, (2, 96, 96)), "parts": (np.uint8, (2, 96, 96)),
    "depth": (np.float32, (2, 96, 96)), "normals": (np.float32, (2, 96, 96, 3)),
    "flow_forward": (np.float32, (2, 96, 96, 2)), "flow_backward": (np.float32, (2, 96, 96, 2)),
    "flow_forward_visible": (bool, (2, 96, 96)), "flow_backward_visible": (bool, (2, 96, 96)),
    "joints_world": (np.float32, (21, 3)), "joint_visible": (bool, (2, 21)), "joint_in_frame": (bool, (2, 21)),
    "vertices_world": (np.float32, (2651, 3)), "K": (np.float64, (2, 3, 3)), "world_to_cam": (np.float64, (2, 4, 4)),
}  # fmt: skip


def same(first, second):
    return first.keys() == second.keys() and all(np.array_equal(first[name], second[name]) for name in first)


def test_a_record_has_every_field(studio, workshop, settings):
    record = render_sample(studio, workshop.spec(), settings)
    for name, (dtype, shape) in ARRAYS.items():
        assert record[name].dtype == dtype, name
        assert record[name].shape == shape, name
    assert record["flow_forward_valid"]
    assert not record["flow_backward_valid"]
    assert record["sample"] == 11
    assert record["arm_style"] == "bare"
    assert record["arm_vertices_world"].shape[1] == 3


def test_a_sample_is_labelled_without_blender_as_it_is_rendered(studio, workshop, settings):
    spec = workshop.spec(left=True)
    record = render_sample(studio, spec, settings)
    surface = make_surface(workshop.asset, workshop.arm[0], arm_joined=True, left=True)
    labels, coverage = label_sample(surface, spec, (settings.width, settings.height))
    mask = labels.pop("mask")
    assert same(labels, {name: record[name] for name in labels})
    assert np.array_equal(np.rint(coverage * 255), record["alpha"])
    assert np.array_equal(mask, (record["parts"] > 0) & (record["parts"] != ARM_PART))


def test_alpha_covers_hand_and_arm(studio, workshop, settings):
    record = render_sample(studio, workshop.spec(), settings)
    inside = record["parts"] > 0
    assert (record["alpha"][inside] > 0).all()
    assert (record["alpha"] == 255).sum() > 0.8 * inside.sum()
    black = render_sample(studio, workshop.spec(background="none"), settings)
    assert black["rgb"][record["alpha"] == 0].max() <= 30  # nothing but the lens's blur around the hand
    assert black["rgb"][record["alpha"] == 255].mean() > 40


def test_same_bytes_again_in_another_order_and_with_one_thread(studio, workshop, settings):
    point, sun = Lamp("point", (1, -1, 0.5), 3000, 60.0, 0.1), Lamp("sun", (-1, 0, 1), 6500, 4.0, 0.05)
    specs = [
        workshop.spec(),
        workshop.spec(seed=14, lamps=(sun, point), background="none"),
        workshop.spec(seed=15, lamps=(point, dataclasses.replace(point, position=(-1, -1, 0.2))), arm_style="sleeve"),
        workshop.spec(bend=1.0, seed=12, arm_style="sleeve", background="clutter", hdri="night", lamps=()),
        workshop.spec(bend=0.1, seed=13, left=True, background="folder", skin=workshop.plain_skin((60, 40, 30))),
    ]
    first = [render_sample(studio, spec, settings) for spec in specs]
    assert same(first[0], render_sample(studio, specs[0], settings))
    backwards = [render_sample(studio, spec, settings) for spec in specs[::-1]][::-1]
    single = dataclasses.replace(settings, threads=1)
    alone = [render_sample(studio, spec, single) for spec in specs]
    for index in range(len(specs)):
        assert same(first[index], backwards[index])
        assert same(first[index], alone[index])
    assert not np.array_equal(first[0]["rgb"], first[1]["rgb"])


def test_another_pose_does_not_move_the_background(studio, workshop, settings):
    """The two samples of a pair share light, cameras and background."""
    first, second = (render_sample(studio, workshop.spec(bend=b, background="clutter"), settings) for b in (0.2, 0.4))
    far = (first["alpha"] == 0) & (second["alpha"] == 0)
    far &= ~np.roll(~far, 2, 1) & ~np.roll(~far, -2, 1) & ~np.roll(~far, 2, 2) & ~np.roll(~far, -2, 2)
    assert far.sum() > 2000
    assert np.array_equal(first["rgb"][far], second["rgb"][far])


def test_cropping_changes_no_label_and_hardly_the_picture(studio, workshop, settings):
    spec = workshop.spec()
    cropped = render_sample(studio, spec, settings)
    whole = render_sample(studio, spec, dataclasses.replace(settings, crop=False))
    assert np.array_equal(cropped["depth"], whole["depth"])
    assert np.abs(cropped["rgb"].astype(int) - whole["rgb"]).mean() < 3


def test_sensors_change_the_pictures_and_no_label(studio, workshop, settings):
    settings_of_phones = SensorSettings(**SensorSettings.PRESETS["phone"])
    sensors = draw_sensors(np.random.default_rng(0), settings_of_phones, 2)
    spec = workshop.spec()
    plain = render_sample(studio, spec, settings)
    taken, again = (render_sample(studio, dataclasses.replace(spec, sensors=sensors), settings) for _ in range(2))
    assert same(taken, again)
    assert {name for name in plain if not np.array_equal(plain[name], taken[name])} == {"rgb", "light"}
    assert json.loads(taken["light"])["sensor"]["iso"] == [sensor.iso for sensor in sensors]
    shown = [record["rgb"][0][record["parts"][0] > 0].mean() for record in (plain, taken)]
    assert 0.5 < shown[0] / shown[1] < 2


@pytest.mark.parametrize("pattern", CLOTH_PATTERNS)
def test_every_cloth_can_be_worn(studio, workshop, settings, pattern):
    cloth = Cloth(pattern, ((0.7, 0.2, 0.2), (0.9, 0.9, 0.8), (0.1, 0.1, 0.3)), 1.0, 3)
    record = render_sample(studio, workshop.spec(arm_style="sleeve", cloth=cloth), settings)
    assert record["rgb"][record["parts"] == 18].std() > 2


@pytest.mark.parametrize(
    "wrong", [{"width": 0}, {"samples_per_pixel": 2.5}, {"denoiser_quality": "BEST"}, {"crosscheck": 2.0}]
)
def test_wrong_settings_are_named(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        RenderSettings(**wrong)
