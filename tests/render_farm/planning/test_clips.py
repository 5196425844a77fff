"""Releases of clips: which frames make one, what stays together, and what its neighbours know of each other."""

import dataclasses

import numpy as np
import pytest
from held_out_release import SHARES, release_of
from hypothesis import given, settings
from hypothesis import strategies as st

from blender_scripts.looks.hdri import BLENDERS_OWN
from render_farm.errors import InputError
from render_farm.planning.candidates import join_clips, read_poses
from render_farm.planning.choose import block_ids
from render_farm.planning.make_plan import WRIST_STEP, assemble, assemble_held_out, make_plan, wrist_angles
from render_farm.planning.plan import Plan, load_plan, save_plan
from render_farm.planning.release import HoldOutSettings, PairSettings, Release, SplitSettings, WristSettings
from render_farm.planning.spec import Specs
from render_farm.planning.windows import candidate_pairs, motion, stretches, windows_at
from rigging.hand.asset import load_asset
from rigging.poses.clip import PoseClip, save_clip

SHAPE = np.random.default_rng(0).normal(0, 0.05, (21, 3))
LENGTH = 6


def recording(valid, name="take", fps=30.0, speed=0.008):
    """A hand that moves by `speed` m a frame; it lacks a joint where `valid` (T,) is false."""
    joints = SHAPE + np.arange(len(valid))[:, None, None] * [speed, 0, 0]
    whole = np.repeat(np.asarray(valid, bool)[:, None], 21, axis=1)
    return PoseClip(joints, name, "anna", "test", "none", valid=whole, fps=fps)


def clip_release(**changes) -> Release:
    """A small release of sampled clips of LENGTH poses."""
    base = release_of()
    tables = {
        "pairs": PairSettings(length=LENGTH), "splits": SplitSettings(), "hold_out": HoldOutSettings(),
        "poses": dataclasses.replace(base.poses, candidates=300),
    }  # fmt: skip
    return dataclasses.replace(base, **{"samples": 10 * LENGTH, "shard_size": 2 * LENGTH, **tables, **changes})


@pytest.fixture(scope="module")
def release() -> Release:
    return clip_release()


@pytest.fixture(scope="module")
def frames(release):
    return read_poses(release)[0]


@pytest.fixture(scope="module")
def plan(release, frames) -> Plan:
    return assemble(release, "key", frames, candidate_pairs(frames, release.pairs, release.splits.block)[0])


def naive_windows(frames, delta, length, block):
    """Frame by frame: a clip begins at the first frame that no other holds, if all frames to its last are there."""
    found, taken = [], set()
    for first in range(len(frames.clip)):
        through = range(first, first + (length - 1) * delta + 1)
        if through[-1] >= len(frames.clip) or taken & set(through):
            continue
        places = {(frames.clip[i], frames.frame[i] // block) for i in through}
        if len(places) == 1 and all(frames.valid[i] for i in through):
            found.append(list(through)[::delta])
            taken |= set(through)
    return found


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=30), min_size=1, max_size=4),
    st.integers(1, 3), st.integers(3, 6), st.integers(1, 20),
)  # fmt: skip
def test_clips_share_no_frame_and_miss_none_that_the_naive_search_finds(holes, delta, length, block):
    frames = join_clips([recording([hole > 0 for hole in row], f"take{i}") for i, row in enumerate(holes)])
    found = windows_at(frames, np.arange(len(frames.clip)), delta, length, block)
    assert found.tolist() == naive_windows(frames, delta, length, block)


def test_a_stretch_ends_with_its_recording_its_block_and_at_a_missing_joint():
    frames = join_clips([recording([1, 1, 0, 1, 1, 1, 1]), recording([1, 1])])
    place, size = stretches(frames, np.arange(9), block=5)
    assert place.tolist() == [0, 1, 0, 0, 1, 0, 1, 0, 1]
    assert size.tolist() == [2, 2, 0, 2, 2, 2, 2, 2, 2]


def test_a_clip_is_left_out_for_its_mean_motion_or_for_one_step():
    still, jump = recording([1] * 8, "still", speed=0.0), recording([1] * 8, "jump")
    joints = jump.joints.copy()
    joints[6:] += 0.1
    frames = join_clips([still, dataclasses.replace(jump, joints=joints), recording([1] * 8, "good")])
    found, dropped = candidate_pairs(frames, PairSettings(length=8, delta=1), block=120)
    assert frames.clip[found].tolist() == [[2] * 8]
    assert motion(frames, found) == pytest.approx(np.full((1, 7), 0.008), abs=1e-6)
    assert +dropped == {"too little motion": 1, "too much motion": 1}


def test_the_frame_distance_is_one_at_which_clips_still_fit():
    slow = join_clips([recording([1] * 30, speed=0.001)])  # 10 mm a step would be 10 frames
    found, _ = candidate_pairs(slow, PairSettings(length=8), block=120)
    assert np.diff(found, axis=1).tolist() == [[4] * 7]
    found, _ = candidate_pairs(slow, PairSettings(length=8), block=15)
    assert set(np.diff(found, axis=1).flat) == {2}


