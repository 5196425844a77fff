"""The lens: OpenCV's model, an inverse to rounding, and no picture that folds."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rigging.errors import InputError
from rigging.geometry.distortion import (
    NAMES,
    DistortionSettings,
    Lens,
    corner_radius,
    distort,
    require_sound,
    require_tame,
    through_lens,
    undistort,
)
from rigging.geometry.folds import carried, image_radius, sound_radius
from rigging.geometry.projection import depth_to_distance, project, without_lens

seeds = st.integers(0, 2**32 - 1)
quick = settings(max_examples=40, deadline=None)
LEAST_K = [[300.0, 0, 128], [0, 300, 128], [0, 0, 1]]


def any_lens(rng):
    """Coefficients (5,), from those of a phone's lens to such as no lens has."""
    strength = rng.choice([0.1, 0.5, 2.0])
    return rng.uniform(-1, 1, 5) * strength * np.array([1, 1, 0.02, 0.02, 1])


def any_ranges(rng, strength):
    """Ranges of coefficients up to `strength` (5,) either way."""
    ends = np.sort(rng.uniform(-1, 1, (5, 2)) * np.array(strength)[:, None], axis=1)
    return DistortionSettings(**dict(zip(NAMES, map(tuple, ends))))


def within(rng, coefficients, count=40):
    """Points (count, 2) of the sound part of the lens, and none farther out than 1.5."""
    reach, side = min(sound_radius(coefficients), 1.5) * 0.98, rng.uniform(0, 2 * np.pi, count)
    return (reach * np.sqrt(rng.random(count)) * np.stack([np.cos(side), np.sin(side)])).T


def naive_distort(x, y, k1, k2, p1, p2, k3):
    """As OpenCV's manual writes it."""
    r2 = x**2 + y**2
    radial = 1 + k1 * r2 + k2 * r2**2 + k3 * r2**3
    return x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x**2), y * radial + p1 * (r2 + 2 * y**2) + 2 * p2 * x * y


@quick
@given(seeds)
def test_points_are_distorted_as_the_manual_and_opencv_do_it(seed):
    rng = np.random.default_rng(seed)
    lens, points = any_lens(rng), rng.uniform(-1, 1, (20, 2))
    found = distort(points, lens)
    assert np.allclose(found, [naive_distort(*point, *lens) for point in points], rtol=1e-13, atol=1e-13)
    theirs = cv2.projectPoints(np.column_stack([points, np.ones(20)]), np.zeros(3), np.zeros(3), np.eye(3), lens)[0]
    assert np.allclose(found, theirs[:, 0], rtol=1e-13, atol=1e-13)


@quick
@given(seeds)
def test_undistorting_is_the_inverse_to_rounding(seed):
    rng = np.random.default_rng(seed)
    lens = any_lens(rng)
    points = within(rng, lens) * 0.98  # at the very border of the sound part the inverse has no bounded slope
    assert np.abs(undistort(through_lens(points, lens), lens) - points).max() < 1e-10


@quick
@given(seeds)
def test_undistorting_agrees_with_opencv_where_that_converges(seed):
    rng = np.random.default_rng(seed)
    lens = rng.uniform(-1, 1, 5) * (0.1, 0.05, 0.002, 0.002, 0.02)
    seen = rng.uniform(-0.5, 0.5, (20, 1, 2))
    stop = (cv2.TERM_CRITERIA_MAX_ITER + cv2.TERM_CRITERIA_EPS, 200, 1e-15)
    theirs = cv2.undistortPointsIter(seen, np.eye(3), lens, None, None, stop)
    assert np.abs(undistort(seen, lens) - theirs).max() < 1e-10


@quick
@given(seeds)
def test_in_the_sound_part_no_direction_turns_round(seed):
    """Finite differences: the Jacobian is symmetric and positive, so no two points meet."""
    rng = np.random.default_rng(seed)
    lens, step = any_lens(rng), 1e-6
    for point in within(rng, lens, 15):
        columns = [(distort(point + e, lens) - distort(point - e, lens)) / (2 * step) for e in step * np.eye(2)]
        assert abs(columns[0][1] - columns[1][0]) < 1e-6
        assert np.linalg.eigvalsh(np.array(columns)).min() > 0


