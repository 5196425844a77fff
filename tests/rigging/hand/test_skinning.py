"""Skinning: what it keeps, its naive twins, and Blender's armature modifier."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hand_poses import FIST, PINCH, flexed, flipped
from scipy.spatial.transform import Rotation

from rigging.geometry.mesh import volume
from rigging.hand.asset import HandAsset, load_asset
from rigging.hand.bones import BONE_STARTS
from rigging.hand.shape import RestHand, rest_hand, sample_subject
from rigging.hand.skinning import dual_quaternion, linear_blend
from rigging.joints import JOINT_PARENTS

ASSET = load_asset()
METHODS = pytest.mark.parametrize("skin", [linear_blend, dual_quaternion])


def mean_hand() -> RestHand:
    return RestHand(ASSET.template, ASSET.joints)


def random_pose(seed: int, degrees: float = 25.0) -> tuple[RestHand, np.ndarray, np.ndarray]:
    """A sampled subject with every bone turned a little at random against its parent, and the whole hand anyhow."""
    rng = np.random.default_rng(seed)
    rest = rest_hand(ASSET, sample_subject(rng, ASSET))
    turns = Rotation.from_rotvec(np.radians(degrees) * rng.uniform(-1, 1, (21, 3))).as_matrix()
    rotations, joints = np.empty((21, 3, 3)), np.empty((21, 3))
    rotations[0], joints[0] = Rotation.random(random_state=seed).as_matrix(), rng.normal(size=3)
    for bone in range(1, 21):
        parent = JOINT_PARENTS[bone]
        rotations[bone] = rotations[parent] @ turns[bone]
        joints[bone] = joints[parent] + rotations[bone] @ (rest.joints[bone] - rest.joints[parent])
    return rest, rotations, joints


def naive_linear(rest: RestHand, asset: HandAsset, rotations: np.ndarray, joints: np.ndarray) -> np.ndarray:
    out = np.zeros_like(rest.vertices)
    for v, point in enumerate(rest.vertices):
        for bone, weight in zip(asset.weight_bones[v], asset.weight_values[v]):
            start = max(JOINT_PARENTS[bone], 0)
            out[v] += weight * (rotations[bone] @ (point - rest.joints[start]) + joints[start])
    return out


def quaternion_product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    (w, *v), (s, *u) = a, b
    return np.array([w * s - np.dot(v, u), *(w * np.array(u) + s * np.array(v) + np.cross(v, u))])


def naive_dual_quaternion(rest: RestHand, asset: HandAsset, rotations: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """Vertex by vertex as in the paper: blend, normalise, read off rotation and translation."""
    real = [np.roll(Rotation.from_matrix(rotation).as_quat(), 1) for rotation in rotations]
    dual = []
    for bone in range(21):
        start = max(JOINT_PARENTS[bone], 0)
        shift = joints[start] - rotations[bone] @ rest.joints[start]
        dual.append(0.5 * quaternion_product(np.array([0.0, *shift]), real[bone]))
    out = np.zeros_like(rest.vertices)
    for v, point in enumerate(rest.vertices):
        pivot = asset.weight_bones[v, asset.weight_values[v].argmax()]
        q, d = np.zeros(4), np.zeros(4)
        for bone, weight in zip(asset.weight_bones[v], asset.weight_values[v]):
            sign = -1 if real[bone] @ real[pivot] < 0 else 1
            q, d = q + weight * sign * real[bone], d + weight * sign * dual[bone]
        q, d = q / np.linalg.norm(q), d / np.linalg.norm(q)
        shift = 2 * quaternion_product(d, q * (1, -1, -1, -1))[1:]
        out[v] = Rotation.from_quat(np.roll(q, -1)).apply(point) + shift
    return out


@METHODS
def test_the_rest_pose_gives_the_rest_mesh(skin):
    rest = mean_hand()
    posed = skin(rest, ASSET, np.tile(np.eye(3), (21, 1, 1)), rest.joints)
    np.testing.assert_allclose(posed, rest.vertices, atol=1e-15)


@METHODS
def test_a_rigid_motion_moves_the_mesh_rigidly(skin):
    rest, turn, shift = mean_hand(), Rotation.random(random_state=3).as_matrix(), np.array([0.3, -2.0, 0.1])
    posed = skin(rest, ASSET, np.tile(turn, (21, 1, 1)), rest.joints @ turn.T + shift)
    np.testing.assert_allclose(posed, rest.vertices @ turn.T + shift, atol=1e-12)


@pytest.mark.parametrize(("fast", "naive"), [(linear_blend, naive_linear), (dual_quaternion, naive_dual_quaternion)])
def test_the_fast_version_equals_the_one_with_loops(fast, naive):
    pose = random_pose(1)
    np.testing.assert_allclose(fast(pose[0], ASSET, *pose[1:]), naive(pose[0], ASSET, *pose[1:]), atol=1e-9)


@METHODS
def test_a_batch_is_skinned_like_its_members(skin):
    rest = mean_hand()
    poses = [flexed(ASSET, rest.joints, degrees) for degrees in (FIST, PINCH)]
    rotations, joints = (np.stack(part) for part in zip(*poses))
    batch = skin(rest, ASSET, np.stack([rotations] * 3), np.stack([joints] * 3))
    assert batch.shape == (3, 2, len(rest.vertices), 3)
    for index, (rotation, joint) in enumerate(poses):
        np.testing.assert_allclose(batch[2, index], skin(rest, ASSET, rotation, joint), atol=1e-12)


@METHODS
def test_the_skin_of_the_cut_moves_rigidly_with_the_forearm(skin):
    rest, rotations, joints = random_pose(4, degrees=40)
    cut = rest.vertices[ASSET.cut_loop]
    rigid = (cut - rest.joints[0]) @ rotations[0].T + joints[0]
    np.testing.assert_allclose(skin(rest, ASSET, rotations, joints)[ASSET.cut_loop], rigid, atol=1e-6)


def test_a_fist_keeps_its_volume_better_with_dual_quaternions():
    rest = mean_hand()
    pose = flexed(ASSET, rest.joints, FIST)
    before = volume(rest.vertices, ASSET.faces)
    linear, dual = (volume(skin(rest, ASSET, *pose), ASSET.faces) / before for skin in (linear_blend, dual_quaternion))
    assert 0.88 < linear < dual < 1.0
    assert dual > 0.91


def test_a_pinch_keeps_its_volume():
    rest = mean_hand()
    pinched = dual_quaternion(rest, ASSET, *flexed(ASSET, rest.joints, PINCH))
    assert 0.94 < volume(pinched, ASSET.faces) / volume(rest.vertices, ASSET.faces) < 1.01


def test_left_hands_are_mirror_images_with_reversed_winding():
    rest, rotations, joints = random_pose(5)
    posed = dual_quaternion(rest, ASSET, rotations, joints)
    mirror = np.array([-1.0, 1, 1])
    left = RestHand(rest.vertices * mirror, rest.joints * mirror)
    turned = mirror[:, None] * rotations * mirror
    assert (np.linalg.det(turned) > 0).all()
    np.testing.assert_allclose(dual_quaternion(left, ASSET, turned, joints * mirror), posed * mirror, atol=1e-12)
    assert volume(posed * mirror, ASSET.faces[:, ::-1]) == pytest.approx(volume(posed, ASSET.faces))
    assert volume(posed * mirror, ASSET.faces) < 0


def test_small_turns_flip_no_triangle():
    rest = mean_hand()
    posed = dual_quaternion(rest, ASSET, *flexed(ASSET, rest.joints, {bone: 8 for bone in range(2, 21)}))
    assert flipped(rest.vertices, posed, ASSET.faces) == 0


def test_wrong_shapes_are_named():
    with pytest.raises(ValueError, match=r"got rotations \(20, 3, 3\).*allowed are"):
        linear_blend(mean_hand(), ASSET, np.zeros((20, 3, 3)), np.zeros((20, 3)))


def test_both_equal_blenders_armature_modifier(tmp_path: Path):
    if importlib.util.find_spec("bpy") is None:
        pytest.skip("Blender is not installed")
    rest = rest_hand(ASSET, sample_subject(np.random.default_rng(8), ASSET))
    poses = [flexed(ASSET, rest.joints, FIST), flexed(ASSET, rest.joints, PINCH)]
    rotations, joints = (np.stack(part) for part in zip(*poses))
    np.savez(
        tmp_path / "in.npz", vertices=rest.vertices, faces=ASSET.faces, weight_bones=ASSET.weight_bones,
        weight_values=ASSET.weight_values, rest_joints=rest.joints, starts=rest.joints[BONE_STARTS],
        rotations=rotations, posed_starts=joints[:, BONE_STARTS],
    )  # fmt: skip
    script = Path(__file__).with_name("blender_armature.py")
    subprocess.run([sys.executable, script, tmp_path / "in.npz", tmp_path / "out.npz"], check=True, capture_output=True)
    with np.load(tmp_path / "out.npz") as blender:
        for name, skin in (("linear", linear_blend), ("dual_quaternion", dual_quaternion)):
            error = np.linalg.norm(skin(rest, ASSET, rotations, joints) - blender[name], axis=-1).max()
            assert error < 1e-6, f"{name} differs from Blender by {1e3 * error:.2g} mm"
