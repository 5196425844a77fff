"""Cameras given a lens: their pictures' middles stay what they show."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rigging.errors import InputError
from rigging.geometry.cameras import Cameras
from rigging.geometry.distortion import Lens
from rigging.geometry.lenses import before_lens, with_lens

LENS = np.array([-0.12, 0.02, 0.002, -0.003, 0.001])


def cameras(rng, views=3, size=200, beside=0.4):
    """Cut-outs of `size` px anywhere within `beside` of the axis."""
    K = np.tile(np.eye(3), (views, 1, 1))
    K[:, 0, 0] = K[:, 1, 1] = rng.uniform(1.5, 3, views) * size
    K[:, :2, 2] = size / 2 - K[:, :1, 0] * rng.uniform(-beside, beside, (views, 2))
    return Cameras(K, np.tile(np.eye(4), (views, 1, 1)), size)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_middle_of_a_picture_shows_the_same_in_the_same_size(seed):
    bare = cameras(np.random.default_rng(seed))
    bent = with_lens(bare, LENS)
    assert np.array_equal(bent.distortion, np.tile(LENS, (3, 1))) and bent.image_size == 200
    for K, new in zip(bare.K, bent.K):
        lens, step = Lens(new, LENS), 1e-3
        points = np.array([[100, 100], [100 + step, 100], [100, 100 + step]])
        rays = (points - K[:2, 2]) / K[0, 0]  # in the plane z = 1, before the lens
        seen = lens.seen(rays * new[0, 0] + new[:2, 2])
        assert np.abs(seen[0] - 100).max() < 1e-9
        turned = (seen[1:] - seen[0]) / step
        assert abs(np.linalg.det(turned) - 1) < 1e-4  # the area of what is seen there
        assert np.abs(before_lens(new, LENS, 200) - K).max() < 1e-9


def test_a_picture_about_the_axis_keeps_its_camera_to_the_bit():
    bare = cameras(np.random.default_rng(0), beside=0.0)
    bent = with_lens(bare, LENS)
    assert np.array_equal(bent.K, bare.K)
    assert np.array_equal(before_lens(bent.K[0], LENS, 200), bare.K[0])


def test_a_lens_that_folds_in_one_of_the_pictures_is_refused():
    bare = cameras(np.random.default_rng(0), beside=0.0)
    with pytest.raises(InputError, match=r"k1 = -3, .* the lens folds"):
        with_lens(bare, np.array([-3.0, 0, 0, 0, 0]))
