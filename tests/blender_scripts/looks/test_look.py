"""Looks are drawn from a generator alone; light, lamps and exposure mean what they say."""

from __future__ import annotations

import dataclasses
import json
import os

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from blender_scripts.looks import hdri
from blender_scripts.looks.cloth import paint_cloth
from blender_scripts.looks.colour import LUMINANCE, linear_to_srgb8, srgb_to_linear, temperature_to_rgb
from blender_scripts.looks.exposure import camera_gains, panorama_gain, scene_light, skin_reflectance
from blender_scripts.looks.look import CLOTH_PATTERNS, LIMITS, Lamp, LookSettings, draw_look
from rigging.errors import InputError

HDRIS = ("city", "forest", "night")


@examples(deadline=None, max_examples=25)
@given(st.integers(0, 2**31))
def test_a_look_is_drawn_from_its_generator_alone(seed):
    settings = LookSettings(backgrounds={"clutter": 1, "none": 1})
    look = draw_look(np.random.default_rng(seed), settings, HDRIS)
    assert look == draw_look(np.random.default_rng(seed), settings, HDRIS[::-1])
    assert look.background in ("clutter", "none")
    assert json.loads(look.light_json())["hdri"] == look.hdri
    assert json.loads(look.background_json())["kind"] == look.background
    for lamp in look.lamps:
        assert 0.39 * np.pi < lamp.irradiance() < 4.01 * np.pi


def test_weights_and_shares_are_kept():
    settings = LookSettings(backgrounds={"hdri": 3, "clutter": 1}, sleeve=0.25)
    looks = [draw_look(np.random.default_rng(seed), settings, HDRIS) for seed in range(800)]
    assert abs(np.mean([look.background == "hdri" for look in looks]) - 0.75) < 0.06
    assert abs(np.mean([look.arm_style == "sleeve" for look in looks]) - 0.25) < 0.06


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"backgrounds": {"sky": 1}}, "'sky' is unknown"), ({"backgrounds": {}}, "weights"),
     ({"sleeve": 2}, "sleeve is 2"), ({"lamp_kelvin": (9000, 3000)}, "lamp_kelvin")],
)  # fmt: skip
def test_wrong_settings_are_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        LookSettings(**wrong)


@pytest.mark.parametrize("name", LIMITS)
def test_a_range_beyond_what_can_be_is_refused_and_one_at_the_limits_is_taken(name):
    """A strength of 0 has no logarithm, a blur below 0 no Gaussian, no light is of a million kelvins."""
    least, most, _ = LIMITS[name]
    assert getattr(LookSettings(**{name: (least, most)}), name) == (least, most)
    for low, high in ((least - 1, most), (least, most + 1), (most, least)):
        with pytest.raises(ValueError, match=rf"{name} is \(.*(allowed is|must not exceed)"):
            LookSettings(**{name: (low, high)})


def look_with(**changes):
    look = draw_look(np.random.default_rng(1), LookSettings(), HDRIS)
    return dataclasses.replace(look, **({"lamps": (), "exposure_ev": 0.0, "white_balance": 0.0} | changes))


def test_exposure_follows_the_light():
    light = np.ones((64, 128, 3), np.float32)
    white = camera_gains(look_with(), light)
    assert np.allclose(white, 0.85, rtol=0.02)  # a white surface sends on the radiance 1 it gets from everywhere
    assert np.allclose(camera_gains(look_with(), 5 * light), white / 5)
    assert np.allclose(camera_gains(look_with(exposure_ev=1.0), light), 2 * white)
    lamp = Lamp("sun", (0, 0, 1), 5000.0, 20.0, 0.1)
    assert camera_gains(look_with(lamps=(lamp,)), light).max() < 0.6 * white.min()


def test_dark_skin_is_exposed_longer_and_stays_darker():
    light = np.ones((64, 128, 3), np.float32)
    reflected = np.array([0.36, 0.18, 0.09, 0.045])
    gains = np.array([camera_gains(look_with(), light, value)[0] for value in reflected])
    assert (np.diff(gains) > 0).all()
    assert (np.diff(gains * reflected) < 0).all()


def test_metering_says_how_much_of_a_skins_darkness_cameras_make_up_for():
    light, reflected = np.ones((64, 128, 3), np.float32), 0.36 / 2 ** np.arange(4)
    by_light, by_hand, half = (
        np.array([camera_gains(look_with(metering=share), light, value)[0] for value in reflected])
        for share in (0.0, 1.0, 0.5)
    )
    assert np.allclose(by_light, by_light[0])
    assert np.allclose(by_hand * reflected, by_hand[0] * reflected[0])
    assert np.allclose(half**2, by_light * by_hand)


