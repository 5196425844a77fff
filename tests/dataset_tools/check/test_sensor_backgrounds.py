"""Pictures that a sensor took: noise, glare and compression make no other background, a mirrored picture does."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from blender_scripts.sensor.chain import record
from blender_scripts.sensor.lens import glare
from blender_scripts.sensor.sensor import Sensor, draw_sensors
from blender_scripts.sensor.settings import SensorSettings
from dataset_tools.check.backgrounds import CHECKS, background_figures
from dataset_tools.check.stored import Stored

(CHECK,) = CHECKS
SIZE, RADIUS = 256, 40


def light_behind(seed: int) -> np.ndarray:
    """A background (SIZE, SIZE, 3) with structure of all sizes, in linear light."""
    rng = np.random.default_rng(seed)
    layers = [cv2.GaussianBlur(rng.random((SIZE, SIZE, 3), np.float32) - 0.5, (0, 0), s) * s for s in (1, 4, 16)]
    return (0.35 + 0.5 * sum(layers)).clip(0, 1.5).astype(np.float32)


def taken(light: np.ndarray, sensor: Sensor, x: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Picture and parts with a bright disc for a hand."""
    parts = cv2.circle(np.zeros((SIZE, SIZE), np.uint8), (x, 130), RADIUS, 1, -1)
    light = np.where(parts[..., None] > 0, np.float32(0.7), light)
    return record(glare(light, sensor.glare, 0.15 * SIZE), sensor, np.random.default_rng(seed)), parts


def figure(first: tuple[np.ndarray, np.ndarray], second: tuple[np.ndarray, np.ndarray], light: dict) -> float:
    meta = {"light": json.dumps(light)}
    one, other = (Stored({"rgb": rgb[None], "parts": parts[None]}, meta, None, {}) for rgb, parts in (first, second))
    one.after = other
    return background_figures(one)["background"].value


@pytest.mark.parametrize("seed", range(6))
def test_the_same_background_through_a_phone_is_one_and_its_mirror_image_is_not(seed):
    settings = SensorSettings(**SensorSettings.PRESETS["phone"])
    (sensor,) = draw_sensors(np.random.default_rng(seed), settings, 1)
    first, second = (taken(light_behind(seed), sensor, x, noise) for x, noise in ((110, 1), (116, 2)))
    assert figure(first, second, {"sensor": {}}) < CHECK.limit
    mirrored = np.ascontiguousarray(second[0][:, ::-1]), second[1]
    assert figure(first, mirrored, {"sensor": {}}) > 1.5 * CHECK.limit


@pytest.mark.parametrize(("levels", "plain", "sensor"), [(1, True, False), (12, True, True), (0, False, False)])
def test_a_sensor_may_make_a_background_a_little_brighter_and_no_more(levels, plain, sensor):
    rgb, parts = taken(light_behind(0).clip(0.05, 0.8), Sensor(), 110, 0)
    other = rgb + np.uint8(levels), parts
    fails = [CHECK.fails(figure((rgb, parts), other, light)) for light in ({}, {"sensor": {}})]
    assert fails == [plain, sensor]
