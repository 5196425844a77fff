"""PCK and its areas, in closed form, against thresholds and against how others compute them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from naive_metrics import freihand_auc, kuzphi_auc

from baselines.metrics import auc, pck, pck_2d
from rigging.errors import InputError

quick = settings(max_examples=40, deadline=None)
ranges = st.sampled_from([(0.0, 50.0), (20.0, 50.0), (0.0, 30.0)])
values = st.one_of(st.floats(0, 100), st.sampled_from([0.0, 20.0, 30.0, 50.0, math.nan]))
errors = arrays(float, st.tuples(st.integers(1, 12), st.integers(1, 5)), elements=values)


def test_pck_by_hand():
    few = np.array([[1.0, 2.0], [3.0, np.nan]])
    np.testing.assert_allclose(pck(few, [0.5, 1, 2.5, 3, 10]), [0, 1 / 3, 2 / 3, 1, 1])
    assert np.isnan(pck(np.full((1, 1), np.nan), 5.0)[0])


def test_auc_by_hand():
    assert auc(np.array([[10.0]]), 0, 50) == pytest.approx(0.8)  # PCK is 0 up to 10 and then 1
    assert auc(np.array([[10.0]]), 20, 50) == 1
    assert auc(np.array([[35.0, 80.0]]), 20, 50) == pytest.approx(0.25)  # half of the errors, over half of the range
    assert np.isnan(auc(np.full((2, 3), np.nan), 0, 50))


@quick
@given(errors, ranges)
def test_the_closed_form_is_what_a_hundred_thousand_thresholds_tend_to(few, bounds):
    kept = few[~np.isnan(few)]
    if not kept.size:
        return
    low, high = bounds
    steps = 100_000
    thresholds = low + (np.arange(steps) + 0.5) / steps * (high - low)  # midpoints: each error is off by half a step
    limit = np.mean(np.searchsorted(np.sort(kept), thresholds, side="right") / kept.size)
    assert auc(few, low, high) == pytest.approx(limit, abs=1 / steps)


@quick
@given(errors, ranges)
def test_freihands_way_is_as_its_evaluation_computes_it(few, bounds):
    if np.isnan(few).all():
        assert math.isnan(auc(few, *bounds, mode="freihand"))
    else:
        assert auc(few, *bounds, mode="freihand") == pytest.approx(freihand_auc(few, *bounds), abs=1e-12)


@quick
@given(errors, ranges)
def test_kuzphis_way_is_as_its_code_computes_it(few, bounds):
    inside = few[(few >= bounds[0]) & (few < bounds[1])]
    if inside.size and 0 < np.ptp(inside) < 1e-300:
        return  # halves of such differences are zero to the code
    assert auc(few, *bounds, mode="kuzphi") == pytest.approx(kuzphi_auc(few, *bounds), abs=1e-9, nan_ok=True)


def test_the_three_ways_agree_on_many_errors_spread_over_the_range_and_differ_on_what_they_are_known_for():
    spread = np.random.default_rng(0).gamma(3, 6, size=(20_000, 21))
    exact = auc(spread, 0, 50)
    assert auc(spread, 0, 50, "freihand") == pytest.approx(exact, abs=1e-3)
    assert auc(spread, 0, 50, "kuzphi") == pytest.approx(exact, abs=3e-3)
    good = np.full((5, 21), 8.0)
    assert auc(good, 20, 50) == 1
    assert math.isnan(auc(good, 20, 50, "kuzphi"))  # no error lies in the range
    late = np.linspace(40, 49, 100).reshape(10, 10)
    assert auc(late, 20, 50) == pytest.approx(0.183, abs=1e-3)
    assert auc(late, 20, 50, "kuzphi") == pytest.approx(0.505, abs=1e-3)  # only 40 to 49 counts
    assert auc(np.array([[10.0, np.nan]]), 0, 50, "freihand") == pytest.approx(0.8, abs=0.01)  # one keypoint of two
    rare = np.array([[1.0, 49.0], [1.0, np.nan], [1.0, np.nan]])
    assert auc(rare, 0, 50, "freihand") == pytest.approx(0.5, abs=0.01)  # each keypoint weighs the same
    assert auc(rare, 0, 50) == pytest.approx(0.74)


@quick
@given(errors)
def test_area_over_0_to_50_bounds_the_mean_error(few):
    """AUC >= 1 - EPE / 50, with equality if no error exceeds 50: published pairs can be checked by it."""
    kept = few[~np.isnan(few)]
    if kept.size:
        assert auc(few, 0, 50) >= 1 - kept.mean() / 50 - 1e-12
        below = few[:, :1] % 50
        if not np.isnan(below).any():
            assert auc(below, 0, 50) == pytest.approx(1 - below.mean() / 50, abs=1e-12)


def test_pck_in_the_image_in_pixels_and_in_shares_of_a_size():
    true = np.zeros((2, 2, 2))
    pred = np.array([[[3.0, 4.0], [0, 1]], [[6.0, 8.0], [0, 0]]])
    np.testing.assert_allclose(pck_2d(pred, true, [1, 5, 9]), [0.5, 0.75, 0.75])
    np.testing.assert_allclose(pck_2d(pred, true, 0.1, size=np.array([50.0, 100.0])), 1)
    np.testing.assert_allclose(pck_2d(pred, true, 9, valid=np.array([[True] * 2, [False, True]])), 1)


@pytest.mark.parametrize("arguments", [(0, 50, "median"), (50, 20), (-1, 50), (0, math.nan)])
def test_other_areas_are_refused(arguments):
    with pytest.raises(InputError):
        auc(np.ones((1, 1)), *arguments)
