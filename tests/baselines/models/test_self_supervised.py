"""EpipolarPose and CanonPose: what each takes from several views' labels, and that no more is looked at."""

from __future__ import annotations

import dataclasses
import itertools

import model_cases
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from baselines import create_estimator
from baselines.batch import Batch
from baselines.estimator import Estimator
from baselines.geometry.rotations import from_axis_angle
from baselines.models.hamuco_hand import UNIT
from baselines.self_supervised_losses import mixed_reprojection_loss, pseudo_pose_loss, without_scale
from rigging.errors import InputError

NAMES = ("epipolar_pose", "canon_pose")
FEW = settings(max_examples=20, deadline=None)


def made(name: str, **settings: object) -> Estimator:
    torch.manual_seed(0)
    return create_estimator(name, **(model_cases.settings(name) | settings)).eval()


def moved(batch: Batch, seed: int = 0) -> Batch:
    """The batch with cameras that stand anywhere."""
    generator = torch.Generator().manual_seed(seed)
    cameras = batch.world_to_cam.clone()
    cameras[:, :3, :3] = model_cases.rotations(len(batch), generator)
    return dataclasses.replace(batch, world_to_cam=cameras)


def told(estimator: Estimator, batch: Batch) -> dict[str, float]:
    with torch.no_grad():
        return {name: float(loss) for name, loss in estimator.losses(estimator(batch), batch).items()}


def relative(batch: Batch) -> Tensor:
    return (batch.joints_cam - batch.joints_cam[:, 9:10]) / UNIT


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_looked_at_but_pictures_cameras_and_labels_in_the_picture(name):
    batch = model_cases.batch(2, views=4)
    truth = ("joints_cam", "vertices_cam", "joint_visible", "mask", "depth")
    bare = dataclasses.replace(batch, **dict.fromkeys(truth))
    assert told(made(name), bare) == told(made(name), batch)


@pytest.mark.parametrize(("name", "loss"), [("epipolar_pose", "pose"), ("canon_pose", "mixed")])
def test_extrinsics_are_looked_at_where_they_may_be(name, loss):
    batch = model_cases.batch(2, views=5)
    without = made(name, extrinsics=False)
    assert told(without, moved(batch)) == told(without, batch)
    assert told(made(name), moved(batch))[loss] != told(made(name), batch)[loss]


def test_pseudo_truth_is_what_the_labels_say_together():
    batch = model_cases.batch(3, views=4)
    pseudo, uv, known = made("epipolar_pose").pseudo_truth(batch)
    assert torch.allclose(pseudo, relative(batch), atol=1e-5) and known.all()
    assert torch.allclose(uv, batch.joints_2d / 32 - 1, atol=1e-5)


def test_a_label_that_is_not_sure_or_not_valid_is_left_to_the_other_views():
    batch = model_cases.batch(2, views=4)
    labels, sure = batch.joints_2d.clone(), torch.ones(8, 21)
    labels[0] += 20
    sure[0] = 0
    unsure = dataclasses.replace(batch, joints_2d=labels, label_confidence=sure)
    invalid = dataclasses.replace(batch, joints_2d=labels, joint_valid=sure.bool())
    for one in (unsure, invalid):
        pseudo, _, known = made("epipolar_pose").pseudo_truth(one)
        assert torch.allclose(pseudo, relative(batch), atol=1e-5) and known.all()


def test_without_extrinsics_form_and_turns_follow_from_labels_and_the_size_is_the_mean_hands():
    batch = model_cases.batch(3, views=5, sizes=(0.8, 1.0, 1.3))
    estimator = made("epipolar_pose", extrinsics=False)
    pseudo, uv, known = estimator.pseudo_truth(batch)
    true = relative(batch)
    alike = (pseudo * true).sum((1, 2)) / (pseudo.norm(dim=(1, 2)) * true.norm(dim=(1, 2)))
    assert alike.min() > 0.999 and known.all()
    size = pseudo.norm(dim=(1, 2)).unflatten(0, (3, 5)).mean(1)
    assert size.std() < 0.02 * size.mean()  # all as large as the mean hand
    assert torch.allclose(uv, batch.joints_2d / 32 - 1, atol=0.02)


