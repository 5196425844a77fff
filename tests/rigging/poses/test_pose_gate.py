"""The gate: good frames pass, each kind of bad frame is rejected with its own reason, and nothing is lost."""

from __future__ import annotations

import csv
from itertools import pairwise

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from layouts import hand, mirrored, moving_hand

from rigging.geometry.rotations import random_rotation
from rigging.poses.clip import PoseClip
from rigging.poses.gate import checks
from rigging.poses.gate.checks import chirality
from rigging.poses.gate.frames import clip_chirality
from rigging.poses.gate.gate import find_jumps, gate
from rigging.poses.gate.settings import GateSettings, gate_settings
from rigging.poses.rejects import Reject, count_reasons, write_rejects

FRAMES = 30
REASONS = {"missing", "collapsed", "extent", "size", "wrong hand", "proportions", "bone length", "palm", "angle"}
REASONS |= {"penetration", "jump"}


def clip_of(joints: np.ndarray, name: str = "a", subject: str = "s", **fields) -> PoseClip:
    return PoseClip(joints=joints, name=name, subject=subject, source="test", licence="CC0", **fields)


def with_bone(joints: np.ndarray, bone: int, factor: float) -> np.ndarray:
    """`bone` longer by `factor`, everything past it moved along."""
    joints = joints.copy()
    finger_end = 4 * ((bone - 1) // 4) + 5
    parent = bone - 1 if (bone - 1) % 4 else 0
    joints[..., bone:finger_end, :] += (factor - 1) * (joints[..., bone, :] - joints[..., parent, :])[..., None, :]
    return joints


def straightened(joints: np.ndarray, chain: tuple[int, ...], line: np.ndarray) -> np.ndarray:
    """The joints after the first of `chain` laid along the unit `line`, bones keeping their lengths."""
    result = joints.copy()
    for before, joint in pairwise(chain):
        result[joint] = result[before] + np.linalg.norm(joints[joint] - joints[before]) * line
    return result


def unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)


def palm_normal(joints: np.ndarray) -> np.ndarray:
    return unit(np.cross(joints[5] - joints[0], joints[17] - joints[0]))


def bent_back(joints: np.ndarray) -> np.ndarray:
    """The little finger pointing out of the back of the hand."""
    return straightened(joints, (17, 18, 19, 20), -palm_normal(joints))


def thumb_through_palm(joints: np.ndarray) -> np.ndarray:
    return straightened(joints, (2, 3, 4), unit(0.55 * joints[9] + 0.45 * joints[0] - joints[2]))


def skewed_palm(joints: np.ndarray) -> np.ndarray:
    """The ring finger's MCP 25 mm out of the palm's plane; its bone to the wrist keeps its length."""
    line = joints[13] - joints[0]
    moved = np.linalg.norm(line) * unit(line + 0.025 * palm_normal(joints))
    joints = joints.copy()
    joints[13:17] += moved - line
    return joints


BAD = {
    "missing": lambda j: np.where(np.arange(21)[:, None] == 8, np.nan, j),
    "collapsed": np.zeros_like,
    "extent": lambda j: j + np.where(np.arange(21)[:, None] == 8, 0.7, 0.0),
    "size": lambda j: 0.3 * j,
    "bone length": lambda j: with_bone(j, 6, 1.25),
    "proportions": lambda j: with_bone(j, 7, 3.0),
    "palm": skewed_palm,
    "angle": bent_back,
    "penetration": thumb_through_palm,
    "jump": lambda j: j + 0.15,
}


def test_good_frames_pass_untouched():
    clips = [clip_of(moving_hand(FRAMES, seed), f"clip{seed}") for seed in range(3)]
    gated = gate(clips)
    assert gated.clips == tuple(clips) and not gated.rejects and gated.frames == gated.accepted == 3 * FRAMES


