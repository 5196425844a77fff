"""What the gate says of what it lost: the poses, where they are in a recording, and what would mend it."""

from __future__ import annotations

import numpy as np
import pytest
from layouts import in_order, mirrored, moving_hand

from rigging.command_line import main
from rigging.fingers.kinematics import forward, skeleton
from rigging.hand.asset import load_asset
from rigging.poses.clip import PoseClip
from rigging.poses.gate.gate import gate
from rigging.poses.gate.lost import OTHER, lost_poses, name_poses, nearest_poses
from rigging.poses.rejects import Reject, recording, spans
from rigging.poses.sampling.anchors import load_anchors

ANCHORS = {anchor.name: anchor.angles for anchor in load_anchors()}


def posed(*names: str) -> np.ndarray:
    """Joints (N, 21, 3) of built-in poses."""
    return forward(skeleton(load_asset()), np.stack([ANCHORS[name] for name in names]))


def clip_of(joints: np.ndarray, name: str = "a", **fields) -> PoseClip:
    return PoseClip(joints=joints, name=name, subject=name, source="test", licence="CC0", **fields)


def test_a_pose_is_named_whatever_the_hands_size_place_and_bones():
    names = ("point", "spread", "ok", "grasp_16_lateral")
    joints = posed(*names)
    assert nearest_poses(joints) == list(names)
    assert nearest_poses(1.2 * joints[:, :, [1, 2, 0]] + 0.4) == list(names)
    assert nearest_poses(np.random.default_rng(0).normal(size=(3, 21, 3))) == [OTHER] * 3
    assert nearest_poses(np.zeros((0, 21, 3))) == []


def test_lost_frames_are_named_and_those_that_show_nothing_after_their_neighbours():
    joints = posed("point", "point", "spread", "ok", "ok")
    joints[1], joints[3] = np.nan, mirrored(joints[3])
    clip = np.array([0, 0, 0, 1, 1])
    assert name_poses(joints, clip, ["", "missing", "", "wrong hand", ""]) == ["", "next to point", "", "ok", ""]
    assert name_poses(joints, clip, ["angle", "missing", "palm", "", ""]) == ["point", "", "spread", "", ""]


def test_the_poses_lost_are_counted_with_the_frames_that_passed():
    joints = posed(*["point"] * 6 + ["ok"] * 6)
    joints[1:4] *= 1.3
    joints[9] = 0
    gated = gate([clip_of(joints, "walk/0")])
    rows = {row.pose: (row.lost, row.frames, row.where) for row in lost_poses(gated.clips, gated.rejects)}
    assert rows == {"point": (3, 6, "walk 1-3"), "ok": (1, 6, "walk 9")}


def test_where_is_told_shortly():
    assert recording("test/view0/0000012") == "test/view0" and recording("swings") == "swings"
    assert spans([3, 4, 5, 9]) == "3-5 9" and spans([3, 6, 9, 12, 13]) == "3-12 13" and spans([]) == ""
    assert spans(["0001/00000002", "0001/00000003", "0001/00000004", "end"]) == "00000002-00000004 end"
    rejects = [Reject("s", f"r{number}", 0, "palm", "", "ok") for number in range(5)]
    assert lost_poses([], rejects)[0].where == "r0 0, r1 0, r2 0, and 2 more recordings"


READINGS = {
    "the other hand would fit": mirrored,
    "it looks like mm": lambda j: 1000 * j,
    "it looks like cm": lambda j: 100 * j,
    "it looks like m": lambda j: 0.001 * j,
    "rows and columns look swapped": lambda j: np.swapaxes(j, 1, 2).reshape(j.shape),
    "the joints look like order rhd": lambda j: in_order("rhd", j),
    "the joints look like order interhand": lambda j: in_order("interhand", j),
    "the other hand would fit and it looks like mm": lambda j: 1000 * mirrored(j),
    "all joints lie on one point: no hand, or rows and columns of matrices swapped": lambda j: 0 * j + 1,
}


@pytest.mark.parametrize("hint", READINGS)
def test_a_recording_that_was_read_wrongly_gets_a_hint(hint):
    joints = moving_hand(12)
    gated = gate([clip_of(READINGS[hint](joints), "wrong/1"), clip_of(joints, "right/1")])
    assert gated.hints == (f"{hint} (wrong)",) and gated.accepted == 12


def test_a_left_hand_was_mirrored_after_its_rows_and_columns_were_swapped():
    joints = moving_hand(12)
    read = mirrored(np.swapaxes(mirrored(joints), 1, 2).reshape(joints.shape))
    assert gate([clip_of(read, mirrored=True)]).hints == ("rows and columns look swapped (a)",)


def test_single_bad_frames_and_nonsense_get_none():
    joints = moving_hand(12)
    joints[[3, 8]] = mirrored(joints[[3, 8]])
    joints[5] = np.nan
    assert gate([clip_of(joints)]).hints == ()
    assert gate([clip_of(np.random.default_rng(0).normal(size=(8, 21, 3)))]).hints == ()
    assert gate([clip_of(np.full((8, 21, 3), np.nan))]).hints == ()


def test_the_command_tells_poses_and_hints_and_ends_in_one_line(tmp_path, capsys):
    np.savez(tmp_path / "a.npz", joints=mirrored(moving_hand(12)))
    rejects = tmp_path / "rejects.csv"
    assert main(["poses", f"npz:{tmp_path / 'a.npz'}", "--rejects", str(rejects)]) == 2
    out, err = capsys.readouterr()
    assert "hint      the other hand would fit (a)" in out and "flat: a 9-11" in out
    assert (
        err.endswith("no frame is left of 12 (wrong hand 12); the other hand would fit (a)\n") and err.count("\n") == 1
    )
    assert rejects.read_text().splitlines()[1].startswith("npz,a,0,wrong hand,bends ")