def test_a_source_with_recordings_shorter_than_a_clip_is_told_in_one_line(tmp_path):
    save_clip(tmp_path / "short.npz", PoseClip(np.tile(load_asset().joints, (5, 1, 1)), "short", "anna", "npz", "CC0"))
    poses = dataclasses.replace(release_of().poses, source=f"npz:{tmp_path}")
    told = r"longest recording without a gap has 5 frames, a clip of \[pairs\] length = 6 takes 6: set less"
    with pytest.raises(InputError, match=told) as error:
        make_plan(clip_release(poses=poses), "key", tmp_path)
    assert "\n" not in str(error.value)


def test_the_sampler_makes_recordings_as_long_as_a_clip_and_about_as_many_frames_as_for_pairs(frames, release):
    assert {len(clip) for clip in frames.clips} == {LENGTH}
    assert abs(len(frames.clip) - 2 * release.poses.candidates) < LENGTH


def test_a_plan_of_clips_holds_frames_in_a_row_and_survives_the_disk(plan, tmp_path):
    assert plan.joints.shape == (10, LENGTH, 21, 3)
    assert (np.diff(plan.frame_id.astype(int), axis=1) == 1).all()
    assert [(plan.pair_of(sample), plan.role_of(sample)) for sample in (5, 6)] == [(0, 5), (1, 0)]
    save_plan(plan, tmp_path / "plan.npz")
    assert load_plan(tmp_path / "plan.npz").content == plan.content


def test_splits_and_blocks_never_cut_a_clip():
    source = join_clips([recording([1] * 120, f"take{i}") for i in range(3)])
    rules = clip_release(splits=SplitSettings(0.5, 0.25, 0.25, block=30), samples=48 * LENGTH)
    chosen = candidate_pairs(source, rules.pairs, 30)[0]
    assert len(chosen) == 3 * 4 * 5
    plan = assemble(rules, "key", source, chosen)
    names, frame = np.array([clip["name"] for clip in plan.clips])[plan.clip], plan.frame_id.astype(int)
    owners = {}
    for block, split in zip(zip(names, frame[:, 0] // 30), plan.split):
        assert owners.setdefault(block, split) == split
    assert (frame // 30 == frame[:, :1] // 30).all()
    assert len(np.unique(block_ids(source, chosen, 30))) == 12


def test_splits_that_hold_poses_out_hold_out_whole_clips():
    rules = clip_release(samples=40 * LENGTH, splits=SplitSettings(**SHARES), hold_out=HoldOutSettings(clusters=6))
    source = read_poses(dataclasses.replace(rules, poses=dataclasses.replace(rules.poses, candidates=600)))[0]
    plan = assemble_held_out(rules, "key", source, candidate_pairs(source, rules.pairs, rules.splits.block)[0])
    held = np.isin(plan.strata.pose_cluster, plan.strata.hold_out.clusters)
    assert (held == held[:, :1]).all()
    assert 0 < held[:, 0].sum() < len(held)


def test_wrist_angles_of_a_clip_move_smoothly_within_their_limits():
    limits = WristSettings()
    for seed in range(50):
        path = wrist_angles(limits, 120, np.random.default_rng(seed))
        for angle, (low, high) in zip(path.T, (limits.flexion, limits.deviation)):
            assert low <= angle.min() <= angle.max() <= high
            assert np.abs(np.diff(angle)).max() < 4.5 * WRIST_STEP * 1.875 / 6  # 1.875: the peak of minimum jerk
        assert np.ptp(path, axis=0).max() > WRIST_STEP


@pytest.mark.parametrize("poses", [1, 2])
def test_wrist_angles_of_pairs_are_drawn_as_they_always_were(poses):
    def before(limits, rng):
        low, high = np.array([limits.flexion, limits.deviation]).T
        middle, reach = (low + high) / 2, (high - low) / 2
        first = np.clip(middle + reach * rng.normal(0, 0.5, 2), low, high)
        steps = rng.normal(0, WRIST_STEP, (poses, 2)) * (np.arange(poses) > 0)[:, None]
        return np.clip(first + steps, low, high)

    for seed in range(20):
        drawn = [draw(WristSettings(), np.random.default_rng(seed)) for draw in (before, _wrist(poses))]
        assert np.array_equal(*drawn)


def _wrist(poses):
    return lambda limits, rng: wrist_angles(limits, poses, rng)


def test_samples_of_a_clip_know_both_neighbours_but_at_its_ends(plan, release, tmp_path, monkeypatch):
    monkeypatch.setattr("render_farm.planning.spec.cached_bake", lambda *_: None)
    specs = Specs(plan, release, load_asset(), BLENDERS_OWN, tmp_path)
    found = [specs.spec(sample) for sample in (6, 7, 11)]
    assert [spec.previous is None for spec in found] == [True, False, False]
    assert [spec.following is None for spec in found] == [False, False, True]
    assert found[0].following is found[1].posed and found[1].previous is found[0].posed
    assert found[0].cameras is found[2].cameras and found[0].look is found[2].look
    assert [spec.metadata["pair_role"] for spec in found] == [0, 1, 5]
    assert {spec.metadata["pair"] for spec in found} == {1}