@pytest.mark.parametrize("reason", BAD)
def test_each_kind_of_bad_frame_has_its_reason(reason):
    joints = moving_hand(FRAMES)
    joints[11] = BAD[reason](joints[11])
    gated = gate([clip_of(joints, frame_ids=tuple(f"f{i}" for i in range(FRAMES)))])
    assert [(r.frame, r.reason) for r in gated.rejects] == [("f11", reason)]
    assert [(c.name, len(c)) for c in gated.clips] == [("a+0", 11), ("a+12", FRAMES - 12)]
    assert gated.clips[1].frame_ids[0] == "f12" and gated.rejects[0].detail


def test_a_left_hand_that_was_not_mirrored_is_rejected_as_a_whole():
    wrong, right = clip_of(mirrored(moving_hand(FRAMES)), "wrong", "t"), clip_of(moving_hand(FRAMES), "right")
    gated = gate([wrong, right])
    assert gated.clips == (right,)
    assert count_reasons(gated.rejects) == {"wrong hand": FRAMES}


def test_a_hand_too_flat_to_tell_passes():
    joints = np.repeat(hand(0.0), 5, axis=0)
    for bone in range(1, 21):
        joints[:, bone, 2] *= 0.0
    evidence = clip_chirality(joints, np.zeros(5, int), GateSettings().wrong_hand)
    assert not evidence.any()


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 10**6), kinds=st.lists(st.sampled_from(sorted(set(BAD) - {"jump"})), max_size=6))
def test_every_frame_is_accepted_or_rejected_once(seed, kinds):
    rng = np.random.default_rng(seed)
    joints = moving_hand(FRAMES, seed % 7)
    bad = rng.choice(FRAMES, len(kinds), replace=False)
    for frame, kind in zip(bad, kinds):
        joints[frame] = BAD[kind](joints[frame])
    gated = gate([clip_of(joints)])
    accepted = [i for clip in gated.clips for i in clip.frame_ids]
    rejected = [r.frame for r in gated.rejects]
    assert sorted(accepted + rejected) == list(range(FRAMES))
    assert set(bad.tolist()) <= set(rejected)
    for clip in gated.clips:
        assert np.all(np.diff(clip.frame_ids) == 1)  # no clip runs over a rejected frame


