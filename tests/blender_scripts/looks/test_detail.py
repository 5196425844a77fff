"""Detail of panoramas: a function of direction, natural in contrast, that keeps light, colours and smooth sky."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from scipy import fft

from blender_scripts.looks import hdri
from blender_scripts.looks.colour import LUMINANCE
from blender_scripts.looks.detail import Backdrop, _make_up, detailed_view, magnification
from blender_scripts.looks.look import LookSettings, draw_look, with_detail
from blender_scripts.looks.sphere_noise import FINEST, SIDE, noise_tile, sphere_noise

GAINS, BRIGHTEST = np.float32([0.9, 1.0, 1.1]), 1.5
ROWS = 128
ANGLES = st.floats(-np.pi, np.pi), st.floats(-1.5, 1.5), st.floats(-np.pi, np.pi)


def camera(azimuth, elevation, roll=0.0, larger=4.0, size=64):
    """K (3, 3) and world_to_cam (4, 4) of a view whose pixels are so many times smaller than the panorama's."""
    forward = np.array([np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation), np.sin(elevation)])
    level = np.array([np.sin(azimuth), -np.cos(azimuth), 0.0])
    down = np.cross(forward, level)
    matrix = np.eye(4)
    right = np.cos(roll) * level + np.sin(roll) * down
    matrix[:3, :3] = [right, np.cross(forward, right), forward]
    focal = larger * 2 * ROWS / (2 * np.pi)
    return np.array([[focal, 0, size / 2], [0, focal, size / 2], [0, 0, 1]]), matrix


def leaves(seed=0):
    """A panorama (ROWS, 2 ROWS, 3) of coloured discs before each other, and of sky."""
    rng = np.random.default_rng(seed)
    panorama = np.full((ROWS, 2 * ROWS, 3), 0.7, np.float32)
    for _ in range(1500):
        place, colour = rng.integers(0, (2 * ROWS, ROWS)), rng.uniform(0.02, 0.9, 3)
        cv2.circle(panorama, place.tolist(), int(rng.integers(1, 6)), colour.tolist(), -1)
    return panorama


def backdrop(panorama, detail=1.0, seed=5, rotation=0.7):
    return Backdrop(panorama, rotation, GAINS, BRIGHTEST, detail, seed)


def everywhere(step=7):
    """Directions (H, W, 3) float32 all over the sphere."""
    return hdri.directions(ROWS, 2 * ROWS)[::step, ::step].astype(np.float32)


def test_without_detail_or_need_of_it_a_panorama_is_as_it_was():
    panorama = leaves()
    for detail, larger in ((0.0, 4.0), (1.0, 0.9)):
        K, matrix = camera(0.3, 0.2, larger=larger)
        plain = hdri.view(panorama, 0.7, K, matrix, 64, 48) * GAINS
        assert np.array_equal(detailed_view(backdrop(panorama, detail), K, matrix, (64, 48)), plain)
    assert magnification(2 * ROWS, camera(0, 0, larger=3.0)[0]) == pytest.approx(3.0)


def test_detail_is_deterministic_and_seeded():
    K, matrix = camera(0.3, 0.2)
    first, second, other = (detailed_view(backdrop(leaves(), seed=seed), K, matrix, (64, 64)) for seed in (1, 1, 2))
    assert first.shape == (64, 64, 3)
    assert first.dtype == np.float32
    assert np.array_equal(first, second)
    assert np.abs(first - other).max() > 0.05


@examples(deadline=None, max_examples=25)
@given(st.tuples(*ANGLES), st.integers(0, 63), st.integers(0, 63), st.floats(-np.pi, np.pi))
def test_the_same_direction_looks_the_same_from_every_camera(angles, column, row, roll):
    """Across the panorama's seam and at its poles, too: another camera looks straight at what the first sees."""
    scene, (K, matrix) = backdrop(leaves()), camera(*angles)
    whole = detailed_view(scene, K, matrix, (64, 64))
    x, y, z = hdri.pixel_rays(K, matrix, 64, 64)[row, column].astype(float)
    K, matrix = camera(np.arctan2(y, x), np.arcsin(z), roll, size=5)
    assert detailed_view(scene, K, matrix, (5, 5))[2, 2] == pytest.approx(whole[row, column], abs=0.03)


