"""HanCo, FreiHAND and InterHand2.6M, from files in their own layouts."""

from __future__ import annotations

import json

import numpy as np
import pytest
from layouts import (
    mirrored,
    moving_hand,
    write_freihand,
    write_hanco,
    write_interhand,
    write_json,
)

from rigging.poses.clip import PoseError
from rigging.poses.gate.checks import chirality
from rigging.poses.readers.hanco import META_KEYS
from rigging.poses.registry import open_source
from rigging.poses.rejects import count_reasons


@pytest.fixture
def hanco(tmp_path):
    """Two sequences of 6 and 4 frames; frame 2 of the first has no fit, frames 0 and 5 are not verified."""
    sequences = [moving_hand(6, 1), moving_hand(4, 2)]
    has_fit = [[True, True, False, True, True, True], [True] * 4]
    is_valid = [[False, True, True, True, True, False], [True] * 4]
    cameras = write_hanco(tmp_path, sequences, has_fit, is_valid)
    return tmp_path, sequences, cameras


def test_hanco_reads_runs_of_frames_with_their_cameras(hanco):
    root, sequences, (K, M) = hanco
    source = open_source(f"hanco:{root}")
    clips = list(source.clips())
    assert [clip.frame_ids for clip in clips] == [
        ("0000/00000000", "0000/00000001"),
        ("0000/00000003", "0000/00000004", "0000/00000005"),
        tuple(f"0001/{i:08d}" for i in range(4)),
    ]
    np.testing.assert_allclose(clips[1].joints, sequences[0][3:], atol=1e-7)
    np.testing.assert_array_equal(clips[1].extra["K"], np.tile(K, (3, 1, 1, 1)))
    np.testing.assert_array_equal(clips[1].extra["M"], np.tile(M, (3, 1, 1, 1)))
    assert [clip.subject for clip in clips] == ["hanco_3", "hanco_3", "hanco_4"]
    assert {clip.tip_def for clip in clips} == {"mano"} and "no commercial use" in clips[0].licence
    assert [(r.clip, r.frame, r.reason) for r in source.rejects] == [("0000", 2, "no fit")]
    list(source.clips())
    assert len(source.rejects) == 1  # not doubled by a second pass


def test_hanco_filters(hanco):
    root, *_ = hanco
    source = open_source(f"hanco:{root}?is_valid=true")
    assert sum(map(len, source.clips())) == 7
    assert count_reasons(source.rejects) == {"not verified": 2, "no fit": 1}
    everything = open_source(f"hanco:{root}?has_fit=false")
    assert sum(map(len, everything.clips())) == 9 and count_reasons(everything.rejects) == {"no file": 1}
    assert not list(open_source(f"hanco:{root}?split=hamuco-test").clips())
    assert len(list(open_source(f"hanco:{root}?split=hamuco-train").clips())) == 3
    assert not list(open_source(f"hanco:{root}?split=other").clips())


