"""From the hands in a file to clips: what belongs together, and a thumb's base that the source lacks."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from layouts import hand, mirrored, moving_hand

from rigging.geometry.rotations import random_rotation
from rigging.poses.gate.gate import gate
from rigging.poses.readers.permutations import JOINT_ORDERS
from rigging.poses.readers.recordings import Recorded, consecutive
from rigging.poses.readers.sides import evidence
from rigging.poses.readers.thumb import with_thumb_base
from rigging.poses.registry import open_source


def naive_clips(frame, key):
    """Rows of each clip: one key's rows in frame order, cut at gaps, rows that share a frame alone."""
    clips = []
    for name in sorted(set(key)):
        rows = sorted((r for r in range(len(key)) if key[r] == name), key=lambda r: (frame[r], r))
        for row in rows:
            alone = [frame[r] for r in rows].count(frame[row]) > 1
            follows = clips and clips[-1][0] == name and frame[clips[-1][1][-1]] + 1 == frame[row]
            if follows and not alone and not clips[-1][2]:
                clips[-1][1].append(row)
            else:
                clips.append((name, [row], alone))
    return sorted(rows for _, rows, _ in clips)


@settings(deadline=None, max_examples=60)
@given(rows=st.lists(st.tuples(st.integers(0, 6), st.sampled_from("ab"), st.sampled_from(["left", "right"]))))
def test_clips_are_consecutive_frames_of_one_persons_hand(rows):
    rows = rows or [(0, "a", "left")]
    frame, person, side = (np.array(column) for column in zip(*rows))
    recorded = Recorded(np.zeros((len(rows), 21, 3)), frame, side, person)
    found = [run.tolist() for run in consecutive(recorded)]
    assert sorted(found) == naive_clips(frame.tolist(), [f"{p}/{s}" for p, s in zip(person, side)])
    assert [frame[run[0]] for run in found] == sorted(frame[run[0]] for run in found)


def umetrack(joints):
    """UmeTrack's 21 points (T, 21, 3): no thumb CMC, and the palm's centre last."""
    points = np.repeat((joints[:, :1] + joints[:, 9:10]) / 2, 21, axis=1)
    for joint, index in enumerate(JOINT_ORDERS["umetrack21"].indices):
        if index >= 0:
            points[:, index] = joints[:, joint]
    return points


def test_umetrack_gets_an_estimated_thumb_base_and_says_so(tmp_path):
    joints = np.concatenate([clip.joints for clip in open_source("procedural?count=60").clips()])
    for side, points in (("right", umetrack(joints)), ("left", umetrack(mirrored(joints)))):
        np.savez(tmp_path / f"{side}.npz", joints=points, order="umetrack21", hand=side)
        (clip,) = open_source(f"npz:{tmp_path / side}.npz").clips()
        assert clip.estimated == "thumb_cmc" and clip.valid.all()
        others = np.arange(21) != 1
        np.testing.assert_allclose(clip.joints[:, others], joints[:, others], atol=1e-6)
        assert np.linalg.norm(clip.joints[:, 1] - joints[:, 1], axis=-1).max() < 0.012
        reasons = {reject.reason for reject in gate([clip]).rejects}
        assert not reasons & {"missing", "proportions", "bone length", "wrong hand"}


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10**6), size=st.floats(0.6, 1.4))
def test_a_thumb_base_turns_and_scales_with_the_hand(seed, size):
    joints = moving_hand(5, seed % 100)
    joints[:, 1] = np.nan
    turn = random_rotation(np.random.default_rng(seed))
    np.testing.assert_allclose(
        with_thumb_base(size * joints @ turn.T)[:, 1], size * with_thumb_base(joints)[:, 1] @ turn.T, atol=1e-9
    )


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10**6), kinds=st.integers(1, 8))
def test_no_frame_breaks_estimates_and_evidence_of_others(seed, kinds):
    rng = np.random.default_rng(seed)
    values = rng.permutation([0.0, 1.0, -1e-9, 0.1, 1e300, np.inf, -np.inf, np.nan])[:kinds]
    bad, good = rng.choice(values, (3, 21, 3)), moving_hand(4)
    good[:, 1] = np.nan
    alone, mixed = with_thumb_base(good), with_thumb_base(np.concatenate([bad, good]))
    assert np.linalg.norm(alone[:, 1] - mixed[3:, 1], axis=-1).max() < 0.03
    assert np.isfinite(evidence(np.concatenate([bad, moving_hand(4)]), np.zeros(7, bool)))


@pytest.mark.parametrize("side", ["right", "left"])
def test_bent_hands_show_which_they_are_and_flat_ones_do_not(side):
    bent = hand(np.full(3, 0.8))
    assert evidence(bent if side == "right" else mirrored(bent), np.full(3, side == "left")) > 0.005
    assert evidence(bent if side == "right" else mirrored(bent), np.full(3, side == "right")) < -0.005
    flat = hand(np.zeros(3))
    flat[..., 2] = 0
    assert evidence(flat, np.zeros(3, bool)) == 0
