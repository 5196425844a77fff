"""Errors sample by sample, against loops over crops, joints and vertices."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes

from baselines.evaluate.measures import MEASURES, Measured, mean_curves, measured
from baselines.evaluate.predict import Predictions
from rigging.errors import InputError

SAMPLES, VIEWS = 4, 2


@pytest.fixture
def said() -> Predictions:
    """Predictions of four samples in two views, with meshes of six vertices, off by centimetres."""
    rng = np.random.default_rng(1)
    n = SAMPLES * VIEWS
    joints, mesh = 0.1 * rng.normal(size=(n, 21, 3)), 0.1 * rng.normal(size=(n, 6, 3))

    def off(points: np.ndarray) -> np.ndarray:
        return points + 0.02 * rng.normal(size=points.shape)

    return Predictions(
        views=1, sample=np.repeat([7, 3, 9, 5], VIEWS), view=np.tile([0, 1], SAMPLES),
        subject=np.repeat([0, 0, 1, 1], VIEWS), K=np.zeros((n, 3, 3)), world_to_cam=np.zeros((n, 4, 4)),
        joints_cam=off(joints), oracle_joints_cam=off(joints), true_joints_cam=joints,
        joint_valid=np.ones((n, 21), bool), true_joints_2d=np.zeros((n, 21, 2)),
        vertices_cam=off(mesh), oracle_vertices_cam=off(mesh), true_vertices_cam=mesh,
        iou=rng.random(n), oracle_iou=rng.random(n),
    )  # fmt: skip


def by_sample(crops: list[float]) -> np.ndarray:
    return np.array([np.mean(crops[start : start + VIEWS]) for start in range(0, len(crops), VIEWS)])


def distances(pred: np.ndarray, true: np.ndarray) -> list[float]:
    return [1000 * float(np.sqrt(((p - t) ** 2).sum())) for p, t in zip(pred, true)]


def scaled(pred: np.ndarray, true: np.ndarray) -> np.ndarray:
    """From joint 9, with its bone to the wrist made as long as the true one."""
    ratio = np.linalg.norm(true[9] - true[0]) / np.linalg.norm(pred[9] - pred[0])
    return ratio * (pred - pred[9]) + true[9]


def procrustes(pred: np.ndarray, true: np.ndarray) -> np.ndarray:
    """By the similarity that scipy finds, which is of both sets at unit norm; no reflection is in these."""
    centred = pred - pred.mean(0), true - true.mean(0)
    turn, scale = orthogonal_procrustes(*centred)
    assert np.linalg.det(turn) > 0
    return scale / np.square(centred[0]).sum() * centred[0] @ turn + true.mean(0)


def test_every_measure_is_what_its_name_says(said):
    found = measured([said]).values
    crops = {name: [] for name in found}
    for i in range(len(said)):
        shift = said.true_joints_cam[i, 0] - said.joints_cam[i, 0]
        true = said.true_joints_cam[i]
        oracle = distances(said.oracle_joints_cam[i], true)
        crops["joints, mm"].append(np.mean(distances(said.joints_cam[i] + shift, said.true_joints_cam[i])))
        crops["joints, oracle, mm"].append(np.mean(oracle))
        crops["AUC 20-50, oracle"].append(np.mean([min(max((50 - e) / 30, 0), 1) for e in oracle]))
        crops["n_mpjpe_bone, mm"].append(np.mean(distances(scaled(said.joints_cam[i], true), true)))
        crops["PA joints, mm"].append(np.mean(distances(procrustes(said.joints_cam[i], true), true)))
        crops["mesh, mm"].append(np.mean(distances(said.vertices_cam[i] + shift, said.true_vertices_cam[i])))
        crops["mesh, oracle, mm"].append(np.mean(distances(said.oracle_vertices_cam[i], said.true_vertices_cam[i])))
        crops["mask IoU"].append(said.iou[i])
        crops["mask IoU, oracle"].append(said.oracle_iou[i])
    assert set(found) == {one.name for one in MEASURES}
    for name, values in crops.items():
        np.testing.assert_allclose(found[name], by_sample(values), rtol=1e-9)


def test_samples_keep_their_order_however_they_come(said):
    whole = measured([said])
    cut = [{f.name: getattr(said, f.name) for f in dataclasses.fields(said)} for _ in range(2)]
    for half, part in zip(cut, (slice(0, 3), slice(3, None))):  # in the middle of a sample
        half |= {name: value[part] for name, value in half.items() if isinstance(value, np.ndarray)}
    parts = measured(Predictions(**half) for half in cut)
    assert whole.sample.tolist() == parts.sample.tolist() == [7, 3, 9, 5] and whole.subject.tolist() == [0, 0, 1, 1]
    for name, values in whole.values.items():
        np.testing.assert_array_equal(values, parts.values[name])
    np.testing.assert_array_equal(whole.curve, parts.curve)


def test_a_joint_without_label_does_not_count(said):
    valid = said.joint_valid.copy()
    valid[0, 20] = False
    wrong = said.oracle_joints_cam.copy()
    wrong[0, 20] = 1e3
    found = measured([dataclasses.replace(said, joint_valid=valid, oracle_joints_cam=wrong)])
    assert found.values["joints, oracle, mm"].max() < 100


def test_without_meshes_there_are_no_errors_of_meshes(said):
    without = dataclasses.replace(said.without_vertices(), iou=None, oracle_iou=None)
    assert set(measured([without]).values) == {one.name for one in MEASURES[:5]}


def test_the_curve_is_the_share_of_joints_without_the_wrist(said):
    shift = (said.true_joints_cam - said.joints_cam)[:, :1]
    errors = np.concatenate([distances(p, t)[1:] for p, t in zip(said.joints_cam + shift, said.true_joints_cam)])
    assert measured([said]).curve[30] == pytest.approx(np.mean(errors <= 30))


def test_the_curve_in_the_image_is_of_the_joints_as_the_camera_sees_them(said):
    """Joints one and two px off: half of them within 1 px, all within 2. One behind the camera is far off."""
    K = np.broadcast_to(np.diag([100.0, 100, 1]), said.K.shape)
    joints = np.zeros_like(said.joints_cam) + [0.01, 0, 1]  # seen at x = 1 px
    flat = np.zeros_like(said.true_joints_2d)
    flat[::2, :, 0] = -1
    seen = dataclasses.replace(said, K=K, joints_cam=joints, true_joints_2d=flat)
    assert measured([seen]).curve_2d[[0, 1, 2]].tolist() == [0, 0.5, 1]
    joints[0, 4] = [0.01, 0, -1]
    missed = measured([dataclasses.replace(seen, joints_cam=joints)]).curve_2d
    assert missed[30] == pytest.approx(1 - 1 / joints[..., 0].size)


def test_curves_of_seeds_are_averaged(said):
    one = measured([said])
    other = dataclasses.replace(one, curve=one.curve / 2, curve_2d=one.curve_2d / 2)
    mean = mean_curves([one, other])
    np.testing.assert_allclose(mean["mm"], 0.75 * one.curve)
    np.testing.assert_allclose(mean["px"], 0.75 * one.curve_2d)
    assert mean_curves([one, dataclasses.replace(one, curve_2d=None)])["px"] is None


def test_what_was_saved_is_loaded(said, tmp_path):
    found = measured([said])
    found.save(tmp_path / "errors.npz")
    again = Measured.load(tmp_path / "errors.npz")
    assert again.values.keys() == found.values.keys()
    assert all((again.values[name] == values).all() for name, values in found.values.items())
    assert (again.sample == found.sample).all() and (again.curve == found.curve).all()
    assert (again.curve_2d == found.curve_2d).all()


def test_no_predictions_are_refused():
    with pytest.raises(InputError, match="no predictions"):
        measured([])
