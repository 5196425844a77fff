"""Releases of both hands: who is shown left, how evenly, and that a left hand is a right one in a mirror."""

from __future__ import annotations

import dataclasses
import logging

import numpy as np
import pytest
from held_out_release import release_of
from hypothesis import given, settings
from hypothesis import strategies as st

from blender_scripts.looks.hdri import BLENDERS_OWN
from dataset_tools.load.transforms import mirror
from render_farm.planning.candidates import join_clips
from render_farm.planning.hands import even_sides
from render_farm.planning.make_plan import assemble, assemble_held_out
from render_farm.planning.plan import load_plan, save_plan
from render_farm.planning.release import load_release
from render_farm.planning.release_tables import HoldOutSettings, PoseSettings, SplitSettings, SubjectSettings
from render_farm.planning.spec import Specs
from render_farm.planning.split_table import split_table
from rigging.geometry.cameras import hand_frame, palm_frame
from rigging.hand.asset import load_asset
from rigging.poses.clip import PoseClip
from rigging.spin.posed import MIRROR


def of_both(**changes):
    """A release of both hands in three splits, and the same of right hands; cameras all stand upright."""
    base = load_release("mini")
    tables = {
        "hold_out": HoldOutSettings(),
        "poses": dataclasses.replace(base.poses, candidates=900),
        "subjects": SubjectSettings(count=3, run=2, skin_resolution=256),
        "splits": SplitSettings(train=0.5, val=0.25, test=0.25),
        "cameras": dataclasses.replace(base.cameras, tilt=0.0),
    }
    right = dataclasses.replace(base, samples=40, hand="right", **(tables | changes))
    return dataclasses.replace(right, hand="both"), right


@pytest.fixture(scope="module")
def planned(sampled):
    """The two releases' plans."""
    return [(release, assemble(release, "key", *sampled)) for release in of_both()]


@given(st.integers(0, 10_000), st.integers(1, 60))
@settings(deadline=None)
def test_half_of_each_split_and_of_each_subject_in_it_is_left(seed, pairs):
    rng = np.random.default_rng(seed)
    split, subject = rng.integers(0, 3, (2, pairs))
    left = even_sides(split, subject, rng)
    for groups in (split, 3 * split + subject):
        for group in np.unique(groups):
            assert abs(2 * left[groups == group].sum() - (groups == group).sum()) <= 1


def test_sampled_poses_are_dealt_out_evenly_and_all_else_is_the_plan_of_right_hands(planned):
    (_, both), (_, right) = planned
    for split in np.unique(both.split):
        assert abs(2 * both.left[both.split == split].mean() - 1) <= 1 / (both.split == split).sum()
    assert right.left is None
    for name in ("joints", "up", "wrist", "subject", "coefficients", "skin_seed"):
        assert np.array_equal(getattr(both, name), getattr(right, name)), name


def test_the_plan_keeps_the_hands_and_one_of_right_hands_says_nothing_of_them(planned, tmp_path):
    (_, both), (_, right) = planned
    for plan in (both, right):
        save_plan(plan, tmp_path / "plan.npz")
        assert load_plan(tmp_path / "plan.npz").content == plan.content
        assert ("left" in np.load(tmp_path / "plan.npz")) == (plan is both)
    assert dataclasses.replace(both, left=~both.left).content != both.content
    assert "left hands" in split_table(both) and "left hands" not in split_table(right)


def recorded(sides):
    """A source of one recording for each of `sides` (true: of a left hand), and its pairs."""
    rest = load_asset().joints.astype(np.float32)
    clips = [
        PoseClip(np.stack([rest] * 8), f"take{number}", "anna", "npz", "CC0", mirrored=left)
        for number, left in enumerate(sides)
    ]
    return join_clips(clips), np.arange(8 * len(sides)).reshape(-1, 2)


def test_a_recorded_hand_is_shown_as_it_was_recorded(tmp_path):
    release, _ = of_both(poses=PoseSettings(source="npz:somewhere"))
    plan = assemble(release, "key", *recorded((True, False, False, True, True)))
    assert plan.left.tolist() == [plan.clips[clip]["mirrored"] for clip in plan.clip]
    specs = Specs(plan, release, load_asset(), BLENDERS_OWN, tmp_path)
    for pair in (int(plan.left.argmax()), int(plan.left.argmin())):
        said = specs._metadata(2 * pair, specs.pair(pair))
        assert (said["hand"] == "left") == plan.left[pair] and said["mirrored"] is False


def test_a_source_of_one_side_says_that_no_other_is_shown(caplog):
    release, _ = of_both(poses=PoseSettings(source="npz:somewhere"))
    with caplog.at_level(logging.WARNING):
        assert assemble(release, "key", *recorded((True, True))).left.all()
    assert 'hand = "both": all poses are of left hands' in caplog.text


def test_a_left_hand_and_its_ring_are_the_mirror_image_of_the_right_hand_s(planned, tmp_path):
    """World and cameras, to float64; so what a split holds out of cameras is held out of either hand."""
    specs = [Specs(plan, release, load_asset(), BLENDERS_OWN, tmp_path) for release, plan in planned]
    left = planned[0][1].left
    for pair in (int(left.argmax()), int(left.argmin())):
        shown, right = (own.pair(pair) for own in specs)
        side = MIRROR if left[pair] else np.ones(3)
        assert np.abs(shown.hands[0].vertices - right.hands[0].vertices * side).max() < 1e-12
        assert np.abs(shown.source_joints - right.source_joints * side).max() < 1e-12
        cameras = {"K": right.cameras.K, "world_to_cam": right.cameras.world_to_cam}
        size = (right.cameras.image_size,) * 2
        for name, value in (mirror(cameras, size) if left[pair] else cameras).items():
            assert np.abs(getattr(shown.cameras, name) - value).max() < 1e-9, name


def test_the_ring_of_a_left_hand_stands_at_the_phase_that_the_plan_says_from_its_back(sampled, tmp_path):
    release = dataclasses.replace(release_of(samples=60, hold_out=HoldOutSettings(subjects=3)), hand="both")
    release = dataclasses.replace(release, cameras=dataclasses.replace(release.cameras, tilt=0.01))
    plan = assemble_held_out(release, "key", *sampled)
    specs = Specs(plan, release, load_asset(), BLENDERS_OWN, tmp_path)
    pair = int(plan.left.argmax())
    placed = specs.pair(pair)
    centre, axes = hand_frame(placed.hands[0].joints, left=True)
    across, _, back = (placed.cameras.centres[0] - centre) @ axes
    apart = np.arctan2(across, back) - 2 * np.pi / release.cameras.views * plan.strata.ring_phase[pair]
    assert abs(np.angle(np.exp(1j * apart))) < 0.02


def test_the_frame_of_a_hand_leaves_its_back():
    joints = load_asset().joints
    centre, axes = hand_frame(joints, left=False)
    assert all(map(np.array_equal, (centre, axes), palm_frame(joints)))
    mirrored = hand_frame(joints * MIRROR, left=True)
    assert np.abs(mirrored[1] - MIRROR[:, None] * axes).max() < 1e-12
    assert np.linalg.det(mirrored[1]) == pytest.approx(-1)
