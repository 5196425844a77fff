"""The arm beyond the cut: one topology, joined to the hand without a gap, bare or in a sleeve."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from rigging.geometry.mesh import face_normals, vertex_normals, volume
from rigging.hand.arm import STYLES, arm_topology, build_arm
from rigging.hand.asset import load_asset
from rigging.hand.forearm import forearm_frame
from rigging.hand.shape import RestHand, rest_hand, sample_subject
from rigging.hand.skinning import dual_quaternion
from rigging.hand.sleeve import LINING_RINGS

ASSET = load_asset()
FACES, UV = arm_topology(ASSET)
CUT = len(ASSET.cut_loop)
SKIN = ASSET.faces[~ASSET.face_cap]


def hand_and_arm(seed: int, style: str) -> tuple[RestHand, np.ndarray]:
    rng = np.random.default_rng(seed)
    rest = rest_hand(ASSET, sample_subject(rng, ASSET))
    return rest, build_arm(ASSET, rest, style, rng)


def welded(rest: RestHand, arm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Hand without cap and arm as one mesh that shares the cut."""
    place = np.concatenate([ASSET.cut_loop, len(rest.vertices) + np.arange(len(arm) - CUT)])
    return np.concatenate([rest.vertices, arm[CUT:]]), np.concatenate([SKIN, place[FACES]])


@pytest.mark.parametrize("style", STYLES)
def test_hand_and_arm_close_into_one_manifold(style: str):
    rest, arm = hand_and_arm(0, style)
    np.testing.assert_array_equal(arm[:CUT], rest.vertices[ASSET.cut_loop])
    vertices, faces = welded(rest, arm)
    sides = np.stack([faces, np.roll(faces, -1, axis=1)], -1).reshape(-1, 2)
    forward, backward = sides @ (10_000, 1), sides @ (1, 10_000)
    assert len(np.unique(forward)) == len(forward)
    assert np.isin(forward, backward).all()
    used = len(np.unique(faces))
    assert used - len(sides) // 2 + len(faces) == 2
    assert volume(vertices, faces) > volume(rest.vertices, ASSET.faces)


@pytest.mark.parametrize("seed", range(6))
def test_a_bare_arm_goes_on_smoothly_from_the_cut(seed: int):
    rest, arm = hand_and_arm(seed, "bare")
    vertices, faces = welded(rest, arm)
    hand = vertex_normals(rest.vertices, SKIN)[ASSET.cut_loop]
    beyond = vertex_normals(arm, FACES)[:CUT]
    assert np.degrees(np.arccos((hand * beyond).sum(1).clip(-1, 1))).max() < 15
    normals = face_normals(vertices, faces)[len(SKIN) :]
    middle = vertices[faces[len(SKIN) :]].mean(1)
    frame = forearm_frame(ASSET, rest)
    local = frame.local(middle)
    side = local[:, 2] < local[:, 2].max() - 0.01
    outward = (normals @ frame.axes.T)[:, :2] * local[:, :2]
    assert (outward[side].sum(1) > 0).all(), "all sides of the arm look away from its axis"


@pytest.mark.parametrize("style", STYLES)
def test_the_arm_leaves_the_frame_and_widens_towards_the_elbow(style: str):
    rest, arm = hand_and_arm(2, style)
    frame = forearm_frame(ASSET, rest)
    local = frame.local(arm)
    assert local[:, 2].max() > 0.42 * frame.size
    ring = np.hypot(*local[CUT:-1, :2].reshape(-1, 2 * CUT, 2).mean(1, keepdims=True).T)
    assert ring.max() < 0.02, "the arm does not bend away from its axis"
    near, far = (np.hypot(*local[abs(local[:, 2] / frame.size - d) < 0.02, :2].T).mean() for d in (0.09, 0.23))
    assert 1.15 * near < far < 2.2 * near


@pytest.mark.parametrize("seed", range(4))
def test_a_sleeve_hides_the_cut_and_the_hem_lies_behind_the_wrist(seed: int):
    rest, arm = hand_and_arm(seed, "sleeve")
    frame = forearm_frame(ASSET, rest)
    behind = frame.local(arm)[:, 2] / frame.size
    cut = frame.local(rest.vertices[ASSET.cut_loop])[:, 2].min() / frame.size
    assert 0.02 <= behind.min() < min(0.056, cut - 0.005)


@pytest.mark.parametrize("bend", [(-45, 0), (-45, 20), (0, -20), (45, 0), (45, 20)])
def test_the_hand_never_cuts_through_the_sleeve_when_the_wrist_bends(bend: tuple[int, int]):
    turn = Rotation.from_euler("xz", bend, degrees=True).as_matrix()
    rotations = np.concatenate([np.eye(3)[None], np.tile(turn, (20, 1, 1))])
    for seed in range(6):
        rest, arm = hand_and_arm(seed, "sleeve")
        frame = forearm_frame(ASSET, rest)
        posed = frame.local(dual_quaternion(rest, ASSET, rotations, rest.joints @ turn.T))[np.unique(SKIN)]
        rings = frame.local(arm[CUT:-1]).reshape(-1, 2 * CUT, 3)
        hem, lining = rings[5, :, 2].mean(), rings[3, :, :2]
        centre, half = (lining.max(0) + lining.min(0)) / 2, np.ptp(lining, axis=0) / 2
        inside = posed[posed[:, 2] > hem, :2]
        assert len(inside) > 20
        assert np.linalg.norm((inside - centre) / half, axis=1).max() < 1


@pytest.mark.parametrize("seed", range(4))
def test_cloth_lies_outside_its_lining(seed: int):
    rest, arm = hand_and_arm(seed, "sleeve")
    frame = forearm_frame(ASSET, rest)
    rings = frame.local(arm[CUT:-1]).reshape(-1, 2 * CUT, 3)
    lining = rings[3, :, :2]
    centre, half = (lining.max(0) + lining.min(0)) / 2, np.ptp(lining, axis=0) / 2
    assert np.linalg.norm((rings[LINING_RINGS:, :, :2] - centre) / half, axis=-1).min() > 1.0


def test_sleeves_differ_and_bare_arms_do_not():
    rest = RestHand(ASSET.template, ASSET.joints)
    for style, same in (("bare", True), ("sleeve", False)):
        one, two = (build_arm(ASSET, rest, style, np.random.default_rng(seed)) for seed in (1, 2))
        assert np.array_equal(one, two) == same
        np.testing.assert_array_equal(one, build_arm(ASSET, rest, style, np.random.default_rng(1)))


def test_the_arms_texture_shares_the_atlas_without_overlap():
    assert UV.shape == (len(FACES), 3, 2)
    a, b, c = np.moveaxis(UV, 1, 0)
    assert (np.cross(b - a, c - a) > 0).all()
    assert UV[..., 1].max() < ASSET.uv[~ASSET.face_cap][..., 1].min()
    assert UV[..., 0].min() > ASSET.uv[ASSET.face_cap][..., 0].max()


def test_an_unknown_style_is_named():
    with pytest.raises(ValueError, match="unknown arm style 'tattoo'; allowed: bare, sleeve"):
        build_arm(ASSET, RestHand(ASSET.template, ASSET.joints), "tattoo", np.random.default_rng(0))