ANYTHING = st.sampled_from([0.0, np.nan, np.inf, -np.inf, 1e-45, 1e-8, 0.1, -0.1, 1.0, 1e10, 3e38]) | st.floats(
    width=32
)
SPOILT = {
    "numbers": lambda j, numbers: np.resize(numbers, (21, 3)),
    "one joint": lambda j, numbers: np.where(np.arange(21)[:, None] == 6, np.resize(numbers, 3), j),
    "scaled": lambda j, numbers: j * numbers[0],
    "flat": lambda j, numbers: j * (1, 1, 0),
    "on a line": lambda j, numbers: j * (1, 0, 0),
    "joints repeated": lambda j, numbers: j[np.arange(21) // 3],
}


@settings(deadline=None, max_examples=20)
@given(
    kinds=st.lists(st.sampled_from(sorted(SPOILT)), min_size=1, max_size=6),
    numbers=st.lists(ANYTHING, min_size=1, max_size=63),
    preset=st.sampled_from(sorted(GateSettings.PRESETS)),
)
def test_whatever_a_frame_holds_it_passes_or_has_a_named_reason(kinds, numbers, preset):
    joints = moving_hand(8)
    with np.errstate(all="ignore"):
        for frame, kind in enumerate(kinds):
            joints[frame] = SPOILT[kind](joints[frame], np.array(numbers))
        known, unknown = clip_of(joints), clip_of(joints[: len(kinds)], "b", "")
    gated = gate([known, unknown], gate_settings({"preset": preset}))
    assert gated.accepted + len(gated.rejects) == gated.frames == 8 + len(kinds)
    assert {reject.reason for reject in gated.rejects} <= REASONS


def test_the_gate_does_not_depend_on_the_frame_of_reference():
    joints = moving_hand(FRAMES)
    for frame, kind in zip(range(3, 27, 4), sorted(set(BAD) - {"jump", "extent"})):
        joints[frame] = BAD[kind](joints[frame])
    turned = joints @ random_rotation(np.random.default_rng(5)).T + (3.0, -2.0, 40.0)
    assert [r.frame for r in gate([clip_of(turned)]).rejects] == [r.frame for r in gate([clip_of(joints)]).rejects]


def test_a_cut_between_scenes_splits_and_rejects_nothing():
    joints = moving_hand(FRAMES)
    joints[14:] += (0.2, 0.0, 0.0)
    gated = gate([clip_of(joints)])
    assert [len(c) for c in gated.clips] == [14, FRAMES - 14] and not gated.rejects and gated.cuts == 1


def test_slow_clips_are_cut_at_smaller_jumps_but_never_below_the_floor():
    settings = GateSettings()
    slow = np.repeat(moving_hand(1), 20, axis=0) + 0.001 * np.arange(20)[:, None, None]
    for step, cut in ((0.03, True), (0.008, False)):
        joints = slow.copy()
        joints[10:] += step
        jumps, spikes = find_jumps(joints, np.zeros(20, int), np.ones(20, bool), settings)
        assert jumps.any() == cut and not spikes.any()


def test_a_subject_nobody_knows_has_no_median_to_deviate_from():
    joints = np.concatenate([moving_hand(4), 1.3 * moving_hand(2)])
    unknown = [clip_of(frame[None], f"f{i}", subject="") for i, frame in enumerate(joints)]
    assert gate(unknown).accepted == 6
    assert count_reasons(gate([clip_of(joints)]).rejects).keys() == {"bone length"}


def test_subjects_are_judged_by_their_own_median():
    clips = [clip_of(scale * moving_hand(FRAMES), f"c{scale}", f"s{scale}") for scale in (0.8, 1.0, 1.2)]
    assert gate(clips).accepted == 3 * FRAMES


def test_a_palm_that_a_model_moves_is_the_models_affair():
    joints = moving_hand(FRAMES)
    joints[11] = skewed_palm(joints[11])
    assert gate([clip_of(joints, angles=np.zeros((FRAMES, 26)))]).accepted == FRAMES


def test_an_empty_source_gives_an_empty_result():
    gated = gate([])
    assert gated.frames == gated.accepted == 0 and gated.clips == gated.rejects == ()


def naive_chirality(joints: np.ndarray, clip: np.ndarray, noise: float) -> np.ndarray:
    result = np.zeros(len(joints))
    for value in set(clip.tolist()):
        evidence = sorted(e for e, c in zip(chirality(joints), clip) if c == value and abs(e) > noise)
        result[clip == value] = evidence[len(evidence) // 2] if evidence else 0.0
    return result


def test_chirality_by_clip_against_a_plain_loop():
    rng = np.random.default_rng(0)
    joints = rng.normal(size=(40, 21, 3)) * 0.03
    clip = np.sort(rng.integers(0, 6, 40)) * 2
    np.testing.assert_array_equal(clip_chirality(joints, clip, 0.004), naive_chirality(joints, clip, 0.004))


def test_flexion_is_that_of_the_angles_the_hand_was_made_with():
    for bend in (0.1, 0.6, 1.2):
        flexion = checks.finger_flexion(hand(bend, spread=0.0))[0]
        np.testing.assert_allclose(flexion[:, 1], bend, atol=0.02)
        np.testing.assert_allclose(flexion[:, 2], 2 / 3 * bend, atol=0.02)
        np.testing.assert_allclose(flexion[:, 0], bend, atol=0.12)  # from the plane of the palm, which is arched


def test_rejects_are_counted_and_written_as_a_table(tmp_path):
    rejects = [Reject("s", "c", i, reason, 'a "quoted", detail') for i, reason in enumerate("abba" + "b")]
    assert list(count_reasons(rejects).items()) == [("b", 3), ("a", 2)]
    path = tmp_path / "rejects.csv"
    write_rejects(path, rejects)
    with open(path, newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["source", "clip", "frame", "reason", "detail", "pose"] and len(rows) == 6
    assert rows[1] == ["s", "c", "0", "a", 'a "quoted", detail', ""] and list(tmp_path.iterdir()) == [path]
