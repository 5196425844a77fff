"""Leap Motion frames, MediaPipe results, and what HaMeR and WiLoR predict."""

from __future__ import annotations

import logging

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from layouts import hand, mirrored, moving_hand, write_json
from recording_layouts import (
    leap_service_frame,
    leapc_frame,
    mediapipe_proto_result,
    mediapipe_script_result,
    mediapipe_task_result,
    unity_frame,
)

from rigging.poses.clip import PoseError
from rigging.poses.gate.gate import gate_source
from rigging.poses.registry import open_source
from rigging.poses.rejects import count_reasons

RIGHT = moving_hand(6)
LEFT = mirrored(moving_hand(6, 1))
SIDES = {"right": RIGHT, "left": LEFT}
LEAP_LAYOUTS = (leap_service_frame, leapc_frame, unity_frame)
MEDIAPIPE_LAYOUTS = (mediapipe_task_result, mediapipe_script_result, mediapipe_proto_result)


def read(spec, **options):
    return list(open_source(spec, **options).clips())


def both_hands(layout, frame):
    return layout({side: joints[frame] for side, joints in SIDES.items()})


def expect_both(clips):
    assert [clip.mirrored for clip in clips] == [False, True]
    np.testing.assert_allclose(clips[0].joints, RIGHT, atol=1e-6)
    np.testing.assert_allclose(clips[1].joints, mirrored(LEFT), atol=1e-6)


@pytest.mark.parametrize("layout", LEAP_LAYOUTS)
def test_leap_frames_in_all_their_spellings(tmp_path, layout):
    path = tmp_path / "anna.json"
    write_json(path, [both_hands(layout, frame) for frame in range(6)])
    clips = read(f"leap:{path}", axes="unity" if layout is unity_frame else "leap", licence="mine")
    expect_both(clips)
    assert {clip.subject for clip in clips} == {"anna"} and {clip.licence for clip in clips} == {"mine"}
    assert clips[0].up == (0, 1, 0) and clips[1].up == (0, 1, 0)
    assert clips[0].fps == (90 if layout is leap_service_frame else None)


def test_leap_knows_no_up_unless_it_lies_on_the_desk(tmp_path):
    write_json(tmp_path / "a.json", {"fps": 60, "frames": [both_hands(leapc_frame, 0)]})
    (right, left) = read(f"leap:{tmp_path / 'a.json'}?mounted=head")
    assert right.up is None and left.up is None and right.fps == 60


def test_leap_hands_below_the_threshold_are_not_valid(tmp_path):
    write_json(tmp_path / "a.json", [both_hands(leap_service_frame, frame) for frame in range(6)])
    clips = read(f"leap:{tmp_path / 'a.json'}?threshold=0.6")  # the right one has 0.5, the left one 0.75
    assert [clip.valid.all() for clip in clips] == [False, True] and not clips[0].valid.any()


def test_two_people_at_one_leap_are_told_apart_by_its_numbers(tmp_path):
    frames = []
    for frame in range(6):
        one, other = (leap_service_frame({"right": joints[frame]}) for joints in (RIGHT, mirrored(LEFT)))
        other["hands"][0]["id"] = 8
        for pointable in other["pointables"]:
            pointable["handId"] = 8
        order = (one, other) if frame % 2 else (other, one)  # a device lists hands in any order
        frames.append({key: order[0][key] + order[1][key] for key in ("hands", "pointables")})
    write_json(tmp_path / "a.json", frames)
    clips = sorted(read(f"leap:{tmp_path / 'a.json'}"), key=lambda clip: -np.allclose(clip.joints, RIGHT, atol=1e-6))
    np.testing.assert_allclose(clips[0].joints, RIGHT, atol=1e-6)
    np.testing.assert_allclose(clips[1].joints, mirrored(LEFT), atol=1e-6)
    assert len(clips) == 2 and clips[0].name != clips[1].name


@pytest.mark.parametrize("source", ["leap", "mediapipe", "hamer"])
def test_frames_without_a_hand_are_missing(tmp_path, source):
    layout = {"leap": leapc_frame, "mediapipe": mediapipe_task_result, "hamer": hamer_frame}[source]
    frames = [layout({"right": joints}) for joints in RIGHT]
    frames[2] = layout({})
    frames[4] = None
    write_json(tmp_path / "a.json", frames)
    gated = gate_source(open_source(f"{source}:{tmp_path / 'a.json'}"))
    assert gated.accepted == 4 and count_reasons(gated.rejects) == {"missing": 2}
    assert sorted(reject.frame for reject in gated.rejects) == [2, 4]


