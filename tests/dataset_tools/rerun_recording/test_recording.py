"""What `mvhm rerun` records is the release: read back by Rerun's own reader, and put together as its viewer does."""

from __future__ import annotations

import subprocess

import numpy as np
import pytest
import trimesh
from records import make_record, shard_record

from dataset_tools import HandDataset
from dataset_tools.load.dataset import outward
from dataset_tools.store.encode import encode_sample
from dataset_tools.store.shard_file import ShardFile
from dataset_tools.store.writer import write_manifest, write_shard
from rigging.geometry.mesh import vertex_normals
from rigging.joints import JOINT_PARENTS

RDF, RIGHT_UP = [3, 2, 5], [3, 5, 1]  # Rerun's numbers of right, down, forward; of x right, y forward, z up
CHILD_FROM_PARENT = 2
LOOKED_AT = [(frame, view) for frame in (0, 3) for view in (0, 5)]


@pytest.fixture(scope="module")
def samples(release) -> list[dict]:
    return HandDataset(release)[:]


def numbers(recording: dict, frame: int, path: str, component: str, *shape: int) -> np.ndarray:
    return recording[f"frame={frame}|/{path}|{component}"].reshape(shape or -1)


def columns_first(recording: dict, frame: int, path: str, component: str) -> np.ndarray:
    """A matrix (3, 3), which Rerun keeps column by column."""
    return numbers(recording, frame, path, component, 3, 3).T.astype(float)


# ---- the same as the release


@pytest.mark.parametrize("frame", range(4))
def test_meshes_and_joints_are_those_of_the_release(hands, release, samples, frame):
    dataset, sample, recording = HandDataset(release), samples[frame], hands[1]
    for path, name, faces in (
        ("hand", "vertices_world", dataset.faces),
        ("arm", "arm_vertices_world", dataset.arm_faces),
    ):
        vertices = numbers(recording, frame, f"world/{path}", "Mesh3D:vertex_positions", -1, 3)
        np.testing.assert_array_equal(vertices, sample[name])
        np.testing.assert_array_equal(
            numbers(recording, frame, f"world/{path}", "Mesh3D:triangle_indices", -1, 3), faces
        )
        normals = numbers(recording, frame, f"world/{path}", "Mesh3D:vertex_normals", -1, 3)
        np.testing.assert_allclose(normals, vertex_normals(sample[name].astype(float), faces), atol=1e-6)
    joints = sample["joints_world"]
    np.testing.assert_array_equal(numbers(recording, frame, "world/joints", "Points3D:positions", 21, 3), joints)
    bones = numbers(recording, frame, "world/bones", "LineStrips3D:strips", 20, 2, 3)
    for bone, joint in zip(bones, range(1, 21), strict=True):
        np.testing.assert_array_equal(bone, [joints[JOINT_PARENTS[joint]], joints[joint]])


@pytest.mark.parametrize(("frame", "view"), LOOKED_AT)
def test_labels_in_the_pictures_are_those_of_the_release(hands, samples, frame, view):
    sample, recording = samples[frame], hands[1]
    path = f"world/cameras/{view}/photograph"
    shape = sample["parts"].shape[1:]
    parts = numbers(recording, frame, f"{path}/parts", "SegmentationImage:buffer", *shape)
    mask = numbers(recording, frame, f"{path}/mask", "SegmentationImage:buffer", *shape)
    np.testing.assert_array_equal(parts, sample["parts"][view])
    np.testing.assert_array_equal(mask, sample["mask"][view])
    joints = numbers(recording, frame, f"{path}/joints", "Points2D:positions", 21, 2)
    np.testing.assert_array_equal(joints, sample["joints_2d"][view])
    colours = numbers(recording, frame, f"{path}/joints", "Points2D:colors", 21)
    grey = colours == int.from_bytes(bytes((150, 150, 156, 255)), "big")
    np.testing.assert_array_equal(grey, ~sample["joint_visible"][view])
    origins = numbers(recording, frame, f"{path}/flow_forward", "Arrows2D:origins", -1, 2)
    columns, rows = np.floor(origins).astype(int).T
    np.testing.assert_array_equal(origins, np.stack([columns, rows], axis=1) + 0.5)
    vectors = numbers(recording, frame, f"{path}/flow_forward", "Arrows2D:vectors", -1, 2)
    np.testing.assert_array_equal(vectors, sample["flow_forward"][view, rows, columns])
    assert len(rows) > 20 and (sample["depth"][view, rows, columns] > 0).all()


