"""F-scores and overlap of masks, against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_metrics import naive_f_score

from baselines.metrics import f_scores, mask_iou
from rigging.errors import InputError

seeds = st.integers(0, 2**32 - 1)


def test_f_scores_by_hand():
    true = np.array([[[0.0, 0, 0], [0.1, 0, 0]]])
    pred = np.array([[[0.004, 0, 0], [0.110, 0, 0], [0.2, 0, 0]]])  # nearest true: 4, 10 and 100 mm away
    # at 5 mm a third is precise and half is recalled, at 15 mm two thirds and all
    np.testing.assert_allclose(f_scores(pred, true), [[2 * (1 / 3) * (1 / 2) / (5 / 6), 2 * (2 / 3) / (5 / 3)]])
    np.testing.assert_array_equal(f_scores(pred + 1, true), [[0, 0]])
    np.testing.assert_array_equal(f_scores(true, true), [[1, 1]])


def test_a_vertex_at_the_threshold_is_too_far():
    true = np.zeros((1, 1, 3))
    np.testing.assert_array_equal(f_scores(true + [0.25, 0, 0], true, thresholds=(250.0, 251.0)), [[0, 1]])


@settings(max_examples=25, deadline=None)
@given(seeds, st.integers(1, 40), st.integers(1, 40))
def test_f_scores_are_what_all_distances_say(seed, count, other):
    rng = np.random.default_rng(seed)
    pred, true = rng.normal(scale=0.01, size=(3, count, 3)), rng.normal(scale=0.01, size=(3, other, 3))
    expected = [[naive_f_score(p, t, threshold) for threshold in (5, 15)] for p, t in zip(pred, true)]
    np.testing.assert_allclose(f_scores(pred, true), expected, atol=1e-12)
    np.testing.assert_allclose(f_scores(true, pred), expected, atol=1e-12)


def test_masks_by_hand():
    pred = np.zeros((3, 2, 2), bool)
    true = pred.copy()
    pred[0, 0], true[0, :, 0] = True, True  # one pixel in common, three in either
    pred[1] = True  # nothing there
    np.testing.assert_allclose(mask_iou(pred, true), [1 / 3, 0, 1])


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match="vertices: "):
        f_scores(np.zeros((2, 5, 3)), np.zeros((1, 5, 3)))
    with pytest.raises(InputError, match="masks: "):
        mask_iou(np.zeros((2, 5)), np.zeros((2, 5)))
