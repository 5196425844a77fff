"""A clip becomes a hand: what it holds, frame by frame, and which frames it leaves out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_clips import clip_of, sampled_clip, stick_rig

from rigging.errors import InputError
from rigging.geometry.rotations import random_rotation, rotation_angle
from rigging.hand.asset import load_asset
from rigging.hand.bones import bone_lengths
from rigging.hand.shape import RestHand, mean_subject, rest_hand, sample_subject
from rigging.posing.pose import clip_subject, pose_clip, pose_rig
from rigging.posing.rig import subject_rig
from rigging.spin.match import MODES, RETARGETS, match, matchable
from rigging.spin.posed import SKINNING, pose_hand, pose_hands

ASSET = load_asset()
MEAN = mean_subject(ASSET)
quick = settings(max_examples=5, deadline=None)
seeds = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("skinning", SKINNING)
@pytest.mark.parametrize("retarget", RETARGETS)
@pytest.mark.parametrize("mode", MODES)
def test_every_frame_is_the_one_that_pose_hand_makes(mode, retarget, skinning):
    clip = sampled_clip(3)
    hand = pose_clip(clip, MEAN, mode, retarget, skinning)
    rig = subject_rig(ASSET, MEAN)
    matched = match(rig.joints, clip.joints, mode, retarget, dorsal=rig.dorsal)
    for frame in range(3):
        one = pose_hand(ASSET, RestHand(rig.vertices, rig.joints), np.zeros((0, 3)), matched[frame], skinning)
        for name in ("vertices", "joints", "rotations"):
            np.testing.assert_allclose(getattr(hand, name)[frame], getattr(one, name), atol=1e-9)


def test_wrist_angles_bend_the_forearm_as_they_do_in_a_release():
    clip, wrist = sampled_clip(2), np.array([[0.5, 0.1], [0.4, 0.0]])
    hand, rest = pose_clip(clip, MEAN, wrist=wrist), rest_hand(ASSET, MEAN)
    for frame, one in enumerate(pose_hands(ASSET, rest, np.zeros((0, 3)), clip.joints, wrist)):
        np.testing.assert_allclose(hand.vertices[frame], one.vertices, atol=1e-12)
    assert np.abs(hand.vertices - pose_clip(clip, MEAN).vertices).max() > 0.005


@quick
@given(seeds)
def test_without_a_subject_the_hand_has_nearly_the_clips_own_bones(seed):
    subject = sample_subject(np.random.default_rng(seed), ASSET)
    rest = rest_hand(ASSET, subject)
    clip = clip_of(rest.joints @ random_rotation(np.random.default_rng(seed), 3))
    hand = pose_clip(clip)
    assert abs(clip_subject(clip).hand_length / subject.hand_length - 1) < 0.02
    assert np.abs(bone_lengths(hand.joints)[:, 1:] / bone_lengths(clip.joints)[:, 1:] - 1).max() < 0.05
    np.testing.assert_allclose(hand.residual, np.linalg.norm(hand.joints - clip.joints, axis=-1), atol=1e-12)
    assert hand.residual.max() < 0.01


@quick
@given(seeds)
def test_turning_the_clip_turns_the_hand(seed):
    turn = random_rotation(np.random.default_rng(seed))
    clip = sampled_clip(2)
    hand, turned = pose_clip(clip, MEAN), pose_clip(clip_of(clip.joints.astype(float) @ turn.T), MEAN)
    np.testing.assert_allclose(turned.vertices, hand.vertices @ turn.T, atol=1e-6)  # a clip holds float32
    assert rotation_angle(np.swapaxes(turned.rotations, -1, -2) @ turn @ hand.rotations).max() < 1e-4


def test_the_mirrored_hand_is_the_other_hand_and_twice_the_same():
    hand = pose_clip(sampled_clip(2))
    left = hand.mirror()
    assert left.left
    np.testing.assert_array_equal(left.vertices, hand.vertices * [-1, 1, 1])
    np.testing.assert_array_equal(left.residual, hand.residual)
    np.testing.assert_allclose(np.linalg.det(left.rotations), 1)
    posed = pose_rig(left.rig, clip_of(left.target))
    np.testing.assert_allclose(posed.vertices, left.vertices, atol=1e-7)
    again = left.mirror()
    for name in ("vertices", "joints", "rotations", "faces"):
        np.testing.assert_array_equal(getattr(again, name), getattr(hand, name))


def damaged(clip, frame: int, fault: str) -> np.ndarray:
    joints = clip.joints.copy()
    if fault == "collapsed":
        joints[frame] = 0
    elif fault == "two joints in one place":
        joints[frame, 7] = joints[frame, 6]
    elif fault == "a line for a palm":
        joints[frame, [0, 5, 9, 13, 17]] = np.arange(1, 6)[:, None] * np.float32([0, 0.01, 0])
    else:
        joints[frame, 3] = np.nan
    return joints


@pytest.mark.parametrize("fault", ["collapsed", "two joints in one place", "a line for a palm", "not a number"])
def test_a_frame_that_says_not_where_all_bones_point_is_left_out(fault):
    clip = clip_of(damaged(sampled_clip(5), 2, fault))
    hand = pose_clip(clip)
    assert hand.clip.frame_ids == (0, 1, 3, 4)
    np.testing.assert_allclose(hand.vertices, pose_clip(sampled_clip(5).select([0, 1, 3, 4])).vertices, atol=1e-12)
    with pytest.raises(InputError, match="npz clip a/b: none of 1 frames has 21 joints"):
        pose_clip(clip.select([2]))


@settings(max_examples=60, deadline=None)
@given(seeds, st.sampled_from([0.0, np.nan, np.inf, 1e30, 1e-9, 1e300]), st.integers(0, 62))
def test_frames_called_matchable_can_be_matched_and_no_others(seed, value, count):
    rng = np.random.default_rng(seed)
    joints = np.repeat(ASSET.joints[None], 2, axis=0)
    joints.reshape(-1)[rng.choice(126, count, replace=False)] = value
    for frame, good in zip(joints, matchable(joints)):
        if good:
            assert np.isfinite(match(ASSET.joints, frame[None]).rotations).all()
        else:
            with np.errstate(all="ignore"), pytest.raises(ValueError, match="frame 0"):
                match(ASSET.joints, frame[None])


def test_a_frame_without_an_annotation_is_left_out():
    valid = np.ones((5, 21), bool)
    valid[1, 20] = False
    assert pose_clip(clip_of(sampled_clip(5).joints, valid=valid)).clip.frame_ids == (0, 2, 3, 4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "spin"}, "npz clip a/b: unknown mode 'spin'; allowed: none"),
        ({"retarget": "both"}, "npz clip a/b: unknown retarget 'both'"),
        ({"skinning": "cubic"}, "unknown skinning 'cubic'; allowed: dual_quaternion, linear"),
        ({"wrist": np.zeros((3, 2))}, r"forearm has shape \(3, 3, 3\), allowed is \(5, 3, 3\)"),
    ],
)
def test_wrong_options_are_one_line(options, message):
    with pytest.raises(InputError, match=message):
        pose_clip(clip_of(sampled_clip(5).joints), MEAN, **options)


def test_ik_of_a_rig_without_backs_of_fingers_says_so():
    with pytest.raises(InputError, match="mode 'ik' needs `dorsal`"):
        pose_rig(stick_rig(), sampled_clip(2), mode="ik")