def test_hanco_splits_as_hamuco_counts_them():
    sources = {split: open_source(f"hanco:here?split={split}") for split in ("hamuco-train", "hamuco-test")}
    inside = {split: [s for s in range(1518) if source._in_split(s, True)] for split, source in sources.items()}
    assert inside["hamuco-train"] == list(range(1200)) and len(inside["hamuco-test"]) == 317
    assert not set(inside["hamuco-train"]) & set(inside["hamuco-test"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"has_fit": [[tr', "meta.json: not a whole JSON file"),
        (b'{"has_fit": []}', "meta.json: no is_train, is_valid, object_id, subject_id in it"),
        (json.dumps({key: [1] for key in META_KEYS}).encode(), "meta.json: is_train is no list of lists over frames"),
    ],
)
def test_hanco_without_its_table_cannot_be_read(hanco, content, message):
    (hanco[0] / "meta.json").write_bytes(content)
    with pytest.raises(PoseError, match=message):
        list(open_source(f"hanco:{hanco[0]}").clips())


def test_freihand_frames_are_clips_of_their_own(tmp_path):
    joints = moving_hand(5)
    write_freihand(tmp_path, joints, "evaluation")
    clips = list(open_source(f"freihand:{tmp_path}?split=evaluation").clips())
    np.testing.assert_allclose(np.concatenate([clip.joints for clip in clips]), joints, atol=1e-7)
    assert [clip.frame_ids for clip in clips] == [(i,) for i in range(5)]
    assert clips[0].extra["K"].shape == (1, 3, 3) and clips[0].subject == ""
    with pytest.raises(FileNotFoundError, match=r"training_xyz\.json"):
        list(open_source(f"freihand:{tmp_path}").clips())
    write_json(tmp_path / "evaluation_xyz.json", {})
    with pytest.raises(PoseError, match=r"evaluation_xyz\.json: dict, allowed is a list of frames"):
        list(open_source(f"freihand:{tmp_path}?split=evaluation").clips())


@pytest.fixture
def interhand(tmp_path):
    """Six annotated frames, every third of the video, with a gap; the left hand lacks a joint in the third."""
    right, left = moving_hand(6, 3), mirrored(moving_hand(6, 4))
    valid = np.ones((6, 42))
    valid[2, 25] = 0
    write_interhand(tmp_path, right, left, valid, [3, 6, 9, 12, 18, 21])
    return tmp_path, right, left


def test_interhand_gives_each_hand_its_own_clips(interhand):
    root, right, left = interhand
    source = open_source(f"interhand:{root}")
    clips = list(source.clips())
    assert [(clip.mirrored, clip.frame_ids) for clip in clips] == [
        (False, (3, 6, 9, 12)),
        (False, (18, 21)),
        (True, (3, 6)),
        (True, (12,)),
        (True, (18, 21)),
    ]
    np.testing.assert_allclose(clips[0].joints, right[:4], atol=1e-6)
    np.testing.assert_allclose(clips[2].joints, mirrored(left[:2]), atol=1e-6)
    assert all((chirality(clip.joints) > 0).all() for clip in clips)
    assert [(r.clip, r.frame, r.detail) for r in source.rejects] == [("0/ROM01/left", 9, "20 of 21 joints valid")]
    only = list(open_source(f"interhand:{root}?hands=left").clips())
    assert [clip.frame_ids for clip in only] == [(3, 6), (12,), (18, 21)]


def test_interhand_sequences_end_clips(interhand):
    root, *_ = interhand
    data = root / "annotations/train/InterHand2.6M_train_data.json"
    images = [{"capture": 0, "seq_name": "AB"[frame > 6], "frame_idx": frame} for frame in (3, 6, 9, 12, 18, 21)]
    write_json(data, {"images": images})
    names = [clip.name for clip in open_source(f"interhand:{root}?hands=right").clips()]
    assert names == ["0/A/right/3", "0/B/right/9", "0/B/right/18"]
    (only,) = open_source(f"interhand:{root}?hands=right,sequences=A").clips()
    assert only.name == "0/A/right/3"
    without = [clip.name for clip in open_source(f"interhand:{root}?hands=right,names=false").clips()]
    data.unlink()
    assert without == [clip.name for clip in open_source(f"interhand:{root}?hands=right").clips()]
    assert without == ["0//right/3", "0//right/18"]


def test_a_hand_that_was_never_annotated_is_no_reject(tmp_path):
    valid = np.concatenate([np.ones((3, 21)), np.zeros((3, 21))], axis=1)
    write_interhand(tmp_path, moving_hand(3), np.zeros((3, 21, 3)), valid, [0, 1, 2])
    source = open_source(f"interhand:{tmp_path}")
    assert [clip.mirrored for clip in source.clips()] == [False] and not source.rejects


def test_interhand_names_what_is_wrong(interhand):
    root, *_ = interhand
    with pytest.raises(PoseError, match=r"joint_3d\.json: captures: '7', allowed are 0"):
        list(open_source(f"interhand:{root}?captures=7").clips())
    with pytest.raises(FileNotFoundError, match=r"InterHand2\.6M_val_joint_3d\.json"):
        list(open_source(f"interhand:{root}?split=val").clips())
    (root / "annotations/train/InterHand2.6M_train_data.json").write_text("{}")
    with pytest.raises(PoseError, match="no images in it"):
        list(open_source(f"interhand:{root}").clips())
