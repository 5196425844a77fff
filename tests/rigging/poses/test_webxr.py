"""WebXR and OpenXR recordings: matrices in either order, joints by any name, hands that come and go."""

from __future__ import annotations

import json
import os
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from layouts import mirrored, moving_hand, webxr_matrices, write_json, write_webxr_json
from recording_layouts import xyz

from rigging.geometry.rotations import random_rotation
from rigging.poses.clip import PoseError
from rigging.poses.gate.checks import chirality
from rigging.poses.gate.gate import gate_source
from rigging.poses.readers.joint_names import WEBXR_NAMES, joint_key
from rigging.poses.readers.matrices import positions
from rigging.poses.registry import open_source
from rigging.poses.rejects import count_reasons

DATA = Path(os.environ.get("MVHM_DATA", Path(__file__).parents[3] / "../shared/data"))
JOINTS = moving_hand(6)
POINTS = webxr_matrices(JOINTS)[..., :3, 3]


def read(path, **options):
    return list(open_source(f"webxr:{path}", **options).clips())


def turned(matrices):
    """The same places with some rotation in them."""
    matrices = matrices.copy()
    matrices[..., :3, :3] = random_rotation(np.random.default_rng(0))
    return matrices


def named(points):
    return {name: {"position": point.tolist(), "radius": 0.01} for name, point in zip(WEBXR_NAMES, points)}


@pytest.mark.parametrize("layout", ["npz", "json"])
def test_hands_become_right_hands(tmp_path, layout):
    joints = mirrored(JOINTS)
    path = tmp_path / f"hand.{layout}"
    if layout == "npz":
        np.savez(path, mat=webxr_matrices(joints), radius=np.full(25, 0.01), handedness="left", fps=30.0)
    else:
        write_webxr_json(path, joints, "left")
    (clip,) = read(path)
    np.testing.assert_allclose(clip.joints, JOINTS, atol=1e-6)
    assert clip.mirrored and clip.up == (0, 1, 0) and clip.fps == 30 and clip.subject == "hand"
    assert clip.extra["webxr25"].shape == (6, 25, 3) and np.allclose(clip.extra["radius"], 0.01)


@pytest.mark.parametrize("stored", ["rows", "columns"])
@pytest.mark.parametrize("shape", [(6, 25, 4, 4), (6, 25, 16), (6, 400)])
def test_matrices_are_read_in_either_order(tmp_path, stored, shape):
    matrices = turned(webxr_matrices(JOINTS))
    matrices = matrices.swapaxes(-1, -2) if stored == "columns" else matrices
    matrices[3] = np.nan  # as fillPoses leaves them where the hand is lost
    matrices[4, 7] = 0
    np.savez(tmp_path / "a.npz", mat=matrices.reshape(shape).astype(np.float32), handedness="right")
    for order in ("auto", stored):
        (clip,) = read(tmp_path / "a.npz", matrices=order)
        np.testing.assert_allclose(clip.joints[:3], JOINTS[:3], atol=1e-6)
        assert clip.valid.all(1).tolist() == [True, True, True, False, False, True]


def test_matrices_that_are_no_transforms_are_refused():
    with pytest.raises(PoseError, match="neither the last rows nor the last columns"):
        positions(np.random.default_rng(0).normal(size=(6, 25, 4, 4)), "auto", "mat")
    with pytest.raises(PoseError, match=r"shape \(25, 3\), allowed is \(T, 25, 4, 4\)"):
        positions(np.zeros((25, 3)), "auto", "mat")


def test_several_hands_in_one_file_become_clips_of_their_own(tmp_path):
    both = np.stack([webxr_matrices(JOINTS), webxr_matrices(mirrored(JOINTS))], axis=1)
    np.savez(tmp_path / "a.npz", mat=both, handedness=["right", "left"], subject="anna")
    frames = [{"hands": {"right": {"joints": named(p)}, "left": {"joints": named(p * (-1, 1, 1))}}} for p in POINTS]
    write_json(tmp_path / "b.json", {"frames": frames, "subject": "anna"})
    inputs = [
        [{"handedness": "right", "joints": named(p)}, {"handedness": "left", "joints": named(p * (-1, 1, 1))}]
        for p in POINTS
    ]
    write_json(tmp_path / "c.json", [{"inputSources": hands, "subject": "anna"} for hands in inputs])
    write_json(tmp_path / "d.json", [{"right": named(p), "left": named(p * (-1, 1, 1))} for p in POINTS])
    for name in ("a.npz", "b.json", "c.json", "d.json"):
        clips = read(tmp_path / name)
        assert sorted(clip.mirrored for clip in clips) == [False, True]
        for clip in clips:
            np.testing.assert_allclose(clip.joints, JOINTS, atol=1e-6)
        assert {clip.subject for clip in clips} == {"d" if name == "d.json" else "anna"}
    with pytest.raises(PoseError, match="both hands are in it"):
        read(tmp_path / "b.json", hand="left")