@pytest.mark.parametrize(("frame", "view"), LOOKED_AT)
def test_cameras_pictures_and_depth_are_those_of_the_release(hands, release, samples, frame, view):
    sample, recording, dataset = samples[frame], hands[1], HandDataset(release)
    path, (height, width) = f"world/cameras/{view}", sample["depth"].shape[1:]
    matrix = sample["world_to_cam"][view]
    turn = columns_first(recording, frame, path, "Transform3D:mat3x3")
    np.testing.assert_allclose(turn, matrix[:3, :3], atol=1e-7)
    np.testing.assert_allclose(numbers(recording, frame, path, "Transform3D:translation"), matrix[:3, 3], atol=1e-7)
    assert numbers(recording, frame, path, "Transform3D:relation").tolist() == [CHILD_FROM_PARENT]
    for image in ("photograph", "depth"):
        assert numbers(recording, frame, f"{path}/{image}", "Pinhole:camera_xyz").tolist() == RDF
        assert numbers(recording, frame, f"{path}/{image}", "Pinhole:resolution").tolist() == [width, height]
    K = columns_first(recording, frame, f"{path}/photograph", "Pinhole:image_from_camera")
    np.testing.assert_allclose(K, sample["K"][view], rtol=1e-7)
    depth = numbers(recording, frame, f"{path}/depth", "DepthImage:buffer").view(np.float32).reshape(height, width)
    np.testing.assert_array_equal(depth, sample["depth"][view])
    assert numbers(recording, frame, f"{path}/depth", "DepthImage:meter").tolist() == [1.0]
    shard, row = dataset.locate(frame)
    blob = numbers(recording, frame, f"{path}/photograph", "EncodedImage:blob")
    assert blob.tobytes() == ShardFile(shard).streams(row)[view]


def test_samples_are_on_three_timelines_and_told_in_words(hands, samples):
    recording = hands[1]
    assert recording["static|/world|ViewCoordinates:xyz"].tolist() == RIGHT_UP
    assert (recording["recordings"], recording["blueprints"]) == (1, 1)
    for frame, sample in enumerate(samples):
        meta = sample["meta"]
        texts = [
            recording[f"{at}|/sample|TextDocument:text"][0] for at in (f"frame={frame}", f"sample={meta['sample']}")
        ]
        assert texts[0] == texts[1] and texts[0].startswith(f"### Sample {meta['sample']}\n")
        assert f"| split | {meta['split']} |" in texts[0] and "| background | stripes |" in texts[0]
        of_clip = recording[f"clip={meta['pair']}|/sample|TextDocument:text"]
        assert f"| pair or clip | {meta['pair']}, pose " in of_clip[0]


# ---- put together


def in_the_viewer(recording: dict, frame: int, view: int, pinhole: str) -> tuple[np.ndarray, np.ndarray]:
    """Points of the depth image (P, 3) m in the world, and the camera's centre (3,), as the viewer's shader has them.

    It is written out here for every pixel: the ray goes through (column, row), without a half.
    """
    path = f"world/cameras/{view}"
    K = columns_first(recording, frame, f"{path}/{pinhole}", "Pinhole:image_from_camera")
    turn = columns_first(recording, frame, path, "Transform3D:mat3x3")
    shift = numbers(recording, frame, path, "Transform3D:translation")
    width, height = numbers(recording, frame, f"{path}/depth", "Pinhole:resolution").astype(int)
    buffer = numbers(recording, frame, f"{path}/depth", "DepthImage:buffer").view(np.float32)
    points = []
    for row in range(height):
        for column in range(width):
            z = float(buffer[row * width + column])
            if z > 0:
                point = np.array([(column - K[0, 2]) * z / K[0, 0], (row - K[1, 2]) * z / K[1, 1], z])
                points.append(turn.T @ (point - shift))
    return np.array(points), -turn.T @ shift


def off_the_surface(recording: dict, frame: int, points: np.ndarray, eye: np.ndarray) -> np.ndarray:
    """(P,) m: how far from points (P, 3) the rays from `eye` to them meet the recorded meshes; inf: nowhere."""
    vertices, faces = [], []
    for path in ("world/hand", "world/arm"):
        faces.append(
            numbers(recording, frame, path, "Mesh3D:triangle_indices", -1, 3).astype(int) + sum(map(len, vertices))
        )
        vertices.append(numbers(recording, frame, path, "Mesh3D:vertex_positions", -1, 3).astype(float))
    mesh = trimesh.Trimesh(np.concatenate(vertices), np.concatenate(faces), process=False)
    hits, rays, _ = mesh.ray.intersects_location(np.tile(eye, (len(points), 1)), points - eye, multiple_hits=False)
    distance = np.full(len(points), np.inf)
    distance[rays] = np.linalg.norm(hits - points[rays], axis=1)
    return distance