def plain_make_up(plain, value, around, noise, detail, steep, power):
    """The same on whole arrays, in float64."""
    low, span, free, texture = np.moveaxis(around.astype(float), 2, 0)
    share = np.clip((value - low) / span, 0, 1)
    frayed = share + 4 * 0.12 * detail * free * noise * share * (1 - share)
    outline = 1 / (1 + np.exp(-4 * (steep + (min(steep, 1.4) - steep) * free) * (frayed - 0.5)))
    trust = min(detail, 1) * (span / (span + 0.08 * (low + 0.004))) ** 2
    lit = low + span * (share + trust * (outline - share)) + 0.004
    stops = detail * texture * noise - power / 2 * (detail * texture) ** 2
    return plain * (lit / (plain @ LUMINANCE + 0.004) * 2**stops)[..., None]


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 2.0), st.floats(1.0, 4.0))
def test_pixels_are_made_up_as_written_down(seed, detail, steep):
    rng = np.random.default_rng(seed)
    plain, value, noise = rng.random((4, 5, 3)), rng.random((4, 5)), rng.normal(size=(4, 5))
    around = rng.uniform(0.01, 0.4, (4, 5, 4))
    arrays = [array.astype(np.float32) for array in (plain, value, around, noise)]
    ours = _make_up(*arrays, *np.float32([detail, steep, 1.5]))
    assert np.allclose(ours, plain_make_up(*arrays, detail, steep, 1.5), rtol=2e-4)


def naive_noise(ray, tile, places, diameter):
    """The noise in one direction: the tile on the planes of the axes near it, pixel by pixel."""
    total, power, side = 0.0, 0.0, len(tile)
    for axis in range(3):
        weight = min(max((abs(ray[axis]) - 0.5) / 0.2, 0.0), 1.0)
        u, v = (ray[(axis + k) % 3] * diameter / (1 + abs(ray[axis])) + places[axis][k - 1] for k in (1, 2))
        value = 0.0
        for i in (0, 1):
            for j in (0, 1):
                near = (1 - abs(np.floor(u) + i - u)) * (1 - abs(np.floor(v) + j - v))
                value += near * tile[int(np.floor(v) + j) % side, int(np.floor(u) + i) % side]
        total, power = total + weight * value, power + weight**2
    return total / np.sqrt(power)


def test_noise_is_laid_on_the_sphere_as_written_down():
    rays = everywhere(17)
    tile = noise_tile(8)  # 4 pixels per pixel of the panorama
    places = np.random.default_rng(3).random((3, 2)).astype(np.float32) * len(tile)
    diameter = 2 * len(tile) / (SIDE / FINEST) * 256 / (2 * np.pi)
    ours = sphere_noise(rays, 256, 4.0, 3)
    for row, column in np.ndindex(*ours.shape):
        assert ours[row, column] == pytest.approx(naive_noise(rays[row, column], tile, places, diameter), abs=2e-3)