def test_a_hand_that_leaves_while_the_other_stays_is_cut_not_missing(tmp_path):
    frames = [{"right": named(p), "left": named(p * (-1, 1, 1))} for p in POINTS]
    del frames[2]["left"], frames[4]["left"], frames[4]["right"]
    write_json(tmp_path / "a.json", frames)
    gated = gate_source(open_source(f"webxr:{tmp_path / 'a.json'}"))
    assert count_reasons(gated.rejects) == {"missing": 1}  # frame 4 shows no hand at all
    assert sorted(clip.frame_ids for clip in gated.clips if clip.mirrored) == [(0, 1), (3,), (5,)]


LOST = {"position": [0.0, 0.0, 0.0], "isTracked": False}  # a place that says of itself that it is none


@pytest.mark.parametrize("lost", [None, {}, [], {"joints": None}, {"joints": {}}, {"joints": []}, "gone", 3, "held"])
def test_frames_without_a_hand_are_missing_and_the_rest_is_kept(tmp_path, lost):
    frames = [{"joints": named(p)} for p in POINTS]
    frames[2] = frames[2] | {"tracked": False} if lost == "held" else lost  # held: the last hand, marked
    write_json(tmp_path / "a.json", {"handedness": "right", "fps": None, "frames": frames})
    gated = gate_source(open_source(f"webxr:{tmp_path / 'a.json'}"))
    assert gated.accepted == 5 and [(r.frame, r.reason) for r in gated.rejects] == [(2, "missing")]
    assert gated.clips[0].fps is None


@pytest.mark.parametrize(
    "joint", [None, {}, {"position": None}, {"position": [1, 2]}, {"position": ["a", 0, 0]}, 7, LOST]
)
def test_a_joint_that_is_not_tracked_makes_its_frame_missing(tmp_path, joint):
    frames = [{"joints": named(p)} for p in POINTS]
    frames[2]["joints"]["thumb-tip"] = joint
    write_json(tmp_path / "a.json", {"handedness": "right", "frames": frames})
    gated = gate_source(open_source(f"webxr:{tmp_path / 'a.json'}"))
    assert [(r.frame, r.reason, r.detail) for r in gated.rejects] == [(2, "missing", "20 of 21 joints valid")]


def test_positions_come_as_lists_objects_transforms_or_matrices(tmp_path):
    spellings = (
        lambda p: {"position": p.tolist()},
        lambda p: {"position": xyz(p)},
        xyz,
        lambda p: p.tolist(),
        lambda p: {"transform": {"position": xyz(p) | {"w": 1}, "matrix": None}},
        lambda p: {"matrix": [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, *p.tolist(), 1]},
    )
    for spell in spellings:
        frames = [{"joints": {name: spell(p) for name, p in zip(WEBXR_NAMES, points)}} for points in POINTS]
        write_json(tmp_path / "a.json", {"handedness": "right", "frames": frames})
        (clip,) = read(tmp_path / "a.json")
        np.testing.assert_allclose(clip.joints, JOINTS, atol=1e-6)


def test_joints_come_by_name_in_webxr_openxr_and_engines_or_as_a_list(tmp_path):
    openxr = ["XR_HAND_JOINT_WRIST_EXT", *(f"XR_HAND_JOINT_{part}_EXT" for part in _openxr_parts())]
    unity = ["Wrist", *(part.title().replace("_", "") for part in _openxr_parts())]
    layouts = [
        lambda points: {name: p.tolist() for name, p in zip(openxr, points)},
        lambda points: {name: p.tolist() for name, p in zip(unity, points)},
        lambda points: points.tolist(),
        lambda points: [[0, 0, 0], *points.tolist()],  # OpenXR's list begins with the palm
        lambda points: [{"jointName": name} | xyz(p) for name, p in zip(WEBXR_NAMES, points)],
    ]
    for layout in layouts:
        write_json(tmp_path / "a.json", {"handedness": "right", "frames": [{"joints": layout(p)} for p in POINTS]})
        (clip,) = read(tmp_path / "a.json")
        np.testing.assert_allclose(clip.joints, JOINTS, atol=1e-6)
    assert len({joint_key(name) for name in WEBXR_NAMES}) == 25


def _openxr_parts():
    thumb = [f"THUMB_{part}" for part in ("METACARPAL", "PROXIMAL", "DISTAL", "TIP")]
    parts = ("METACARPAL", "PROXIMAL", "INTERMEDIATE", "DISTAL", "TIP")
    return thumb + [f"{finger}_{part}" for finger in ("INDEX", "MIDDLE", "RING", "LITTLE") for part in parts]


def test_openxr_matrices_begin_with_the_palm(tmp_path):
    matrices = webxr_matrices(JOINTS)
    np.savez(tmp_path / "a.npz", mat=np.concatenate([matrices[:, 11:12], matrices], axis=1), handedness="right")
    (clip,) = read(tmp_path / "a.npz")
    np.testing.assert_allclose(clip.joints, JOINTS, atol=1e-6)
    assert clip.extra["openxr26"].shape == (6, 26, 3)