def test_metering_is_told_where_it_is_not_the_usual():
    assert "metering" not in json.loads(look_with().light_json())
    assert json.loads(look_with(metering=0.7).light_json())["metering"] == 0.7


@pytest.mark.parametrize("grey", [0, 90, 255])
def test_reflectance_is_the_mean_of_linear_light(grey):
    albedo = np.full((128, 128, 3), grey, np.uint8)
    assert np.isclose(skin_reflectance(albedo), srgb_to_linear(np.uint8(grey)), atol=1e-6)


def test_surroundings_send_light_of_panorama_and_lamps_back_from_everywhere():
    dark = np.zeros((64, 128, 3), np.float32)
    dark[:8] = 4.0
    lamp = Lamp("sun", (0, 0, 1), 3000.0, 20.0, 0.1)
    alone, lit = scene_light(look_with(hdri_strength=0.5), dark), scene_light(look_with(lamps=(lamp,)), dark)
    assert np.allclose(alone[8:], alone[-1, 0])  # the same from all sides
    assert 0 < alone[-1, 0, 0] < 0.2
    assert lit[-1, 0].min() > alone[-1, 0].max()
    assert lit[-1, 0, 0] > lit[-1, 0, 2]  # of the lamp's colour


def test_lamps_and_lights_in_the_dark_do_not_leave_a_panorama_black():
    look, night = look_with(hdri_strength=0.3), np.full((64, 128, 3), 0.001, np.float32)
    night[30, 60] = 1e4
    lamp = Lamp("sun", (0, 0, 1), 5000.0, 12.0, 0.1)
    day = np.ones((64, 128, 3), np.float32)
    gains = np.ones(3, np.float32)
    assert np.allclose(panorama_gain(look, day, gains), 0.3)
    assert panorama_gain(look, night, gains)[0] > 3 * 0.3
    lit = panorama_gain(look_with(hdri_strength=0.3, lamps=(lamp,)), day, gains)[0]
    assert np.isclose(lit, 0.3 + 3 / np.pi)


def test_white_balance_takes_the_colour_out():
    orange = np.ones((64, 128, 3), np.float32) * np.float32([1.6, 0.9, 0.4])
    raw, half, full = (camera_gains(look_with(white_balance=b), orange) * orange[0, 0] for b in (0.0, 0.5, 1.0))
    assert np.ptp(full) < 1e-3 < np.ptp(half) < np.ptp(raw)
    assert np.isclose(full @ LUMINANCE, raw @ LUMINANCE, rtol=1e-4)


def test_lamps_send_the_irradiance_they_claim(studio, workshop, settings):
    """On white matter that faces the lamp: radiance = irradiance / pi."""
    white = workshop.plain_skin((255, 255, 255))
    studio.use(dataclasses.replace(settings, subsurface="NONE", samples_per_pixel=32))
    studio.set_body("bare", False, workshop.vertices(workshop.pose(0.0)))
    camera = np.array([[1.0, 0, 0, 0], [0, 0, -1, 0], [0, 1, 0, 0.5], [0, 0, 0, 1]])  # on the back of the hand
    studio.set_camera(np.array([[190.0, 0, 48], [0, 190.0, 48], [0, 0, 1]]), camera)
    studio.set_skin(dataclasses.replace(white, height=np.full_like(white.height, 32768)))
    for lamp in (
        Lamp("sun", (0, -1, 0), 6500, 4.0, 0.01),
        Lamp("area", (0, -3, 0), 6500, 120.0, 0.05),
        Lamp("point", (0, -3, 0), 6500, 360.0, 0.01),
    ):
        studio.set_light(np.zeros((64, 128, 3), np.float32), (lamp,))
        passes = studio.render(1)
        bright = np.percentile((passes["Combined"][..., :3] @ LUMINANCE)[passes["IndexMA"][..., 0] > 0], 80)
        assert 0.8 < bright * np.pi / lamp.irradiance() < 1.25, lamp


