"""HanCo, FreiHAND and InterHand2.6M as people have them: parts of a download, and single frames that are damaged."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from layouts import mirrored, moving_hand, write_freihand, write_hanco, write_interhand, write_json

from rigging.poses.clip import PoseError
from rigging.poses.gate.gate import gate_source
from rigging.poses.readers.files import chosen_numbers, frames_of_numbers, numbers, read_json
from rigging.poses.readers.units import checked_unit_scale, unit_scale
from rigging.poses.registry import open_source
from rigging.poses.rejects import count_reasons

BAD_FRAMES = {  # what stands in a JSON file in place of 21 points -> reason
    "null": "missing",
    "[]": "missing",
    "[[0, 0, 0]]": "missing",
    '"lost"': "missing",
    json.dumps([["1", "2", "3"]] * 21): "missing",
    json.dumps([[None] * 3] * 21): "missing",
    json.dumps([[0.0] * 3] * 21): "collapsed",
    json.dumps([[float("nan")] * 3] * 21): "missing",
    json.dumps([[1e300] * 3] * 21): "missing",
    "[[1" + "0" * 400 + ", 0, 0]" + ", [0, 0, 0]" * 20 + "]": "missing",
    json.dumps((5 * moving_hand(1)[0]).tolist()): "extent",
}


@pytest.fixture
def hanco(tmp_path):
    """Three sequences of 5 frames."""
    write_hanco(tmp_path, [moving_hand(5, seed) for seed in range(3)], [[True] * 5] * 3, [[True] * 5] * 3)
    return tmp_path


def accepted(gated) -> list:
    return [frame for clip in gated.clips for frame in clip.frame_ids]


@pytest.mark.parametrize("text", BAD_FRAMES)
def test_one_bad_frame_of_hanco_is_one_reject(hanco, text):
    (hanco / "xyz/0001/00000002.json").write_text(text)
    gated = gate_source(open_source(f"hanco:{hanco}"))
    assert len(accepted(gated)) == 14
    (reject,) = gated.rejects
    assert str(reject.frame).endswith("2") and reject.reason in (BAD_FRAMES[text], "damaged") and reject.detail


@pytest.mark.parametrize("text", BAD_FRAMES)
def test_one_bad_frame_of_freihand_is_one_reject(tmp_path, text):
    write_freihand(tmp_path, moving_hand(4))
    path = tmp_path / "training_xyz.json"
    frames = [json.dumps(frame) for frame in json.loads(path.read_text())]
    path.write_text(f"[{', '.join([*frames[:2], text, frames[3]])}]")
    gated = gate_source(open_source(f"freihand:{tmp_path}"))
    assert accepted(gated) == [0, 1, 3]
    assert [(r.frame, r.reason) for r in gated.rejects] == [(2, BAD_FRAMES[text])]


@pytest.mark.parametrize("change", ["entry", "world_coord", "joint_valid", "no joint_valid", "frame number"])
def test_one_bad_frame_of_interhand_is_one_reject(tmp_path, change):
    write_interhand(tmp_path, moving_hand(5), mirrored(moving_hand(5, 1)), np.ones((5, 42)), [0, 3, 6, 9, 12])
    path = tmp_path / "annotations/train/InterHand2.6M_train_joint_3d.json"
    poses = json.loads(path.read_text())
    entry = poses["0"]["6"]
    if change == "entry":
        poses["0"]["6"] = None
    elif change == "no joint_valid":
        del entry["joint_valid"]
    elif change == "frame number":
        poses["0"]["six"] = poses["0"].pop("6")
    else:
        entry[change] = entry[change][:21]
    path.write_text(json.dumps(poses))
    gated = gate_source(open_source(f"interhand:{tmp_path}"))
    assert accepted(gated) == [0, 3, 9, 12] * 2
    assert [(r.clip.split("/")[0], r.reason) for r in gated.rejects] == [("0", "damaged")]


def test_a_wrong_frame_between_incomplete_ones_is_rejected_by_the_gate(tmp_path):
    """As in facebookresearch/InterHand2.6M#104: alone in its run, it once decided the unit of the set."""
    joints, valid = moving_hand(7), np.concatenate([np.ones((7, 21)), np.zeros((7, 21))], axis=1)
    joints[3] *= 3
    valid[[2, 4], 8] = 0
    write_interhand(tmp_path, joints, np.zeros((7, 21, 3)), valid, list(range(7)))
    gated = gate_source(open_source(f"interhand:{tmp_path}"))
    assert accepted(gated) == [0, 1, 5, 6]
    assert [(r.frame, r.reason) for r in gated.rejects] == [(2, "missing"), (4, "missing"), (3, "size")]


def test_a_part_of_hanco_is_read_and_the_rest_counted(hanco):
    for folder in ("xyz", "calib"):
        for sequence in ("0001", "0002"):
            for file in (hanco / folder / sequence).iterdir():
                file.unlink()
            (hanco / folder / sequence).rmdir()
    (hanco / "xyz/0000/00000003.json").unlink()
    gated = gate_source(open_source(f"hanco:{hanco}"))
    assert accepted(gated) == [f"0000/{frame:08d}" for frame in (0, 1, 2, 4)]
    assert count_reasons(gated.rejects) == {"no file": 11} and gated.frames == 15
    assert gate_source(open_source(f"hanco:{hanco}", sequences=[0])).frames == 5
    (hanco / "xyz/0000").rename(hanco / "elsewhere")
    (hanco / "xyz").rmdir()
    with pytest.raises(FileNotFoundError, match="xyz: no such folder, allowed is HanCo or a part of it"):
        list(open_source(f"hanco:{hanco}").clips())


