"""Labels as a user loads them, against computations that share no code with the ones that made them.

The ray caster is Embree (through trimesh), in single precision; projection and triangulation are written out here.
"""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from trimesh.ray.ray_pyembree import RayMeshIntersector

from dataset_tools import HandDataset


@pytest.fixture(scope="module", params=["real_shard", "other_shard"], ids=["this Blender", "Blender 5.2"])
def dataset(request):
    return HandDataset(request.getfixturevalue(request.param))


@pytest.fixture(scope="module")
def samples(dataset):
    return [dataset[i] for i in range(len(dataset))]


def project(points, K, world_to_cam):
    camera = points @ world_to_cam[:3, :3].T + world_to_cam[:3, 3]
    image = camera @ K.T
    return image[:, :2] / image[:, 2:]


def triangulate(points_2d, K, world_to_cam):
    """Linear triangulation of (V, 2) pixels, in double precision."""
    rows = []
    for (u, v), intrinsics, extrinsics in zip(points_2d.astype(float), K, world_to_cam):
        P = intrinsics @ extrinsics[:3]
        rows += [(u * P[2] - P[0]) / 500, (v * P[2] - P[1]) / 500]
    X = np.linalg.svd(np.array(rows))[2][-1]
    return X[:3] / X[3]


class Caster:
    """Embree over hand and arm of one sample."""

    def __init__(self, dataset, sample):
        vertices = np.concatenate([sample["vertices_world"], sample["arm_vertices_world"]]).astype(float)
        self.hand_faces = len(dataset.faces)
        self.faces = np.concatenate([dataset.faces, dataset.arm_faces + len(sample["vertices_world"])])
        self.vertices = vertices
        # metres, moved to the origin: single precision is finest there
        self.centre = vertices[: len(sample["vertices_world"])].mean(0)
        self.caster = RayMeshIntersector(trimesh.Trimesh(vertices - self.centre, self.faces, process=False))

    def view(self, K, world_to_cam, size):
        """Triangle index (-1 = none) and the exact point and depth on that triangle's plane, for every pixel."""
        y, x = np.mgrid[:size, :size] + 0.5
        rotation, translation = world_to_cam[:3, :3], world_to_cam[:3, 3]
        directions = np.stack([x, y, np.ones_like(x)], -1).reshape(-1, 3) @ np.linalg.inv(K).T @ rotation
        origin = -rotation.T @ translation
        triangle = self.caster.intersects_first(np.tile(origin - self.centre, (size * size, 1)), directions)
        corners = self.vertices[self.faces[triangle]]
        normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        with np.errstate(divide="ignore", invalid="ignore"):
            depth = ((corners[:, 0] - origin) * normal).sum(1) / (directions * normal).sum(1)
        points = origin + depth[:, None] * directions
        return triangle.reshape(size, size), depth.reshape(size, size), points.reshape(size, size, 3)


def test_triangulated_joints_are_the_world_joints(samples, measured):
    errors = []
    for sample in samples:
        for joint in range(21):
            X = triangulate(sample["joints_2d"][:, joint], sample["K"], sample["world_to_cam"])
            errors.append(np.linalg.norm(X - sample["joints_world"][joint]) * 1000)
    measured(f"triangulated joints_2d against joints_world: largest {max(errors):.5f} mm (limit 0.01)")
    assert max(errors) < 0.01


def test_camera_joints_are_the_world_joints_seen_from_the_camera(samples):
    for sample in samples:
        for v, extrinsics in enumerate(sample["world_to_cam"]):
            expected = sample["joints_world"] @ extrinsics[:3, :3].T + extrinsics[:3, 3]
            assert np.abs(sample["joints_cam"][v] - expected).max() < 1e-6


def test_depth_and_mask_agree_with_the_ray_caster(dataset, samples, measured):
    errors, disagree, ties, hand_pixels = [], 0, 0, 0
    for sample in samples:
        caster = Caster(dataset, sample)
        for v in range(len(sample["K"])):
            size = sample["mask"].shape[-1]
            triangle, depth, _ = caster.view(sample["K"][v], sample["world_to_cam"][v], size)
            hand = (triangle >= 0) & (triangle < caster.hand_faces)
            different = hand != sample["mask"][v]
            tied = different & near_an_edge(caster, triangle, sample, v)
            disagree, ties = disagree + (different & ~tied).sum(), ties + tied.sum()
            hand_pixels += hand.sum()
            both = (triangle >= 0) & (sample["depth"][v] > 0)
            errors.append(np.abs(sample["depth"][v][both] - depth[both]) * 1000)
            assert not sample["depth"][v][sample["parts"][v] == 0].any()
    errors = np.concatenate(errors)
    measured(
        f"depth as loaded against Embree over {len(errors)} pixels: median {np.median(errors):.5f}, "
        f"99th percentile {np.percentile(errors, 99):.5f} mm (limit 0.01), largest {errors.max():.3f}"
    )
    measured(f"mask against Embree: {disagree} of {hand_pixels} hand pixels differ, and {ties} pixel-centre ties")
    assert np.percentile(errors, 99) < 0.01
    assert disagree == 0
    assert ties < 1e-3 * hand_pixels


