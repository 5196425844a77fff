"""The hand model of HaMuCo: our rig and a user's MANO behind the same sixteen rotations."""

from __future__ import annotations

import mano_files
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines import create_estimator
from baselines.batch import Batch
from baselines.geometry.rotations import from_axis_angle
from baselines.layers.hand_layer import HandLayer
from baselines.models.hamuco_hand import FROM_MANO, ROTATIONS, TIPS, ManoDecoder, RigDecoder

RIG = RigDecoder("linear")
BENT = 0.7  # rad


def turns(which: int = 0, angle: float = 0.0) -> torch.Tensor:
    """(1, 16, 3, 3): the identities but for one, turned about x."""
    vectors = torch.zeros(1, ROTATIONS, 3)
    vectors[0, which, 0] = angle
    return from_axis_angle(vectors)


@pytest.fixture
def mano(monkeypatch, tmp_path):
    """A file laid out as MANO's with as many vertices, drawn at random."""
    monkeypatch.setattr(mano_files, "V", 778)
    np.savez(tmp_path / "hand.npz", **mano_files.arrays())
    return ManoDecoder(str(tmp_path / "hand.npz"))


def test_points_are_from_the_middle_knuckle_in_units_of_20_cm():
    hand = RIG(turns(), torch.zeros(1, RIG.coefficients))
    rest = HandLayer("linear").rest()
    assert not hand.joints[0, 9].any()
    torch.testing.assert_close(hand.joints, (rest.joints - rest.joints[:, 9:10]) / 0.2)
    torch.testing.assert_close(hand.vertices, (rest.vertices - rest.joints[:, 9:10]) / 0.2, atol=1e-6, rtol=1e-5)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 15))
def test_a_rotation_moves_what_is_beyond_its_joint_alone(which):
    """Rotation 1 + 3 f + k turns finger f from its joint 1 + k on: 1 + 4 f + k stays, and what comes after moves."""
    finger, bone = divmod(which - 1, 3)
    moved = (RIG(turns(which, BENT), torch.zeros(1, 18)).joints - RIG(turns(), torch.zeros(1, 18)).joints)[0]
    beyond = set(range(1 + 4 * finger + bone + 1, 1 + 4 * finger + 4))
    assert {joint for joint in range(21) if moved[joint].norm() > 1e-3} == beyond


def test_the_palm_turns_the_whole_hand():
    still, moved = (RIG(turns(0, angle), torch.zeros(1, 18)) for angle in (0.0, BENT))
    for before, after in zip(still, moved):
        torch.testing.assert_close(after, before @ turns(0, BENT)[:, 0].mT, atol=1e-5, rtol=1e-4)


def test_mano_turns_by_the_same_sixteen(mano):
    """Its fingers come in another order: what bends our index is its first joint, our thumb's its thirteenth."""
    shape = torch.zeros(1, mano.coefficients)
    assert mano.coefficients == 10 and mano(turns(), shape).vertices.shape == (1, 778, 3)
    for which, its in ((1, 13), (4, 1), (7, 4), (10, 10), (13, 7), (15, 9)):
        own = mano.layer(turns(its, BENT), shape)
        root = own.joints[:, FROM_MANO[9] : FROM_MANO[9] + 1]
        torch.testing.assert_close(mano(turns(which, BENT), shape).vertices, (own.vertices - root) / 0.2)


def test_mano_gives_our_joints_with_tips_of_the_mesh(mano):
    shape = torch.zeros(1, 10)
    hand, own = mano(turns(), shape), mano.layer(turns(), shape)
    root = own.joints[:, 4:5]  # its middle finger begins with its joint 4
    torch.testing.assert_close(hand.joints[:, 4::4], (own.vertices[:, list(TIPS)] - root) / 0.2)
    torch.testing.assert_close(hand.joints[:, [0, 1, 5, 9, 13, 17]], (own.joints[:, [0, 13, 1, 4, 10, 7]] - root) / 0.2)


def test_an_estimator_with_mano_tells_joints_and_no_mesh_of_ours(mano, tmp_path):
    net = create_estimator("hamuco", single={"size": 64, "width": 2, "mano": str(tmp_path / "hand.npz")}).eval()
    crops = Batch(torch.rand(2, 3, 64, 64), 99 * torch.eye(3).repeat(2, 1, 1), torch.eye(4).repeat(2, 1, 1), None, None)
    output = net(crops)
    assert output["single_shape"].shape == (2, 10) and output["fused_vertices"].shape == (2, 778, 3)
    pose = net.pose(output, crops)
    assert pose.vertices_cam is None and pose.joints_cam.shape == (2, 21, 3)
