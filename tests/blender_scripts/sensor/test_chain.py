"""From light at the sensor to a stored picture: every part is a switch, and the order is the light's."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from blender_scripts.looks.colour import linear_to_srgb8
from blender_scripts.sensor import chain
from blender_scripts.sensor.chain import record
from blender_scripts.sensor.sensor import Sensor, draw_sensors
from blender_scripts.sensor.settings import SensorSettings

SWITCHES = {
    "iso": 400.0, "white_balance": (0.1, 0.0), "correction": (0.0, 1.0, 0.0, 0.0), "binning": 1, "exposure": 0.5,
    "local_tone": 0.5, "contrast": 0.5, "black": 0.05, "sharpening": 1.0, "jpeg": 70,
}  # fmt: skip


def light(seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).random((48, 48, 3), np.float32)
    return cv2.GaussianBlur(noise, (0, 0), 1.0) * np.float32(3) - np.float32(1.2)


def test_with_all_parts_off_the_picture_is_the_light_in_srgb():
    picture = record(light(), Sensor(), np.random.default_rng(0))
    assert picture.dtype == np.uint8
    assert np.abs(picture.astype(int) - linear_to_srgb8(light())).max() <= 1


@pytest.mark.parametrize("part", SWITCHES)
def test_every_part_changes_the_picture_by_itself(part):
    plain = record(light(), Sensor(), np.random.default_rng(0))
    changed = record(light(), Sensor(**{part: SWITCHES[part]}), np.random.default_rng(0))
    difference = np.abs(changed.astype(int) - plain)
    assert difference.mean() > 0.3
    assert np.corrcoef(changed.ravel(), plain.ravel())[0, 1] > 0.8


def test_noise_reduction_needs_noise():
    plain, reduced = (record(light(), Sensor(denoising=d), np.random.default_rng(0)) for d in (0.0, 1.0))
    assert np.array_equal(plain, reduced)


@pytest.mark.parametrize("part", ["through_sensor", "even_out", "denoise", "sharpen", "compress"])
def test_parts_that_are_off_are_not_run(part, monkeypatch):
    def refuse(*_: object) -> None:
        raise AssertionError(f"{part} ran")

    monkeypatch.setattr(chain, part, refuse)
    record(light(), Sensor(black=0.1, contrast=0.1), np.random.default_rng(0))


def test_a_phone_repeats_its_picture_and_another_generator_changes_its_noise_alone():
    sensor = draw_sensors(np.random.default_rng(0), SensorSettings(**SensorSettings.PRESETS["phone"]), 1)[0]
    first, second, third = (record(light(), sensor, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, second)
    assert 0 < np.abs(first.astype(int) - third).mean() < 12
    quiet = dataclasses.replace(sensor, iso=0.0)
    assert np.array_equal(*(record(light(), quiet, np.random.default_rng(seed)) for seed in (1, 2)))


def test_over_exposure_is_white_and_stays_white():
    glowing = np.full((8, 8, 3), np.float32(0.9))
    for change in ({}, {"iso": 50.0, "frames": 8}, {"jpeg": 90}):
        assert record(glowing, Sensor(exposure=1.0, **change), np.random.default_rng(0)).min() >= 250
