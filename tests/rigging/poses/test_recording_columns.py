"""What recordings say of their frames and hands: used, or refused in one line; one odd hand costs no other."""

from __future__ import annotations

import json

import numpy as np
import pytest
from layouts import moving_hand, webxr_matrices, write_json, write_webxr_json
from recording_layouts import leapc_frame, mediapipe_task_result

from rigging.poses.clip import PoseError
from rigging.poses.registry import open_source

RIGHT = moving_hand(6)


def read(source, path, **options):
    return list(open_source(f"{source}:{path}", **options).clips())


def save(folder, **arrays):
    np.savez(folder / "a.npz", joints=RIGHT, **arrays)
    return folder / "a.npz"


def test_columns_of_matrices_are_used_or_refused(tmp_path):
    whole = {"mat": webxr_matrices(RIGHT), "handedness": "right"}
    np.savez(tmp_path / "a.npz", **whole, valid=np.arange(6) != 2, confidence=np.r_[np.full(5, 0.9), 0.1])
    with pytest.raises(PoseError, match=r"confidence holds 0\.9, .*threshold=0\.5"):
        read("webxr", tmp_path / "a.npz")
    (clip,) = read("webxr", tmp_path / "a.npz", threshold=0.5)
    np.testing.assert_array_equal(clip.valid.all(1), [True, True, False, True, True, False])
    np.savez(tmp_path / "a.npz", **whole, visible=np.ones(6), pos=RIGHT)
    with pytest.raises(PoseError, match="key visible is not read here, allowed are mat, radius"):
        read("webxr", tmp_path / "a.npz")


@pytest.mark.parametrize("subject", [["anna"], {"name": "anna"}, 1.5, True])
def test_a_subject_that_is_no_name_is_refused(tmp_path, subject):
    write_webxr_json(tmp_path / "a.json", RIGHT, "right")
    told = json.loads((tmp_path / "a.json").read_text())
    write_json(tmp_path / "a.json", told | {"subject": subject})
    with pytest.raises(PoseError, match=r"subject is .*, allowed is a text or a whole number"):
        read("webxr", tmp_path / "a.json")


def test_a_hand_neither_left_nor_right_is_missing_and_the_others_are_kept(tmp_path):
    leap = [leapc_frame({"right": joints}) for joints in RIGHT]
    leap[2]["hands"][0]["type"] = None
    mediapipe = [mediapipe_task_result({"right": joints}) for joints in RIGHT]
    mediapipe[2]["handedness"] = []
    hamer = [[{"is_right": 1, "pred_keypoints_3d": joints.tolist()}] for joints in RIGHT]
    hamer[2][0]["is_right"] = 0.5
    for source, frames in (("leap", leap), ("mediapipe", mediapipe), ("hamer", hamer)):
        write_json(tmp_path / "a.json", frames)
        opened = open_source(f"{source}:{tmp_path / 'a.json'}")
        kept = [frame for clip in opened.clips() for frame in clip.frame_ids]
        assert kept == [frame for frame in range(len(RIGHT)) if frame != 2]
        assert [(reject.frame, reject.reason) for reject in opened.rejects] == [(2, "missing")]


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("frame", [f"im{i}" for i in range(6)], "frame holds 'im0', allowed are whole numbers"),
        ("frame", np.arange(6) * 10**17, "frame holds 0 to 500000000000000000"),
        ("confidence", np.ones(6), "key confidence is not read here, allowed are pred_keypoints_3d"),
    ],
)
def test_columns_of_estimates_are_used_or_refused(tmp_path, key, value, message):
    np.savez(tmp_path / "a.npz", pred_keypoints_3d=RIGHT[:6], is_right=np.ones(6), **{key: value})
    with pytest.raises(PoseError, match=message):
        read("hamer", tmp_path / "a.npz")


def test_one_truth_value_holds_for_all(tmp_path):
    (clip,) = read("npz", save(tmp_path, valid=np.array(True)))
    assert clip.valid.all()
    (clip,) = read("npz", save(tmp_path, valid=False))
    assert not clip.valid.any()


@pytest.mark.parametrize(
    ("ids", "clips"),
    [
        ([7, 8, 9, 20, 21, 22], [(7, 8, 9), (20, 21, 22)]),  # frames are missing between
        ([0, 10, 20, 30, 50, 60], [(0, 10, 20, 30), (50, 60)]),  # every tenth, one is missing
        ([5.0, 6.0, 7.0, 8.0, 9.0, 10.0], [(5, 6, 7, 8, 9, 10)]),  # as tables have them
        ([11, 44, 79, 111, 143, 178], [(11, 44, 79, 111, 143, 178)]),  # times
        (["a", "b", "x", "y", "z", "zz"], [("a", "b", "x", "y", "z", "zz")]),
        ([b"a", b"b", b"c", b"d", b"e", b"f"], [tuple("abcdef")]),
    ],
)
def test_a_clip_ends_where_numbers_of_frames_are_missing(tmp_path, ids, clips):
    assert [clip.frame_ids for clip in read("npz", save(tmp_path, frame_ids=ids))] == clips


def test_rows_of_two_people_may_alternate_where_frames_are_numbered(tmp_path):
    ids, who = np.repeat(np.arange(3), 2), ["anna", "ben"] * 3
    assert [(c.subject, c.frame_ids) for c in read("npz", save(tmp_path, frame_ids=ids, subject=who))] == [
        ("anna", (0, 1, 2)),
        ("ben", (0, 1, 2)),
    ]


def test_a_threshold_without_confidences_says_so(tmp_path):
    write_json(tmp_path / "a.json", [leapc_frame({"right": joints}) for joints in RIGHT])
    with pytest.raises(PoseError, match=r"a\.json: no confidence in it that threshold=0\.5 could judge"):
        read("leap", tmp_path / "a.json", threshold=0.5)
