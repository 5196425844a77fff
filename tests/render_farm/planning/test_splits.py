"""Splits beside those that hold a factor out: their shares, what they share with train, and blocks that stay whole."""

import dataclasses

import numpy as np
import pytest
from held_out_release import SEEDS, SHARES, TESTED, TRAIN, levels, release_of
from hypothesis import given, settings
from hypothesis import strategies as st

from blender_scripts.looks.hdri import BLENDERS_OWN
from render_farm.planning.candidates import join_clips, read_poses
from render_farm.planning.deal import deal_blocks
from render_farm.planning.hold_out import HoldOut, pair_bands, pair_look
from render_farm.planning.make_plan import assemble_held_out
from render_farm.planning.plan import load_plan, save_plan
from render_farm.planning.release_tables import HoldOutSettings, SplitSettings
from render_farm.planning.spec import Specs
from render_farm.planning.splits import SPLITS, holds_out
from render_farm.planning.windows import candidate_pairs
from rigging.geometry.cameras import palm_frame
from rigging.hand.asset import load_asset
from rigging.poses.clip import PoseClip


def test_every_split_has_its_share(plans):
    for plan in plans:
        found = np.bincount(plan.split, minlength=len(SPLITS))
        assert found.sum() == 200
        for name, pairs in zip(SPLITS, found):
            assert abs(pairs - 200 * SHARES[name]) <= 1.5


def test_strata_shared_are_shared_in_like_proportions(plans):
    """Over all seeds: distance of the distributions (Kolmogorov's) of each split that shares a factor, from train's."""
    for split in TESTED[1:]:
        if not holds_out(split, "pose"):
            assert _apart(plans, split, lambda plan: plan.strata.pose_cluster[:, 0]) < 0.15
        assert _apart(plans, split, lambda plan: plan.ita[plan.subject]) < 0.2
        assert _apart(plans, split, lambda plan: plan.hand_length[plan.subject]) < 0.3
        if not holds_out(split, "background"):
            assert _apart(plans, split, lambda plan: (plan.strata.background == "clutter").astype(float)) < 0.2
        if not holds_out(split, "camera"):
            assert _apart(plans, split, lambda plan: plan.strata.ring_tilt) < 0.3
            assert _apart(plans, split, lambda plan: plan.strata.ring_phase) < 0.3


def _apart(plans, split, values):
    ours, train = (np.concatenate([values(plan)[plan.split == s] for plan in plans]) for s in (split, TRAIN))
    steps = np.unique(np.concatenate([ours, train]))
    return max(abs((ours <= step).mean() - (train <= step).mean()) for step in steps)


def test_a_reference_shares_subjects_with_train_and_no_pair(plans):
    for plan in plans:
        val = SPLITS.index("val")
        assert (plan.subject_split[plan.subject[plan.split == val]] == TRAIN).all()
        frames = [set(map(tuple, plan.frame_id[plan.split == split])) for split in (TRAIN, val)]
        clips = [set(plan.clip[plan.split == split]) for split in (TRAIN, val)]  # a clip of two frames is a pair
        assert not clips[0] & clips[1]
        assert all(frames)


def test_a_plan_is_the_same_again_on_disk_and_for_other_seeds_another(plans, sampled, tmp_path):
    again = assemble_held_out(release_of(SEEDS[0]), "key", *sampled)
    assert again.content == plans[0].content != plans[1].content
    save_plan(again, tmp_path / "plan.npz")
    assert load_plan(tmp_path / "plan.npz").content == again.content
    held = plans[0].strata.hold_out
    assert HoldOut.from_json(held.to_json()) == held
    assert held != plans[1].strata.hold_out


def test_what_the_plan_says_of_a_pair_is_what_is_rendered_in_any_order(plans):
    plan, release = plans[0], release_of(SEEDS[0])
    for index in np.random.default_rng(0).permutation(len(plan.split))[:40]:
        look = pair_look(release, plan.strata.hold_out, int(plan.split[index]), int(index), BLENDERS_OWN)
        assert (look.background, look.hdri) == (plan.strata.background[index], plan.strata.panorama[index])


