"""The light's way to the sensor: what a scene is made of, parts in their order, nothing where all are off."""

from __future__ import annotations

import math

import numpy as np
import pytest

from blender_scripts.labels.coverage import composite
from blender_scripts.labels.hand import make_surface
from blender_scripts.looks.backgrounds import background_distance
from blender_scripts.looks.exposure import mean_light
from blender_scripts.render_sample import label_sample, make_scenes
from blender_scripts.sensor.defocus import amiss, focus_on, layered
from blender_scripts.sensor.layers import over
from blender_scripts.sensor.lens import glare, haze, vignette
from blender_scripts.sensor.motion import shutter
from blender_scripts.sensor.optics import Scene, through_lens
from blender_scripts.sensor.sensor import Sensor

SIZE = 96


@pytest.fixture(scope="module")
def sample(workshop):
    """A spec whose pose has a later neighbour alone, and the arrays that `make_scenes` takes beside it."""
    rng = np.random.default_rng(0)
    spec = workshop.spec(bend=0.3, neighbour=0.6)
    surface = make_surface(workshop.asset, *workshop.arm[:1], arm_joined=True)
    labels, coverage = label_sample(surface, spec, (SIZE, SIZE))
    shares = coverage[..., None]
    hands = np.concatenate([rng.random((*coverage.shape, 3), np.float32) * shares, shares], -1)
    backgrounds = rng.random((*coverage.shape, 3), np.float32)
    return spec, hands, backgrounds, coverage, labels, rng.random((64, 128, 3), np.float32), np.float32([0.9, 1.0, 1.2])


@pytest.fixture(scope="module")
def scenes(sample):
    return make_scenes(*sample)


def test_a_scene_holds_what_labels_and_light_say(sample, scenes):
    spec, _, _, coverage, labels, light, gains = sample
    for view, scene in enumerate(scenes):
        assert (scene.depth == labels["depth"][view]).all()
        assert (scene.flows[0] == labels["flow_forward"][view]).all() and scene.flows[1] is None
        assert (scene.hand[..., 3] == coverage[view]).all()
        assert scene.focus == focus_on(scene.depth, labels["mask"][view])
        assert scene.surroundings == pytest.approx(mean_light(light) * gains)
        assert np.array_equal(scene.K, spec.cameras.K[view])
        assert scene.background_distance == background_distance(spec.look) == math.inf


def test_without_any_part_the_hand_lies_over_its_background_as_ever(sample, scenes):
    _, hands, backgrounds, coverage, _, _, gains = sample
    for scene, *view in zip(scenes, hands, coverage, backgrounds):
        assert through_lens(scene, Sensor()) == pytest.approx(composite(*view, gains), abs=1e-6)


def test_light_passes_shutter_lens_and_dirt_in_this_order(scenes):
    sensor = Sensor(shutter=0.5, aperture=0.004, focus=-0.7, vignetting=0.8, glare=0.03, haze=0.05)
    scene = scenes[1]
    hand = shutter(scene.hand, scene.depth > 0, *scene.flows, 0.5)
    focus = amiss(scene.focus, -0.7)
    light = layered(hand, scene.background, scene.depth, math.inf, scene.K[0, 0], 0.004, focus)
    light = glare(vignette(light, scene.K, 0.8), 0.03, 0.15 * SIZE)
    assert (through_lens(scene, sensor) == haze(light, 0.05, scene.surroundings)).all()


@pytest.mark.parametrize(
    "part", [{"shutter": 0.5}, {"aperture": 0.004}, {"vignetting": 0.2}, {"glare": 0.02}, {"haze": 0.02}]
)
def test_each_part_alone_changes_the_light_and_hardly_its_sum(scenes, part):
    for scene in scenes:
        off, on = through_lens(scene, Sensor()), through_lens(scene, Sensor(**part))
        assert np.abs(on - off).max() > 0.003
        assert on.mean() == pytest.approx(off.mean(), rel=0.03)


def test_labels_hold_the_blurred_hand_has_the_middle_of_the_sharp_one(scenes):
    """Shutter and focus move the coverage's centre of mass by less than half a pixel."""
    y, x = np.mgrid[:SIZE, :SIZE]
    for scene in scenes:
        black = Scene(**{**vars(scene), "background": np.zeros_like(scene.background)})
        white = Scene(**{**vars(black), "hand": np.repeat(scene.hand[..., 3:], 4, -1)})
        sharp, blurred = (through_lens(white, s)[..., 0] for s in (Sensor(), Sensor(shutter=0.5, aperture=0.004)))
        for at in (x, y):
            assert (sharp * at).sum() / sharp.sum() == pytest.approx((blurred * at).sum() / blurred.sum(), abs=0.5)


def test_a_view_without_a_hand_passes(scenes):
    scene = scenes[0]
    nothing = {"hand": np.zeros_like(scene.hand), "depth": np.zeros_like(scene.depth), "flows": (None, None)}
    empty = Scene(**{**vars(scene), **nothing})
    assert over(empty.hand, empty.background) == pytest.approx(through_lens(empty, Sensor(shutter=0.5)))
    assert np.isfinite(through_lens(empty, Sensor(shutter=0.5, aperture=0.004))).all()
