"""The rasteriser against an independent ray caster (Embree), a naive loop, and geometry with known answers."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import Delaunay
from trimesh.ray.ray_pyembree import RayMeshIntersector

from blender_scripts.labels.rasterise import rasterise, rasterise_points, view_vertices
from rigging.hand.asset import load_asset

SIZE = 64
K = np.array([[90.0, 0.7, 31.0], [0, 95.0, 33.0], [0, 0, 1]])


def look_at(rng: np.random.Generator, target: np.ndarray, distance: float) -> np.ndarray:
    rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    rotation *= np.linalg.det(rotation)
    matrix = np.eye(4)
    matrix[:3, :3] = rotation
    matrix[:3, 3] = [0, 0, distance] - rotation @ target
    return matrix


def pixel_rays(world_to_cam: np.ndarray, size: int = SIZE) -> tuple[np.ndarray, np.ndarray]:
    """Ray origins and directions (world) whose camera-space z is 1, so that ray length equals planar depth."""
    y, x = np.mgrid[:size, :size] + 0.5
    directions = np.stack([x, y, np.ones_like(x)], -1).reshape(-1, 3) @ np.linalg.inv(K).T
    rotation, translation = world_to_cam[:3, :3], world_to_cam[:3, 3]
    return np.broadcast_to(-rotation.T @ translation, directions.shape), directions @ rotation


def naive_rasterise(vertices, faces, world_to_cam, size):
    """Moeller-Trumbore for every pixel and triangle."""
    origins, directions = pixel_rays(world_to_cam, size)
    depth = np.full(size * size, np.inf)
    for a, b, c in vertices[faces]:
        h = np.cross(directions, c - a)
        det = h @ (b - a)
        s = origins - a
        with np.errstate(divide="ignore", invalid="ignore"):
            u = (s * h).sum(1) / det
            q = np.cross(s, b - a)
            v = (directions * q).sum(1) / det
            t = q @ (c - a) / det
        hit = (u >= 0) & (v >= 0) & (u + v <= 1) & (t > 1e-4)
        depth = np.where(hit & (t < depth), t, depth)
    return depth.reshape(size, size)


@pytest.mark.parametrize("seed", range(4))
def test_hand_agrees_with_embree(seed):
    asset = load_asset()
    world_to_cam = look_at(np.random.default_rng(seed), asset.joints[9], 0.35)
    depth, triangle, barycentric = rasterise(view_vertices(asset.template, K, world_to_cam), asset.faces, SIZE, SIZE)
    mesh = trimesh.Trimesh(asset.template, asset.faces, process=False)
    origins, directions = pixel_rays(world_to_cam)
    points, rays, _ = RayMeshIntersector(mesh).intersects_location(origins, directions, multiple_hits=False)
    expected = np.full(SIZE * SIZE, np.inf)
    expected[rays] = points @ world_to_cam[2, :3] + world_to_cam[2, 3]
    disagree = np.isfinite(expected) != np.isfinite(depth.ravel())
    assert disagree.sum() <= 1  # Embree computes in single precision: a pixel centre on an edge may tie
    both = np.isfinite(expected) & np.isfinite(depth.ravel())
    assert both.sum() > 300
    assert np.percentile(np.abs(expected[both] - depth.ravel()[both]), 99) < 1e-5
    seen = triangle >= 0
    weights = np.concatenate([1 - barycentric[seen].sum(1, keepdims=True), barycentric[seen]], 1)
    surface = np.einsum("pc,pck->pk", weights, asset.template[asset.faces[triangle[seen]]])
    assert np.allclose(surface @ world_to_cam[2, :3] + world_to_cam[2, 3], depth[seen], atol=1e-12)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1), st.floats(-0.3, 1.0))
def test_triangle_soup_agrees_with_the_naive_loop_even_behind_the_camera(seed, distance):
    rng = np.random.default_rng(seed)
    vertices = rng.normal(size=(30, 3)) * 0.4
    faces = rng.permutation(30).reshape(10, 3).astype(np.int32)
    world_to_cam = look_at(rng, np.zeros(3), distance)
    depth, _, _ = rasterise(view_vertices(vertices, K, world_to_cam), faces, 24, 24)
    expected = naive_rasterise(vertices, faces, world_to_cam, 24)
    mismatch = ~np.isclose(depth, expected, rtol=1e-7, atol=1e-9) & ~(np.isinf(depth) & np.isinf(expected))
    assert mismatch.sum() == 0


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_a_surface_without_holes_has_no_cracks(seed):
    rng = np.random.default_rng(seed)
    sheet = rng.uniform(-1, 1, (200, 2))
    sheet = np.concatenate([sheet, [[-1, -1], [1, -1], [1, 1], [-1, 1]]])
    faces = Delaunay(sheet).simplices.astype(np.int32)
    vertices = np.concatenate([sheet, np.full((len(sheet), 1), 2.0)], axis=1)
    depth, _, _ = rasterise(view_vertices(vertices, K, np.eye(4)), faces, SIZE, SIZE)
    assert np.isfinite(depth).all()
    assert np.allclose(depth, 2.0, atol=1e-12)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_image_points_at_pixel_centres_see_what_the_image_sees(seed):
    rng = np.random.default_rng(seed)
    asset = load_asset()
    world_to_cam = look_at(rng, asset.joints[9], 0.3)
    depth, triangle, _ = rasterise(view_vertices(asset.template, K, world_to_cam), asset.faces, SIZE, SIZE)
    pixels = rng.permutation(SIZE * SIZE)[:500]
    centres = np.stack([pixels % SIZE + 0.5, pixels // SIZE + 0.5], axis=1)
    z, hit = rasterise_points(view_vertices(asset.template, K, world_to_cam), asset.faces, centres, SIZE, SIZE)
    assert np.array_equal(z, depth.ravel()[pixels])
    assert np.array_equal(hit, triangle.ravel()[pixels])


def test_image_points_outside_the_image_still_see():
    vertices = np.array([[-9, -9, 1.0], [9, -9, 1], [0, 18, 1]])
    outside = np.array([[-50.0, 20], [200, 20], [20, -70], [20, 300]])
    z, hit = rasterise_points(
        view_vertices(vertices, K, np.eye(4)), np.array([[0, 1, 2]], np.int32), outside, SIZE, SIZE
    )
    assert np.allclose(z, 1)
    assert (hit == 0).all()


def test_the_nearer_surface_wins_and_equal_depth_goes_to_the_first():
    square = np.array([[-1, -1, 0], [3, -1, 0], [-1, 3, 0]], float)
    vertices = np.concatenate([square + [0, 0, 2], square + [0, 0, 1], square + [0, 0, 1]])
    faces = np.arange(9, dtype=np.int32).reshape(3, 3)
    _, triangle, _ = rasterise(view_vertices(vertices, K, np.eye(4)), faces, SIZE, SIZE)
    assert set(np.unique(triangle)) == {1}