def test_blender_sees_a_panorama_where_we_see_it(studio, workshop, settings):
    light = studio.hdris.light("city", 0.8)
    camera = workshop.cameras().world_to_cam[1]
    K = np.array([[60.0, 0, 48], [0, 60.0, 48], [0, 0, 1]])
    studio.use(settings)
    studio.set_body("bare", False, workshop.vertices(workshop.pose(0.0)) + [0, 0, 50])
    studio.set_light(light, ())
    studio.set_camera(K, camera)
    studio.scene.render.film_transparent = False
    studio.scene.update_tag()
    theirs = studio.render(1)["Combined"][..., :3]
    studio.scene.render.film_transparent = True
    studio.scene.update_tag()
    ours = hdri.view(light, 0.0, K, camera, 96, 96)
    error = np.abs(np.log1p(cv2.blur(theirs, (5, 5))) - np.log1p(cv2.blur(ours, (5, 5))))
    assert np.median(error) < 0.02
    assert np.corrcoef(theirs.ravel(), ours.ravel())[0, 1] > 0.98


def test_turning_moves_the_light_counter_clockwise():
    light = np.zeros((64, 128, 3), np.float32)
    light[30:34, 62:66] = 100  # at +x
    turned = hdri.irradiance(hdri.turn(light, np.pi / 2), np.array([[1.0, 0, 0], [0, 1, 0], [0, -1, 0]]))
    assert turned[1].min() > 10 * turned[[0, 2]].max()
    assert np.allclose(hdri.turn(light, 2 * np.pi), light, atol=1e-3)


def test_even_light_has_irradiance_pi():
    normals = np.random.default_rng(0).normal(size=(20, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    assert np.allclose(hdri.irradiance(np.ones((64, 128, 3), np.float32), normals), np.pi, rtol=0.02)
    assert np.isclose(hdri.solid_angles(64, 128).sum() * 128, 4 * np.pi)


def test_every_hdri_of_blender_has_mean_luminance_one(studio):
    assert len(studio.hdris.files) == 8
    for name in studio.hdris.files:
        light = studio.hdris.light(name)
        assert np.isclose((light @ LUMINANCE * hdri.solid_angles(64, 128)).sum() / (4 * np.pi), 1, rtol=0.01), name


def test_bad_hdris_are_named(studio, tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist"):
        hdri.hdri_files(tmp_path / "none")
    with pytest.raises(FileNotFoundError, match=r"no .exr or .hdr"):
        hdri.hdri_files(tmp_path)
    (tmp_path / "bad.exr").write_bytes(b"not an image")
    with pytest.raises(ValueError, match=r"bad\.exr"):
        hdri.HdriLibrary(hdri.hdri_files(tmp_path)).light("bad")
    with pytest.raises(ValueError, match="no HDRI is called 'moon'"):
        studio.hdris.light("moon")


def test_two_panoramas_of_one_name_are_named_and_pipes_are_none(tmp_path):
    os.mkfifo(tmp_path / "pipe.hdr")
    (tmp_path / "a.exr").touch()
    assert list(hdri.hdri_files(tmp_path)) == ["a"]
    (tmp_path / "a.hdr").touch()
    with pytest.raises(InputError, match=r"a\.exr and a\.hdr are of one name"):
        hdri.hdri_files(tmp_path)


def test_srgb_by_table_is_srgb():
    linear = np.linspace(-0.1, 1.1, 5000).astype(np.float32)
    clipped = np.clip(linear, 0, 1).astype(float)
    exact = np.where(clipped <= 0.0031308, clipped * 12.92, 1.055 * clipped ** (1 / 2.4) - 0.055) * 255
    assert np.abs(linear_to_srgb8(linear) - exact).max() < 0.6
    levels = np.arange(256, dtype=np.uint8)
    assert np.array_equal(linear_to_srgb8(srgb_to_linear(levels)), levels)


def test_cool_light_is_bluer_than_warm_light():
    warm, day, cool = (temperature_to_rgb(kelvin) for kelvin in (2700, 6500, 12000))
    assert warm[2] < day[2] < cool[2]
    assert np.allclose(day, 1, atol=0.12)


@pytest.mark.parametrize("pattern", CLOTH_PATTERNS)
def test_cloth_is_painted_the_same_twice_and_closes_around_the_arm(pattern):
    cloth = dataclasses.replace(look_with().cloth, pattern=pattern)
    albedo, height = paint_cloth(cloth)
    assert np.array_equal(albedo, paint_cloth(cloth)[0])
    assert 0 <= albedo.min() < albedo.max() <= 1
    assert 0 <= height.min() < height.max() <= 1.2
