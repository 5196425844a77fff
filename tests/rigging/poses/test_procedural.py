"""The built-in pose source: anchors that do what they say, clips that are free, smooth, plausible and repeatable."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from rigging.fingers.kinematics import (
    ANGLE_NAMES,
    ANGLES,
    angle_limits,
    bone_frames,
    bone_rotations,
    place_joints,
    skeleton,
)
from rigging.fingers.penetration import penetration_depth
from rigging.geometry.mesh import vertex_normals
from rigging.hand.asset import load_asset
from rigging.hand.shape import RestHand
from rigging.hand.skinning import dual_quaternion
from rigging.poses.clip import PoseError
from rigging.poses.registry import open_source
from rigging.poses.sampling.anchors import (
    ANCHORS_FILE,
    GROUPS,
    contact_gaps,
    hand_flesh,
    load_anchors,
    load_motions,
    settle,
)
from rigging.poses.sampling.diversity import palm_features
from rigging.poses.sampling.procedural import TOLERANCE, ProceduralSource, minimum_jerk

ASSET = load_asset()
HAND = skeleton(ASSET)
ANCHORS = load_anchors()
BY_NAME = {anchor.name: anchor.angles for anchor in ANCHORS}
PAIRS = list(ProceduralSource(400, seed=1).clips())


def angles_of(clips: list) -> np.ndarray:
    return np.stack([clip.angles for clip in clips]).astype(np.float64)


def degrees(name: str, angle: str) -> float:
    return float(np.degrees(BY_NAME[name][ANGLE_NAMES.index(angle)]))


# Anchors


def test_the_grasps_letters_numbers_and_gestures_are_all_there() -> None:
    grasps = [a.name for a in ANCHORS if a.group == "grasp"]
    assert [int(name.split("_")[1]) for name in grasps] == list(range(1, 34))
    assert {a.name for a in ANCHORS if a.group == "asl"} == {f"asl_{c}" for c in "abcdefghiklmnopqrstuvwxy"}
    assert {f"count_{n}" for n in range(11)} <= set(BY_NAME)
    assert {"point", "pinch", "ok", "fist", "flat", "spread", "thumb_up", "victory", "rock", "call"} <= set(BY_NAME)
    assert {"gun", "relaxed", "crossed_fingers", "claw", "hook"} <= set(BY_NAME)
    assert {motion.name for motion in load_motions()} == {"asl_j", "asl_z"}
    assert len(BY_NAME) == len(ANCHORS)
    assert {a.group for a in ANCHORS} == set(GROUPS)
    assert all(a.note for a in ANCHORS)


@pytest.mark.parametrize("anchor", ANCHORS, ids=lambda anchor: anchor.name)
def test_an_anchor_is_within_limits_touches_what_it_says_and_penetrates_nothing(anchor) -> None:
    low, high = angle_limits().T
    assert (anchor.angles >= low - 1e-3).all()
    assert (anchor.angles <= high + 1e-3).all()
    gaps = np.linalg.norm(contact_gaps(HAND, anchor.angles[None], anchor.contacts)[0], axis=-1)
    assert (gaps < 0.006).all()
    assert penetration_depth(hand_flesh(HAND, anchor.angles)) <= TOLERANCE


def test_letters_look_like_themselves() -> None:
    for name, straight in {
        "asl_b": "index middle ring little", "asl_d": "index", "asl_i": "little", "asl_l": "index", "asl_s": "",
        "asl_u": "index middle", "asl_v": "index middle", "asl_w": "index middle ring", "asl_y": "little",
    }.items():  # fmt: skip
        for finger in ("index", "middle", "ring", "little"):
            assert (degrees(name, f"{finger}_pip") < 20) == (finger in straight.split()), (name, finger)
    assert degrees("asl_v", "index_mcp_abd") > degrees("asl_u", "index_mcp_abd") + 10
    assert degrees("asl_l", "thumb_radial") > 50


def test_crossed_fingers_cross() -> None:
    for name in ("asl_r", "crossed_fingers"):
        joints = place_joints(HAND, bone_frames(HAND, BY_NAME[name]))
        assert joints[12, 0] < joints[8, 0]  # the middle finger's tip is on the thumb's side of the index finger's
        assert joints[10, 0] > joints[6, 0]


def test_settling_frees_a_penetrating_anchor_and_closes_its_contact() -> None:
    pinch = next(anchor for anchor in ANCHORS if anchor.name == "pinch")
    rough = pinch.angles.copy()
    rough[1] -= 0.2
    rough[ANGLE_NAMES.index("index_pip")] += 0.3
    settled = settle(HAND, type(pinch)("rough", "gesture", "", rough, pinch.contacts))
    assert np.linalg.norm(contact_gaps(HAND, settled[None], pinch.contacts)) < 0.004
    assert penetration_depth(hand_flesh(HAND, settled)) <= TOLERANCE


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"group": "dance"}, "group 'dance'"),
        ({"cup": [1]}, "22 angles"),
        ({"contacts": [["nose:tip", "index_distal:tip"]]}, "nose:tip"),
        ({"thumb": [0, 0, 0, 0, float("nan")]}, "finite"),
    ],
)
def test_a_wrong_anchor_is_named(tmp_path: Path, change: dict, message: str) -> None:
    row = json.loads(ANCHORS_FILE.read_text())["anchors"][0] | change
    path = tmp_path / "anchors.json"
    path.write_text(json.dumps({"anchors": [row]}))
    with pytest.raises(ValueError, match=message) as caught:
        load_anchors(path)
    assert row["name"] in str(caught.value)


# Clips


def test_any_subset_in_any_order_gives_the_same_clips() -> None:
    source = ProceduralSource(400, seed=1)
    for wanted in ([7], [399, 3, 120]):
        for index, clip in zip(wanted, source.some(np.array(wanted))):
            assert clip.name == f"{index:07d}" == PAIRS[index].name
            assert clip.joints.tobytes() == PAIRS[index].joints.tobytes()
    other = ProceduralSource(3, seed=2).some(np.array([0]))[0]
    assert not np.allclose(other.joints, PAIRS[0].joints)


def test_poses_are_within_limits_and_free_of_penetration() -> None:
    angles = angles_of(PAIRS)[..., :ANGLES]
    low, high = angle_limits().T
    assert (angles >= low - 1e-5).all()
    assert (angles <= high + 1e-5).all()
    assert (penetration_depth(hand_flesh(HAND, angles)) <= TOLERANCE + 1e-6).all()


def test_pairs_move_by_5_to_20_millimetres() -> None:
    joints = np.stack([clip.joints for clip in PAIRS])
    motion = np.linalg.norm(joints[:, 1] - joints[:, 0], axis=-1).mean(axis=1)
    assert 0.005 < np.median(motion) < 0.020
    assert (motion < 0.022).all()
    assert (motion > 0.004).mean() > 0.95


def test_long_clips_are_smooth_and_free() -> None:
    clips = list(ProceduralSource(6, seed=3, frames=40).clips())
    joints = np.stack([clip.joints for clip in clips]).astype(np.float64)
    motion = np.linalg.norm(np.diff(joints, axis=1), axis=-1).mean(axis=-1)
    assert 0.004 < np.median(motion) < 0.020
    assert motion.max() < 0.06
    jerk = np.linalg.norm(np.diff(joints, n=3, axis=1), axis=-1).max()
    assert jerk < 0.2  # m per frame^3; min-jerk segments of few frames are brisk
    assert (penetration_depth(hand_flesh(HAND, angles_of(clips)[..., :ANGLES])) <= TOLERANCE + 1e-6).all()


def test_minimum_jerk_passes_its_keys_at_rest() -> None:
    keys = np.array([[[0.0], [2.0], [1.0]]])
    np.testing.assert_allclose(minimum_jerk(keys, np.array([[0.0, 0.5, 1.0, 2.0]]))[0, :, 0], [0, 1, 2, 1])
    near = minimum_jerk(keys, np.array([[0.999, 1.0, 1.001]]))[0, :, 0]
    assert np.abs(np.diff(near)).max() < 1e-7


def test_orientations_are_uniform_over_rotations() -> None:
    turns = Rotation.from_rotvec(angles_of(PAIRS)[:, 0, ANGLES:]).as_matrix()
    # For uniform rotations every entry has mean 0 and variance 1/3.
    assert np.abs(turns.mean(axis=0)).max() < 4 * np.sqrt(1 / 3 / len(turns))
    np.testing.assert_allclose((turns**2).mean(axis=0), 1 / 3, atol=0.07)


def test_stored_angles_reproduce_the_joints() -> None:
    angles = angles_of(PAIRS[:50])
    joints = place_joints(HAND, bone_frames(HAND, angles[..., :ANGLES]))
    turns = Rotation.from_rotvec(angles[..., ANGLES:].reshape(-1, 3)).as_matrix().reshape(50, 2, 1, 3, 3)
    turned = (turns @ joints[..., None])[..., 0]
    np.testing.assert_allclose(turned, np.stack([clip.joints for clip in PAIRS[:50]]), atol=1e-6)


def test_the_angles_cover_their_ranges() -> None:
    angles = np.degrees(angles_of(PAIRS)[:, 0, :ANGLES])
    for finger in ("index", "middle", "ring", "little"):
        for joint, low, high in (("mcp_flex", 5, 70), ("pip", 10, 80)):
            column = angles[:, ANGLE_NAMES.index(f"{finger}_{joint}")]
            assert np.percentile(column, 5) < low + 5
            assert np.percentile(column, 95) > high - 5
    dip, pip = (angles[:, ANGLE_NAMES.index(f"ring_{joint}")] for joint in ("dip", "pip"))
    assert np.corrcoef(dip, pip)[0, 1] > 0.8
    middle, ring = (angles[:, ANGLE_NAMES.index(f"{finger}_mcp_flex")] for finger in ("middle", "ring"))
    assert np.corrcoef(middle, ring)[0, 1] > 0.4


def test_samples_are_more_diverse_than_the_anchors_alone() -> None:
    features = palm_features(np.concatenate([clip.joints[:1] for clip in PAIRS]))
    anchors = palm_features(place_joints(HAND, bone_frames(HAND, np.stack(list(BY_NAME.values())))))
    distance = np.linalg.norm(features[:, None] - anchors, axis=-1).min(axis=1)
    assert np.median(distance) > 0.05


def test_the_letters_j_and_z_move() -> None:
    source = open_source("procedural", count=1, motions=True)
    clips = {clip.name: clip for clip in source.clips()}
    assert set(clips) == {"0000000", "asl_j", "asl_z"}
    for name in ("asl_j", "asl_z"):
        tips = clips[name].joints[:, 20 if name == "asl_j" else 8]
        assert len(tips) > 25
        assert np.linalg.norm(np.diff(tips, axis=0), axis=1).sum() > 0.1
        assert np.ptp(clips[name].angles[:, :ANGLES], axis=0).max() < 1e-6


@pytest.mark.parametrize("options", [{"count": 0}, {"seed": -1}, {"frames": 1}, {"fps": 0.0}])
def test_bad_options_are_named(options: dict) -> None:
    with pytest.raises(PoseError, match=next(iter(options))):
        open_source("procedural", **options)


# The skinned mesh

OWNER = ASSET.weight_bones[np.arange(len(ASSET.template)), ASSET.weight_values.argmax(axis=1)].astype(int)
FINGER = np.where(np.isin(OWNER, (0, 1, 5, 9, 13, 17)), -1, (OWNER - 1) // 4)
FACE_FINGER = np.array([np.bincount(FINGER[face] + 1, minlength=6).argmax() - 1 for face in ASSET.faces])


def winding_numbers(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Van Oosterom & Strackee (1983): solid angle of (F, 3, 3) triangles seen from (N, 3) points, over 4 pi."""
    a, b, c = (triangles[None, :, k] - points[:, None] for k in range(3))
    la, lb, lc = (np.linalg.norm(side, axis=-1) for side in (a, b, c))
    triple = np.einsum("ijk,ijk->ij", a, np.cross(b, c))
    rest = la * lb * lc + (a * b).sum(-1) * lc + (b * c).sum(-1) * la + (c * a).sum(-1) * lb
    return 2 * np.arctan2(triple, rest).sum(axis=1) / (4 * np.pi)