def test_noise_has_the_same_contrast_in_every_octave_and_as_much_everywhere():
    tile = noise_tile(12)
    cycles = fft.fftfreq(SIDE, 1 / FINEST)
    frequency, power = np.hypot(*np.meshgrid(cycles, cycles)), np.abs(fft.fft2(tile)) ** 2 / SIDE**4
    octaves = [power[(frequency >= low) & (frequency < 2 * low)].sum() for low in (0.5, 1.0, 2.0)]
    assert np.allclose(octaves, 1, atol=0.05)
    assert power[frequency < 0.2].sum() < 0.1  # which the panorama shows by itself
    jumps = [np.abs(np.diff(np.roll(tile, shift, 1), axis=1)).mean(0) for shift in (0, SIDE // 2)]
    assert jumps[1].max() < 1.2 * jumps[0].max()  # no seam where it is repeated
    noise = sphere_noise(hdri.directions(512, 1024).astype(np.float32), 1024, 4.0, 9)
    parts = noise.reshape(4, 128, 8, 128).std((1, 3))[1:3]
    assert np.ptp(parts) < 0.1 * parts.mean()


def cloudy(contrast, fine):
    """A scene (fine, 2 fine, 3) whose luminance has the RMS `contrast` in stops in every octave."""
    frequency = np.hypot(fft.fftfreq(fine)[:, None], fft.rfftfreq(2 * fine))
    frequency[0, 0] = np.inf
    white = fft.rfft2(np.random.default_rng(0).standard_normal((fine, 2 * fine)))
    stops = fft.irfft2(white / frequency, (fine, 2 * fine)) * contrast / np.sqrt(2 * np.pi * np.log(2))
    return np.repeat(0.3 * 2 ** stops[..., None], 3, 2).astype(np.float32)


def contrasts(picture):
    """RMS amplitude of the stops of a picture (N, N, 3) in three bands, up to its finest."""
    stops, side = np.log2(picture[..., 1]), len(picture)
    size = np.abs(fft.fft2((stops - stops.mean()) * np.outer(np.hanning(side), np.hanning(side)))) ** 2
    frequency = np.hypot(*np.meshgrid(fft.fftfreq(side), fft.fftfreq(side)))
    bands = ((0.125, 0.2), (0.2, 0.3), (0.3, 0.5))
    return np.sqrt([size[(frequency >= low) & (frequency < high)].mean() for low, high in bands])


@pytest.mark.parametrize("contrast", [0.1, 0.2])
def test_detail_goes_on_as_in_nature(contrast):
    """A 1/f scene, averaged over 4 x 4 pixels to a panorama, is seen with contrasts as if it had not been."""
    scene = cloudy(contrast, 4 * ROWS)
    panorama = cv2.resize(scene, (2 * ROWS, ROWS), interpolation=cv2.INTER_AREA)
    K, matrix = camera(0.4, 0.05, size=192)
    truth = contrasts(hdri.view(scene, 0.0, K, matrix, 192, 192) * GAINS)
    plain, detailed = (
        contrasts(detailed_view(backdrop(panorama, detail, rotation=0.0), K, matrix, (192, 192))) for detail in (0, 1)
    )
    assert (plain < 0.4 * truth).all()
    assert (detailed > 0.7 * truth).all()
    assert (detailed < 1.5 * truth).all()


def test_each_pixel_of_the_panorama_keeps_its_light():
    panorama = leaves()
    K, matrix = camera(0.0, 0.1, larger=8.0, size=256)
    x, y = hdri.places(hdri.pixel_rays(K, matrix, 256, 256), 0.7, ROWS, 2 * ROWS)
    pixel = (np.rint(y) * 2 * ROWS + np.rint(x) % (2 * ROWS)).astype(int).ravel()
    seen = detailed_view(backdrop(panorama), K, matrix, (256, 256)) @ LUMINANCE
    count, total = np.bincount(pixel), np.bincount(pixel, seen.ravel())
    whole = count > 50
    own = ((panorama * GAINS) @ LUMINANCE).ravel()[: len(count)][whole]
    error = total[whole] / count[whole] - own
    assert whole.sum() > 500
    assert abs(error.mean()) < 0.02 * own.mean()
    assert np.sqrt((error**2).mean()) < 0.25 * own.std()


def test_smooth_sky_stays_smooth_and_colours_stay():
    K, matrix = camera(0.0, 0.0)
    rise = np.linspace(0.2, 0.9, ROWS, dtype=np.float32)[:, None, None]
    sky = np.broadcast_to(rise * np.float32([0.5, 0.7, 1.0]), (ROWS, 2 * ROWS, 3)).copy()
    plain, detailed = (detailed_view(backdrop(sky, detail), K, matrix, (64, 64)) for detail in (0, 1))
    assert np.allclose(plain, detailed, rtol=5e-3)
    plain, detailed = (detailed_view(backdrop(leaves(), detail), K, matrix, (64, 64)) for detail in (0, 1))
    assert np.allclose(detailed * plain[..., :1], plain * detailed[..., :1], atol=1e-4)
    assert np.abs(detailed / plain - 1).max() > 0.3


def test_nothing_streams_to_the_poles():
    """Where a panorama's pixels are slivers, grain is made as fine towards the pole as around it."""
    grain = np.repeat(np.random.default_rng(0).uniform(0.3, 0.5, (ROWS, 2 * ROWS, 1)), 3, 2).astype(np.float32)
    K, matrix = camera(0.0, 1.25)
    plain, detailed = (detailed_view(backdrop(grain, detail), K, matrix, (64, 64))[..., 1] for detail in (0, 1))
    around, towards = ([np.abs(np.diff(view, axis=axis)).mean() for view in (plain, detailed)] for axis in (1, 0))
    assert around[0] > 1.6 * towards[0]
    assert around[1] < 1.35 * towards[1]


def test_walls_get_sharp_straight_edges_without_overshoot():
    wall = np.full((ROWS, 2 * ROWS, 3), 0.1, np.float32)
    wall[:, ROWS:] = 0.6
    K, matrix = camera(0.0, 0.0)
    plain, detailed = (detailed_view(backdrop(wall, detail, rotation=0.0), K, matrix, (64, 64)) for detail in (0, 1))
    widths = [((view[32, :, 1] > 0.15) & (view[32, :, 1] < 0.55)).sum() for view in (plain, detailed)]
    assert widths[1] <= widths[0] / 2
    assert detailed[..., 1].min() > 0.1 - 2e-3
    assert detailed[..., 1].max() < 0.6 + 2e-3
    assert np.abs(np.diff(detailed[..., 1], axis=0)).max() < 2e-3  # the noise does not fray it


def test_a_release_draws_how_much_apart_and_for_panoramas_only():
    settings = LookSettings(detail=(0.5, 1.5))
    for seed in range(8):
        look = draw_look(np.random.default_rng(seed), settings, ("city",))
        assert look == draw_look(np.random.default_rng(seed), LookSettings(), ("city",))
        more = with_detail(np.random.default_rng(seed), look, settings)
        assert (0.5 <= more.detail <= 1.5) == (look.background == "hdri")
        assert ("detail" in more.background_json()) == (look.background == "hdri")
        assert more.light_json() == look.light_json()
        assert (
            dataclasses.replace(more, detail=0.0) == look == with_detail(np.random.default_rng(0), look, LookSettings())
        )


@pytest.mark.parametrize("wrong", [(-0.1, 1.0), (1.0, 0.5), (0.0, 3.0)])
def test_wrong_detail_is_named(wrong):
    with pytest.raises(ValueError, match=r"detail is \(.*(allowed is 0 to 2|must not exceed)"):
        LookSettings(detail=wrong)
