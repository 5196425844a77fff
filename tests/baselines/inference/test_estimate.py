"""Crops, cameras and mirrors: what is said of a photograph is what evaluation says of the same view."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from inference_cases import VIEWS, Views, a_config, a_run

from baselines.evaluate.predict import predict
from baselines.inference.boxes import Box
from baselines.inference.estimate import FOCAL, Hand, batch_of, hands_of, mirrored, mirrored_hand, resized, view_of
from baselines.inference.photographs import read_photograph
from baselines.train.run_folder import load_run
from rigging.geometry.projection import project
from rigging.hand.asset import load_asset
from rigging.hand.shape import chain_length

CPU = torch.device("cpu")
MARGIN = 1.3


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """An estimator and its settings."""
    torch.set_num_threads(1)
    return load_run(a_run(tmp_path_factory.mktemp("runs") / "run"))


def seen(source, view, rgb=None):
    """A view of the source as a user would give it, with its camera."""
    box = Box(np.array(source.boxes()[view]), "box")
    return view_of(f"view{view}.png", source.rgb[view] if rgb is None else rgb, box, MARGIN, source.K[view])


def test_a_view_predicted_from_its_file_is_what_evaluation_says(run, tmp_path):
    source = Views()
    files = source.write(tmp_path)
    views = [seen(source, i, read_photograph(path)) for i, path in enumerate(files)]
    hands, told = hands_of(*run, views, CPU), predict(run[0], source, run[1], "cpu")
    for i, hand in enumerate(hands):
        np.testing.assert_array_equal(hand.joints_cam.astype(np.float32), told.joints_cam[i])
        np.testing.assert_array_equal(hand.confidence.astype(np.float32), told.confidence[i])
        x, y, side = views[i].square
        back = (hand.joints_2d - [x - side / 2, y - side / 2]) * run[1].data.size / side
        np.testing.assert_allclose(back, told.joints_2d[i], atol=1e-4)  # px


def test_a_left_hand_is_the_mirror_image_of_a_right_one_bit_for_bit(run):
    source = Views()
    right = seen(source, 0)
    width = right.rgb.shape[1]
    left = mirrored(right)
    x0, y0, x1, y1 = right.box.corners
    left = dataclasses.replace(left, box=Box(np.array([width - x1, y0, width - x0, y1]), "box"))
    one, other = hands_of(*run, [right], CPU)[0], hands_of(*run, [left], CPU, left=True)[0]
    flip = np.array([-1.0, 1, 1])
    np.testing.assert_array_equal(one.joints_cam * flip, other.joints_cam)
    np.testing.assert_array_equal(one.vertices_cam * flip, other.vertices_cam)
    np.testing.assert_allclose(one.joints_2d, other.joints_2d * [-1, 1] + [width, 0], atol=1e-12)
    plain = hands_of(*run, [left], CPU)[0]
    assert np.abs(plain.joints_cam - other.joints_cam).max() > 1e-3  # without a mirror it would not be


@settings(max_examples=30, deadline=None)
@given(st.floats(-40, 100), st.floats(-40, 80), st.floats(5, 300), st.integers(0, VIEWS - 1), st.booleans())
def test_K_moves_with_the_crop(x, y, side, view, left):
    """A point in camera axes lies on the same point of the photograph through either camera."""
    source = Views()
    box = Box(np.array([x, y, x + side, y + side / 2]), "box")
    one = view_of("", source.rgb[view], box, MARGIN, source.K[view], source.world_to_cam[view])
    one = mirrored(one) if left else one
    batch, maps = batch_of([one], 64)
    points = source.joints
    through_crop = project(points, batch.K.double().numpy(), batch.world_to_cam.double().numpy())[0]
    through_photograph = project(points, one.K[None], one.world_to_cam[None])[0]
    moved = through_photograph @ maps[0, :2, :2].numpy().T + maps[0, :2, 2].numpy()
    np.testing.assert_allclose(through_crop, moved, atol=1e-2, rtol=1e-5)


def test_a_large_photograph_is_averaged_not_sampled(run):
    """Stripes of one pixel, black and white, are grey from afar."""
    stripes = np.zeros((2048, 2048, 3), np.uint8)
    stripes[:, ::2] = 255
    view = view_of("", stripes, Box(np.array([100.0, 100, 1900, 1900]), "box"), 1.0)
    batch, maps = batch_of([view], 64)
    assert (batch.rgb - 0.5).abs().max() < 0.02
    np.testing.assert_allclose(maps[0, :2, 2].numpy(), -100 * 64 / 1800, atol=1e-9)


def test_without_K_a_camera_is_assumed_that_looks_at_the_crop_from_afar():
    view = view_of("", np.zeros((60, 80, 3), np.uint8), Box(np.array([10.0, 10, 40, 30]), "box"), MARGIN)
    assert view.assumed and view.K[:2, 2].tolist() == [25, 20] and view.K[0, 0] == FOCAL * 30 * MARGIN
    whole = view_of("", np.zeros((60, 80, 3), np.uint8), Box(np.array([0.0, 0, 80, 60]), "whole picture"), MARGIN)
    assert whole.square.tolist() == [40, 30, 80]


def test_a_hand_is_as_long_as_the_user_says_and_looks_the_same():
    joints = load_asset().joints + [0, 0, 0.6]
    hand = Hand(joints, np.zeros((21, 2)), vertices_cam=load_asset().template + [0, 0, 0.6])
    new = resized(hand, 0.15)
    assert chain_length(new.joints_cam) == pytest.approx(0.15)
    K = Views().K[:1]
    for name in ("joints_cam", "vertices_cam"):
        before, after = (project(getattr(one, name), K, np.eye(4)[None]) for one in (hand, new))
        np.testing.assert_allclose(before, after, atol=1e-9)
    lengths = (np.linalg.norm(one.vertices_cam[0] - one.joints_cam[0]) for one in (new, hand))
    assert next(lengths) / next(lengths) == pytest.approx(0.15 / chain_length(joints))


def test_a_mirrored_hand_comes_back():
    hand = Hand(np.arange(63.0).reshape(21, 3), np.arange(42.0).reshape(21, 2), None, np.ones((5, 3)))
    back = mirrored_hand(mirrored_hand(hand, 100), 100)
    assert (back.joints_cam == hand.joints_cam).all() and (back.joints_2d == hand.joints_2d).all()
    assert mirrored_hand(hand, 100).joints_2d[0].tolist() == [100, 1]


def test_the_order_of_photographs_of_different_sizes_does_not_matter(run):
    source = Views()
    large = cv2.resize(source.rgb[0], None, fx=2, fy=2)
    views = [seen(source, 1), view_of("", large, Box(np.array([0.0, 0, 256, 192]), "whole picture"), MARGIN)]
    forth, back = hands_of(*run, views, CPU), hands_of(*run, views[::-1], CPU)[::-1]
    for one, other in zip(forth, back):
        np.testing.assert_allclose(one.joints_cam, other.joints_cam, atol=1e-6)


def test_settings_of_these_tests_are_those_of_training():
    assert a_config().data.margin == MARGIN
