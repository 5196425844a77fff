"""Image statistics: as the definition says, literally; photographs are read or refused in a line."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset_tools.statistics.photographs import measure_photographs
from dataset_tools.statistics.picture_measures import (
    MEASURES,
    RINGS,
    mean_and_spread,
    measure,
    noise,
    resolved,
    spectrum,
    square,
)
from rigging.errors import InputError


def literal_spectrum(g: np.ndarray) -> list[float]:
    """With g = grey/255 at 256 x 256: mean removed, Hann windows, mean of |FFT|/256 over rings, log10; loops."""
    hann = [0.5 - 0.5 * np.cos(2 * np.pi * i / 255) for i in range(256)]
    mean = sum(g[y, x] for y in range(256) for x in range(256)) / 65536
    windowed = np.array([[(g[y, x] - mean) * hann[y] * hann[x] for x in range(256)] for y in range(256)])
    size = abs(np.fft.fft2(windowed)) / 256
    found: list[list[float]] = [[] for _ in RINGS]
    for y in range(256):
        for x in range(256):
            radius = (min(y, 256 - y) ** 2 + min(x, 256 - x) ** 2) ** 0.5
            for ring, (low, high) in enumerate(RINGS):
                if low <= radius < high:
                    found[ring].append(size[y, x])
    return [np.log10(sum(ring) / len(ring)) for ring in found]


def literal_noise(g: np.ndarray) -> float:
    """255 x 1.4826 x median |g - Gaussian(g, 1 px)|, the Gaussian cut at 4 px, the border reflected."""
    weights = {d: np.exp(-d * d / 2) for d in range(-4, 5)}
    total, padded = sum(weights.values()), np.pad(g, 4, mode="reflect")
    rows = sum(w / total * padded[4 + d : 260 + d] for d, w in weights.items())
    blurred = sum(w / total * rows[:, 4 + d : 260 + d] for d, w in weights.items())
    return 255 * 1.4826 * sorted(abs(g - blurred).ravel())[32768]


@pytest.fixture(scope="module")
def grey() -> np.ndarray:
    rng = np.random.default_rng(3)
    return cv2.GaussianBlur(rng.random((256, 256)), (0, 0), 2) + 0.02 * rng.normal(size=(256, 256))


def test_the_spectrum_is_the_definition(grey):
    assert spectrum(grey) == pytest.approx(literal_spectrum(grey), abs=1e-6)


def test_the_noise_is_the_definition(grey):
    assert noise(grey.astype(np.float32)) == pytest.approx(literal_noise(grey), rel=1e-3)


def test_noise_is_in_levels_and_white_noise_reads_as_what_the_gaussian_leaves_of_it():
    """What is left of a pixel's noise s is s sqrt((1 - w)^2 + the other weights squared), w = 0.159 in the middle."""
    weights = np.exp(-(np.arange(-4, 5) ** 2) / 2)
    kernel = np.outer(weights, weights) / weights.sum() ** 2
    left = np.sqrt(1 - 2 * kernel[4, 4] + (kernel**2).sum())
    flat = 0.5 + 10 / 255 * np.random.default_rng(0).normal(size=(256, 256))
    assert noise(flat.astype(np.float32)) == pytest.approx(10 * left, rel=0.02)


@settings(max_examples=12, deadline=None)
@given(st.sampled_from(range(len(RINGS))), st.floats(0, np.pi))
def test_a_wave_is_strongest_in_its_own_ring(ring, angle):
    cycles = np.sqrt(RINGS[ring][0] * RINGS[ring][1])
    y, x = np.mgrid[:256, :256] / 256
    wave = 0.5 + 0.2 * np.sin(2 * np.pi * cycles * (np.cos(angle) * x + np.sin(angle) * y))
    mean, count = 10 ** spectrum(wave), np.diff([low**2 for low, _ in RINGS] + [RINGS[-1][1] ** 2])
    assert int(np.argmax(mean * count)) == ring  # the whole of each ring


def test_twice_the_contrast_is_log10_of_2_more_and_brightness_is_nothing(grey):
    assert spectrum(2 * grey + 0.3) - spectrum(grey) == pytest.approx(np.full(7, np.log10(2)), abs=1e-9)


def test_colour_contrast_and_exposure_by_hand():
    picture = np.zeros((256, 256, 3), np.uint8)
    picture[:, :128] = (255, 255, 255)
    picture[:, 128:] = (200, 100, 100)  # saturation 1/2, grey 0.299 x 200 + 0.701 x 100 = 129.9
    found = dict(zip(MEASURES, measure(picture)))
    assert found["saturation"] == pytest.approx(0.25)
    assert found["exposure"] == pytest.approx((255 + 129.9) / 510, abs=1e-4)
    assert found["contrast"] == pytest.approx((255 - 129.9) / 510, abs=1e-4)
    assert found["clipped"] == pytest.approx(0.5)


def test_the_middle_square_is_measured_whatever_the_picture_s_form():
    wide = np.full((300, 512, 3), 255, np.uint8)
    wide[:, 106:406] = 40
    assert (square(wide) == 40).all()
    assert square(wide).shape == (256, 256, 3)


def test_small_pictures_say_how_far_they_go():
    assert resolved(256) == [True] * 7
    assert resolved(128) == [True] * 5 + [False] * 2


def test_a_picture_of_one_grey_does_not_spoil_the_mean(grey):
    flat = np.full((256, 256, 3), 90, np.uint8)
    textured = np.repeat((255 * grey).clip(0, 255).astype(np.uint8)[..., None], 3, 2)
    told = mean_and_spread(np.stack([measure(flat), measure(textured)]))
    assert told["spectrum_16_32"] == {"mean": pytest.approx(measure(textured)[3]), "std": 0.0}
    assert told["exposure"]["std"] > 0


def test_photographs_are_found_below_and_what_is_hidden_is_none(tmp_path):
    (tmp_path / "day").mkdir()
    picture = np.random.default_rng(1).integers(0, 255, (90, 120, 3), np.uint8)
    for name in ("day/one.JPG", "two.png", "._two.png", "notes.txt"):
        data = cv2.imencode(f".{name.rpartition('.')[2].lower()}", picture)[1] if "txt" not in name else b"x"
        (tmp_path / name).write_bytes(bytes(data) if "._" not in name else b"mac")
    found = measure_photographs(tmp_path)
    assert found.measures.shape == (2, len(MEASURES))
    assert found.sides.tolist() == [90, 90]
    assert found.measures[1] == pytest.approx(measure(picture[..., ::-1]))  # OpenCV writes blue first


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "no photographs there"),
        ({"a.txt": b"x"}, "no photographs there"),
        ({"page.jpg": b"<html>404</html>"}, "page.jpg: not a photograph"),
        ({"empty.png": b""}, "empty.png: not a photograph"),
    ],
)
def test_a_folder_that_is_no_reference_is_one_line(files, words, tmp_path):
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=words) as caught:
        measure_photographs(tmp_path)
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="no such folder"):
        measure_photographs(tmp_path / "nowhere")
