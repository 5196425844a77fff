"""The amodal mask: pixels whose centre the projected hand covers, against a naive twin and against Embree."""

from __future__ import annotations

import time

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from records import ring

from dataset_tools import HandDataset
from dataset_tools.load.dataset import outward
from dataset_tools.load.silhouette import edges_of, silhouettes

EYE = np.eye(4)[None]


def naive(vertices: np.ndarray, faces: np.ndarray, K: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Every pixel centre against every triangle, by the signs of three areas."""
    image = vertices @ K[:2].T / vertices[:, 2:]
    out = np.zeros(size, bool)
    for y, x in np.ndindex(size):
        for face in faces:
            if (vertices[face, 2] <= 0).any():
                continue
            a, b, c = image[face] - [x + 0.5, y + 0.5]
            areas = [p[0] * q[1] - p[1] * q[0] for p, q in ((a, b), (b, c), (c, a))]
            out[y, x] |= all(area > 0 for area in areas) or all(area < 0 for area in areas)
    return out


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.booleans(), st.booleans())
def test_any_triangles_cover_what_the_naive_twin_says(seed, count, closed, behind):
    """Loose triangles, closed bodies, through each other, over the edge and behind the camera."""
    rng = np.random.default_rng(seed)
    if closed:
        body = trimesh.creation.icosahedron()
        vertices = np.concatenate([body.vertices * 0.2 + rng.normal(0, 0.3, 3) for _ in range(2)])
        faces = np.concatenate([body.faces, body.faces + len(body.vertices)])
    else:
        vertices, faces = rng.normal(0, 0.5, (9, 3)), rng.integers(0, 9, (count, 3))
    vertices = vertices + [0, 0, 0.3 if behind else 3.0]
    K = np.array([[14.0, 0, 5], [0, 16, 4], [0, 0, 1]])
    got = silhouettes(vertices, faces, K[None], EYE, (8, 9))[0]
    assert np.array_equal(got, naive(vertices, faces, K, (8, 9)))


def test_edges_are_found_once_and_a_hand_is_closed(shard):
    hands = HandDataset(shard, fields=["sample"])
    edges = edges_of(hands.faces)
    assert edges.closed
    assert len(edges.ends) == 3 * len(hands.faces) // 2
    sides = np.concatenate([hands.faces[:, [0, 1]], hands.faces[:, [1, 2]], hands.faces[:, [2, 0]]])
    along = np.where((edges.sign > 0)[:, None], edges.ends[edges.edge], edges.ends[edges.edge][:, ::-1])
    assert np.array_equal(along, sides)
    assert not edges_of(hands.faces[1:]).closed


@pytest.mark.parametrize("hand", ["right", "left"])
def test_the_hand_covers_what_its_rays_hit(hand, shard):
    """Embree, on the hand alone; it may pass an edge on the other side."""
    hands = HandDataset(shard, fields=["vertices_world", "K", "world_to_cam"])
    sample, size = hands[1], 96
    K, world_to_cam = ring(np.zeros(3), 4, size)
    faces = outward(hands.faces, hand)
    got = silhouettes(sample["vertices_world"], faces, K, world_to_cam, (size, size))
    mesh = trimesh.Trimesh(sample["vertices_world"], hands.faces, process=False)
    y, x = np.mgrid[:size, :size] + 0.5
    for view in range(4):
        turn, shift = world_to_cam[view, :3, :3], world_to_cam[view, :3, 3]
        rays = (np.stack([x, y, np.ones_like(x)], -1) @ np.linalg.inv(K[view]).T).reshape(-1, 3) @ turn
        hit = mesh.ray.intersects_any(np.broadcast_to(-turn.T @ shift, rays.shape), rays).reshape(size, size)
        assert hit.sum() > 500
        assert (got[view] != hit).sum() <= 3


def test_the_field_holds_the_mask_and_what_the_arm_hides(shard):
    assert "amodal_mask" not in HandDataset(shard)[0]
    hands = HandDataset(shard, fields=["amodal_mask", "mask", "parts"])
    for sample in hands:
        amodal, mask = sample["amodal_mask"], sample["mask"]
        assert (mask & ~amodal).sum() <= 2  # rays of the labels may pass an edge on the other side
        assert set(np.unique(sample["parts"][amodal & ~mask])) <= {0, 18}
        assert (sample["parts"] == 0)[amodal].sum() <= 2
    single = HandDataset(shard, fields=["amodal_mask"], views=[3])[0]
    assert set(single) == {"amodal_mask"}
    assert np.array_equal(single["amodal_mask"][0], hands[0]["amodal_mask"][3])


def test_its_processor_time_is_stated(shard, measured):
    hands = HandDataset(shard, fields=["vertices_world"])
    vertices, edges = hands[0]["vertices_world"], edges_of(hands.faces)
    K, world_to_cam = ring(np.zeros(3), 8, 256)
    start = time.process_time()
    for _ in range(3):
        silhouettes(vertices, hands.faces, K, world_to_cam, (256, 256), edges)
    each = (time.process_time() - start) / 24
    measured(f"loader: amodal mask, {1000 * each:.2f} ms of processor time per view of 256 px")
    assert each < 0.02