@pytest.mark.parametrize("layout", MEDIAPIPE_LAYOUTS)
def test_mediapipe_world_landmarks_are_estimates(tmp_path, layout):
    write_json(tmp_path / "a.json", [both_hands(layout, frame) for frame in range(6)])
    clips = read(f"mediapipe:{tmp_path / 'a.json'}", fps=30.0)
    expect_both(clips)
    assert {clip.estimated for clip in clips} == {"all joints, from pictures (MediaPipe)"} and clips[0].fps == 30


def test_mediapipe_labels_of_pictures_that_are_not_mirrored_are_swapped_back(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    swapped = [mediapipe_task_result({"left": RIGHT[f], "right": LEFT[f]}) for f in range(6)]
    write_json(tmp_path / "a.json", swapped)
    clips = sorted(read(f"mediapipe:{tmp_path / 'a.json'}"), key=lambda clip: clip.mirrored)
    expect_both(clips)
    assert "left and right swapped" in caplog.text
    kept = read(f"mediapipe:{tmp_path / 'a.json'}?labels=kept")
    np.testing.assert_allclose(kept[0].joints, mirrored(RIGHT), atol=1e-6)


def test_mediapipe_labels_of_flat_hands_are_kept(tmp_path):
    flat = hand(np.zeros(3))
    flat[..., 2] = 0
    write_json(tmp_path / "a.json", [mediapipe_task_result({"left": joints}) for joints in flat])
    (clip,) = read(f"mediapipe:{tmp_path / 'a.json'}")
    assert clip.mirrored


def test_mediapipe_scores_below_the_threshold_are_not_valid(tmp_path):
    write_json(tmp_path / "a.json", [both_hands(mediapipe_task_result, 0)])
    assert all(clip.valid.all() for clip in read(f"mediapipe:{tmp_path / 'a.json'}?threshold=0.9"))
    assert not any(clip.valid.any() for clip in read(f"mediapipe:{tmp_path / 'a.json'}?threshold=0.95"))


def test_two_right_hands_without_numbers_are_never_joined_to_one_motion(tmp_path):
    result = mediapipe_task_result({"right": RIGHT[0]})
    both = {key: 2 * value for key, value in result.items()}
    write_json(tmp_path / "a.json", [result, result, both, both, result])
    clips = read(f"mediapipe:{tmp_path / 'a.json'}")
    assert [clip.frame_ids for clip in clips] == [(0, 1), (2,), (2,), (3,), (3,), (4,)]
    assert len({clip.name for clip in clips}) == 6


def hamer_frame(hands):
    """WiLoR-mini's result for a picture."""
    return [
        {"is_right": float(side == "right"), "wilor_preds": {"pred_keypoints_3d": [joints.tolist()]}}
        for side, joints in hands.items()
    ]


def save_hamer(path, left, **more):
    """Rows of both hands, frame by frame, as scripts around the demos collect them."""
    joints = np.stack([RIGHT, left], axis=1).reshape(-1, 21, 3)
    np.savez(path, pred_keypoints_3d=joints, is_right=[1, 0] * 6, frame=np.repeat(np.arange(10, 16), 2), **more)


@pytest.mark.parametrize("source", ["hamer", "wilor"])
@pytest.mark.parametrize("flipped", [True, False])
def test_predictions_are_read_whether_left_hands_were_flipped_or_not(tmp_path, source, flipped):
    save_hamer(tmp_path / "a.npz", LEFT if flipped else mirrored(LEFT), fps=25)
    for option in ("auto", "flipped" if flipped else "raw"):
        clips = read(f"{source}:{tmp_path / 'a.npz'}?left={option}")
        expect_both(clips)
    clip = clips[0]
    assert (clip.source, clip.tip_def, clip.fps) == (source, "mano", 25)
    assert clip.estimated == f"all joints, from pictures ({source})"


def test_predictions_come_as_json_too(tmp_path):
    write_json(tmp_path / "a.json", [both_hands(hamer_frame, frame) for frame in range(6)])
    expect_both(read(f"wilor:{tmp_path / 'a.json'}"))
    flat = [[{"right": s == "right", "joints": j[f].tolist()} for s, j in SIDES.items()] for f in range(6)]
    write_json(tmp_path / "b.json", {"frames": flat})
    expect_both(read(f"hamer:{tmp_path / 'b.json'}"))


def test_predictions_one_file_a_picture_are_frames_of_their_folder(tmp_path):
    for frame in range(6):
        path = tmp_path / "video" / f"{frame:05d}.npz"
        path.parent.mkdir(exist_ok=True)
        np.savez(path, joints=[RIGHT[frame]], right=[1])
    (tmp_path / "video" / "00002.npz").write_bytes(b"PK")
    assert len(read(f"hamer:{tmp_path}")) == 5
    source = open_source(f"hamer:{tmp_path}?frames=files")
    clips = list(source.clips())
    assert [(clip.name.split("/")[0], clip.frame_ids) for clip in clips] == [("video", (0, 1)), ("video", (3, 4, 5))]
    assert [(r.clip, r.frame, r.reason) for r in source.rejects] == [("video", 2, "missing")]


def test_what_predictions_do_not_say_is_asked_for(tmp_path):
    np.save(tmp_path / "a.npy", RIGHT)
    with pytest.raises(PoseError, match=r"no is_right for each hand, allowed are right, left \(option hand\)"):
        read(f"hamer:{tmp_path / 'a.npy'}")
    (clip,) = read(f"hamer:{tmp_path / 'a.npy'}?hand=right")
    np.testing.assert_allclose(clip.joints, RIGHT, atol=1e-6)
    flat = hand(np.zeros(3))
    flat[..., 2] = 0
    np.savez(tmp_path / "b.npz", joints=flat, is_right=0)
    with pytest.raises(PoseError, match=r"too flat to tell.*left=flipped or left=raw"):
        read(f"hamer:{tmp_path / 'b.npz'}")
    for name in ("c.pkl", "c.pt"):
        (tmp_path / name).write_bytes(b"\x80\x04.")
        with pytest.raises(PoseError, match=r"can run code, so it is not read; save the joints with numpy.savez"):
            read(f"hamer:{tmp_path / name}")


@pytest.mark.parametrize(
    ("source", "content", "message"),
    [
        ("leap", [{"hands": []}], "no hands in any of 1 frames"),
        ("leap", [leapc_frame({"right": RIGHT[0]})["hands"][0]], "no hands in any"),
        ("mediapipe", [{"handLandmarks": [[[0, 0, 0]] * 21]}], "image landmarks only, which have no scale"),
        ("mediapipe", [{"faces": 1}], "no world landmarks in any of 1 frames"),
        ("mediapipe", [{"worldLandmarks": [RIGHT[0].tolist()]}], "frame 0 has no handedness"),
        ("mediapipe", {"fps": 0} | mediapipe_task_result({"right": RIGHT[0]}), "fps is 0"),
        ("hamer", [{"pred_vertices": 1}], "no 21 joints of a hand in any of 1 frames, as pred_keypoints_3d"),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path, source, content, message):
    write_json(tmp_path / "a.json", content)
    with pytest.raises(PoseError, match=message) as told:
        read(f"{source}:{tmp_path / 'a.json'}")
    assert "a.json" in str(told.value) and "\n" not in str(told.value)


_LEAVES = st.none() | st.booleans() | st.integers(-(10**400), 10**400) | st.floats() | st.text(max_size=3)
_NAMES = ("hands", "id", "type", "digits", "bones", "arm", "wrist", "x", "handedness", "landmark", "is_right", "joints")
_KEYS = st.sampled_from((*_NAMES, "pointables", "worldLandmarks", "score"))
_ANYTHING = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=4), max_leaves=12
)


@settings(deadline=None, max_examples=50)
@given(frame=_ANYTHING, part=_ANYTHING, source=st.sampled_from(["leap", "mediapipe", "hamer"]))
def test_nothing_that_a_frame_can_hold_takes_the_others_down(tmp_path_factory, frame, part, source):
    layout = {"leap": leapc_frame, "mediapipe": mediapipe_task_result, "hamer": hamer_frame}[source]
    frames = [layout({"right": joints}) for joints in RIGHT]
    frames[1] = frame
    hands = {"leap": lambda: frames[3]["hands"], "mediapipe": lambda: frames[3]["hand_world_landmarks"]}
    hands.get(source, lambda: frames[3])()[0] = part
    path = tmp_path_factory.mktemp("frames") / "a.json"
    write_json(path, frames)
    clips = read(f"{source}:{path}")
    kept = {number for clip in clips for number, whole in zip(clip.frame_ids, clip.valid.all(1)) if whole}
    assert {0, 2, 4, 5} <= kept
