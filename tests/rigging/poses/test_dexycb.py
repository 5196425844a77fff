"""DexYCB's label files: subjects, sequences and cameras by their folders."""

from __future__ import annotations

import numpy as np
import pytest
from layouts import hand, mirrored, moving_hand
from recording_layouts import write_dexycb

from rigging.poses.clip import PoseError
from rigging.poses.gate.gate import gate_source
from rigging.poses.registry import open_source
from rigging.poses.rejects import count_reasons

JOINTS = moving_hand(5)


def read(path, **options):
    return list(open_source(f"dexycb:{path}", **options).clips())


@pytest.fixture
def root(tmp_path):
    """Two subjects, the second left-handed; the first was seen by two cameras, the first frame of it without a hand."""
    joints = JOINTS.copy()
    joints[0] = np.nan
    write_dexycb(tmp_path, joints)
    write_dexycb(tmp_path / "other", joints + 0.1)  # made elsewhere, for its labels only
    second = tmp_path / "20200709-subject-01/20200709_141754/9322"
    (tmp_path / "other/20200709-subject-01/20200709_141754/8400").rename(second)
    write_dexycb(tmp_path, mirrored(JOINTS), "left", "20200813-subject-02")
    (second / "color_000000.jpg").write_bytes(b"no labels")
    return tmp_path


def test_subjects_and_hands_come_from_the_folders(root):
    gated = gate_source(open_source(f"dexycb:{root}"))
    assert count_reasons(gated.rejects) == {"missing": 1} and gated.accepted == 9
    first, second = gated.clips
    assert first.name.startswith("20200709-subject-01/20200709_141754/8400") and first.subject == "20200709-subject-01"
    assert first.frame_ids == ("000001", "000002", "000003", "000004")
    np.testing.assert_allclose(first.joints, JOINTS[1:], atol=1e-6)
    np.testing.assert_allclose(second.joints, JOINTS, atol=1e-6)
    assert second.mirrored and second.subject == "20200813-subject-02"
    assert (first.tip_def, first.fps, first.licence) == ("mano", 30, "DexYCB: CC BY-NC 4.0")


def test_cameras_and_sequences_are_chosen(root):
    assert len(read(root, cameras=("all",))) == 3
    assert [clip.name.split("/")[-1] for clip in read(root, sequences=("*subject-01/*",), cameras=("9322",))] == [
        "9322"
    ]
    with pytest.raises(PoseError, match="20200813-subject-02/20200709_141754 has no camera 9322, there are 8400"):
        read(root, cameras=("9322",))
    with pytest.raises(PoseError, match="sequences '2021\\*' fits none of 2 recordings"):
        read(root, sequences=("2021*",))


def test_any_part_of_the_tree_may_be_given(root):
    sequence = root / "20200709-subject-01/20200709_141754"
    for path in (sequence.parent, sequence, sequence / "8400"):
        (clip,) = read(path)
        assert clip.name == "20200709-subject-01/20200709_141754/8400" and clip.subject == "20200709-subject-01"
    (clip,) = read(sequence / "8400/labels_000003.npz")
    np.testing.assert_allclose(clip.joints, JOINTS[3:4], atol=1e-6)


def test_labels_in_a_folder_of_another_name_are_one_person_and_their_bend_tells_the_hand(tmp_path):
    folder = write_dexycb(tmp_path, mirrored(JOINTS), "left", "somewhere", "mine")
    (folder.parent / "meta.yml").unlink()
    (clip,) = read(folder)
    assert clip.mirrored and clip.subject == "mine" and clip.name == "mine"
    flat = hand(np.zeros(1))
    flat[..., 2] = 0
    folder = write_dexycb(tmp_path, flat, "left", "elsewhere", "mine")
    (folder.parent / "meta.yml").unlink()
    with pytest.raises(PoseError, match=r"no meta.yml says which hand it is, .* \(option hand\)"):
        read(folder)
    assert read(folder, hand="left")[0].mirrored


def test_a_damaged_label_file_is_a_missing_frame(root, caplog):
    file = root / "20200813-subject-02/20200709_141754/8400/labels_000002.npz"
    file.write_bytes(file.read_bytes()[:50])
    gated = gate_source(open_source(f"dexycb:{root}?sequences=*02/*"))
    assert gated.accepted == 4 and [reject.frame for reject in gated.rejects] == ["000002"]
    assert "labels_000002.npz: not a whole .npz" in caplog.text
    with pytest.raises(PoseError, match=r"labels_000002.npz"):
        read(file)


def test_what_is_wrong_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no such folder, or no labels_\*\.npz"):
        read(tmp_path)
    folder = write_dexycb(tmp_path, JOINTS)
    (folder.parent / "meta.yml").write_text("mano_sides: [both]\n")
    with pytest.raises(PoseError, match=r"meta.yml: no mano_sides in it, right or left"):
        read(tmp_path)
    (folder.parent / "meta.yml").write_text("mano_sides: [right]\n")
    assert not read(tmp_path)[0].mirrored
    np.savez(folder / "labels_000000.npz", seg=1)
    with pytest.raises(PoseError, match=r"labels_000000.npz: no joint_3d in it"):
        read(folder / "labels_000000.npz")


def test_a_label_file_that_is_gone_ends_a_clip(root):
    (root / "20200813-subject-02/20200709_141754/8400/labels_000002.npz").unlink()
    clips = [clip for clip in read(root) if clip.mirrored]
    assert [clip.frame_ids for clip in clips] == [("000000", "000001"), ("000003", "000004")]