def near_an_edge(caster, triangle, sample, v, tolerance=2e-3):
    """Pixels whose centre lies within `tolerance` pixels of a projected edge of the mesh (a tie)."""
    image = project(caster.vertices, sample["K"][v], sample["world_to_cam"][v])
    edges = np.unique(np.sort(caster.faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1), axis=0)
    a, b = image[edges[:, 0]], image[edges[:, 1]]
    near = np.zeros(triangle.shape, bool)
    hand = (triangle >= 0) & (triangle < caster.hand_faces)
    for y, x in np.argwhere(hand != sample["mask"][v]):
        p = np.array([x + 0.5, y + 0.5])
        t = np.clip(((p - a) * (b - a)).sum(1) / np.maximum(((b - a) ** 2).sum(1), 1e-12), 0, 1)
        near[y, x] = np.linalg.norm(p - a - t[:, None] * (b - a), axis=1).min() < tolerance
    return near


def test_flow_is_the_projected_motion_of_the_vertices(dataset, samples, measured):
    errors = []
    for i, sample in enumerate(samples):
        for name, step in (("flow_forward", 1), ("flow_backward", -1)):
            if not sample[f"{name}_valid"]:
                assert not sample[name].any()
                continue
            neighbour = samples[i + step]
            assert neighbour["meta"]["pair"] == sample["meta"]["pair"]
            errors += flow_errors(dataset, sample, neighbour, name)
    errors = np.concatenate(errors)
    measured(
        f"flow as loaded against projected vertex motion over {len(errors)} pixels: "
        f"99.9th percentile {np.percentile(errors, 99.9):.4f} px (limit 0.02), largest {errors.max():.4f}"
    )
    assert len(errors) > 10_000
    assert np.percentile(errors, 99.9) < 0.02


def flow_errors(dataset, sample, neighbour, name):
    caster = Caster(dataset, sample)
    moved = np.concatenate([neighbour["vertices_world"], neighbour["arm_vertices_world"]]).astype(float)
    for v in range(len(sample["K"])):
        K, world_to_cam, size = sample["K"][v], sample["world_to_cam"][v], sample["mask"].shape[-1]
        triangle, _, points = caster.view(K, world_to_cam, size)
        # pixels whose part agrees: elsewhere the two casters met different surfaces at a silhouette tie
        use = (triangle >= 0) & (sample["depth"][v] > 0)
        corners = caster.faces[triangle[use]]
        weights = barycentric(points[use], caster.vertices[corners])
        there = project(np.einsum("pc,pck->pk", weights, moved[corners]), K, world_to_cam)
        here = np.argwhere(use)[:, ::-1] + 0.5
        yield np.abs(there - here - sample[name][v][use]).max(1)


def barycentric(points, corners):
    """Areal coordinates (P, 3) of points on triangles (P, 3, 3), by areas."""
    areas = np.stack([np.cross(corners[:, i - 2] - points, corners[:, i - 1] - points) for i in range(3)], axis=1)
    total = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])[:, None]
    return (areas * total).sum(2) / (total**2).sum(2)


def test_joint_visibility_agrees_with_the_ray_caster(dataset, samples, measured):
    """The first surface Embree meets on the ray to a joint decides, through the parts named in the shard."""
    different = total = 0
    for sample in samples:
        caster = Caster(dataset, sample)
        face_part = np.concatenate([dataset.face_part, np.full(len(dataset.arm_faces), 18)])
        for v in range(len(sample["K"])):
            rotation, translation = sample["world_to_cam"][v][:3, :3], sample["world_to_cam"][v][:3, 3]
            origin = -rotation.T @ translation
            directions = sample["joints_world"] - origin  # a ray of length 1 ends in the joint
            first = caster.caster.intersects_first(np.tile(origin - caster.centre, (21, 1)), directions)
            corners = caster.vertices[caster.faces[first]]
            normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
            reach = ((corners[:, 0] - origin) * normal).sum(1) / (directions * normal).sum(1)
            for joint in range(21):
                part = dataset.part_names[face_part[first[joint]]]
                adjoins = part in ADJOINS[dataset.joint_names[joint]]
                expected = adjoins or first[joint] < 0 or reach[joint] > 1  # nothing lies before the joint
                different += expected != sample["joint_visible"][v][joint]
                total += 1
    measured(f"joint_visible against Embree: {different} of {total} differ")
    assert different <= 0.002 * total


ADJOINS = {"wrist": {"forearm", "palm"}, "thumb_cmc": {"palm", "thumb_metacarpal"}}
ADJOINS |= {"thumb_mcp": {"thumb_metacarpal", "thumb_proximal"}, "thumb_ip": {"thumb_proximal", "thumb_distal"}}
ADJOINS |= {"thumb_tip": {"thumb_distal"}}
for _finger in ("index", "middle", "ring", "little"):
    ADJOINS |= {
        f"{_finger}_mcp": {"palm", f"{_finger}_proximal"},
        f"{_finger}_pip": {f"{_finger}_proximal", f"{_finger}_middle"},
        f"{_finger}_dip": {f"{_finger}_middle", f"{_finger}_distal"},
        f"{_finger}_tip": {f"{_finger}_distal"},
    }
