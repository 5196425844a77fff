"""Lens: fall-off by the ray's angle, glare and haze that keep the light's mean, nothing where a part is off."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blender_scripts.sensor.lens import glare, haze, vignette

K = np.array([[200.0, 3.0, 41.0], [0, 180.0, 20.0], [0, 0, 1]])
PICTURE = np.random.default_rng(0).random((48, 64, 3), np.float32)


@given(x=st.integers(0, 63), y=st.integers(0, 47), strength=st.floats(0.1, 3))
def test_light_falls_off_as_the_fourth_power_of_the_cosine(x, y, strength):
    ray = np.linalg.solve(K, (x + 0.5, y + 0.5, 1))
    cosine = ray[2] / np.linalg.norm(ray)
    assert vignette(PICTURE, K, strength)[y, x] == pytest.approx(PICTURE[y, x] * cosine ** (4 * strength), rel=1e-5)


@pytest.mark.parametrize("radius", [2, 9, 17.5, 40])
@pytest.mark.parametrize("size", [(48, 64), (50, 61)])
def test_glare_goes_far_and_keeps_the_mean(radius, size):
    picture = np.zeros((*size, 3), np.float32)
    picture[10, 20] = 100
    veiled = glare(picture, 0.05, radius)
    assert veiled.mean((0, 1)) == pytest.approx(picture.mean((0, 1)), rel=1e-4)
    assert veiled[10, 20] == pytest.approx(95, rel=0.02)
    assert veiled.min() >= 0


def test_glare_spreads_as_its_radius_says():
    picture = np.zeros((256, 256, 3), np.float32)
    picture[128:130, 128:130] = 1
    stray = glare(picture, 1.0, 20)[..., 0]
    x = np.arange(256) + 0.5 - 129
    assert (stray.sum(0) * x**2).sum() / stray.sum() == pytest.approx(20**2, rel=0.05)


def test_haze_exchanges_light_for_that_of_all_around():
    colour = np.array([0.5, 0.6, 0.7])
    assert haze(PICTURE, 0.1, colour) == pytest.approx(0.9 * PICTURE + 0.1 * colour, abs=1e-6)
    alike = np.broadcast_to(np.float32(colour), (4, 4, 3))
    assert haze(alike, 0.3, colour) == pytest.approx(alike)


def test_parts_that_are_off_change_nothing():
    for same in (
        vignette(PICTURE, K, 0),
        glare(PICTURE, 0, 30),
        haze(PICTURE, 0, np.ones(3)),
    ):
        assert (same == PICTURE).all()
