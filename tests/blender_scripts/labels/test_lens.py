"""Labels through a lens, against rays that Embree casts where OpenCV says that a distorted picture's pixels look."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from trimesh.ray.ray_pyembree import RayMeshIntersector

from blender_scripts.labels import label_views
from blender_scripts.labels.coverage import GRID, pixel_coverage
from blender_scripts.labels.hand import label_hand, make_surface
from blender_scripts.labels.rasterise import rasterise_points, view_vertices
from rigging.errors import InputError
from rigging.geometry.distortion import Lens
from rigging.geometry.rotations import axis_angle
from rigging.hand.arm import arm_topology, build_arm
from rigging.hand.asset import load_asset
from rigging.hand.shape import Subject, rest_hand
from rigging.joints import ARM_PART

SIZE = 128
LENSES = {
    "barrel": [-0.28, 0.07, 0.002, -0.001, 0.0],
    "pincushion": [0.25, 0.1, -0.001, 0.002, 0.05],
}
STOP = (cv2.TERM_CRITERIA_MAX_ITER + cv2.TERM_CRITERIA_EPS, 500, 1e-15)


def rays_of(pixels, K, lens):
    """Directions (P, 3), z = 1, of pixels (P, 2) of the distorted picture, as OpenCV has them."""
    xy = cv2.undistortPointsIter(pixels[:, None], K, np.array(lens), None, None, STOP)[:, 0]
    return np.column_stack([xy, np.ones(len(xy))])


def image_of(local, K, lens):
    """Pixels (P, 2) of points (P, 3) in the camera, as OpenCV has them."""
    return cv2.projectPoints(local, np.zeros(3), np.zeros(3), K, np.array(lens))[0][:, 0]


@pytest.fixture(scope="module")
def hand():
    """Surface, vertices (N, 3) now and a moment later, joints (21, 3), of a rest hand with its arm."""
    asset = load_asset()
    rest = rest_hand(asset, Subject(coefficients=np.zeros(len(asset.shape_vertices)), hand_length=0.18, age=30,
                                    gender=0.5, ita=30, skin_seed=1))  # fmt: skip
    arm = build_arm(asset, rest, "sleeve", np.random.default_rng(0))
    vertices = np.concatenate([rest.vertices, arm])
    turn = axis_angle(np.array([0.0, 0, 1]), 0.1)
    return make_surface(asset, arm_topology(asset)[0], False), vertices, vertices @ turn.T, rest.joints


def camera(vertices):
    """A wide camera near the hand, which fills the picture into its corners."""
    middle = vertices[:2651].mean(0)
    world_to_cam = np.eye(4)
    world_to_cam[:3, :3] = axis_angle(np.array([1.0, 0, 0]), 0.4)
    world_to_cam[:3, 3] = [0.01, -0.01, 0.16] - world_to_cam[:3, :3] @ middle
    return np.array([[0.8 * SIZE, 0, SIZE / 2], [0, 0.8 * SIZE, SIZE / 2], [0, 0, 1]]), world_to_cam


@pytest.fixture(scope="module", params=LENSES)
def seen(request, hand):
    """Labels of one view, its camera, lens, and Embree over the mesh in the camera's frame, now and later."""
    surface, vertices, later, joints = hand
    K, world_to_cam = camera(vertices)
    lens = LENSES[request.param]
    labels = label_hand(surface, vertices, joints, K[None], world_to_cam[None], (SIZE, SIZE), None, later,
                        distortion=np.array([lens]))  # fmt: skip
    local = [points @ world_to_cam[:3, :3].T + world_to_cam[:3, 3] for points in (vertices, later, joints)]
    casters = [RayMeshIntersector(trimesh.Trimesh(points, surface.faces, process=False)) for points in local[:2]]
    return {name: values[0] for name, values in labels.items() if values.ndim}, surface, K, lens, local, casters


def first(caster, local, faces, rays):
    """The faces (P,) that rays (P, 3) from the camera meet, -1 for none, and barycentrics (P, 3) on them."""
    face = caster.intersects_first(np.zeros_like(rays), rays)
    weights = np.linalg.solve(local[faces[face]].transpose(0, 2, 1), rays[..., None])[..., 0]
    return face, weights / weights.sum(1, keepdims=True)


def centres():
    y, x = np.mgrid[:SIZE, :SIZE] + 0.5
    return np.stack([x, y], -1).reshape(-1, 2)


def test_depth_parts_and_flow_are_those_of_the_distorted_rays(seen):
    labels, surface, K, lens, (local, later, _), casters = seen
    pixels = centres()
    face, weights = first(casters[0], local, surface.faces, rays_of(pixels, K, lens))
    parts = labels["parts"].ravel()
    hit = face >= 0
    assert hit.sum() > 4000
    assert (hit != (parts > 0)).sum() <= 4  # single precision: pixel centres on an edge
    both = np.flatnonzero(hit & (parts > 0))
    assert (surface.face_part[face[both]] != parts[both]).sum() <= 4
    weights, corners = weights[both], surface.faces[face[both]]
    points = np.einsum("pk,pkc->pc", weights, local[corners])
    assert np.percentile(np.abs(points[:, 2] - labels["depth"].ravel()[both]), 99.9) < 1e-5
    there = image_of(np.einsum("pk,pkc->pc", weights, later[corners]), K, lens)
    off = np.abs(there - pixels[both] - labels["flow_forward"].reshape(-1, 2)[both]).max(1)
    assert np.percentile(off, 99.9) < 2e-3
    assert (off > 1).sum() <= 4