def test_two_views_are_too_few_without_extrinsics():
    batch = model_cases.batch(1, views=2)
    with pytest.raises(InputError, match=r"^epipolar_pose without extrinsics: 2 views of a sample, 3 are wanted$"):
        told(made("epipolar_pose", extrinsics=False), batch)


def test_what_is_no_hand_is_not_learnt():
    """Two views disagree wildly about four joints: their rays meet far away, or behind the cameras."""
    batch = model_cases.batch(1, views=2)
    labels = batch.joints_2d.clone()
    labels[:, 17:, 0] += torch.tensor([[200.0], [-200.0]])
    estimator = made("epipolar_pose")
    wrong = dataclasses.replace(batch, joints_2d=labels)
    _, _, known = estimator.pseudo_truth(wrong)
    assert known[:, :17].all() and not known[:, 17:].any()
    estimator.losses(estimator(wrong), wrong)["pose"].backward()
    assert all(one.grad is None or one.grad.isfinite().all() for one in estimator.parameters())


def test_pseudo_pose_loss_by_hand():
    """Smooth L1 with its knee at 0.05: 0.02^2 / 0.1 = 0.004 below, 0.2 - 0.025 = 0.175 beyond; averages."""
    joints = torch.tensor([[[0.02, 0.2, 0.0], [9.0, 9.0, 9.0]]], requires_grad=True)
    pseudo = torch.tensor([[[0.0, 0.0, 0.0], [torch.nan, torch.inf, 0.0]]])
    loss = pseudo_pose_loss(joints, pseudo, torch.tensor([[True, False]]))
    assert float(loss.detach()) == pytest.approx((0.004 + 0.175 + 0) / 3)
    loss.backward()
    assert torch.allclose(joints.grad, torch.tensor([[[0.4 / 3, 1 / 3, 0.0], [0.0, 0.0, 0.0]]]))


def naive_mixed(joints: Tensor, turns: Tensor, labels: Tensor, weights: Tensor) -> float:
    """Equation 5 of CanonPose, a pair of views and a joint at a time."""
    total, count = 0.0, 0.0
    samples, views, number = joints.shape[:3]
    for s, i, j in itertools.product(range(samples), range(views), range(views)):
        share = weights[s, i] / weights[s, i].sum()
        pair = []
        for points in (joints[s, j] @ turns[s, i, j].T, labels[s, i]):
            flat = points[:, :2]
            centred = flat - sum(share[n] * flat[n] for n in range(number))
            pair.append(centred / sum(share[n] * centred[n].square().sum() for n in range(number)).sqrt())
        for n in range(number):
            total += float(weights[s, i, n] * (pair[0][n] - pair[1][n]).abs().sum() / 2)
            count += float(weights[s, i, n])
    return total / count


@FEW
@given(seed=st.integers(0, 10**6))
def test_mixed_reprojection_is_the_equation_pair_by_pair(seed):
    generator = torch.Generator().manual_seed(seed)
    joints = torch.randn(2, 3, 5, 3, generator=generator)
    turns = model_cases.rotations(18, generator).unflatten(0, (2, 3, 3))
    labels, weights = torch.randn(2, 3, 5, 2, generator=generator), torch.rand(2, 3, 5, generator=generator)
    found = float(mixed_reprojection_loss(joints, turns, labels, weights))
    assert found == pytest.approx(naive_mixed(joints, turns, labels, weights), rel=1e-4)


def test_without_scale_by_hand():
    """Mean (1, 0); squares 1, 1, 0 with weights 1/2, 1/2, 0 have the mean 1: over its root nothing changes."""
    points = torch.tensor([[0.0, 0.0], [2.0, 0.0], [1.0, 5.0]])
    found = without_scale(points, torch.tensor([0.5, 0.5, 0.0]))
    assert torch.allclose(found, torch.tensor([[-1.0, 0.0], [1.0, 0.0], [0.0, 5.0]]))
    assert torch.allclose(without_scale(7 * points + 3, torch.tensor([2.0, 2.0, 0.0])), found)


