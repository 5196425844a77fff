"""Where HaMuCo's hands are: exactly, if what the network says is true up to size and place."""

from __future__ import annotations

import dataclasses

import model_cases
import pytest
import torch

from baselines import create_estimator
from baselines.batch import Batch
from baselines.geometry.camera import project
from baselines.models.hamuco_single import to_uv

VIEWS = 4
BATCH = model_cases.batch(2, VIEWS, sizes=(0.8, 1.2))
NET = create_estimator("hamuco", **model_cases.settings("hamuco"))


def said(batch: Batch, wrong: float = 0.0) -> dict[str, torch.Tensor]:
    """What a network would say that is right but for sizes, which differ from view to view; uv `wrong` of one joint."""
    root, sizes = batch.joints_cam[:, 9:10], torch.linspace(0.9, 1.3, len(batch))[:, None, None]
    points = {kind: sizes * (getattr(batch, f"{kind}_cam") - root) / 0.2 for kind in ("joints", "vertices")}
    uv = to_uv(project(batch.joints_cam, batch.K), batch)
    uv[0, 4] += wrong
    output = {f"{who}_{kind}": points[kind] for who in ("single", "interact", "fused") for kind in points}
    scale = 0.2 * batch.K[:, 0, 0] / batch.joints_cam[:, 9, 2] / (batch.size / 2)
    camera = torch.cat([scale[:, None], uv[:, 9]], 1)
    return output | {f"{who}_{name}": one for who in ("single", "interact") for name, one in
                     (("uv", uv), ("camera", camera))}  # fmt: skip


def pose(output: dict[str, torch.Tensor], batch: Batch = BATCH, oracle: bool = False, **settings: str):
    NET.config = dataclasses.replace(NET.config, **settings)
    return NET.pose(output, batch, oracle)


@pytest.mark.parametrize("who", ["fused", "interact", "single"])
def test_an_oracle_puts_it_where_it_is(who):
    found = pose(said(BATCH), oracle=True, scored=who)
    torch.testing.assert_close(found.joints_cam, BATCH.joints_cam, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(found.vertices_cam, BATCH.vertices_cam, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("who", ["fused", "interact"])
@pytest.mark.parametrize("absolute", ["centre", "ransac"])
def test_calibrated_views_know_size_and_place_without_one(who, absolute):
    blind = dataclasses.replace(BATCH, joints_cam=None, vertices_cam=None, depth=None)
    found = pose(said(BATCH), blind, scored=who, absolute=absolute)
    torch.testing.assert_close(found.joints_cam, BATCH.joints_cam, atol=2e-5, rtol=1e-4)
    torch.testing.assert_close(found.vertices_cam, BATCH.vertices_cam, atol=2e-5, rtol=1e-4)


def test_ransac_does_not_see_what_one_view_has_wrong():
    centre, ransac = (pose(said(BATCH, 0.5), scored="fused", absolute=how).joints_cam for how in ("centre", "ransac"))
    errors = [(one - BATCH.joints_cam).norm(dim=-1)[0].max() for one in (centre, ransac)]
    assert errors[1] < 1e-4 < errors[0]


def test_one_view_takes_the_hand_for_the_mean_one():
    """Its size is what the model made it, so its depth is wrong by as much: the picture is the same."""
    found = pose(said(BATCH), scored="single")
    wrong = torch.linspace(0.9, 1.3, len(BATCH))
    torch.testing.assert_close(found.joints_cam[:, 9], BATCH.joints_cam[:, 9], atol=1e-5, rtol=1e-4)
    length = (found.joints_cam[:, 12] - found.joints_cam[:, 9]).norm(dim=-1)
    torch.testing.assert_close(length, wrong * (BATCH.joints_cam[:, 12] - BATCH.joints_cam[:, 9]).norm(dim=-1))
    alone = dataclasses.replace(BATCH.map(lambda tensor: tensor[:1]), views=1)
    one = {name: value[:1] for name, value in said(BATCH).items()}
    assert torch.equal(pose(one, alone, scored="fused").joints_cam, found.joints_cam[:1])


def test_joints_of_the_picture_are_those_of_who_is_scored():
    output = said(BATCH) | {"single_uv": torch.zeros(len(BATCH), 21, 2)}
    assert (pose(output, scored="single").joints_2d == 32).all()  # the middle of 64 px
    for who in ("fused", "interact"):
        torch.testing.assert_close(pose(output, scored=who).joints_2d, BATCH.joints_2d)


def test_without_extrinsics_views_are_placed_like_one():
    NET.config = dataclasses.replace(NET.config, scored="fused", extrinsics=False)
    loose = NET.pose(said(BATCH), BATCH)
    NET.config = dataclasses.replace(NET.config, extrinsics=True)
    assert torch.equal(loose.joints_cam, pose(said(BATCH), scored="single").joints_cam)
