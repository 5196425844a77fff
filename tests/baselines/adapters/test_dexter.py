"""Dexter+Object: fingertips alone are read, cropped about and scored, and every other joint is left out."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from freiburg_layouts import write_dexter
from real_layouts import centroid, dot_at

from baselines.adapters.dexter import REACH, TIPS, DexterSource, axes_of, box_about
from baselines.config import Config, Data, Stage
from baselines.data.batches import Batches
from baselines.evaluate.across import across, across_lines
from baselines.evaluate.predict import Predictions, predict
from baselines.evaluate.score import scores
from baselines.registry import create_estimator
from rigging.errors import InputError

SMALL = {"size": 64, "stacks": 1, "width": 16, "modules": 1, "hidden": 32, "coarse": 4, "fine": 4, "sigma": 1.0}
OTHERS = np.setdiff1d(np.arange(21), TIPS)


@pytest.fixture(scope="module")
def source(dexter) -> DexterSource:
    return DexterSource(dexter)


def test_tips_come_back_and_nothing_else_has_a_label(source, renders):
    assert (source.samples, source.views, source.image_size, source.skipped) == (3, 1, (480, 640), 0)
    assert source.splits.tolist() == ["val"] * 3 and source.subjects.tolist() == [0, 0, 1]
    for sample, render in enumerate(renders):
        found = source.read(sample)
        assert set(found) == source.fields
        known = found["joint_valid"][0]
        assert known.tolist() == [joint in TIPS and (sample, joint) != (1, 8) for joint in range(21)]
        np.testing.assert_allclose(found["joints_cam"][0, known], render["joints_cam"][0, known], atol=1e-5)
        assert np.isnan(found["joints_cam"][0, ~known]).all() and np.isnan(found["joints_2d"][0, ~known]).all()


def test_what_the_picture_shows_lies_where_the_label_says(renders, tmp_path):
    """To a tenth of a pixel, from the depth camera's axes to the colour picture, mirrored: a dot at a tip."""
    write_dexter(tmp_path, {"Pinch": [dot_at(renders[0], 12)]})
    found = DexterSource(tmp_path).read(0)
    at = found["joints_2d"][0, 12]
    assert np.linalg.norm(centroid(found["rgb"][0], at) - at) < 0.1


@pytest.mark.parametrize("signs", [(-1, -1), (1, 1), (-1, 1), (1, -1)])
def test_axes_are_those_in_which_both_labels_agree(renders, tmp_path, signs):
    write_dexter(tmp_path, {"Pinch": renders[:1]}, signs=signs)
    found = DexterSource(tmp_path).read(0)["joints_cam"][0, TIPS]
    np.testing.assert_allclose(found, renders[0]["joints_cam"][0, TIPS], atol=1e-5)


def test_axes_by_hand():
    """A tip 10 cm to the right and 5 cm up at 50 cm: u = 160 + 224.502 x 0.2, v = 120 - 230.494 x 0.1."""
    pixels = np.array([[[160 + 44.9004, 120 - 23.0494]]])
    assert axes_of(np.array([[[-100.0, 50.0, 500.0]]]), pixels, "").tolist() == [-1, -1, 1]
    assert axes_of(np.array([[[100.0, -50.0, 500.0]]]), pixels, "").tolist() == [1, 1, 1]
    assert axes_of(np.full((1, 1, 3), np.nan), pixels, "").tolist() == [-1, -1, 1]  # nothing to tell by
    with pytest.raises(InputError, match="here: 3D labels are 40 px from the 2D labels, 20 are allowed"):
        axes_of(np.array([[[100.0, -50.0, 500.0]]]), pixels + [40, 0], "here")


def test_a_hand_may_be_said_to_be_right(dexter):
    left, right = (DexterSource(dexter, hand=hand).read(0) for hand in ("left", "right"))
    np.testing.assert_allclose(right["joints_cam"][0, TIPS] * [-1, 1, 1], left["joints_cam"][0, TIPS], atol=1e-6)
    np.testing.assert_array_equal(right["rgb"][0, :, ::-1], left["rgb"][0])
    mirrored = 640 - right["hand_box"][0, [2, 1, 0, 3]]
    np.testing.assert_allclose(left["hand_box"][0, [0, 2]], mirrored[[0, 2]])
    with pytest.raises(InputError, match="hand 'auto': 'left' or 'right' is wanted"):
        DexterSource(dexter, hand="auto")


def test_frames_without_a_tip_are_left_out(dexter, renders, tmp_path):
    write_dexter(tmp_path, {"Rigid": renders})
    path = tmp_path / "data/Rigid/annotations/Rigid3D.txt"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], "0, 0, 32001; " * 5, lines[2]]))
    part = DexterSource(tmp_path)
    assert (part.samples, part.skipped, part.label(1)) == (2, 1, "Rigid/image_0002_color.png")