def test_a_pair_is_of_one_split_and_its_ring_stands_where_the_plan_says(plans, tmp_path):
    plan, release = plans[0], release_of(SEEDS[0])
    index = int(np.flatnonzero(plan.split == SPLITS.index("test_camera"))[0])
    specs = Specs(plan, release, load_asset(), BLENDERS_OWN, tmp_path)
    assert [specs.spec(2 * index + role).metadata["split"] for role in (0, 1)] == ["test_camera"] * 2
    placed = specs.pair(index)
    assert plan.strata.ring_tilt[index] == pytest.approx(_tilt_of(placed), abs=1e-6)
    assert pair_bands(release, plan.strata.hold_out, SPLITS.index("test_camera")).tilt == (plan.strata.hold_out.tilt,)


def _tilt_of(placed):
    centre, axes = palm_frame(placed.hands[0].joints)
    normal = np.linalg.svd(placed.cameras.centres - centre)[2][2]
    return np.arccos(abs(normal @ axes[:, 1]))


# Blocks


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10_000), st.integers(1, 6))
def test_blocks_are_dealt_whole_in_their_shares_and_train_has_every_stratum(seed, size):
    rng = np.random.default_rng(seed)
    blocks = rng.permutation(np.arange(240) // size)
    strata = rng.integers(0, 6, (240, 1))
    dealt = deal_blocks(blocks, strata, (0.5, 0.2, 0.2, 0.1), True, rng)
    for block in np.unique(blocks):
        assert len(set(dealt[blocks == block])) == 1
    assert set(strata[dealt == 0].flat) == set(strata.flat)
    assert np.abs(np.bincount(dealt, minlength=4) - [120, 48, 48, 24]).max() <= max(6, 2 * size)


# Recordings: many frames a clip


def recordings(clips=24, length=120):
    """Hands of two people whose fingers wander; every clip is long."""
    release = release_of()
    poses = read_poses(dataclasses.replace(release, poses=dataclasses.replace(release.poses, candidates=clips * 4)))[0]
    found = []
    for number in range(clips):
        keys = poses.joints[8 * number : 8 * number + 8 : 2].astype(np.float64)
        place = np.linspace(0, len(keys) - 1.001, length)
        at, part = place.astype(int), (place % 1)[:, None, None]
        joints = (1 - part) * keys[at] + part * keys[at + 1]
        found.append(PoseClip(joints, f"take{number}", "anna" if number % 2 else "otto", "npz", "CC0", fps=30.0))
    return join_clips(found)


def test_blocks_of_a_recording_stay_in_one_split_and_subjects_follow_who_recorded_them():
    frames = recordings()
    release = release_of(
        samples=160,
        poses=dataclasses.replace(release_of().poses, source="npz:somewhere"),
        splits=SplitSettings(**{**SHARES, "block": 20}),
        hold_out=HoldOutSettings(clusters=6),
    )
    pairs, _ = candidate_pairs(frames, release.pairs, 20)
    plan = assemble_held_out(release, "key", frames, pairs)
    frame = plan.frame_id.astype(int)
    names = np.array([clip["name"] for clip in plan.clips])[plan.clip]
    owners = {}
    for block, split in zip(zip(names, frame[:, 0] // 20), plan.split):
        assert owners.setdefault(block, split) == split
    assert (frame // 20 == frame[:, :1] // 20).all()
    for split in TESTED:
        if not holds_out(split, "pose"):
            assert levels(plan, "pose", split) <= levels(plan, "pose", TRAIN)
    held = set(plan.strata.hold_out.clusters)
    out = np.isin(plan.strata.pose_cluster, list(held))
    assert (out == np.array([holds_out(s, "pose") for s in plan.split])[:, None]).all()