@pytest.mark.parametrize(("frame", "view"), LOOKED_AT)
def test_depth_lies_on_the_mesh_in_the_viewer(hands, frame, view, measured):
    recording = hands[1]
    distance = off_the_surface(recording, frame, *in_the_viewer(recording, frame, view, "depth"))
    half_a_pixel = off_the_surface(recording, frame, *in_the_viewer(recording, frame, view, "photograph"))
    worst = 1000 * np.percentile(distance, 99)
    measured(
        f"rerun: depth off the recorded mesh, 99th percentile {worst:.4f} mm (limit 0.02), frame {frame}, view {view}"
    )
    assert len(distance) > 200 and worst < 0.02
    assert np.median(half_a_pixel) > 20 * np.median(distance), "the pinhole of depth makes no difference"


@pytest.mark.parametrize(("frame", "view"), LOOKED_AT)
def test_joints_in_space_are_seen_where_the_pictures_have_them(hands, frame, view):
    recording, path = hands[1], f"world/cameras/{view}"
    joints = numbers(recording, frame, "world/joints", "Points3D:positions", 21, 3).astype(float)
    turn = columns_first(recording, frame, path, "Transform3D:mat3x3")
    K = columns_first(recording, frame, f"{path}/photograph", "Pinhole:image_from_camera")
    image = (joints @ turn.T + numbers(recording, frame, path, "Transform3D:translation")) @ K.T
    pixels = numbers(recording, frame, f"{path}/photograph/joints", "Points2D:positions", 21, 2)
    np.testing.assert_allclose(image[:, :2] / image[:, 2:], pixels, atol=1e-3)


# ---- other data


def test_a_left_hand_faces_outwards_and_a_pose_without_neighbour_has_no_flow(recorded, tmp_path):
    record = make_record(1)
    for name in ("vertices_world", "arm_vertices_world"):
        record[name] = record[name] * np.float32([-1, 1, 1])
    record |= {"hand": "left", "flow_backward_valid": False, "flow_backward": np.zeros_like(record["flow_backward"])}
    path = tmp_path / "shard-00000.h5"
    write_manifest(path, write_shard(path, map(encode_sample, [record]), shard_record()))
    _, recording = recorded(path)
    vertices = numbers(recording, 0, "world/hand", "Mesh3D:vertex_positions", -1, 3)
    faces = numbers(recording, 0, "world/hand", "Mesh3D:triangle_indices", -1, 3)
    np.testing.assert_array_equal(faces, outward(HandDataset(path).faces, "left"))
    normals = numbers(recording, 0, "world/hand", "Mesh3D:vertex_normals", -1, 3)
    bodily = trimesh.Trimesh(vertices, faces, process=False)
    assert (np.einsum("vk,vk->v", bodily.vertex_normals, normals) > 0.5).mean() > 0.99
    assert (np.einsum("vk,vk->v", normals, vertices - vertices.mean(0)) > 0).mean() > 0.6, "normals point inwards"
    flow = "frame=0|/world/cameras/0/photograph/flow"
    assert f"{flow}_backward|Clear:is_recursive" in recording and f"{flow}_backward|Arrows2D:vectors" not in recording
    assert f"{flow}_forward|Arrows2D:vectors" in recording


def test_some_samples_are_as_they_are_among_all_and_twice_the_same(
    hands, recorded, mvhm_rerun, rerun_python, release, tmp_path
):
    first, some = recorded(release, "--samples", "1-2")
    again, everything = tmp_path / "again.rrd", hands[1]
    assert mvhm_rerun(release, "--samples", "1-2", "--split", "train", "--out", again).returncode == 0
    for frame in (0, 1):
        picked = {key.partition("|")[2]: value for key, value in some.items() if key.startswith(f"frame={frame}|")}
        known = {
            key.partition("|")[2]: value for key, value in everything.items() if key.startswith(f"frame={frame + 1}|")
        }
        assert picked.keys() == known.keys()
        assert all(np.array_equal(picked[key], known[key]) for key in picked)
    assert not any(key.startswith("frame=2|") for key in some)
    compare = [rerun_python.with_name("rerun"), "rrd", "compare", "--unordered", first, again]
    assert subprocess.run(compare, capture_output=True, check=False).returncode == 0
    compare[-1] = hands[0]
    assert subprocess.run(compare, capture_output=True, check=False).returncode != 0


def test_rerun_says_that_the_file_is_whole(hands, rerun_python):
    verify = [rerun_python.with_name("rerun"), "rrd", "verify", hands[0]]
    assert subprocess.run(verify, capture_output=True, check=False).returncode == 0
