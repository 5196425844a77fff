"""A posed hand: skinned mesh, joints, arm and mirroring agree with each other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rigging.geometry.cameras import palm_frame
from rigging.geometry.mesh import volume
from rigging.geometry.rotations import axis_angle, random_rotation
from rigging.hand.asset import load_asset
from rigging.hand.bones import bone_lengths
from rigging.hand.shape import RestHand
from rigging.spin.match import match
from rigging.spin.posed import SKINNING, framing_points, mirror_faces, mirror_posed, pose_hand

ASSET = load_asset()
REST = RestHand(ASSET.template, ASSET.joints)
ARM = ASSET.template[ASSET.cut_loop] - [0.0, 0.1, 0.0]  # any points that the forearm carries
seeds = st.integers(0, 2**32 - 1)
quick = settings(max_examples=5, deadline=None)
skinnings = pytest.mark.parametrize("skinning", SKINNING)


def noisy_joints(seed: int, noise: float = 0.004) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (REST.joints + noise * rng.normal(size=(21, 3))) @ random_rotation(rng).T + rng.normal(size=3)


def posed_hand(joints: np.ndarray, retarget: str = "directions", skinning: str = "linear", forearm=None):
    frame = match(REST.joints, joints[None], retarget=retarget, forearm=forearm)[0]
    return pose_hand(ASSET, REST, ARM, frame, skinning)


def edge_lengths(vertices: np.ndarray) -> np.ndarray:
    corners = vertices[ASSET.faces]
    return np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2)


@skinnings
@quick
@given(seeds)
def test_the_rest_pose_moved_rigidly_gives_the_rest_hand_moved_rigidly(skinning, seed):
    rng = np.random.default_rng(seed)
    turn, shift = random_rotation(rng), rng.normal(size=3)
    posed = posed_hand(REST.joints @ turn.T + shift, skinning=skinning)
    for got, rest in ((posed.vertices, REST.vertices), (posed.joints, REST.joints), (posed.arm_vertices, ARM)):
        np.testing.assert_allclose(got, rest @ turn.T + shift, atol=1e-9)
    np.testing.assert_allclose(posed.rotations, np.repeat(turn[None], 21, 0), atol=1e-9)


@skinnings
@quick
@given(seeds)
def test_placing_the_hand_is_the_same_as_posing_it_to_the_placed_joints(skinning, seed):
    rng, joints = np.random.default_rng(seed), noisy_joints(seed)
    turn, shift = random_rotation(rng), rng.normal(size=3)
    placed = posed_hand(joints, skinning=skinning).placed(turn, shift)
    direct = posed_hand(joints @ turn.T + shift, skinning=skinning)
    for name in ("vertices", "joints", "arm_vertices", "rotations"):
        np.testing.assert_allclose(getattr(placed, name), getattr(direct, name), atol=1e-8)


@skinnings
@quick
@given(seeds)
def test_by_positions_the_mesh_stretches_with_the_bones_and_by_directions_it_does_not(skinning, seed):
    long = REST.joints.copy()
    long[7:9] += 0.1 * (REST.joints[7] - REST.joints[6])  # the middle phalanx of the index finger, 10 % longer
    stretched, kept = (posed_hand(long, way, skinning) for way in ("positions", "directions"))
    np.testing.assert_allclose(stretched.joints, long)
    np.testing.assert_allclose(bone_lengths(kept.joints), bone_lengths(REST.joints))
    np.testing.assert_allclose(kept.vertices, REST.vertices, atol=1e-9)
    tip = ASSET.face_nail == 2
    moved = (stretched.vertices - REST.vertices)[ASSET.faces[tip]]
    np.testing.assert_allclose(moved, np.broadcast_to(long[8] - REST.joints[8], moved.shape), atol=1e-3)


@skinnings
def test_a_bent_pose_keeps_the_mesh_whole(skinning):
    posed = posed_hand(noisy_joints(0), skinning=skinning)
    ratio = edge_lengths(posed.vertices) / edge_lengths(REST.vertices)
    assert np.percentile(ratio, 1) > 0.5
    assert np.percentile(ratio, 99) < 2


@skinnings
def test_the_arm_is_rigid_with_the_forearm_and_turns_at_the_wrist(skinning):
    bend = axis_angle(np.array([1.0, 0, 0]), 0.6)
    posed = posed_hand(REST.joints, skinning=skinning, forearm=bend[None])
    np.testing.assert_allclose(posed.arm_vertices, (ARM - REST.joints[0]) @ bend.T + REST.joints[0], atol=1e-9)
    # where only the forearm moves the hand, the hand moves with the arm
    own = np.where(ASSET.weight_bones == 0, ASSET.weight_values, 0).sum(axis=1) > 1 - 1e-9
    assert own.any()
    np.testing.assert_allclose(
        posed.vertices[own], (REST.vertices[own] - REST.joints[0]) @ bend.T + REST.joints[0], atol=1e-9
    )


@quick
@given(seeds)
def test_mirroring_twice_gives_the_same_hand_and_once_a_left_one(seed):
    posed = posed_hand(noisy_joints(seed))
    left = mirror_posed(posed)
    assert left.mirrored
    assert not mirror_posed(left).mirrored
    np.testing.assert_allclose(np.linalg.det(left.rotations), 1, atol=1e-9)
    for name in ("vertices", "joints", "arm_vertices", "rotations"):
        assert (getattr(mirror_posed(left), name) == getattr(posed, name)).all()


@quick
@given(seeds)
def test_the_mirror_image_is_the_left_rig_posed_to_mirrored_joints(seed):
    joints, mirror = noisy_joints(seed), np.array([-1.0, 1, 1])
    left_rest = RestHand(REST.vertices * mirror, REST.joints * mirror)
    frame = match(left_rest.joints, (joints * mirror)[None])[0]
    left = pose_hand(ASSET, left_rest, ARM * mirror, frame, "linear")
    mirrored = mirror_posed(posed_hand(joints))
    for name in ("vertices", "joints", "arm_vertices", "rotations"):
        np.testing.assert_allclose(getattr(left, name), getattr(mirrored, name), atol=1e-8)


def test_mirrored_faces_still_enclose_a_positive_volume():
    left = mirror_posed(posed_hand(REST.joints))
    assert volume(REST.vertices, ASSET.faces) > 0
    assert volume(left.vertices, mirror_faces(ASSET.faces)) == pytest.approx(volume(REST.vertices, ASSET.faces))


def test_an_unknown_skinning_or_several_frames_are_refused():
    several = match(REST.joints, REST.joints[None])
    with pytest.raises(ValueError, match="unknown skinning 'cubic'; allowed: dual_quaternion, linear"):
        pose_hand(ASSET, REST, ARM, several[0], "cubic")
    with pytest.raises(ValueError, match=r"allowed is one frame"):
        pose_hand(ASSET, REST, ARM, several)


def test_cameras_frame_all_joints_and_fingers_of_every_pose_but_not_the_forearm():
    hands = [posed_hand(noisy_joints(seed)) for seed in (0, 1)]
    points = framing_points(ASSET, hands)
    assert len(points) % 2 == 0
    for hand, own in zip(hands, np.split(points, 2)):
        centre, axes = palm_frame(hand.joints)
        along = [(part - centre) @ axes[:, 1] for part in (own, hand.vertices, hand.joints)]
        assert along[0].max() == along[1].max() > along[2].max()
        assert along[0].min() - 0.025 < along[2].min()  # the wrist, and not much more
        assert along[1].min() < along[0].min() - 0.02
