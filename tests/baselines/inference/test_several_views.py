"""Several views of one hand: fused joints and mesh are those that all views agree on."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from inference_cases import VIEWS, Views, a_run
from model_cases import batch

from baselines.batch import Pose
from baselines.geometry.camera import project, to_world
from baselines.inference.boxes import Box
from baselines.inference.estimate import mirrored, view_of
from baselines.inference.several_views import fused_hand, mean_mesh, reprojection_errors, triangulated
from baselines.train.run_folder import load_run

CPU = torch.device("cpu")


@pytest.fixture(scope="module", params=["mvhm_sv", "mvhm_mv"])
def run(request, tmp_path_factory):
    """A single-view estimator, and one of several views."""
    torch.set_num_threads(1)
    return load_run(a_run(tmp_path_factory.mktemp("runs") / request.param, request.param))


def views_of(source):
    """All views of the source, with their cameras."""
    boxes = source.boxes()
    return [
        view_of(f"view{i}.png", source.rgb[i], Box(np.array(boxes[i]), "box"), 1.3, source.K[i], source.world_to_cam[i])
        for i in range(VIEWS)
    ]


def true_hand():
    """Four views of one hand, and what single views make of it: the right pixels, wrong sizes and distances."""
    crops = batch(1, 4)
    factor = torch.tensor([0.8, 1.1, 1.3, 0.9])[:, None, None]
    pose = Pose(factor * crops.joints_cam, project(crops.joints_cam, crops.K), None, factor * crops.vertices_cam)
    joints, vertices = (to_world(one, crops.world_to_cam)[0] for one in (crops.joints_cam, crops.vertices_cam))
    return crops, pose, joints, vertices


def test_joints_are_triangulated_whatever_sizes_single_views_believe_in():
    crops, pose, joints, _ = true_hand()
    found = triangulated(pose, crops)
    np.testing.assert_allclose(found, joints, atol=1e-5)
    wrong = pose.joints_2d.clone()
    wrong[2, 5:9] += 25  # px: one view takes one finger for another
    found = triangulated(Pose(pose.joints_cam, wrong), crops)
    np.testing.assert_allclose(found, joints, atol=1e-4)


def test_estimators_that_do_not_look_for_joints_in_the_image_are_triangulated_by_where_they_have_them():
    crops, pose, joints, _ = true_hand()
    np.testing.assert_allclose(triangulated(Pose(pose.joints_cam), crops), joints, atol=1e-5)


def test_the_mesh_is_the_median_of_meshes_brought_onto_the_fused_joints():
    _, pose, joints, vertices = true_hand()
    np.testing.assert_allclose(mean_mesh(pose, joints), vertices, atol=1e-5)
    bent = pose.vertices_cam.clone()
    bent[1, 100:200] += 0.05  # m: one view of four is wrong there
    np.testing.assert_allclose(mean_mesh(Pose(pose.joints_cam, vertices_cam=bent), joints), vertices, atol=0.02)


def test_all_views_have_the_same_hand_in_the_world(run):
    views = views_of(Views())
    hand = fused_hand(*run, views, CPU)
    for own, view in zip(hand.views, views):
        turn, shift = view.world_to_cam[:3, :3], view.world_to_cam[:3, 3]
        np.testing.assert_allclose((own.joints_cam - shift) @ turn, hand.joints_world, atol=1e-9)
        np.testing.assert_allclose((own.vertices_cam - shift) @ turn, hand.vertices_world, atol=1e-9)
    errors = reprojection_errors(hand, views)
    assert errors.shape == (VIEWS,) and np.isfinite(errors).all()


def test_left_hands_are_mirrored_with_their_cameras(run):
    views = views_of(Views())
    right = fused_hand(*run, views, CPU)
    left = fused_hand(*run, [mirrored(view) for view in views], CPU, left=True)
    np.testing.assert_allclose(left.joints_world, right.joints_world * [-1, 1, 1], atol=1e-9)
    np.testing.assert_allclose(left.vertices_world, right.vertices_world * [-1, 1, 1], atol=1e-9)
    for own, other, view in zip(left.views, right.views, views):
        np.testing.assert_allclose(own.joints_2d, [view.rgb.shape[1], 0] + other.joints_2d * [-1, 1], atol=1e-9)


def test_the_order_of_views_does_not_matter(run):
    views = views_of(Views())
    one, other = (fused_hand(*run, order, CPU) for order in (views, views[::-1]))
    np.testing.assert_allclose(one.joints_world, other.joints_world, atol=1e-5)
