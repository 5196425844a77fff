"""`mvhm pose`: what it writes, what it leaves out, and its complaints."""

from __future__ import annotations

import argparse

import numpy as np
import pytest
from sample_clips import clip_of, sampled_clip, stick_arrays

from rigging.command_line import main
from rigging.commands.pose import add_arguments
from rigging.poses.clip import save_clip
from rigging.posing.pose import pose_clip
from rigging.spin.posed import SKINNING


def clip_file(tmp_path, joints: np.ndarray, **values: object) -> str:
    save_clip(tmp_path / "clip.npz", clip_of(joints, **values))
    return str(tmp_path / "clip.npz")


def written(folder) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_every_clip_of_a_source_becomes_files_in_the_formats_asked_for(tmp_path):
    assert main(["pose", "procedural?count=2", "--out", str(tmp_path / "new" / "out"), "--format", "npz,obj,glb"]) == 0
    clips = [f"000000{i}{rest}" for i in range(2) for rest in (".glb", ".npz", "/0000.obj", "/0001.obj")]
    assert written(tmp_path / "new" / "out") == sorted(clips)


def test_the_hand_is_fitted_to_the_clip_unless_it_is_another_subjects(tmp_path):
    joints = sampled_clip(2).joints * 0.8
    for words in ([], ["--subject", "mean"], ["--subject", "7"], ["--subject", "7", "--mode", "ik"]):
        out = tmp_path / "-".join(["out", *words])
        assert main(["pose", clip_file(tmp_path, joints), "--out", str(out), *words]) == 0
    hands = {path.parent.name: np.load(path)["rest_joints"] for path in tmp_path.glob("out*/*.npz")}
    sizes = {
        name: np.linalg.norm(np.diff(joints[[0, 9, 10, 11, 12]], axis=0), axis=1).sum()
        for name, joints in hands.items()
    }
    assert sizes["out"] < 0.16
    assert sizes["out---subject-mean"] == pytest.approx(0.18725)
    np.testing.assert_array_equal(hands["out---subject-7"], hands["out---subject-7---mode-ik"])


def test_a_hand_recorded_left_is_written_left_unless_it_should_not(tmp_path):
    file = clip_file(tmp_path, sampled_clip(2).joints, mirrored=True)
    for side in ("recorded", "left", "right"):
        assert main(["pose", file, "--out", str(tmp_path / side), "--hand", side]) == 0
    hands = {side: np.load(tmp_path / side / "a_b.npz") for side in ("recorded", "left", "right")}
    assert [str(hand["hand"]) for hand in hands.values()] == ["left", "left", "right"]
    np.testing.assert_array_equal(hands["left"]["vertices"], hands["right"]["vertices"] * np.float32([-1, 1, 1]))
    np.testing.assert_array_equal(hands["right"]["joints"], pose_clip(sampled_clip(2)).joints.astype(np.float32))


def test_a_rig_of_ones_own_takes_the_place_of_our_hand(tmp_path):
    np.savez(tmp_path / "rig.npz", **stick_arrays(np.random.default_rng(0)))
    assert main(["pose", "procedural?count=1", "--out", str(tmp_path), "--rig", str(tmp_path / "rig.npz")]) == 0
    assert np.load(tmp_path / "0000000.npz")["vertices"].shape == (2, 84, 3)


def test_bad_frames_are_left_out_and_counted_and_the_first_frames_are_enough(tmp_path, caplog):
    joints = sampled_clip(6).joints.copy()
    joints[1] = 0
    caplog.set_level("INFO")
    assert main(["pose", clip_file(tmp_path, joints), "--out", str(tmp_path), "--frames", "4"]) == 0
    assert "3 of 4 frames posed, 1 clips" in caplog.text
    assert "these are the first 4 frames (see --frames)" in caplog.text
    assert np.load(tmp_path / "a_b.npz")["frame_ids"].tolist() == [0, 2, 3]


def test_clips_of_names_that_are_alike_as_files_have_files_of_their_own(tmp_path):
    (tmp_path / "in").mkdir()
    for number, name in enumerate(("a/b", "a:b")):
        save_clip(tmp_path / "in" / f"{number}.npz", clip_of(sampled_clip(2).joints, name=name))
    assert main(["pose", f"npz:{tmp_path / 'in'}", "--out", str(tmp_path / "out")]) == 0
    assert len(written(tmp_path / "out")) == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--format", "fbx"], "unknown format 'fbx'; allowed: npz, obj, ply, glb"),
        (["--format", ","], "unknown format 'none'"),
        (["--format", "glb", "--retarget", "positions"], "format glb: retarget is 'positions', allowed is directions"),
        (["--subject", "tall"], "--subject tall: allowed are fitted, mean or a seed to draw one"),
        (["--rig", "none.npz"], "none.npz: no such rig"),
        (["--rig", "none.npz", "--subject", "mean"], "--subject mean: a rig of one's own has no subject"),
    ],
)
def test_a_wrong_choice_is_one_line_and_nothing_is_written(tmp_path, capsys, words, message):
    assert main(["pose", "procedural?count=1", "--out", str(tmp_path / "out"), *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ") and message in line
    assert not (tmp_path / "out").exists()


def test_a_source_without_a_usable_frame_is_one_line(tmp_path, capsys):
    assert main(["pose", clip_file(tmp_path, np.zeros((2, 21, 3))), "--out", str(tmp_path / "out")]) == 2
    assert "no frame has 21 joints that say where all bones point" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_command_offers_every_skinning():
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    (action,) = (action for action in parser._actions if action.dest == "skinning")
    assert action.choices == tuple(SKINNING)
