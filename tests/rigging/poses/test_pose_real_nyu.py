"""The readers and the gate on real NYU frames; skipped where they are absent (set MVHM_DATA to the folder)."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from rigging.joints import BONE_NAMES
from rigging.poses.gate.checks import bone_lengths, chirality, finger_flexion
from rigging.poses.gate.gate import gate, gate_source
from rigging.poses.readers.nyu_rig import SUBSET_14
from rigging.poses.readers.permutations import to_canonical
from rigging.poses.registry import open_source
from rigging.poses.rejects import count_reasons

DATA = Path(os.environ.get("MVHM_DATA", Path(__file__).parents[3] / "../shared/data"))
FOLDER = DATA / "nyu_test_1"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no NYU frames in {FOLDER} (set MVHM_DATA)")


@pytest.fixture(scope="module")
def gated():
    return gate_source(open_source(f"nyu:{FOLDER}"))


@pytest.fixture(scope="module")
def joints(gated):
    return np.concatenate([clip.joints for clip in gated.clips]).astype(float)


def test_most_frames_pass_and_every_reject_has_a_reason(gated, measured):
    assert gated.frames == 2440 and gated.accepted + len(gated.rejects) == 2440
    assert 50 <= len(gated.rejects) <= 100
    measured(f"NYU test_1: {gated.accepted} of {gated.frames} accepted, rejected {count_reasons(gated.rejects)}")


def test_accepted_phalanges_are_rigid(joints, measured):
    lengths = 1000 * bone_lengths(joints)
    deviation = lengths.std(0)
    phalanges = [bone - 1 for bone in range(2, 21) if bone not in (5, 9, 13, 17)]
    assert deviation[phalanges].max() < 1.2
    assert deviation.max() < 4.5  # the rig lets the MCPs of ring and little finger play
    worst = int(deviation.argmax())
    measured(
        f"NYU bone lengths: sd {np.median(deviation):.2f} mm in the median, {deviation.max():.2f} mm at worst "
        f"({BONE_NAMES[worst + 1]}), phalanges at most {deviation[phalanges].max():.2f} mm"
    )


def test_the_correction_makes_phalanges_more_rigid_than_the_raw_points(joints):
    (clip,) = open_source(f"nyu:{FOLDER}").clips()
    raw = 1000 * bone_lengths(to_canonical("nyu36", clip.extra["nyu36"].astype(float)))
    corrected = 1000 * bone_lengths(clip.joints.astype(float))
    fingers = [5, 6, 9, 10, 13, 14, 17, 18]  # proximal and middle phalanges
    assert np.median(corrected[:, fingers].std(0) / raw[:, fingers].std(0)) < 0.6


def test_fingers_bend_to_the_palm_of_a_right_hand_and_dip_follows_pip(joints):
    assert (chirality(joints) > -0.005).all() and np.mean(chirality(joints) > 0.005) > 0.9
    flexion = np.degrees(finger_flexion(joints))
    for finger in range(4):
        assert np.percentile(flexion[:, finger, 1], 99) > 60 > -20 < np.percentile(flexion[:, finger, 1], 1)
        assert np.corrcoef(flexion[:, finger, 1], flexion[:, finger, 2])[0, 1] > 0.4


def test_a_mirrored_file_is_rejected_as_the_wrong_hand():
    (clip,) = open_source(f"nyu:{FOLDER}").clips()
    wrong = type(clip)(joints=clip.joints * (-1, 1, 1), name="m", subject="m", source="nyu", licence="-")
    assert count_reasons(gate([wrong]).rejects) == {"wrong hand": 2440}


def test_14_points_give_the_joints_that_36_do(tmp_path, measured):
    points = scipy.io.loadmat(FOLDER / "dataset/test/joint_data.mat")["joint_xyz"]
    path = tmp_path / "subset.npz"
    np.savez(path, joint_xyz=points[0, ::4][:, list(SUBSET_14)])
    full = np.concatenate([clip.joints for clip in open_source(f"nyu:{FOLDER}").clips()])
    clips = list(open_source(f"nyu:{path}").clips())
    rows = np.concatenate([clip.frame_ids for clip in clips])
    errors = 1000 * np.linalg.norm(np.concatenate([clip.joints for clip in clips]) - full[::4][rows], axis=-1)
    assert len(rows) == 610 and np.median(errors) < 1.5 and np.percentile(errors, 95) < 6.5
    bends = np.degrees(finger_flexion(np.concatenate([clip.joints for clip in clips])))
    for finger in range(4):
        assert np.corrcoef(bends[:, finger, 1], bends[:, finger, 2])[0, 1] > 0.6
    measured(
        f"NYU 14 points completed: {len(rows)} frames, against 36 points {np.median(errors):.2f} mm in the median, "
        f"{np.percentile(errors, 95):.2f} mm at 95 %"
    )
