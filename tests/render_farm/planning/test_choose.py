"""Which poses form pairs, and what splits and subjects never share."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from render_farm.planning.candidates import join_clips
from render_farm.planning.choose import arrange, assign_splits, block_ids, split_share
from render_farm.planning.release import PairSettings, SplitSettings
from render_farm.planning.windows import best_delta, candidate_pairs, motion, pairs_at, rate_groups
from rigging.poses.clip import PoseClip

SHAPE = np.random.default_rng(0).normal(0, 0.05, (21, 3))


def clip(length, speed=0.004, fps=30.0, subject="one", name="clip", holes=()):
    """A hand that moves along x by `speed` metres a frame; frames in `holes` miss a joint."""
    joints = SHAPE + np.arange(length)[:, None, None] * [speed, 0, 0]
    valid = np.ones((length, 21), bool)
    valid[list(holes), 3] = False
    return PoseClip(joints, name, subject, "test", "none", valid=valid, fps=fps)


@pytest.fixture
def frames():
    clips = [clip(300, name=f"c{i}", subject="one" if i % 2 else "two") for i in range(6)]
    return join_clips(clips)


def test_pairs_stay_in_a_clip_and_avoid_missing_joints():
    frames = join_clips([clip(5, holes=(2,)), clip(4)])
    assert pairs_at(frames, np.arange(9), 1).tolist() == [[0, 1], [3, 4], [5, 6], [6, 7], [7, 8]]
    assert pairs_at(frames, np.arange(9), 4).tolist() == [[0, 4]]


def test_the_frame_distance_follows_the_motion_of_each_frame_rate():
    frames = join_clips([clip(60, 0.002, fps=60.0), clip(60, 0.005, fps=24.0), clip(60, 0.05, fps=None)])
    chosen = {fps: best_delta(frames, members, 0.010) for fps, members in rate_groups(frames).items()}
    assert chosen == {0.0: 1, 24.0: 2, 60.0: 4}  # 50, 10 and 8 mm


def test_pairs_that_hardly_or_hugely_move_are_left_out_and_counted():
    frames = join_clips([clip(10, 0.0), clip(20, 0.01), clip(10, 0.5)])
    pairs, dropped = candidate_pairs(frames, PairSettings(delta=1), block=1000)
    assert len(pairs) == 19
    assert np.allclose(motion(frames, pairs), 0.01, atol=1e-6)
    assert dropped == Counter({"too little motion": 9, "too much motion": 9, "across a block border": 0})


def test_pairs_never_cross_the_border_of_a_block():
    frames = join_clips([clip(30, 0.01)])
    pairs, dropped = candidate_pairs(frames, PairSettings(delta=3), block=10)
    assert (frames.frame[pairs[:, 0]] // 10 == frames.frame[pairs[:, 1]] // 10).all()
    assert dropped["across a block border"] == 6


def test_single_frames_need_no_neighbour():
    pairs, _ = candidate_pairs(join_clips([clip(1), clip(3, holes=(1,))]), PairSettings(length=1), block=10)
    assert pairs.tolist() == [[0], [1], [3]]


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000), st.integers(1, 40), st.integers(1, 7), st.booleans())
def test_splits_share_no_block_and_no_subject_and_nothing_is_lost(seed, subjects, run, by_pose_subject):
    frames = join_clips([clip(120, name=f"c{i}", subject=f"s{i % 3}") for i in range(5)])
    pairs = pairs_at(frames, np.arange(600), 2)[::3]
    rng = np.random.default_rng(seed)
    rules = SplitSettings(0.6, 0.2, 0.2, block=20)
    arranged, slots = arrange(frames, pairs, rules, subjects, run, by_pose_subject, rng)
    assert sorted(map(tuple, arranged.pairs)) == sorted(map(tuple, pairs))
    blocks = block_ids(frames, arranged.pairs, 20)
    for shared in (blocks, arranged.subject):
        owners = {}
        for item, split in zip(shared, arranged.split):
            assert owners.setdefault(item, split) == split
    assert [slots[subject].split for subject in arranged.subject] == arranged.split.tolist()
    assert set(arranged.subject) == set(range(len(slots)))
    if by_pose_subject:
        names = [frames.clips[frames.clip[first]].subject for first in arranged.pairs[:, 0]]
        assert [slots[subject].pose_subject for subject in arranged.subject] == names
    runs = 1 + int((np.diff(arranged.subject) != 0).sum())
    assert runs <= len(pairs) / run + 9  # at most one short run per split and pose subject


def test_splits_have_their_shares(frames):
    pairs = pairs_at(frames, np.arange(1800), 2)
    split = assign_splits(block_ids(frames, pairs, 30), SplitSettings(0.8, 0.1, 0.1), np.random.default_rng(1))
    assert np.allclose(np.bincount(split, minlength=3) / len(pairs), [0.8, 0.1, 0.1], atol=0.02)
    only = assign_splits(block_ids(frames, pairs, 30), SplitSettings(1.0, 0.0, 0.0), np.random.default_rng(1))
    assert set(only) == {0}


def test_the_same_seed_arranges_the_same_and_another_does_not(frames):
    pairs = pairs_at(frames, np.arange(1800), 2)
    one, same, other = (
        arrange(frames, pairs, SplitSettings(), 10, 4, False, np.random.default_rng(seed))[0] for seed in (1, 1, 2)
    )
    assert np.array_equal(one.pairs, same.pairs)
    assert np.array_equal(one.subject, same.subject)
    assert not np.array_equal(one.pairs, other.pairs)


def test_lights_are_held_out_where_there_are_enough():
    names = [f"h{i}" for i in range(8)]
    shares = [split_share(names, split, SplitSettings()) for split in range(3)]
    assert [len(share) for share in shares] == [6, 1, 1]
    assert sorted(sum(shares, ())) == names
    assert split_share(["a", "b"], 2, SplitSettings()) == ("a", "b")
    assert split_share(names, 0, SplitSettings(1.0, 0.0, 0.0)) == tuple(names)
