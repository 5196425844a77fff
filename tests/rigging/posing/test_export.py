"""Files of a posed clip, read back by other programs' eyes: each holds the vertices that it should."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import trimesh
from glb_reader import Glb
from sample_clips import clip_of, sampled_clip, stick_arrays, stick_rig

from rigging.errors import InputError
from rigging.geometry.rotations import swing
from rigging.joints import BONE_NAMES, JOINT_NAMES, JOINT_PARENTS
from rigging.posing.export import FORMATS, export_clip, file_name
from rigging.posing.gltf import local_rotations
from rigging.posing.pose import pose_clip, pose_rig
from rigging.posing.rig import make_rig


@pytest.fixture(scope="module")
def hand():
    return pose_clip(sampled_clip(4), skinning="linear")


def test_npz_holds_the_arrays_over_frames(hand, tmp_path):
    (path,) = export_clip(hand, tmp_path)
    with np.load(path, allow_pickle=False) as stored:
        for name in ("vertices", "joints", "rotations", "faces", "residual"):
            np.testing.assert_array_equal(stored[name], getattr(hand, name).astype(stored[name].dtype))
        assert stored["vertices"].dtype == np.float32
        assert (stored["mode"], stored["hand"], stored["licence"]) == ("palm", "right", "Apache-2.0")
        again = make_rig(stored["rest_joints"], stored["rest_vertices"], stored["weights"], stored["faces"])
    np.testing.assert_allclose(pose_rig(again, hand.clip, skinning="linear").vertices, hand.vertices, atol=1e-12)


@pytest.mark.parametrize(("kind", "closeness"), [("obj", 1e-6), ("ply", 1e-7)])
def test_meshes_open_in_another_program_with_one_file_per_frame(hand, tmp_path, kind, closeness):
    paths = export_clip(hand, tmp_path, [kind])
    assert [path.relative_to(tmp_path).as_posix() for path in paths] == [f"0000000/{i:04d}.{kind}" for i in range(4)]
    for path, vertices in zip(paths, hand.vertices):
        mesh = trimesh.load(path, process=False)
        np.testing.assert_allclose(mesh.vertices, vertices, atol=closeness)
        np.testing.assert_array_equal(mesh.faces, hand.faces)
        assert mesh.is_watertight
        assert mesh.volume > 0


def as_glb(posed, tmp_path) -> Glb:
    (path,) = export_clip(posed, tmp_path, ["glb"])
    return Glb(path.read_bytes())


@pytest.mark.parametrize("left", [False, True])
def test_glb_animates_the_mesh_to_the_vertices_of_linear_skinning(hand, tmp_path, left):
    hand = hand.mirror() if left else hand
    file = as_glb(hand, tmp_path)
    for frame in range(4):
        np.testing.assert_allclose(file.vertices(frame), hand.vertices[frame], atol=2e-7)
    np.testing.assert_allclose(file.vertices(None), hand.vertices[0], atol=2e-7)  # a viewer that does not play it
    np.testing.assert_allclose(file.times, np.arange(4) / 30, atol=1e-7)


def test_glb_has_a_node_for_every_bone_and_every_joint_is_where_the_rig_has_it(hand, tmp_path):
    places = as_glb(hand, tmp_path).places(2)
    for bone, parent in enumerate(JOINT_PARENTS):
        start = places[BONE_NAMES[bone]]
        np.testing.assert_allclose(start[:3, 3], hand.joints[2, max(parent, 0)], atol=1e-6)
        np.testing.assert_allclose(start[:3, :3], hand.rotations[2, bone], atol=1e-6)
    for tip in (4, 8, 12, 16, 20):
        np.testing.assert_allclose(places[JOINT_NAMES[tip]][:3, 3], hand.joints[2, tip], atol=1e-6)


def test_glb_stands_upright_where_the_clip_knows_up_and_plays_at_its_rate(tmp_path):
    up = np.array([0.6, 0.0, -0.8])
    clip = dataclasses.replace(sampled_clip(3), up=tuple(up), fps=60.0)
    for posed in (pose_clip(clip, skinning="linear"), pose_clip(clip, skinning="linear").mirror()):
        file = as_glb(posed, tmp_path)
        turn = swing(posed.up, np.array([0.0, 1.0, 0.0]))
        np.testing.assert_allclose(turn @ posed.up, [0, 1, 0], atol=1e-12)
        np.testing.assert_allclose(file.vertices(1), posed.vertices[1] @ turn.T, atol=2e-7)
        np.testing.assert_allclose(file.times, [0, 1 / 60, 2 / 60], atol=1e-7)


def test_glb_of_a_rig_with_six_bones_a_vertex(tmp_path):
    posed = pose_rig(stick_rig(), sampled_clip(2), skinning="linear")
    np.testing.assert_allclose(as_glb(posed, tmp_path).vertices(1), posed.vertices[1], atol=2e-7)


def test_glb_of_one_frame(tmp_path):
    posed = pose_clip(sampled_clip(2).select([1]), skinning="linear")
    np.testing.assert_allclose(as_glb(posed, tmp_path).vertices(0), posed.vertices[0], atol=2e-7)


def test_quaternions_of_neighbouring_frames_go_the_short_way():
    turns = np.linspace(0, 4 * np.pi, 40)
    rotations = np.repeat(np.eye(3)[None, None], 40, axis=0).repeat(21, axis=1)
    rotations[:, :, 0, 0] = rotations[:, :, 1, 1] = np.cos(turns)[:, None]
    rotations[:, :, 1, 0], rotations[:, :, 0, 1] = np.sin(turns)[:, None], -np.sin(turns)[:, None]
    quaternions = local_rotations(rotations)
    assert (np.sum(quaternions[1:] * quaternions[:-1], axis=-1) > 0.98).all()


def test_the_same_clip_gives_the_same_bytes(hand, tmp_path):
    first, second = (export_clip(hand, tmp_path / name, FORMATS) for name in "ab")
    assert len(first) == 1 + 4 + 4 + 1
    for one, other in zip(first, second):
        assert one.read_bytes() == other.read_bytes()


def test_what_a_format_cannot_hold_is_said_before_anything_is_written(hand, tmp_path):
    bare = make_rig(**{key: value for key, value in stick_arrays(np.random.default_rng(0)).items() if key != "faces"})
    points, stretched = pose_rig(bare, sampled_clip(2)), pose_clip(sampled_clip(2), retarget="positions")
    for posed, kind, message in (
        (points, "obj", r"format obj: the rig has no faces \(F, 3\), allowed without them is npz"),
        (stretched, "glb", "format glb: retarget is 'positions', allowed is directions"),
        (hand, "fbx", "unknown format 'fbx'; allowed: npz, obj, ply, glb"),
    ):
        with pytest.raises(InputError, match=message):
            export_clip(posed, tmp_path / "out", ["npz", kind])
    assert not (tmp_path / "out").exists()
    assert len(export_clip(points, tmp_path / "out")) == 1


def test_names_of_clips_become_names_of_files_inside_the_folder(tmp_path):
    assert file_name("test_1/view0/0000000") == "test_1_view0_0000000"
    assert file_name("../..") == "_.."
    (path,) = export_clip(pose_clip(clip_of(sampled_clip(2).joints, name="/etc/x")), tmp_path)
    assert path == tmp_path / "_etc_x.npz"
