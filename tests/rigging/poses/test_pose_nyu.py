"""NYU: 36 sphere centres become joint centres, 14 points are completed, and damaged files are named."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.io
from layouts import nyu_array, nyu_hand, nyu_points, write_nyu

from rigging.geometry.rotations import kabsch
from rigging.poses.clip import PoseError
from rigging.poses.gate.checks import bone_lengths, finger_flexion
from rigging.poses.readers.nyu import subjects_by_scale
from rigging.poses.readers.nyu_complete import CHAINS, _chain, complete
from rigging.poses.readers.nyu_rig import SUBSET_14, anatomical_joints
from rigging.poses.readers.permutations import to_canonical
from rigging.poses.registry import open_source

KNOWN_BY_14 = (0, 2, 3, 4, 6, 8, 10, 12, 14, 16, 18, 20)  # joints that the 14 points nearly give


@pytest.fixture
def nyu(tmp_path):
    joints = nyu_hand(20)
    write_nyu(tmp_path / "dataset/test/joint_data.mat", nyu_array(joints))
    return tmp_path, joints


def test_the_36_spheres_are_moved_back_to_the_joints():
    joints = nyu_hand(20)
    points = nyu_points(joints)
    corrected = anatomical_joints(points) / 1000
    assert np.linalg.norm(corrected - joints, axis=-1).max() < 5e-4
    uncorrected = to_canonical("nyu36", points) / 1000
    errors = np.linalg.norm(uncorrected - joints, axis=-1).mean(0)
    assert errors[7] > 0.01 and errors[13] > 0.01  # index DIP and ring MCP, the worst of the raw points


def test_the_correction_scales_with_the_hand_and_ignores_where_it_is():
    points = nyu_points(nyu_hand(3))
    turned = points @ np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1.0]]).T + (5.0, -300.0, 20.0)
    reference = anatomical_joints(points)
    expected = reference @ np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1.0]]).T + (5.0, -300.0, 20.0)
    np.testing.assert_allclose(anatomical_joints(turned), expected, atol=1e-9)
    np.testing.assert_allclose(anatomical_joints(0.83 * points), 0.83 * reference, atol=1e-9)


def test_tips_on_the_skin_are_a_radius_further_than_sphere_centres():
    points = nyu_points(nyu_hand(2))
    skin, centre = anatomical_joints(points, "skin"), anatomical_joints(points, "centre")
    moved = np.linalg.norm(skin - centre, axis=-1)[0]
    np.testing.assert_allclose(moved[[4, 8, 12, 16, 20]], (6, 5.5, 6, 6, 5), atol=0.01)
    assert np.delete(moved, [4, 8, 12, 16, 20]).max() == 0


def test_the_file_is_read_in_metres_right_handed(nyu):
    root, joints = nyu
    (clip,) = open_source(f"nyu:{root}").clips()
    assert np.linalg.norm(clip.joints - joints, axis=-1).max() < 5e-4
    assert clip.frame_ids == tuple(range(20)) and clip.subject == "test_1" and clip.name == "test/view0/0000000"
    assert clip.tip_def == "skin" and clip.wrist_def == "nyu_root" and clip.up is None
    np.testing.assert_allclose(clip.extra["nyu36"] * 1000, nyu_points(joints), atol=1e-3)


def test_the_other_views_are_the_same_hand_turned(nyu):
    first, third = open_source(f"nyu:{nyu[0]}?views=0+2").clips()
    turn = kabsch(first.joints.astype(float), third.joints.astype(float))
    np.testing.assert_allclose(turn, np.broadcast_to(turn[:1], turn.shape), atol=1e-4)
    assert np.abs(turn[0] - np.eye(3)).max() > 0.1
    with pytest.raises(PoseError, match="view 3 does not exist, allowed are 0 to 2"):
        list(open_source(f"nyu:{nyu[0]}?views=3").clips())


def test_a_clip_ends_where_frames_are_missing_or_another_person_begins(tmp_path):
    array = nyu_array(nyu_hand(20))
    array[:, 5] = np.nan
    array[:, 6] = 0
    array[:, 15:] *= 0.83
    write_nyu(tmp_path / "joint_data.mat", array)
    source = open_source(f"nyu:{tmp_path}")
    clips = list(source.clips())
    assert [(c.frame_ids[0], c.frame_ids[-1]) for c in clips] == [(0, 4), (7, 14), (15, 19)]
    assert [c.subject[-2:] for c in clips] == ["_1", "_1", "_2"]
    assert [(r.frame, r.reason) for r in source.rejects] == [(5, "missing"), (6, "missing")]


def test_a_file_without_one_usable_frame_gives_rejects_only(tmp_path):
    write_nyu(tmp_path / "joint_data.mat", np.full((3, 4, 36, 3), np.nan))
    source = open_source(f"nyu:{tmp_path}")
    assert not list(source.clips()) and len(source.rejects) == 4


def test_people_are_told_apart_by_scale_but_not_by_its_noise():
    scale = np.array([57.9, 58.0, 58.1, 48.0, 47.95, 50.3, 58.0])
    assert subjects_by_scale(scale).tolist() == [0, 0, 0, 1, 1, 1, 0]


def test_derivatives_of_the_finger_chain():
    state = 0.3 * np.random.default_rng(0).normal(size=(4, 8))
    for chain in CHAINS:
        step = 1e-6 * np.eye(8)
        numeric = [(_chain(chain, state + s)[1] - _chain(chain, state - s)[1]) / 2e-6 for s in step]
        np.testing.assert_allclose(_chain(chain, state)[2], np.stack(numeric, -1), atol=1e-6)


@pytest.mark.parametrize("mode", ["mat", "npz", "one view"])
def test_14_points_are_completed(tmp_path, mode):
    joints = nyu_hand(30)
    subset = nyu_array(joints)[:, :, list(SUBSET_14)]
    path = tmp_path / ("joints.npz" if mode == "npz" else "joint_data.mat")
    if mode == "npz":
        np.savez(path, joint_xyz=subset)
    else:
        scipy.io.savemat(path, {"joint_xyz": subset[0] if mode == "one view" else subset})
    (clip,) = open_source(f"nyu:{path}").clips()
    errors = np.linalg.norm(clip.joints - joints, axis=-1)
    assert errors[:, KNOWN_BY_14].max() < 0.005
    assert np.median(errors[:, [7, 11, 15, 19]]) < 0.004  # DIP
    assert np.median(errors[:, [5, 9, 13, 17]]) < 0.012  # MCP, of a hand whose palm is not the rig's
    assert clip.extra["nyu14"].shape == (30, 14, 3)


def test_completed_fingers_bend_towards_the_palm_with_the_rigs_bones():
    joints, _ = complete(nyu_points(nyu_hand(30))[:, list(SUBSET_14)])
    flexion = finger_flexion(joints)
    assert flexion[..., 1].min() > -0.2 and flexion[..., 2].min() > -0.3
    assert np.corrcoef(flexion[..., 1].ravel(), flexion[..., 2].ravel())[0, 1] > 0.5
    lengths = bone_lengths(joints)[:, [5, 6, 7, 9, 10, 11, 13, 14, 15, 17, 18, 19]]
    np.testing.assert_allclose(lengths, np.broadcast_to(lengths[:1], lengths.shape), atol=1e-6)


def test_a_14_point_frame_no_rig_explains_is_rejected(tmp_path):
    subset = nyu_array(nyu_hand(10))[:, :, list(SUBSET_14)]
    subset[:, 4, 0] += (0, 60, 0)  # a tip of the little finger far away
    np.savez(tmp_path / "joints.npz", joint_xyz=subset)
    source = open_source(f"nyu:{tmp_path / 'joints.npz'}")
    assert [len(clip) for clip in source.clips()] == [4, 5]
    assert [(r.frame, r.reason) for r in source.rejects] == [(4, "completion")]


def save(path, **arrays):
    scipy.io.savemat(path, arrays)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a[..., :2], r"joint_xyz is float64 \(3, 5, 36, 2\), allowed are numbers of shape \(3, N, 36, 3\)"),
        (lambda a: a[:, :, :21], r"\(3, 5, 21, 3\)"),
        (lambda a: a[:, :0], "no frames|allowed are"),
        (lambda a: a / 1000, r"looks like metres; allowed are 42 to 126 \(millimetres\)"),
        (lambda a: a * 37, "PALM_1 to PALM_3 measures"),
        (lambda a: a[:, :, list(SUBSET_14)[::-1]], "allowed is the order of points 0 3 6 9 12"),
        (lambda a: np.roll(a, 1, axis=2), "allowed is the order of points 0 1 2 3"),
    ],
)
def test_wrong_shapes_and_units_are_named(tmp_path, change, message):
    path = tmp_path / "joint_data.mat"
    save(path, joint_xyz=change(nyu_array(nyu_hand(5))))
    with pytest.raises(PoseError, match=message) as caught:
        list(open_source(f"nyu:{path}").clips())
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("keep", [0, 60, 200, 5000, -100])
def test_a_truncated_file_is_named(nyu, keep):
    path = nyu[0] / "dataset/test/joint_data.mat"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(PoseError, match=r"joint_data\.mat: (not a whole MATLAB file|no joint_xyz in it)") as caught:
        list(open_source(f"nyu:{nyu[0]}").clips())
    assert "\n" not in str(caught.value)


def test_foreign_files_are_named(tmp_path):
    path = tmp_path / "joint_data.mat"
    save(path, joints=np.zeros(3))
    with pytest.raises(PoseError, match="no joint_xyz in it but joints"):
        list(open_source(f"nyu:{path}").clips())
    path.write_bytes(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + bytes(600))
    with pytest.raises(PoseError, match=r"MATLAB 7\.3 \(HDF5\) file"):
        list(open_source(f"nyu:{path}").clips())
    with pytest.raises(FileNotFoundError, match=r"no joint_data\.mat here"):
        list(open_source(f"nyu:{tmp_path / 'nowhere'}").clips())