@pytest.mark.parametrize("content", [None, b"[]", b'{"K": []}', b"{"])
def test_poses_do_without_cameras(hanco, content):
    file = hanco / "calib/0001/00000002.json"
    file.unlink() if content is None else file.write_bytes(content)
    clips = list(open_source(f"hanco:{hanco}").clips())
    assert [len(clip) for clip in clips] == [5, 5, 5]
    assert [sorted(clip.extra) for clip in clips] == [["K", "M"], [], ["K", "M"]]


def test_a_sequence_of_hanco_with_two_people_is_cut_between_them(hanco):
    meta = json.loads((hanco / "meta.json").read_text())
    meta["subject_id"][0] = [3, 3, 8, 8, 8]
    write_json(hanco / "meta.json", meta)
    clips = list(open_source(f"hanco:{hanco}?sequences=0").clips())
    assert [(clip.subject, len(clip)) for clip in clips] == [("hanco_3", 2), ("hanco_8", 3)]


def test_a_sequence_in_another_unit_is_rejected_with_a_hint(hanco):
    for file in (hanco / "xyz/0001").iterdir():
        write_json(file, (1000 * np.array(json.loads(file.read_text()))).tolist())
    gated = gate_source(open_source(f"hanco:{hanco}"))
    assert len(accepted(gated)) == 10 and count_reasons(gated.rejects) == {"extent": 5}
    assert gated.hints == ("it looks like mm (0001)",)


def test_freihand_may_lack_its_cameras(tmp_path):
    write_freihand(tmp_path, moving_hand(4))
    write_json(tmp_path / "training_K.json", np.ones((2, 3, 3)).tolist())
    extras = [set(clip.extra) for clip in open_source(f"freihand:{tmp_path}").clips()]
    assert extras == [{"K"}, {"K"}, set(), set()]
    (tmp_path / "training_K.json").unlink()
    assert [clip.frame_ids for clip in open_source(f"freihand:{tmp_path}?frames=0+2-3").clips()] == [(0,), (2,), (3,)]


def test_numbers_and_ranges_are_chosen():
    assert chosen_numbers((), "o", 3) == {0, 1, 2} and chosen_numbers(("1", "3-4"), "o", 9) == {1, 3, 4}
    for text in ("3", "1-3", "2-1", "-1", "a", ""):
        with pytest.raises(PoseError, match=r"sequences: .*allowed are numbers 0 to 2"):
            chosen_numbers((text,), "sequences", 3)


def test_texts_and_truth_values_are_no_numbers():
    for value in (["1"], [True], [None, "1"], [[1], [1, 2]], "12", [10**400]):
        with pytest.raises(PoseError, match="not an array of numbers"):
            numbers(value, (-1,), "x")
    np.testing.assert_array_equal(numbers([1, None], (2,), "x"), [1, np.nan])
    np.testing.assert_array_equal(
        frames_of_numbers([[1, 2], None, ["a", 2]], (2,)), [[1, 2], [np.nan] * 2, [np.nan] * 2]
    )


def test_a_file_that_cannot_be_read_says_why(tmp_path):
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(PoseError, match=r"folder\.json: cannot be read \(Is a directory\)"):
        read_json(tmp_path / "folder.json")
    with pytest.raises(FileNotFoundError, match=r"gone\.json: no such file"):
        read_json(Path(tmp_path / "gone.json"))
    (tmp_path / "marked.json").write_bytes(b"\xef\xbb\xbf[1]")
    assert read_json(tmp_path / "marked.json") == [1]


@pytest.mark.parametrize(("unit", "scale"), [("m", 1.0), ("cm", 100.0), ("mm", 1000.0)])
def test_units_are_judged_by_the_plausible_frames(unit, scale):
    joints = scale * moving_hand(9)
    joints[:3], joints[3], joints[4] = 0, np.nan, 1e9
    assert unit_scale(joints, "auto", "f") == unit_scale(joints, unit, "f") == 1 / scale
    other = {"m": "mm", "cm": "m", "mm": "cm"}[unit]
    with pytest.raises(PoseError, match=rf"^f: .* {other}: it looks like {unit}$"):
        unit_scale(joints, other, "f")
    with pytest.raises(PoseError, match="which no hand does"):
        checked_unit_scale(joints, unit, "f")


def test_without_a_plausible_frame_the_unit_is_believed():
    assert unit_scale(np.zeros((2, 21, 3)), "mm", "f") == 1e-3 and unit_scale(np.zeros((2, 21, 3)), "auto", "f") == 1
    with pytest.raises(PoseError, match="unit is 'inch', allowed are auto, m, cm, mm"):
        unit_scale(np.zeros((2, 21, 3)), "inch", "f")
