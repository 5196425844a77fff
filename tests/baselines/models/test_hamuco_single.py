"""HaMuCo's single-view estimator: where it begins, how it projects, where it takes a hand to be."""

from __future__ import annotations

import dataclasses

import model_cases
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.geometry.camera import project as project_camera
from baselines.models.hamuco_single import (
    SingleConfig,
    SingleView,
    in_pixels,
    positive,
    project,
    root_in_camera,
    to_uv,
)

TINY = {"size": 64, "width": 4, "skinning": "linear"}
CROP = model_cases.batch(1)


@pytest.mark.parametrize("backbone", ["resnet18", "resnet50", "efficientnet"])
def test_it_begins_with_an_upright_hand_in_the_middle_of_the_crop(backbone):
    torch.manual_seed(0)
    single = SingleView(SingleConfig(**TINY | {"backbone": backbone}))
    view, maps = single(torch.rand(2, 3, 64, 64))
    assert [one.shape[-1] for one in maps] == [16, 8, 4, 2]
    assert tuple(one.shape[1] for one in maps) == single.backbone.channels
    assert view.uv.abs().max() < 1.2 and view.uv[:, 9].abs().max() < 0.2
    assert (view.joints[:, 12, 1] < -0.2).all() and (view.joints[:, 0, 1] > 0.2).all()  # y is down
    torch.testing.assert_close(view.rotations.mT @ view.rotations, torch.eye(3).expand(2, 16, 3, 3))


def test_the_parts_say_what_they_are_for():
    single = SingleView(SingleConfig(**TINY)).eval()
    images = torch.rand(2, 3, 64, 64)
    before = single(images)[0]
    with torch.no_grad():
        single.camera[-1].bias[1] += 0.3
    moved = single(images)[0]
    assert torch.equal(moved.joints, before.joints)
    torch.testing.assert_close(moved.uv - before.uv, torch.tensor([0.3, 0.0]).expand(2, 21, 2))


def test_projection_by_hand():
    points, camera = torch.tensor([[[0.5, -1.0, 7.0]]]), torch.tensor([[0.8, 0.1, 0.2]])
    torch.testing.assert_close(project(points, camera), torch.tensor([[[0.5, -0.6]]]))
    assert positive(torch.tensor([[-99.0, 1, 2], [99.0, 1, 2]]))[:, 0].min() > 0


def test_uv_reaches_from_edge_to_edge_and_comes_back():
    corners = torch.tensor([[[0.0, 0.0], [64.0, 64.0], [32.0, 16.0]]])
    assert to_uv(corners, CROP).tolist() == [[[-1, -1], [1, 1], [0, -0.5]]]
    assert torch.equal(in_pixels(to_uv(corners, CROP), CROP), corners)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.3, 3.0), st.floats(-0.9, 0.9), st.floats(-0.9, 0.9))
def test_a_hand_is_put_where_it_is_as_large_as_its_camera_says(scale, u, v):
    """At the root's depth, 0.2 m along x are `scale` halves of the crop; the root itself is seen at (u, v)."""
    root = root_in_camera(torch.tensor([[scale, u, v]]), CROP)
    beside = root + torch.tensor([0.2, 0.0, 0.0])
    uv = to_uv(project_camera(torch.cat([root, beside], 1), CROP.K), CROP)[0]
    torch.testing.assert_close(uv[0], torch.tensor([u, v]), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(uv[1] - uv[0], torch.tensor([scale, 0.0]), atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("wrong", [{"size": 100}, {"size": 0}, {"width": 0}])
def test_settings_that_make_no_network_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        dataclasses.replace(SingleConfig(), **wrong)
