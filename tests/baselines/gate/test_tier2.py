"""Arms of tier 2 against loops over samples, views and joints."""

from __future__ import annotations

import numpy as np
import pytest
from quick_estimators import VIEWS, Hands

from baselines.evaluate.predict import Predictions
from baselines.gate.arms import fused_arms, network_arms, simulated_arms, single_arm
from baselines.gate.claims import DLT, MEAN, MEDIAN, ONE, OWN_DLT, OWN_RANSAC, RANSAC
from baselines.gate.settings import GateSettings, Overfit
from baselines.gate.tier1 import mean_pose_error
from baselines.gate.tier2 import tier2

SAMPLES = 3
SETTINGS = GateSettings((Overfit("mvhm_sv", "all", {"pose": 1.0}, 1, 1e-3),), overfit_mm=2.0, noises=2)


def predictions(rng: np.random.Generator, error: float = 0.004, views: list[int] | None = None) -> Predictions:
    """What an estimator with noise says of three hands; its joints in the image are where they truly are."""
    read = [Hands({"train": SAMPLES}).read(sample, views) for sample in range(SAMPLES)]
    columns = {
        name: np.concatenate([one[name] for one in read]) for name in ("K", "world_to_cam", "joints_cam", "joints_2d")
    }
    count = len(columns["K"])
    said = columns["joints_cam"] + error * rng.normal(size=(count, 21, 3)).astype(np.float32)
    return Predictions(
        views=1, sample=np.repeat(np.arange(SAMPLES), count // SAMPLES), view=np.zeros(count, int),
        subject=np.zeros(count, int), K=columns["K"].astype(np.float32),
        world_to_cam=columns["world_to_cam"].astype(np.float32), joints_cam=said, oracle_joints_cam=said,
        true_joints_cam=columns["joints_cam"], joint_valid=np.ones((count, 21), bool),
        true_joints_2d=columns["joints_2d"], joints_2d=columns["joints_2d"],
        confidence=np.ones((count, 21), np.float32),
    )  # fmt: skip


def relative_error(pred: np.ndarray, true: np.ndarray) -> float:
    """Mean distance, mm, of 21 joints from the true ones, both relative to their first."""
    return float(np.mean([np.linalg.norm((p - pred[0]) - (t - true[0])) for p, t in zip(pred, true)]) * 1000)


def test_of_one_view_the_mean_over_views_counts(rng):
    runs = [predictions(rng) for _ in range(2)]
    arm = single_arm(runs, "")
    assert arm.errors.shape == (2, SAMPLES) and len(arm.curve) == 51
    for seed, run in enumerate(runs):
        rows = [relative_error(p, t) for p, t in zip(run.joints_cam, run.true_joints_cam)]
        np.testing.assert_allclose(arm.errors[seed], np.reshape(rows, (SAMPLES, VIEWS)).mean(1), rtol=1e-5)


def test_groups_of_views_are_averaged(rng):
    groups = [[predictions(rng, views=[0, 2]), predictions(rng, views=[1, 3])] for _ in range(2)]
    errors = network_arms({2: groups})["mvhm_mv, 2 views"].errors
    for seed, pair in enumerate(groups):
        rows = [[relative_error(p, t) for p, t in zip(run.joints_cam, run.true_joints_cam)] for run in pair]
        wanted = np.reshape(rows, (2, SAMPLES, 2)).mean((0, 2))
        np.testing.assert_allclose(errors[seed], wanted, rtol=1e-5)


@pytest.mark.parametrize(("name", "way"), [(MEAN, np.mean), (MEDIAN, np.median)])
def test_averages_are_taken_in_world_axes(rng, name, way):
    run = predictions(rng)
    arm = fused_arms([run], [predictions(rng)], 256)[name]
    for sample in range(SAMPLES):
        rows = range(sample * VIEWS, (sample + 1) * VIEWS)
        turned = [
            [(pose - pose[0]) @ run.world_to_cam[row, :3, :3] for row in rows for pose in [said[row]]]
            for said in (run.joints_cam, run.true_joints_cam)
        ]
        wanted = relative_error(way(turned[0], axis=0), turned[1][0])
        assert arm.errors[0, sample] == pytest.approx(wanted, rel=1e-4)


def test_true_joints_in_the_images_are_triangulated_exactly(rng):
    arms = fused_arms([predictions(rng)], [predictions(rng)], 256)
    assert arms[OWN_DLT].errors.max() < 0.01 and arms[OWN_RANSAC].errors.max() < 0.01


def test_simulated_detections_are_the_same_every_time_and_outliers_hurt_dlt_more(rng):
    run = predictions(rng)
    arms, again = simulated_arms(run, 256, SETTINGS), simulated_arms(run, 256, SETTINGS)
    assert set(arms) == {DLT, RANSAC} and arms[DLT].errors.shape == (2, SAMPLES)
    assert all((arms[name].errors == again[name].errors).all() for name in arms)
    assert arms[RANSAC].errors.mean() < arms[DLT].errors.mean()
    assert (arms[DLT].errors[0] != arms[DLT].errors[1]).all()


def test_noise_goes_with_the_crops_size(rng):
    run = predictions(rng)
    small, large = (simulated_arms(run, size, SETTINGS)[RANSAC].errors.mean() for size in (64, 256))
    assert large / small == pytest.approx(4, rel=0.1)


def test_views_that_all_say_the_same_are_no_better_than_one(rng):
    arm = single_arm([predictions(rng) for _ in range(3)], "")
    arms = {name: arm for name in (ONE, "mvhm_mv, 8 views", "mvhm_mv, 2 views")}
    found = tier2(arms, np.arange(SAMPLES), 0, 50)
    assert found.problems[0] == "several views are better than one: too small"
    wide = tier2({name: _wide(one) for name, one in arms.items()}, np.arange(24), 0, 50)
    assert wide.problems[0] == "several views are better than one: not separable"


def _wide(arm):
    from dataclasses import replace

    return replace(arm, errors=np.tile(arm.errors, 8))


def test_the_mean_pose_is_as_far_from_all(rng):
    truth = predictions(rng).true_joints_cam
    mean = np.mean([pose - pose[0] for pose in truth], axis=0)
    assert mean_pose_error(truth) == pytest.approx(np.mean([relative_error(mean, pose) for pose in truth]), rel=1e-5)
