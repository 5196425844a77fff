"""Tone curve, noise reduction, sharpening and compression, each alone."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from blender_scripts.looks.colour import linear_to_srgb8
from blender_scripts.sensor.finish import compress, denoise, even_out, sharpen, to_bytes, tone
from dataset_tools.statistics.picture_measures import spectrum
from rigging.skin.srgb import linear_to_srgb, srgb_to_linear


def ramp() -> np.ndarray:
    return np.repeat(np.linspace(-0.2, 1.4, 333, dtype=np.float32)[None, :, None], 3, 2)


def picture(size: int = 64, seed: int = 0) -> np.ndarray:
    """sRGB values with structure of all sizes."""
    rng = np.random.default_rng(seed)
    layers = [cv2.GaussianBlur(rng.random((size, size, 3), np.float32) - 0.5, (0, 0), s) * s for s in (0.5, 2, 6)]
    return (0.5 + 0.4 * sum(layers)).clip(0.1, 0.9).astype(np.float32)


def test_the_plain_curve_is_srgb():
    np.testing.assert_allclose(tone(ramp(), 0.0, 0.0), linear_to_srgb(ramp()), atol=1e-4)
    levels = to_bytes(tone(ramp(), 0.0, 0.0)).astype(int) - linear_to_srgb8(ramp())
    assert np.abs(levels).max() <= 1


@pytest.mark.parametrize("contrast", [0.3, 1.0])
def test_contrast_is_an_s_about_middle_grey(contrast):
    curve = tone(ramp(), contrast, 0.0)[0, :, 0]
    encoded = linear_to_srgb(ramp())[0, :, 0]
    expected = [value + contrast * (3 * value**2 - 2 * value**3 - value) for value in encoded]  # Brooks et al. 2019
    np.testing.assert_allclose(curve, expected, atol=2e-4)
    assert (np.diff(curve) >= 0).all() and curve.min() == 0 and curve.max() == 1
    middle = np.full((1, 1, 3), np.float32(srgb_to_linear(np.array(0.5))))
    assert tone(middle, contrast, 0.0)[0, 0, 0] == pytest.approx(0.5, abs=1e-4)


def test_black_is_lifted_or_shadows_are_cut_and_white_stays():
    dark = np.full((1, 1, 3), np.float32(srgb_to_linear(np.array(0.05))))
    ends = np.concatenate([np.zeros((1, 1, 3), np.float32), dark, np.ones((1, 1, 3), np.float32)], 1)
    assert tone(ends, 0.0, 0.1)[0, :, 0].tolist() == pytest.approx([0.1, 0.1 + 0.9 * 0.05, 1.0], abs=1e-4)
    assert tone(ends, 0.0, -0.1)[0, :, 0].tolist() == pytest.approx([0.0, 0.0, 1.0], abs=1e-4)


@pytest.mark.parametrize("share", [0.2, 0.5])
def test_dark_areas_come_up_by_a_share_of_their_stops_and_small_things_keep_their_contrast(share):
    """Halves of the picture, three stops and none below the light that stays, with a grain on them."""
    halves = np.where(np.arange(256) < 128, np.float32(0.3 / 8), np.float32(0.64))[None, :, None].repeat(256, 0)
    grain = 1 + 0.5 * (np.indices((256, 256)).sum(0) % 2 - 0.5)[..., None]
    picture = (halves * grain).astype(np.float32).repeat(3, 2)
    even = even_out(picture, share)
    dark, light = even[:, 32], even[:, -33]
    assert dark.mean() == pytest.approx(0.3 / 8 * 8**share, rel=0.05)
    np.testing.assert_allclose(light, picture[:, -33], rtol=1e-5)
    for column in (dark, light):
        assert column.max() / column.min() == pytest.approx(1.25 / 0.75, rel=1e-3)


def test_light_areas_and_black_stay():
    even = np.full((40, 40, 3), np.float32(0.5))
    np.testing.assert_allclose(even_out(even, 0.5), even, rtol=1e-5)
    even[:20] = 0
    assert (even_out(even, 0.5)[:20] == 0).all()
    np.testing.assert_allclose(even_out(even, 0.5)[-5:], even[-5:], rtol=0.02)  # before black a hand stays as it is


@pytest.mark.parametrize("size", [(128, 128), (250, 131), (512, 512), (16, 16)])
def test_local_tone_mapping_is_the_formula(size):
    """Of a picture of any size, against one Gaussian at full resolution."""
    rng = np.random.default_rng(0)
    light = cv2.resize(rng.random((4, 4, 3), np.float32), size[::-1], interpolation=cv2.INTER_CUBIC).clip(0.02, 1)
    luma = np.log(light @ np.float32([0.299, 0.587, 0.114]))
    around = cv2.GaussianBlur(luma, (0, 0), 0.05 * size[1], borderType=cv2.BORDER_REFLECT)
    expected = light * np.exp(0.4 * np.maximum(np.log(0.3) - around, 0))[..., None]
    np.testing.assert_allclose(even_out(light, 0.4), expected, rtol=0.06)


def test_sharpening_adds_to_edges_and_leaves_the_even_alone():
    even = np.full((16, 16, 3), np.float32(0.3))
    assert np.array_equal(sharpen(even, 1.0, 1.0), even)
    step = np.repeat(np.where(np.arange(32) < 16, 0.3, 0.7).astype(np.float32)[None, :, None], 16, 0).repeat(3, 2)
    sharp = sharpen(step, 1.0, 1.0)[8, :, 0]
    assert sharp[15] < 0.3 < 0.7 < sharp[16]
    assert sharp[15] + sharp[16] == pytest.approx(1.0, abs=1e-5)


def test_sharpening_is_the_unsharp_mask_of_luma():
    values, radius, amount = picture(9), 0.9, 0.7
    taps = np.arange(-6, 7)
    weights = np.exp(-(taps**2) / (2 * radius**2))
    weights /= weights.sum()
    naive = values.astype(float).copy()
    for y, x in np.ndindex(9, 9):
        own, mean = values[y, x] @ [0.299, 0.587, 0.114], 0.0
        for (dy, wy), (dx, wx) in ((a, b) for a in zip(taps, weights) for b in zip(taps, weights)):
            mean += wy * wx * float(values[np.clip(y + dy, 0, 8), np.clip(x + dx, 0, 8)] @ [0.299, 0.587, 0.114])
        naive[y, x] += amount * (own - mean)
    np.testing.assert_allclose(sharpen(values, amount, radius), naive, atol=2e-3)


def test_noise_reduction_takes_noise_and_leaves_edges():
    rng = np.random.default_rng(0)
    step = np.repeat(np.where(np.arange(64) < 32, 0.3, 0.7).astype(np.float32)[None, :, None], 64, 0).repeat(3, 2)
    noisy = step + rng.standard_normal(step.shape, np.float32) * np.float32(0.02)
    clean = denoise(noisy, 0.04)
    assert (clean - step).std() < 0.5 * (noisy - step).std()
    assert np.diff(clean.mean((0, 2)))[31] > 0.36


def test_compression_keeps_the_picture_and_loses_more_the_lower_its_quality():
    levels = to_bytes(picture()[..., :1].repeat(3, 2))
    losses = [np.abs(compress(levels, quality).astype(int) - levels).mean() for quality in (98, 80, 60)]
    assert losses == sorted(losses) and 0 < losses[0] < 1 and losses[2] < 8


def test_compression_halves_the_resolution_of_colours_alone():
    grey = np.repeat(np.where(np.arange(32) % 2, 200, 60).astype(np.uint8)[None, :, None], 32, 0).repeat(3, 2)
    red = grey.copy()
    red[..., 1:] = 90
    assert np.abs(compress(grey, 100).astype(int) - grey).max() <= 3
    assert np.abs(compress(red, 100).astype(int) - red).max() > 30


def test_sharpening_raises_the_upper_rings_of_the_spectrum():
    values = np.kron(picture(128), np.ones((2, 2, 1), np.float32))
    grey = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in (values, sharpen(values, 1.0, 0.8))]
    rise = spectrum(grey[1]) - spectrum(grey[0])
    assert (rise[4:] > 0.1).all() and np.abs(rise[:2]).max() < 0.03
