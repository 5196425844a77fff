"""Spin matching: what each mode promises, checked against a naive version straight from the paper."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rigging.fingers.chains import finger_chains, pose_rotations
from rigging.fingers.hinges import hinge_axes, rest_directions
from rigging.fingers.limits import THUMB_PRONATION
from rigging.geometry.rotations import axis_angle, kabsch, normalise, random_rotation, rotation_angle
from rigging.hand.asset import load_asset
from rigging.hand.bones import bone_lengths
from rigging.joints import JOINT_PARENTS
from rigging.spin.errors import phalanx_twists, spin_errors
from rigging.spin.match import MODES, RETARGETS, match

_spec = importlib.util.spec_from_file_location("naive_spin", Path(__file__).with_name("naive_spin.py"))
naive_spin = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(naive_spin)

REST = load_asset().joints
HINGES, DORSAL = hinge_axes(load_asset())
CHAINS = finger_chains(REST, DORSAL)
# flexion of the fist over the rest pose by joint, radians
FIST = {1: 0.5, 2: 0.6, 3: 0.7} | {4 * f + 1 + k: (1.1, 1.4, 0.9)[k] for f in (1, 2, 3, 4) for k in range(3)}
PARENTS = list(JOINT_PARENTS[1:])
MIRROR = np.diag([-1.0, 1.0, 1.0])
seeds = st.integers(0, 2**32 - 1)
quick = settings(max_examples=8, deadline=None)
every_mode = pytest.mark.parametrize("mode", MODES)


def poses(seed: int, count: int = 5, noise: float = 0.01) -> np.ndarray:
    """The rest hand with every joint displaced and turned at random: (count, 21, 3)."""
    rng = np.random.default_rng(seed)
    joints = REST + noise * rng.normal(size=(count, 21, 3))
    return joints @ np.swapaxes(random_rotation(rng, count), 1, 2) + rng.normal(size=(count, 1, 3))


def run(joints: np.ndarray, mode: str, retarget: str = "directions", rest: np.ndarray = REST, dorsal=DORSAL):
    return match(rest, joints, mode, retarget, dorsal=dorsal)


def directions(joints: np.ndarray) -> np.ndarray:
    return normalise(joints[..., 1:, :] - joints[..., PARENTS, :])


def degrees_apart(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.rad2deg(rotation_angle(np.swapaxes(a, -1, -2) @ b).max()))


def clip(frames: int = 60) -> np.ndarray:
    """A fist that closes while the hand turns over: joints (frames, 21, 3) of the rig itself, bent at its hinges."""
    part = np.linspace(0, 1, frames)
    angles = np.zeros((frames, 21, 3))
    for chain in CHAINS:
        angles[:, [bone - 1 for bone in chain.bones]] = chain.rest_angles
    for joint, flexion in FIST.items():
        angles[:, joint, 0] += flexion * part
    angles[:, 1, 2] = THUMB_PRONATION * angles[:, 1, 0]
    turns = axis_angle(normalise(np.ones(3)), 2.5 * part)[:, None] @ pose_rotations(CHAINS, angles)
    joints = np.zeros((frames, 21, 3))
    for bone in range(1, 21):
        parent = JOINT_PARENTS[bone]
        joints[:, bone] = joints[:, parent] + turns[:, bone] @ (REST[bone] - REST[parent])
    return joints


# --- every mode ---


@every_mode
@quick
@given(seeds)
def test_by_positions_the_joints_are_the_targets(mode, seed):
    joints = poses(seed)
    result = run(joints, mode, "positions")
    assert (result.joints == joints).all()
    assert (result.residual == 0).all()
    np.testing.assert_allclose(result.stretch[:, 1:] * bone_lengths(REST)[1:], bone_lengths(joints)[:, 1:])


@every_mode
@quick
@given(seeds, st.sampled_from(RETARGETS))
def test_posed_bones_point_where_the_target_bones_do(mode, seed, retarget):
    joints = poses(seed)
    result = run(joints, mode, retarget)
    posed = np.einsum("tbij,bj->tbi", result.rotations[:, 1:], rest_directions(REST)[1:])
    np.testing.assert_allclose(posed, directions(joints), atol=1e-10)


@every_mode
@quick
@given(seeds)
def test_by_directions_the_rig_keeps_its_bones_and_joints_are_read_off_the_rig(mode, seed):
    joints = poses(seed)
    result = run(joints, mode)
    bones = np.einsum("tbij,bj->tbi", result.rotations[:, 1:], REST[1:] - REST[PARENTS])
    np.testing.assert_allclose(result.joints[:, 1:] - result.joints[:, PARENTS], bones, atol=1e-10)
    np.testing.assert_allclose(result.joints[:, 0], joints[:, 0])
    np.testing.assert_allclose(result.residual, np.linalg.norm(result.joints - joints, axis=2), atol=1e-12)


@every_mode
@quick
@given(seeds)
def test_matches_are_rotations(mode, seed):
    rotations = run(poses(seed, noise=0.03), mode).rotations
    np.testing.assert_allclose(
        rotations @ np.swapaxes(rotations, -1, -2) - np.eye(3), np.zeros((5, 21, 3, 3)), atol=1e-9
    )
    np.testing.assert_allclose(np.linalg.det(rotations), 1, atol=1e-9)


@pytest.mark.parametrize("mode", list(naive_spin.MATCHES))
@quick
@given(seeds)
def test_the_batched_version_is_the_naive_one(mode, seed):
    joints = poses(seed, noise=0.015)
    expected = np.stack([naive_spin.MATCHES[mode](REST, frame) for frame in joints])
    assert degrees_apart(run(joints, mode).rotations[:, 1:], expected) < 1e-6


@pytest.mark.parametrize("mode", ["none", "paper-literal", "paper", "palm"])
def test_a_frame_gives_the_same_bits_alone_and_in_any_batch(mode):
    joints = poses(0, count=600)
    together = run(joints, mode)
    for frame in (0, 1, 511, 512, 599):
        alone = run(joints[frame : frame + 1], mode)
        assert (alone.rotations[0] == together.rotations[frame]).all()
        assert (alone.joints[0] == together.joints[frame]).all()


# --- what `paper`, `palm` and `ik` promise and `none` and `paper-literal` break ---


@pytest.mark.parametrize("mode", ["paper", "palm", "ik"])
@quick
@given(seeds)
def test_the_rest_pose_turned_at_random_is_matched_by_that_turn(mode, seed):
    turns = random_rotation(np.random.default_rng(seed), 5)
    result = run(REST @ np.swapaxes(turns, 1, 2), mode)
    tolerance = 0.1 if mode == "ik" else 1e-5  # ik: the soft rule DIP = 2/3 PIP pulls at the rest pose
    assert degrees_apart(np.repeat(turns[:, None], 21, 1), result.rotations) < tolerance


@pytest.mark.parametrize("mode", ["none", "paper-literal"])
def test_without_the_rigs_own_spin_a_turned_rest_pose_is_wrung(mode):
    turns = random_rotation(np.random.default_rng(0), 50)
    result = run(REST @ np.swapaxes(turns, 1, 2), mode)
    errors = rotation_angle(np.swapaxes(turns, 1, 2)[:, None] @ result.rotations[:, 1:])
    assert np.rad2deg(errors.mean()) > 30


@pytest.mark.parametrize("mode", ["paper", "palm"])
@quick
@given(seeds)
def test_turning_the_target_turns_the_match(mode, seed):
    joints, turn = poses(seed), random_rotation(np.random.default_rng(seed))
    assert degrees_apart(turn @ run(joints, mode).rotations, run(joints @ turn.T, mode).rotations) < 1e-5


@pytest.mark.parametrize("mode", ["paper", "palm"])
@quick
@given(seeds)
def test_the_mirror_image_has_the_mirrored_match(mode, seed):
    joints = poses(seed)
    mirrored = run(joints @ MIRROR, mode, rest=REST @ MIRROR)
    assert degrees_apart(MIRROR @ run(joints, mode).rotations @ MIRROR, mirrored.rotations) < 1e-5


@pytest.mark.parametrize("mode", ["paper", "palm"])
@quick
@given(seeds)
def test_transport_leaves_no_twist_between_phalanges(mode, seed):
    joints = poses(seed, noise=0.02)
    twists = phalanx_twists(run(joints, mode).rotations, directions(joints))
    assert np.rad2deg(np.abs(twists).max()) < 1e-5


def test_none_and_literal_wring_the_fingers_like_candy_wrappers_and_ik_hardly_does():
    worst = {}
    for mode in MODES:
        joints = clip()
        twists = np.abs(phalanx_twists(run(joints, mode).rotations, directions(joints)))
        worst[mode] = np.rad2deg(np.percentile(twists, 99))
    assert min(worst["none"], worst["paper-literal"]) > 30
    assert max(worst["paper"], worst["palm"]) < 1e-5
    assert worst["ik"] < 1


@pytest.mark.parametrize("mode", ["paper", "palm", "ik"])
def test_twist_is_continuous_along_a_clip(mode):
    joints = clip()
    errors = spin_errors(REST, HINGES, joints, run(joints, mode))
    motion = np.linalg.norm(np.diff(joints, axis=0), axis=2).max()
    assert motion < 0.025
    assert errors.twist_step_deg.max() < 8
    assert errors.jumps == 0


@pytest.mark.parametrize(("mode", "most"), [("palm", 6.0), ("paper", 6.0), ("ik", 4.5)])
def test_hinge_axes_stand_perpendicular_to_the_bend_planes(mode, most):
    joints = clip()
    errors = spin_errors(REST, HINGES, joints, run(joints, mode))
    mean = (errors.hinge_deg * errors.hinge_weight).sum() / errors.hinge_weight.sum()
    assert mean < most
    # The measure sees a wrong spin: turn every bone by 20 degrees about itself.
    spun = run(joints, mode)
    spin = axis_angle(directions(joints), np.deg2rad(20))
    rotations = np.concatenate([spun.rotations[:, :1], spin @ spun.rotations[:, 1:]], axis=1)
    wrong = spin_errors(REST, HINGES, joints, type(spun)(rotations, spun.joints, spun.stretch, spun.residual))
    assert (wrong.hinge_deg * wrong.hinge_weight).sum() / wrong.hinge_weight.sum() > mean + 8


@quick
@given(seeds)
def test_the_palm_turns_as_kabsch_says(seed):
    joints, palm = poses(seed, noise=0.02), [0, 5, 9, 13, 17]
    assert degrees_apart(run(joints, "palm").rotations[:, 0], kabsch(REST[palm], joints[:, palm])) < 1e-6


def test_the_palm_turns_as_kabsch_says_even_if_it_is_crumpled():
    rng, palm = np.random.default_rng(0), [0, 5, 9, 13, 17]
    joints = rng.normal(size=(3000, 21, 3))
    result = run(joints, "palm").rotations[:, 0]
    expected = kabsch(REST[palm], joints[:, palm])

    def gain(turn):  # what Kabsch maximises; equal where the best rotation is nearly undetermined
        return np.einsum("tij,tni,nj->t", turn, joints[:, palm], REST[palm] - REST[palm].mean(0))

    np.testing.assert_allclose(gain(result), gain(expected), atol=1e-9)


# --- forearm, options, bad input ---


def test_the_forearm_follows_the_palm_unless_it_is_told_otherwise():
    joints, turns = poses(1), random_rotation(np.random.default_rng(1), 5)
    calm, bent = run(joints, "palm"), match(REST, joints, forearm=turns)
    np.testing.assert_allclose(bent.rotations[:, 0], calm.rotations[:, 0] @ turns)
    assert (bent.rotations[:, 1:] == calm.rotations[:, 1:]).all()


def test_frames_of_a_match_can_be_taken_out():
    result = run(poses(2), "palm", "positions")
    assert len(result) == 5
    assert result[3].joints.shape == (21, 3)
    assert (result[1:3].rotations == result.rotations[1:3]).all()
    assert result[3].retarget == "positions"


@every_mode
def test_a_bone_of_length_zero_is_named_by_frame_and_joint(mode):
    joints = poses(3, count=600)
    joints[555, 7] = joints[555, 6]
    with pytest.raises(ValueError, match="frame 555: joint index_dip coincides with index_pip"):
        run(joints, mode)


@every_mode
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_joint_that_is_not_finite_is_named_by_frame_and_joint(mode, value):
    joints = poses(3)
    joints[2, 20, 1] = value
    with pytest.raises(ValueError, match="frame 2: joint little_tip is not finite"):
        run(joints, mode)


def test_a_palm_on_one_line_is_refused():
    joints = poses(4)
    joints[1, [0, 5, 9, 13, 17]] = np.arange(5)[:, None] * [0.0, 0.01, 0.0]
    with pytest.raises(ValueError, match="frame 1: wrist and MCP joints are on one line"):
        run(joints, "palm")


def test_paper_refuses_a_knuckle_in_line_with_its_neighbour():
    joints = np.repeat(REST[None], 2, axis=0)
    joints[1, 5] = 0.8 * joints[1, 9]
    joints[1, 6:9] += joints[1, 5] - REST[5]
    with pytest.raises(ValueError, match="frame 1: joint index_mcp: its bone has no defined rotation"):
        run(joints, "paper")
    assert np.isfinite(run(joints, "palm").rotations).all()


@every_mode
def test_a_finger_folded_onto_itself_still_gets_a_rotation(mode):
    joints = REST[None].copy()
    joints[0, 7] = 2 * joints[0, 6] - joints[0, 7]  # the middle phalanx the other way round
    joints[0, 10] = joints[0, 9] - 0.03 * normalise(rest_directions(REST)[10])  # exactly opposite to its rest direction
    result = run(joints, mode)
    posed = np.einsum("tbij,bj->tbi", result.rotations[:, 1:], rest_directions(REST)[1:])
    np.testing.assert_allclose(posed, directions(joints), atol=1e-9)
    np.testing.assert_allclose(np.linalg.det(result.rotations), 1, atol=1e-9)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "spin"}, "unknown mode 'spin'; allowed: none, paper-literal, paper, palm, ik"),
        ({"retarget": "both"}, "unknown retarget 'both'; allowed: directions, positions"),
        ({"mode": "ik"}, "needs `dorsal`"),
        ({"forearm": np.eye(3)}, "forearm: got shape"),
    ],
)
def test_unknown_options_are_refused_with_what_is_allowed(options, message):
    with pytest.raises(ValueError, match=message):
        match(REST, poses(0), **options)


@pytest.mark.parametrize("shape", [(21, 3), (2, 20, 3), (2, 21, 2)])
def test_joints_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"got shape .* allowed is \(frames, 21, 3\)"):
        match(REST, np.zeros(shape))