@FEW
@given(seed=st.integers(0, 10**6))
def test_a_true_hand_fits_every_view_whatever_its_size_and_place(seed):
    """Labels without perspective; a hand seen from the wrong side does not fit."""
    generator = torch.Generator().manual_seed(seed)
    hand = torch.randn(2, 1, 21, 3, generator=generator)
    rotations = model_cases.rotations(8, generator).unflatten(0, (2, 4))
    joints, weights = hand @ rotations.mT, torch.rand(2, 4, 21, generator=generator)
    size, place = torch.rand(2, 4, 1, 1, generator=generator) + 0.1, torch.randn(2, 4, 1, 2, generator=generator)
    between = torch.einsum("siab,sjcb->sijac", rotations, rotations)
    labels = size * joints[..., :2] + place
    assert float(mixed_reprojection_loss(joints, between, labels, weights)) < 1e-5
    other = from_axis_angle(torch.tensor([0.0, 1.0, 0.0])) @ between
    assert float(mixed_reprojection_loss(joints, other, labels, weights)) > 0.05


def test_a_canonical_frame_is_as_good_as_another():
    """Hands before the palm's turn may lie as they like, if all views agree: cameras turn the other way."""
    batch, estimator = model_cases.batch(2, views=3), made("canon_pose", extrinsics=False)
    output = dict(estimator(batch))
    before = estimator.losses(output, batch)["mixed"]
    turn = from_axis_angle(torch.tensor([0.3, -1.0, 0.5]))
    rotations = output["single_rotations"].clone()
    rotations[:, 0] = rotations[:, 0] @ turn  # of all, so that R_i R_j^T stay
    after = estimator.losses(output | {"single_rotations": rotations}, batch)["mixed"]
    rotations[0, 0] = rotations[0, 0] @ turn  # of one view alone
    assert torch.allclose(before, after, atol=1e-6)
    assert not torch.allclose(
        before, estimator.losses(output | {"single_rotations": rotations}, batch)["mixed"], atol=1e-4
    )


def test_canon_poses_place_is_learnt_by_the_camera_alone():
    batch, estimator = model_cases.batch(2, views=3), made("canon_pose")
    output = estimator(batch)
    for name in ("single_joints", "single_camera"):
        output[name].retain_grad()
    estimator.losses(output, batch)["camera"].backward(retain_graph=True)
    assert output["single_joints"].grad is None and (output["single_camera"].grad != 0).any()
    output["single_camera"].grad = None
    estimator.losses(output, batch)["mixed"].backward()
    assert output["single_camera"].grad is None and (output["single_joints"].grad != 0).any()


@pytest.mark.parametrize(("name", "loss"), [("epipolar_pose", "pose"), ("canon_pose", "mixed")])
def test_they_learn_from_labels_alone(name, loss):
    batch = model_cases.batch(2, views=3)
    bare = dataclasses.replace(batch, joints_cam=None, vertices_cam=None)
    estimator = made(name, skinning="linear").train()
    optimiser, seen = torch.optim.AdamW(estimator.parameters(), 2e-3), []
    for _ in range(15):
        losses = estimator.losses(estimator(bare), bare)
        optimiser.zero_grad()
        sum(losses.values()).backward()
        optimiser.step()
        seen.append(float(losses[loss].detach()))
    assert seen[-1] < 0.6 * seen[0]


def test_poses_are_in_camera_axes_and_an_oracle_gives_size_and_depth():
    batch, estimator = model_cases.batch(2, views=3), made("canon_pose")
    output = estimator(batch)
    plain, oracle = estimator.pose(output, batch), estimator.pose(output, batch, oracle=True)
    assert torch.allclose(plain.joints_cam - plain.joints_cam[:, 9:10], UNIT * output["single_joints"], atol=1e-6)
    assert torch.allclose(oracle.joints_cam[:, 0, 2], batch.joints_cam[:, 0, 2], atol=1e-5)
    lengths = [(one[:, 10] - one[:, 9]).norm(dim=-1) for one in (oracle.joints_cam, batch.joints_cam)]
    assert torch.allclose(*lengths, atol=1e-6)