@quick
@given(seeds)
def test_a_sound_lens_shows_every_point_of_its_disc_and_nothing_twice(seed):
    rng = np.random.default_rng(seed)
    lens = any_lens(rng)
    radius = min(image_radius(lens), 2.0) * 0.99
    side = rng.uniform(0, 2 * np.pi, 30)
    seen = radius * np.sqrt(rng.random(30)) * np.stack([np.cos(side), np.sin(side)])
    before = undistort(seen.T, lens)
    assert np.isfinite(before).all()
    assert np.abs(through_lens(before, lens) - seen.T).max() < 1e-10


def test_the_sound_part_ends_where_the_radius_stops_growing():
    assert sound_radius(np.array([-0.3, 0, 0, 0, 0])) == pytest.approx((1 / 0.9) ** 0.5)
    assert sound_radius(np.array([0.3, 0.1, 0, 0, 0])) == np.inf
    folded = through_lens(np.array([[1.05, 0.0], [1.06, 0.0]]), np.array([-0.3, 0, 0, 0, 0]))
    assert np.isfinite(folded[0]).all() and np.isnan(folded[1]).all()
    assert np.isnan(undistort(np.array([0.8, 0.0]), np.array([-0.3, 0, 0, 0, 0]))).all()  # none is seen beyond 0.703


def test_a_lens_that_folds_within_the_picture_is_refused_in_one_line():
    K = np.array(LEAST_K)
    require_sound(np.array([-0.3, 0, 0, 0, 0]), K, (256, 256))
    with pytest.raises(
        InputError, match=r"k1 = -1, .* folds 0.385 from the axis .* corner is 0.603 .* allowed"
    ) as error:
        require_sound(np.array([-1.0, 0, 0, 0, 0]), K, (256, 256))
    assert "\n" not in str(error.value)
    with pytest.raises(InputError, match="k1 = nan"):
        require_sound(np.array([np.nan, 0, 0, 0, 0]), K, (256, 256))


def test_a_lens_that_leaves_nothing_of_the_picture_is_refused_in_one_line():
    K = np.array(LEAST_K)
    corner = 128 * 2**0.5 / 300
    require_tame(np.array([0.99 / corner**2, 0, 0, 0, 0]), K, (256, 256))
    for coefficients in ([1.01 / corner**2, 0, 0, 0, 0], [0, 0, 0.4, 0.4, 0], [1e9, 1e9, 0, 0, 1e9]):
        with pytest.raises(InputError, match=r"k1 = .* times as far out; allowed is 2 times$"):
            require_tame(np.array(coefficients, float), K, (256, 256))


@quick
@given(seeds)
def test_of_a_range_of_lenses_the_strongest_carries_farthest_out(seed):
    rng = np.random.default_rng(seed)
    ranges, radius = any_ranges(rng, (1, 1, 0.5, 0.5, 1)), corner_radius(np.array(LEAST_K), (256, 256))
    angle = rng.uniform(0, 2 * np.pi, 60)
    circle = radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    farthest = carried(ranges.strongest, radius)[1]
    for _ in range(10):
        assert np.linalg.norm(distort(circle, ranges.draw(rng)), axis=1).max() <= farthest + 1e-12


@quick
@given(seeds)
def test_of_a_range_of_lenses_the_worst_folds_first(seed):
    rng = np.random.default_rng(seed)
    ranges = any_ranges(rng, (0.5, 0.5, 0.02, 0.02, 0.5))
    worst = image_radius(ranges.worst)
    for _ in range(10):
        assert image_radius(ranges.draw(rng)) >= worst - 1e-12