def test_flow_is_visible_where_the_first_surface_later_is_the_same(seen):
    labels, surface, K, lens, (_, later, _), casters = seen
    row, column = np.nonzero(labels["parts"])
    there = np.column_stack([column, row]) + 0.5 + labels["flow_forward"][row, column]
    inside = ((there >= 0) & (there < SIZE)).all(1)
    rays = rays_of(there[inside], K, lens)
    face, weights = first(casters[1], later, surface.faces, rays)
    nearest = np.where(face >= 0, (weights[..., None] * later[surface.faces[face]]).sum(1)[:, 2], np.inf)
    said = labels["flow_forward_visible"][row, column]
    assert not said[~inside].any()
    now = labels["depth"][row, column][inside]
    own = np.abs(nearest - now) < 0.003  # the hand turns about the camera's height: depths hardly change
    assert (own != said[inside]).mean() < 0.03
    assert 0.5 < said.mean() < 1


def test_joints_are_in_the_frame_and_seen_as_the_distorted_picture_has_them(seen):
    labels, surface, K, lens, (local, _, joints), casters = seen
    pixels = image_of(joints, K, lens)
    assert np.array_equal(labels["joint_in_frame"], ((pixels >= 0) & (pixels < SIZE)).all(1))
    face, weights = first(casters[0], local, surface.faces, rays_of(pixels, K, lens))
    assert (face >= 0).all()
    from rigging.joints import adjoining_parts

    adjoins = [part in adjoining_parts(joint) for joint, part in enumerate(surface.face_part[face])]
    depth = (weights[..., None] * local[surface.faces[face]]).sum(1)[:, 2]
    assert np.array_equal(labels["joint_visible"], np.array(adjoins) | (depth > joints[:, 2]))


def test_normals_are_of_the_surface_that_the_pixel_sees(seen):
    labels, surface, K, lens, (local, _, _), _ = seen
    flat = label_views(
        local, surface.faces, surface.face_part, np.zeros((0, 3)), K[None], np.eye(4)[None], (SIZE, SIZE),
        distortion=np.array([lens]),
    )["normals"][0]  # fmt: skip
    seen_parts = (labels["parts"] > 0) & (labels["parts"] < ARM_PART)
    lengths = np.linalg.norm(labels["normals"][seen_parts], axis=1)
    assert np.allclose(lengths, 1, atol=1e-6)
    rays = rays_of(centres(), K, lens).reshape(SIZE, SIZE, 3)
    assert ((labels["normals"] * rays).sum(-1)[seen_parts] < 0.05).mean() > 0.99  # they face the ray
    assert np.median((flat * labels["normals"]).sum(-1)[seen_parts]) > 0.999


def test_coverage_is_the_share_of_the_pixels_points_that_the_lens_takes_to_the_mesh(seen):
    labels, surface, K, lens, (local, _, _), casters = seen
    viewed = view_vertices(local, K, np.eye(4))
    coverage = pixel_coverage(viewed, surface.faces, labels["parts"] > 0, Lens(K, np.array(lens)))
    row, column = np.nonzero((coverage > 0) & (coverage < 1))
    assert len(row) > 150
    offsets = (np.arange(GRID) + 0.5) / GRID
    points = np.stack(np.broadcast_arrays(column[:, None, None] + offsets, row[:, None, None] + offsets[:, None]), -1)
    hit = casters[0].intersects_any(np.zeros((points.size // 2, 3)), rays_of(points.reshape(-1, 2), K, lens))
    assert np.abs(hit.reshape(len(row), -1).mean(1) - coverage[row, column]).max() <= 1 / 16
    assert (hit.reshape(len(row), -1).mean(1) == coverage[row, column]).mean() > 0.98


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_every_pixel_is_asked_as_a_point_of_its_own(seed):
    """The naive way: pixel by pixel, one point, one ray."""
    rng = np.random.default_rng(seed)
    vertices, faces = rng.normal(size=(18, 3)) * 0.5 + [0, 0, 1], np.arange(18).reshape(6, 3)
    lens, K = np.array([-0.2, 0.05, 0.003, 0.002, 0]), np.array([[14.0, 0.3, 9], [0, 13, 7], [0, 0, 1]])
    labels = label_views(vertices, faces, np.arange(1, 7), np.zeros((0, 3)), K[None], np.eye(4)[None], (18, 14),
                         distortion=lens[None])  # fmt: skip
    viewed, where = view_vertices(vertices, K, np.eye(4)), Lens(K, lens).grid((18, 14))
    for y in range(14):
        for x in range(18):
            depth, face = rasterise_points(viewed, faces.astype(np.int32), where[y, x][None], 18, 14)
            assert labels["parts"][0, y, x] == face[0] + 1
            assert labels["depth"][0, y, x] == (np.float32(depth[0]) if face[0] >= 0 else 0)


def test_a_lens_that_does_nothing_changes_no_byte(hand):
    surface, vertices, later, joints = hand
    K, world_to_cam = camera(vertices)
    scene = (surface, vertices, joints, K[None], world_to_cam[None], (SIZE, SIZE), None, later)
    plain, zero = label_hand(*scene), label_hand(*scene, distortion=np.zeros((1, 5)))
    assert all(np.array_equal(plain[name], zero[name]) for name in plain)


@pytest.mark.parametrize(
    ("distortion", "told"),
    [
        (np.zeros((2, 5)), "1 K and 2 distortion"),
        (np.zeros((1, 4)), r"distortion has shape \(1, 4\)"),
        (np.array([[-1.5, 0, 0, 0, 0]]), "k1 = -1.5.* the lens folds"),
    ],
)
def test_lenses_that_do_not_fit_are_named(hand, distortion, told):
    surface, vertices, _, joints = hand
    K, world_to_cam = camera(vertices)
    with pytest.raises(InputError, match=told):
        label_hand(surface, vertices, joints, K[None], world_to_cam[None], (SIZE, SIZE), distortion=distortion)
