"""Plates: what the lens makes of them is what its own rays see."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from blender_scripts.looks.plates import make_plates
from rigging.errors import InputError
from rigging.geometry.cameras import Cameras

SIZE = (96, 80)
LENSES = {
    "none to speak of": [1e-4, 0, 0, 0, 0], "barrel": [-0.3, 0.08, 0.01, -0.01, 0], "pincushion": [0.4, 0.2, 0, 0.02, 0]
}  # fmt: skip


def cameras(lens):
    K = np.array([[[90.0, 0, 50], [0, 90, 38], [0, 0, 1]], [[110.0, 0, 46], [0, 110, 41], [0, 0, 1]]])
    return Cameras(K, np.tile(np.eye(4), (2, 1, 1)), 96, None if lens is None else np.tile(lens, (2, 1)))


def scene(xy):
    """A smooth picture (..., 3) of the plane z = 1, xy (..., 2)."""
    x, y = xy[..., 0], xy[..., 1]
    return np.stack([2 + np.sin(9 * x + 3 * y), 2 + np.cos(7 * y - 2 * x), 2 + np.sin(5 * x * y)], -1)


def pinhole_rays(K, size):
    x, y = np.meshgrid(np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5)
    return np.stack([(x - K[0, 2]) / K[0, 0], (y - K[1, 2]) / K[1, 1]], -1)


def lens_rays(K, lens):
    """Where OpenCV says that the pixels of the distorted picture look."""
    stop = (cv2.TERM_CRITERIA_MAX_ITER + cv2.TERM_CRITERIA_EPS, 500, 1e-14)
    seen = pinhole_rays(K, SIZE).reshape(-1, 1, 2)
    return cv2.undistortPointsIter(seen, np.eye(3), np.array(lens), None, None, stop).reshape(*SIZE[::-1], 2)


@pytest.mark.parametrize("kind", LENSES)
def test_the_lens_shows_what_its_rays_see_up_to_the_picture_s_edge(kind):
    lens, bent = LENSES[kind], cameras(LENSES[kind])
    plates = make_plates(bent, SIZE)
    assert (plates.points == 1) == (kind == "none to speak of")
    pictures = plates.seen(np.stack([scene(pinhole_rays(k, plates.size)) for k in plates.K]).astype(np.float32))
    assert pictures.shape == (2, *SIZE[::-1], 3)
    for picture, k in zip(pictures, bent.K):
        assert np.abs(picture - scene(lens_rays(k, lens))).max() < 0.01


def test_a_plate_is_nowhere_coarser_than_the_picture_needs():
    """Of pixels of the picture, neighbours are nowhere nearer than a pixel of the plate."""
    for lens in LENSES.values():
        plates = make_plates(cameras(lens), SIZE)
        steps = np.concatenate([np.linalg.norm(np.diff(m, axis=0), axis=-1).ravel() for m in plates.maps])
        assert plates.points * steps.min() > 0.999


def test_where_the_lens_shrinks_much_pixels_are_means():
    plates = make_plates(cameras([-0.25, 0, 0, 0, 0]), SIZE)
    assert plates.points > 1
    noise = np.random.default_rng(0).random((2, *plates.size[::-1], 4)).astype(np.float32)
    picture = plates.seen(noise)
    corner, middle = picture[0, -8:, :8].std(), picture[0, 30:46, 42:58].std()
    assert corner < 0.8 * middle
    assert abs(picture.mean() - 0.5) < 0.02
    assert np.abs(plates.seen(np.full_like(noise, 0.25)) - 0.25).max() < 1e-6


def test_light_stays_at_or_above_nothing():
    plates = make_plates(cameras(LENSES["barrel"]), SIZE)
    edge = np.zeros((2, *plates.size[::-1], 4), np.float32)
    edge[:, :, 50:] = 1
    assert plates.seen(edge).min() == 0


def test_without_lenses_the_plates_are_the_pictures():
    bare, images = cameras(None), np.zeros((2, 80, 96, 3), np.float32)
    plates = make_plates(bare, SIZE)
    assert plates.size == SIZE and np.array_equal(plates.K, bare.K)
    assert plates.seen(images) is images


def test_a_lens_that_folds_is_refused():
    with pytest.raises(InputError, match="the lens folds"):
        make_plates(cameras([-2.0, 0, 0, 0, 0]), SIZE)
