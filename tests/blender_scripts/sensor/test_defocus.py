"""Defocus by depth: circles of a thin lens, hand and background blurred apart, light neither made nor lost."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blender_scripts.sensor.defocus import amiss, confusion, defocus_hand, disc_kernels, focus_on, layered

FOCAL, APERTURE = 600.0, 0.004  # px, m
METRES = st.floats(0.1, 5)


def flat_hand(size: int = 40, inset: int = 14, depth: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """A layer (H, W, 4) with a square of many colours in its middle, and its depth (H, W) m."""
    hand, there = np.zeros((size, size, 4), np.float32), np.zeros((size, size), np.float32)
    square = slice(inset, size - inset)
    hand[square, square] = np.random.default_rng(1).random((size - 2 * inset, size - 2 * inset, 1), np.float32)
    hand[square, square, 3] = 1
    there[square, square] = depth
    return hand, there


def slow_defocus(hand: np.ndarray, depth: np.ndarray, focus: float) -> np.ndarray:
    """Every pixel gives its light to those around it, then all is divided by what a full hand would give."""
    size = len(hand)
    seen = np.argwhere(depth > 0)
    total, weight = np.zeros(hand.shape), np.zeros((size, size, 1))
    for y in range(size):
        for x in range(size):
            nearest = seen[np.argmin(np.hypot(*(seen - (y, x)).T))]
            circle = confusion(depth[tuple(nearest)], FOCAL, APERTURE, focus)
            kernel = disc_kernels(np.array([round(4 * abs(float(circle)))]))[0]
            reach = len(kernel) // 2
            for row in range(max(y - reach, 0), min(y + reach + 1, size)):
                for column in range(max(x - reach, 0), min(x + reach + 1, size)):
                    share = kernel[row - y + reach, column - x + reach]
                    total[row, column] += share * hand[y, x]
                    weight[row, column] += share
    return total / weight


@given(depth=METRES, focus=METRES, aperture=st.floats(0.0005, 0.01), focal=st.floats(0.002, 0.02))
def test_circles_of_confusion_are_those_of_rays_through_a_thin_lens(depth, focus, aperture, focal):
    """A ray from a point on the axis through the rim of the lens goes to where the lens images the point."""
    sensor = 1 / (1 / focal - 1 / focus)
    image = 1 / (1 / focal - 1 / depth)
    height = aperture / 2 * (1 - sensor / image)  # of that ray where it meets the sensor, the image before or behind it
    pitch = 1e-6
    assert confusion(depth, sensor / pitch, aperture, focus) == pytest.approx(-2 * height / pitch, rel=1e-6, abs=1e-6)


def test_what_is_in_focus_is_untouched():
    hand, depth = flat_hand()
    background = np.random.default_rng(0).random((40, 40, 3), np.float32)
    picture = layered(hand, background, depth, 0.5, FOCAL, APERTURE, 0.5)
    assert (picture == hand[..., :3] + (1 - hand[..., 3:]) * background).all()


@pytest.mark.parametrize("focus", [0.3, 1.0, math.inf])
def test_a_flat_hand_keeps_its_light_and_its_area(focus):
    hand, depth = flat_hand()
    blurred = defocus_hand(hand, depth, FOCAL, APERTURE, focus)
    assert blurred.sum((0, 1)) == pytest.approx(hand.sum((0, 1)), rel=1e-5)
    assert np.abs(blurred - hand).max() > 0.1


@pytest.mark.parametrize("steps", [1, 3, 5, 8, 9, 16, 30, 61])
def test_a_disc_has_the_width_of_its_circle(steps):
    """The variance along an axis is the square of a quarter of the diameter, to a few hundredths of a square pixel."""
    kernel = disc_kernels(np.array([steps]))[0]
    offset = np.arange(len(kernel)) - len(kernel) // 2
    assert kernel.sum() == pytest.approx(1, abs=1e-6)
    assert (kernel == kernel.T).all() and (kernel == kernel[::-1]).all()
    assert (kernel.sum(0) * offset**2).sum() == pytest.approx((steps / 4 / 4) ** 2, rel=0.02, abs=0.07)


def test_a_hand_of_many_depths_spreads_as_pixel_by_pixel():
    hand, depth = flat_hand(24, 8)
    depth *= np.linspace(0.6, 1.5, 24, dtype=np.float32)
    hand[7, 8:16] = (0.1, 0.2, 0.3, 0.4)  # a rim whose centres see nothing
    blurred = defocus_hand(hand, depth, FOCAL, APERTURE, 0.8)
    assert blurred == pytest.approx(slow_defocus(hand, depth, 0.8), abs=1e-5)


def test_the_inside_of_a_hand_stays_opaque_where_a_near_finger_crosses_a_palm():
    hand, depth = flat_hand(60)
    depth[:, 28:32] *= 0.4  # whose circles are 7 pixels wide
    blurred = defocus_hand(hand, depth, FOCAL, APERTURE, 0.5)
    assert blurred[..., 3].max() <= 1 + 1e-5
    assert blurred[22:38, 22:38, 3].min() > 1 - 1e-5
    assert np.abs(blurred - hand)[22:38, 25:28].max() > 0.05


def test_a_sharp_outline_takes_no_light_from_a_blurred_background():
    """Nor does the background take any of the hand's, however far it is blurred."""
    hand, depth = flat_hand()
    bright = np.full((40, 40, 3), 5, np.float32)
    picture = layered(hand, bright, depth, math.inf, FOCAL, 10 * APERTURE, 0.5)
    assert (picture[depth > 0] == hand[depth > 0][:, :3]).all()
    assert picture[depth == 0] == pytest.approx(5, abs=1e-5)


def test_a_hand_at_the_border_stays_opaque_there():
    hand, depth = np.ones((30, 30, 4), np.float32), np.full((30, 30), 0.5, np.float32)
    assert defocus_hand(hand, depth, FOCAL, APERTURE, math.inf) == pytest.approx(1, abs=1e-5)


def test_a_view_without_a_hand_is_its_background():
    nothing = np.zeros((8, 8, 4), np.float32), np.ones((8, 8, 3), np.float32), np.zeros((8, 8), np.float32)
    assert layered(*nothing, math.inf, FOCAL, APERTURE, 0.5) == pytest.approx(1, abs=1e-6)


def test_the_camera_focuses_on_the_middle_of_the_hand_and_not_of_its_arm():
    depth = np.array([[0, 0.4, 0.1, 0.1], [0.5, 0.9, 0.1, 0.1]])
    assert focus_on(depth, depth > 0.1) == pytest.approx(0.5)
    assert focus_on(depth, np.zeros_like(depth, bool)) == math.inf


def test_a_camera_may_focus_a_little_off():
    assert amiss(0.5, 0) == pytest.approx(0.5)
    assert amiss(0.5, 0.5) == pytest.approx(0.4)
    assert amiss(0.5, -3) == amiss(math.inf, 0) == math.inf