def test_poses_of_handy_js_are_single_frames_in_millimetres(tmp_path):
    poses = [{"names": ["a"], "handedness": "right", "jointPositions": (1e3 * p).tolist()} for p in POINTS]
    write_json(tmp_path / "a.json", poses)
    clips = read(tmp_path / "a.json")
    np.testing.assert_allclose(np.concatenate([clip.joints for clip in clips]), JOINTS, atol=1e-6)
    assert len(clips) == 6 and clips[0].up is None


def test_a_recorder_that_was_killed_leaves_its_last_line_half(tmp_path):
    lines = [json.dumps({"handedness": "right", "joints": named(p)}) for p in POINTS]
    (tmp_path / "a.jsonl").write_text("\n".join(lines)[:-100])
    gated = gate_source(open_source(f"webxr:{tmp_path / 'a.jsonl'}"))
    assert gated.accepted == 5 and count_reasons(gated.rejects) == {"missing": 1}


@pytest.mark.parametrize("indent", [None, 1])
def test_a_recording_cut_short_is_no_whole_json(tmp_path, indent):
    text = json.dumps({"handedness": "right", "frames": [{"joints": named(p)} for p in POINTS]}, indent=indent)
    (tmp_path / "a.json").write_text(text[:-100])
    with pytest.raises(PoseError, match=r"a\.json: not a whole JSON file"):
        read(tmp_path / "a.json")


def test_what_is_wrong_is_named(tmp_path):
    np.savez(tmp_path / "a.npz", mat=webxr_matrices(moving_hand(1))[0])
    with pytest.raises(PoseError, match=r"a\.npz: handedness is not in the file, allowed are right, left"):
        read(tmp_path)
    np.savez(tmp_path / "a.npz", mat=webxr_matrices(moving_hand(1)), names=["wrist"] * 25)
    with pytest.raises(PoseError, match="names are not the 25 WebXR joints"):
        read(tmp_path, hand="left")
    np.savez(tmp_path / "a.npz", mat=webxr_matrices(moving_hand(2)), radius=np.zeros(7))
    with pytest.raises(PoseError, match=r"radius has shape \(7,\), allowed is \(2, 25\)"):
        read(tmp_path, hand="left")
    (tmp_path / "a.npz").unlink()
    with pytest.raises(FileNotFoundError, match=r"no \.npz or \.json"):
        read(tmp_path, hand="left")
    for data, message in (
        ({"handedness": "none", "frames": [{"joints": named(POINTS[0])}]}, "handedness is none"),
        ({"handedness": "left", "frames": []}, "no frames in it"),
        ({"handedness": "left", "frames": [{"joints": {"a": 1}}]}, "no joints of a hand in any of 1 frames"),
        ({"handedness": "left", "fps": 0, "frames": [{"joints": named(POINTS[0])}]}, "fps is 0, allowed is a positive"),
        ({"handedness": "left", "frames": [{"joints": named(1e3 * POINTS[0])}]}, "it looks like mm"),
    ):
        write_json(tmp_path / "b.json", data)
        with pytest.raises(PoseError, match=message):
            read(tmp_path / "b.json")


_LEAVES = st.none() | st.booleans() | st.integers(-(10**400), 10**400) | st.floats() | st.text(max_size=3)
_KEYS = st.sampled_from(
    ["joints", "hands", "left", "position", "wrist", "x", "y", "z", "handedness", "matrix", "radius"]
)
_ANYTHING = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=4), max_leaves=12
)


@settings(deadline=None, max_examples=60)
@given(frame=_ANYTHING, joint=_ANYTHING)
def test_nothing_that_a_frame_can_hold_takes_the_others_down(tmp_path_factory, frame, joint):
    frames = [{"joints": named(p)} for p in POINTS]
    frames[1] = frame
    frames[3]["joints"]["thumb-tip"] = joint
    path = tmp_path_factory.mktemp("frames") / "a.json"
    write_json(path, {"handedness": "right", "frames": frames})
    kept = {id_ for clip in read(path) for id_, whole in zip(clip.frame_ids, clip.valid.all(1)) if whole}
    assert {0, 2, 4, 5} <= kept


@pytest.mark.skipif(not (DATA / "webxr").is_dir(), reason=f"no WebXR recordings in {DATA / 'webxr'}")
def test_real_left_hands():
    clips = read(DATA / "webxr", hand="left")
    assert [clip.name.rsplit("_")[-1] for clip in clips] == ["pinch", "point", "relaxed"]
    assert all(chirality(clip.joints)[0] > 0.005 for clip in clips)
    pinch = clips[0].joints[0]
    assert np.linalg.norm(pinch[4] - pinch[8]) < 0.03 < np.linalg.norm(pinch[4] - pinch[12])
