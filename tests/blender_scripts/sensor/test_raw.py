"""Light through the sensor: electrons counted one pixel at a time, noise as their number says, true colours."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from blender_scripts.sensor.colours import GAINS, XYZ_TO_CAMERA, camera_matrix
from blender_scripts.sensor.raw import BLACK, WHITE, balance, read_out, through_sensor
from blender_scripts.sensor.sensor import Sensor

CLEAN = Sensor(primaries=(0.4, 0.3, 0.2, 0.1), correction=(0.4, 0.3, 0.2, 0.1))
NOISY = dataclasses.replace(CLEAN, iso=400.0)


def scene(seed: int = 0, size: int = 24) -> np.ndarray:
    noise = np.random.default_rng(seed).random((size, size, 3), np.float32)
    return cv2.GaussianBlur(noise, (0, 0), 2.0) * np.float32(1.2)


def to_raw(sensor: Sensor) -> np.ndarray:
    return (camera_matrix(sensor.primaries) / GAINS[:, None]).astype(np.float32)


def naive_read_out(picture: np.ndarray, matrix: np.ndarray, sensor: Sensor, rng: np.random.Generator) -> np.ndarray:
    """As `read_out`, a value at a time in double precision."""
    mosaic = sensor.binning == 1
    shape = picture.shape[:2] if mosaic else picture.shape
    noise = norm.ppf((rng.integers(0, 2**16, shape, np.uint16) // 16 + 0.5) / 4096)
    out = np.zeros(noise.shape)
    for place in np.ndindex(noise.shape):
        y, x = place[:2]
        channel = [[0, 1], [1, 2]][y % 2][x % 2] if mosaic else place[2]
        electrons = max(float(matrix[channel] @ picture[y, x]), 0) * sensor.white_electrons
        electrons += noise[place] * (electrons + sensor.dark_electrons**2) ** 0.5
        out[place] = np.clip(BLACK + electrons / sensor.white_electrons * (WHITE - BLACK), 0, WHITE)
    return out


@pytest.mark.parametrize("binning", [1, 2])
def test_reading_out_equals_the_naive_loop(binning):
    sensor = dataclasses.replace(NOISY, binning=binning)
    raw = read_out(scene(), to_raw(sensor), sensor, np.random.default_rng(3))
    naive = naive_read_out(scene(), to_raw(sensor), sensor, np.random.default_rng(3))
    assert raw.dtype == np.uint16
    assert np.abs(raw - naive).max() <= 1


def test_balance_equals_the_naive_loop():
    raw = np.random.default_rng(0).integers(0, WHITE + 1, (8, 9, 3)).astype(np.uint16)
    gains, matrix = GAINS.astype(np.float32), np.linalg.inv(camera_matrix(CLEAN.correction)).astype(np.float32)
    naive = np.zeros(raw.shape)
    for y, x in np.ndindex(8, 9):
        naive[y, x] = matrix @ np.clip((raw[y, x].astype(float) - BLACK) / (WHITE - BLACK) * gains, 0, 1)
    assert np.abs(balance(raw, gains, matrix) - naive.clip(0, 1)).max() < 1e-5


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0.05, 1.0), min_size=4, max_size=4), st.floats(0.05, 0.95))
def test_grey_and_white_keep_their_colour_in_every_camera(shares, grey):
    sensor = Sensor(primaries=tuple(shares), correction=(1.0, 0.0, 0.0, 0.0))
    picture = np.full((4, 4, 3), np.float32(grey))
    picture[2:] = 1.0
    np.testing.assert_allclose(through_sensor(picture, sensor, np.random.default_rng(0)), picture, atol=2e-4)


@pytest.mark.parametrize("camera", range(len(XYZ_TO_CAMERA)))
def test_without_noise_and_with_its_own_matrix_colours_come_back(camera):
    shares = tuple(np.eye(len(XYZ_TO_CAMERA))[camera])
    picture = scene().clip(0.2, 0.8)
    back = through_sensor(picture, Sensor(primaries=shares, correction=shares), np.random.default_rng(0))
    np.testing.assert_allclose(back, picture, atol=3e-4)


def test_another_cameras_matrix_changes_colours_but_not_the_light():
    picture = scene().clip(0.2, 0.8)
    wrong = dataclasses.replace(CLEAN, correction=(0.0, 0.0, 1.0, 0.0))
    back = through_sensor(picture, wrong, np.random.default_rng(0))
    assert 0.002 < np.abs(back - picture).max() < 0.2
    assert abs(back.mean() - picture.mean()) < 0.01


def test_white_balance_moves_red_and_blue_by_its_stops():
    picture = np.full((4, 4, 3), np.float32(0.3))
    own = Sensor(white_balance=(0.2, -0.1))
    back = through_sensor(picture, own, np.random.default_rng(0)) @ camera_matrix(own.correction).T
    np.testing.assert_allclose(back[0, 0], 0.3 * np.array([2**0.2, 1, 2**-0.1]), rtol=2e-3)


@pytest.mark.parametrize(("iso", "binning", "frames"), [(100.0, 2, 1), (800.0, 2, 1), (1600.0, 3, 4)])
@pytest.mark.parametrize("light", [0.02, 0.18, 0.7])
def test_the_noise_is_that_of_the_electrons(iso, binning, frames, light):
    """Variance of photons and of reading: N + r^2 electrons (Foi et al. 2008), here of green over 40,000 pixels."""
    sensor = dataclasses.replace(CLEAN, iso=iso, binning=binning, frames=frames)
    raw = read_out(np.full((200, 200, 3), np.float32(light)), to_raw(sensor), sensor, np.random.default_rng(0))
    electrons = (raw[..., 1] - float(BLACK)) / (WHITE - BLACK) * sensor.white_electrons
    expected = light * sensor.white_electrons
    assert electrons.mean() == pytest.approx(expected, rel=0.01, abs=0.1)
    assert electrons.var() == pytest.approx(expected + sensor.dark_electrons**2, rel=0.03)


def test_a_full_well_is_white_whatever_its_colour():
    glowing = np.full((4, 4, 3), np.float32(5.0)) * np.array([1.0, 0.9, 0.7], np.float32)
    assert through_sensor(glowing, CLEAN, np.random.default_rng(0)).min() > 0.999


def test_the_mosaic_keeps_what_is_even_and_loses_what_is_finer_than_itself():
    shown = dataclasses.replace(CLEAN, binning=1)
    rng = np.random.default_rng(0)
    even = np.full((16, 16, 3), np.float32(0.4))
    np.testing.assert_allclose(through_sensor(even, shown, rng), even, atol=3e-4)
    stripes = even.copy()
    stripes[:, ::2] = 0.1
    fine = np.abs(through_sensor(stripes, shown, rng) - stripes).max()
    assert fine > 0.05 > np.abs(through_sensor(stripes, CLEAN, rng) - stripes).max()


def test_the_same_generator_gives_the_same_bytes():
    first, second = (through_sensor(scene(), NOISY, np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, through_sensor(scene(), NOISY, np.random.default_rng(6)))
