"""`python -m rigging match`: the table of errors, on real clip files, and its complaints."""

from __future__ import annotations

import numpy as np
import pytest

from rigging.command_line import main
from rigging.commands.match import match_errors, read_clips, size_ratio
from rigging.fingers.hinges import hinge_axes
from rigging.geometry.rotations import axis_angle, random_rotation
from rigging.hand.asset import load_asset
from rigging.poses.clip import PoseClip, save_clip
from rigging.spin.errors import HINGED, phalanx_twists, pool, spin_errors, twist_steps
from rigging.spin.match import MODES, match

ASSET = load_asset()
REST = ASSET.joints
HINGES, DORSAL = hinge_axes(ASSET)


def clip_file(tmp_path, joints: np.ndarray, valid: np.ndarray | None = None):
    path = tmp_path / "clip.npz"
    save_clip(path, PoseClip(joints, name="a", subject="s", source="npz", licence="CC0", valid=valid))
    return path


def turned_rest(frames: int = 6) -> np.ndarray:
    return REST @ np.swapaxes(random_rotation(np.random.default_rng(0), frames), 1, 2)


def test_the_table_has_a_column_per_mode_and_says_that_a_turned_rest_pose_fits(tmp_path, capsys):
    assert main(["match", str(clip_file(tmp_path, turned_rest()))]) == 0
    head, columns, *rows = capsys.readouterr().out.splitlines()
    assert "6 frames in 1 runs, by directions" in head
    assert columns.split() == list(MODES)
    cells = {row.split("  ")[0]: [cell for cell in row.split("  ")[1:] if cell] for row in rows}
    position = next(value for name, value in cells.items() if name.startswith("joint position error"))
    assert all(cell.strip() == "0.00 / 0.00 / 0.00" for cell in position)
    twist = next(value for name, value in cells.items() if name.startswith("inter-phalangeal twist"))
    assert twist[MODES.index("palm")].strip() == "0.00 / 0.00 / 0.00"
    assert float(twist[MODES.index("none")].split("/")[1]) > 20


def test_one_mode_and_positions_can_be_asked_for(tmp_path, capsys):
    file = f"npz:{clip_file(tmp_path, turned_rest() * 1.2)}"
    assert main(["match", file, "--mode", "palm", "--retarget", "positions", "--frames", "4"]) == 0
    head, columns, *_ = capsys.readouterr().out.splitlines()
    assert "4 frames in 1 runs, by positions" in head
    assert columns.split() == ["palm"]


def test_frames_with_missing_joints_are_left_out_and_cut_the_clip(tmp_path):
    valid = np.ones((6, 21), bool)
    valid[2, 4] = False
    runs = read_clips(f"npz:{clip_file(tmp_path, turned_rest(), valid)}")
    assert [len(run) for run in runs] == [2, 3]
    np.testing.assert_allclose(np.concatenate(runs), turned_rest()[[0, 1, 3, 4, 5]], atol=1e-6)


@pytest.mark.parametrize("spec", ["missing.npz", "nyu:missing", "elsewhere:x", "npz:"])
def test_a_file_that_cannot_be_used_is_one_line_and_exit_code_2(spec, capsys):
    assert main(["match", spec]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_clip_without_a_whole_frame_is_refused(tmp_path, capsys):
    valid = np.zeros((6, 21), bool)
    assert main(["match", str(clip_file(tmp_path, turned_rest(), valid))]) == 2
    assert "no frame with all 21 joints" in capsys.readouterr().err


def test_the_rig_is_scaled_to_the_recorded_hand():
    assert size_ratio(REST, [turned_rest() * 1.1]) == pytest.approx(1.1)


def test_errors_of_a_known_spin_are_that_spin():
    joints = turned_rest(3)
    good = match(REST, joints)
    axis = (joints[:, 8] - joints[:, 7]) / np.linalg.norm(joints[:, 8] - joints[:, 7], axis=1)[:, None]
    rotations = good.rotations.copy()
    rotations[:, 8] = axis_angle(axis, np.deg2rad(30)) @ rotations[:, 8]
    spun = type(good)(rotations, good.joints, good.stretch, good.residual)
    before, after = (spin_errors(REST, HINGES, joints, result) for result in (good, spun))
    changed = after.phalanx_twist_deg - before.phalanx_twist_deg
    assert np.sort(changed.max(axis=0)).round(6).tolist() == [0] * 9 + [30]
    column = HINGED.index(8)
    # angles have no sign: those before and after differ by 30 degrees, or add up to them
    turned = [abs(after.hinge_deg[:, column] + sign * before.hinge_deg[:, column]) for sign in (-1, 1)]
    np.testing.assert_allclose(np.abs(np.subtract(turned, 30)).min(axis=0), 0, atol=1e-6)
    assert after.direction_deg.max() < 1e-5


def test_a_sudden_spin_in_a_still_clip_is_a_jump_and_one_in_a_moving_clip_is_not():
    joints = np.repeat(REST[None], 4, axis=0)
    rotations = np.repeat(np.eye(3)[None, None], 4, axis=0).repeat(20, axis=1)
    directions = (joints[:, 1:] - joints[:, [0] * 20]) / np.linalg.norm(joints[:, 1:], axis=2)[..., None]
    rotations[2:, 5] = axis_angle(directions[0, 5], np.deg2rad(40))
    steps, jumps = twist_steps(rotations, directions, joints)
    assert jumps == 1
    assert np.rad2deg(steps[1, 5]) == pytest.approx(40)
    moving = joints + 0.02 * np.arange(4)[:, None, None]
    assert twist_steps(rotations, directions, moving)[1] == 0


def test_errors_of_clips_are_pooled():
    clips = [turned_rest(3), turned_rest(5) + 0.001]
    together = match_errors(REST, HINGES, DORSAL, clips, "paper-literal")
    parts = [match_errors(REST, HINGES, DORSAL, [joints], "paper-literal") for joints in clips]
    assert together.position_mm.shape == (8, 21)
    assert together.twist_step_deg.shape == (6, 20)
    assert together.jumps == parts[0].jumps + parts[1].jumps
    assert (pool(parts).phalanx_twist_deg == together.phalanx_twist_deg).all()


def test_single_frames_have_no_steps_but_a_table_all_the_same():
    summary = match_errors(REST, HINGES, DORSAL, [turned_rest(1)], "palm").summary()
    assert summary["twist from frame to frame, deg: p99 / max"] == "-"
    assert phalanx_twists(match(REST, turned_rest(1)).rotations, np.ones((1, 20, 3)) / np.sqrt(3)).shape == (1, 10)


@pytest.mark.parametrize("mark", [0.0, -1.0, np.nan])
def test_a_frame_that_shows_no_hand_costs_no_other(tmp_path, mark):
    joints = turned_rest()
    joints[2] = mark
    runs = read_clips(str(clip_file(tmp_path, joints)))
    np.testing.assert_allclose(np.concatenate(runs), joints[[0, 1, 3, 4, 5]], atol=1e-6)
    assert main(["match", str(clip_file(tmp_path, joints)), "--mode", "palm"]) == 0