def test_the_crop_holds_the_hand_and_not_its_tips_alone(source, renders):
    """A box of 2 x 11 cm about the tips' middle, by hand; in the crop lie the joints that have no label, too."""
    K = np.array([[600.0, 0, 320], [0, 500, 240], [0, 0, 1]])
    box = box_about(np.array([[-0.02, 0, 0.5], [0.04, 0.02, 0.5]]), K)
    np.testing.assert_allclose(box, [320 + 12 - 132, 240 + 10 - 110, 320 + 12 + 132, 240 + 10 + 110])
    assert REACH == 0.11
    batch = next(iter(Batches(source, Data(size=64, batch=3, workers=0)).ordered()))
    assert batch.joint_valid.sum(1).tolist() == [5, 4, 5] and (batch.joints_cam[~batch.joint_valid] == 0).all()
    true = torch.stack([torch.as_tensor(render["joints_cam"][0]) for render in renders])
    image = true @ batch.K.mT
    uv = image[..., :2] / image[..., 2:]
    assert uv.min() > 0 and uv.max() < 64
    assert torch.allclose(uv[batch.joint_valid], batch.joints_2d[batch.joint_valid], atol=1e-2)


def test_only_tips_are_scored_by_a_trained_networks_ways(source):
    """A network that never saw the set: joints elsewhere change no figure, and what needs a root or oracle has none."""
    torch.manual_seed(0)
    stage = Stage("all", ("hourglass",), {"heatmap": 1.0}, 1, 1e-3)
    config = Config("mvhm_sv", (stage,), data=Data(size=64, batch=3, workers=0))
    estimator = create_estimator("mvhm_sv", **SMALL)
    told = predict(estimator, source, config, "cpu")
    table = scores(told)
    with_samples = {name for name, row in table.items() if row["samples"]}
    assert with_samples == {"absolute", "centred", "procrustes", "procrustes_freihand", "image", "projected"}
    assert table["absolute"]["points"] == 14 and table["image"]["points"] == 14
    told.joints_cam[:, OTHERS] += 1.0
    told.joints_2d[:, OTHERS] += 50
    assert json.dumps(scores(told)) == json.dumps(table)


def test_pck_across_sets_by_hand():
    """Tips 2.5 to 11.5 mm off one way, about their mean; 2D errors of 4 px in crops of 128 are 8 px in 256."""
    run = tips_of(np.array([-4.5, -2.5, 0, 2.5, 4.5]))
    row = across("Dexter+Object", "hamr", "RHD and STB", run, 128)
    assert (row.protocol, row.joints, row.crops) == ("centred", 5, 1)
    assert row.curve[:6] == (0.2, 0.2, 0.2, 0.6, 0.6, 1.0) and row.curve[-1] == 1.0 and len(row.curve) == 101
    assert row.auc_0_100 == pytest.approx(1 - (4.5 + 2.5 + 0 + 2.5 + 4.5) / 5 / 100, abs=1e-6) and row.auc_20_50 == 1
    assert row.auc_image == pytest.approx(1 - 8 / 30, abs=1e-6) and row.image_curve[7:9] == (0.0, 1.0)
    assert "| Dexter+Object | hamr | RHD and STB | 1 | 5 | centred | 1.000 | 0.972 | 0.733 |" in list(
        across_lines([row])
    )
    run.joint_valid[:] = False
    with pytest.raises(InputError, match=r"Dexter.Object: no joint has a label"):
        across("Dexter+Object", "hamr", "", run, 128)


def test_a_pose_that_is_not_found_in_the_image_is_projected():
    run = tips_of(np.zeros(5))
    found = across("a", "b", "c", run, 256).image_curve
    own = Predictions(**{**vars(run), "joints_2d": None})
    assert across("a", "b", "c", own, 256).image_curve[-1] == 0 and found[4] == 1  # K is of another camera
    own.K[0] = np.eye(3)
    own.true_joints_2d[:] = own.joints_cam[..., :2] / own.joints_cam[..., 2:]
    assert across("a", "b", "c", own, 256).image_curve[0] == 1


def tips_of(shifts: np.ndarray) -> Predictions:
    """One crop whose tips are `shifts` (5,) mm off along x, beside 7 mm for all; other joints are nonsense."""
    rng = np.random.default_rng(0)
    true = rng.normal(size=(1, 21, 3)) * 0.05 + [0, 0, 0.6]
    pred = true.copy()
    pred[0, TIPS, 0] += (7 + shifts) / 1000
    pred[0, OTHERS] += 9
    valid = np.isin(np.arange(21), TIPS)[None]
    uv = np.full((1, 21, 2), 30.0)
    one = np.zeros(1, int)
    return Predictions(
        1, one, one, one, np.diag([900.0, 900.0, 1.0])[None], np.eye(4)[None], pred, pred * np.nan, true, valid, uv,
        joints_2d=uv + [4, 0],
    )  # fmt: skip