def overlap(angles: np.ndarray) -> float:
    """Depth in metres of the deepest vertex of one finger inside the skin of another, 0 if there is none."""
    frames = bone_frames(HAND, angles)
    rest = RestHand(ASSET.template, ASSET.joints)
    vertices = dual_quaternion(rest, ASSET, bone_rotations(HAND, frames), place_joints(HAND, frames))
    normals = vertex_normals(vertices, ASSET.faces)
    deepest = 0.0
    for finger in range(5):
        others = np.flatnonzero(finger == FINGER)
        tree = cKDTree(vertices[others])
        near = np.flatnonzero((FINGER >= 0) & (finger != FINGER))
        distance, skin = tree.query(vertices[near])
        behind = np.sum((vertices[others[skin]] - vertices[near]) * normals[others[skin]], axis=1) > 0
        near = near[behind & (distance < 0.015)]
        if not len(near):
            continue
        inside = near[winding_numbers(vertices[near], vertices[ASSET.faces[finger == FACE_FINGER]]) > 0.5]
        for vertex in inside:
            skin = others[tree.query(vertices[vertex], k=3)[1]]
            depths = np.sum((vertices[skin] - vertices[vertex]) * normals[skin], axis=1)
            deepest = max(deepest, float(depths.min()))
    return deepest


def test_the_overlap_measure_finds_a_thumb_inside_a_finger() -> None:
    angles = BY_NAME["flat"].copy()
    angles[ANGLE_NAMES.index("middle_mcp_abd")] = np.radians(16)
    angles[ANGLE_NAMES.index("index_mcp_abd")] = np.radians(-19)
    assert overlap(angles) > 0.004
    assert overlap(BY_NAME["spread"]) == 0


def test_skinned_fingers_do_not_go_through_each_other() -> None:
    depths = np.array([overlap(clip.angles[0, :ANGLES].astype(np.float64)) for clip in PAIRS[:50]])
    assert np.median(depths) < 0.001
    assert depths.max() < 0.005  # soft pads and sides pressed together, not through
