"""The area under the curve in the picture is in one unit: pixels of a crop of 224 px, whatever was labelled or cut."""

from __future__ import annotations

import numpy as np
import pytest
from standing_in import Memory

from baselines.data.label_file import Labels
from baselines.evaluate.image_area import area_of_estimates, area_of_labels, image_area
from baselines.evaluate.predict import Predictions
from rigging.errors import InputError


def test_an_area_by_hand():
    """Off by 15 of 30 px is half; twice the crop halves the error; 30 px and more are nothing."""
    true = np.zeros((1, 2, 2))
    off = np.array([[[15.0, 0], [0, 0]]])
    assert image_area(off, true, np.array([224.0])) == pytest.approx((0.5 + 1) / 2)
    assert image_area(off, true, np.array([448.0])) == pytest.approx((0.75 + 1) / 2)
    assert image_area(off, true, np.array([112.0])) == pytest.approx((0 + 1) / 2)
    assert image_area(off, true, np.array([112.0]), np.array([[True, False]])) == 0


def truth_and_labels(off: float) -> tuple[Memory, Labels]:
    """Four samples of two views, and labels in another order that are `off` px to the right."""
    truth = Memory(samples=4)
    joints = np.stack([truth.read(i)["joints_2d"] for i in range(4)]) + [off, 0]
    order = np.array([2, 0, 3, 1])
    return truth, Labels(truth.numbers[order], joints[order].astype(np.float32), np.ones((4, 2, 21), np.float32))


def test_labels_are_held_against_crops_about_the_true_joints():
    truth, labels = truth_and_labels(0.0)
    assert area_of_labels(labels, truth) == pytest.approx(1.0)
    truth, labels = truth_and_labels(0.5)
    expected = []
    for sample in range(4):
        for view in range(2):
            true = truth.read(sample)["joints_2d"][view]
            side = 1.3 * max(true[:, 0].max() - true[:, 0].min(), true[:, 1].max() - true[:, 1].min())
            expected.append(max(0, 1 - 0.5 * 224 / side / 30))
    assert area_of_labels(labels, truth) == pytest.approx(np.mean(expected), rel=1e-5)


def test_labels_of_other_samples_are_refused():
    _, labels = truth_and_labels(0.0)
    with pytest.raises(InputError, match="no labels of 1 of 5 samples"):
        area_of_labels(labels, Memory(samples=5))


def predictions(joints_2d: np.ndarray | None) -> Predictions:
    n, points = 2, np.zeros((2, 21, 3))
    one = {"views": 1, "sample": np.arange(n), "view": np.arange(n), "subject": np.arange(n)}
    matrices = {"K": np.zeros((n, 3, 3)), "world_to_cam": np.zeros((n, 4, 4))}
    joints = dict.fromkeys(("joints_cam", "oracle_joints_cam", "true_joints_cam"), points)
    labels = {"joint_valid": np.ones((n, 21), bool), "true_joints_2d": np.zeros((n, 21, 2))}
    return Predictions(**one, **matrices, **joints, **labels, joints_2d=joints_2d)


def test_estimates_are_held_against_their_own_crops():
    found = np.zeros((2, 21, 2))
    found[1, :, 1] = 3.0  # px of 64: 10.5 of 224
    assert area_of_estimates(predictions(found), 64) == pytest.approx((1 + (1 - 10.5 / 30)) / 2)
    with pytest.raises(InputError, match="where in the pictures"):
        area_of_estimates(predictions(None), 64)