def test_ranges_are_drawn_from_evenly_and_nothing_is_drawn_without_any():
    rng = np.random.default_rng(3)
    drawn = np.array([DistortionSettings(k1=(-0.2, 0.1), p2=(0.001, 0.001)).draw(rng) for _ in range(400)])
    assert drawn[:, 0].min() < -0.19 and drawn[:, 0].max() > 0.09
    assert (drawn[:, 3] == 0.001).all() and not drawn[:, [1, 2, 4]].any()
    before = rng.bit_generator.state
    assert DistortionSettings().draw(rng) is None and rng.bit_generator.state == before


@pytest.mark.parametrize("value", [(0.1, -0.1), (0.0, float("inf")), (0.1,)])
def test_a_range_that_is_none_is_refused(value):
    with pytest.raises(ValueError, match=r"k2 = .* must be"):
        DistortionSettings(k2=value)


@quick
@given(seeds)
def test_projection_through_lenses_is_opencvs_and_can_be_undone(seed):
    rng = np.random.default_rng(seed)
    lenses = rng.uniform(-1, 1, (2, 5)) * (0.1, 0.05, 0.002, 0.002, 0.02)
    K = np.array([[[310.0, 0, 120], [0, 290, 131], [0, 0, 1]], [[500.0, 0.5, 128], [0, 480, 128], [0, 0, 1]]])
    turns = [cv2.Rodrigues(rng.normal(size=3) * 0.3)[0] for _ in range(2)]
    world_to_cam = np.tile(np.eye(4), (2, 1, 1))
    world_to_cam[:, :3, :3], world_to_cam[:, 2, 3] = turns, 0.5
    points = rng.uniform(-0.1, 0.1, (15, 3))
    seen = project(points, K, world_to_cam, lenses)
    for v in range(2):
        plain = K[v] * (1 - (np.arange(9).reshape(3, 3) == 1))  # OpenCV knows no skew
        theirs = cv2.projectPoints(points, turns[v], world_to_cam[v, :3, 3], plain, lenses[v])[0][:, 0]
        skewed = theirs + np.outer((theirs[:, 1] - K[v, 1, 2]) / K[v, 1, 1] * K[v, 0, 1], [1, 0])
        assert np.abs(seen[v] - skewed).max() < 1e-9
    assert np.abs(without_lens(seen, K, lenses) - project(points, K, world_to_cam)).max() < 1e-9
    assert without_lens(seen, K) is seen
    lens = Lens(K[0], lenses[0])
    assert np.abs(lens.pinhole(seen[0]) - project(points, K, world_to_cam)[0]).max() < 1e-9
    assert np.abs(lens.seen(lens.pinhole(seen[0])) - seen[0]).max() < 1e-9


def test_what_lies_beyond_the_lens_or_behind_the_camera_has_no_pixel():
    points = np.array([[0.1, 0, 1.0], [1.2, 0, 1.0], [0, 0, -1.0]])
    seen = project(points, np.array([LEAST_K]), np.eye(4)[None], np.array([[-0.3, 0, 0, 0, 0]]))[0]
    assert np.array_equal(np.isnan(seen).all(1), [False, True, True])


def test_distance_of_a_pixel_is_along_the_ray_before_the_lens():
    lenses = np.array([[-0.3, 0.05, 0.001, 0, 0], [0, 0, 0, 0, 0.0]])
    K = np.array([[[6.0, 0, 4], [0, 6, 3], [0, 0, 1]]] * 2)
    depth = np.full((2, 6, 8), 0.5)
    distance = depth_to_distance(depth, K, lenses)
    before = undistort(np.array([0.5 - 4, 0.5 - 3]) / 6, lenses[0])
    assert distance[0, 0, 0] == pytest.approx(0.5 * np.hypot(1, np.linalg.norm(before)), rel=1e-12)
    assert np.allclose(distance[1], depth_to_distance(depth[1], K[1]))
    assert np.allclose(distance[0], depth_to_distance(depth[0], K[0], lenses[0]))
