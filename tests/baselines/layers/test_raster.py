"""Depth maps and silhouettes equal loops over every pixel and triangle, and the labels'; gradients are true."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from baselines.layers import raster
from baselines.layers.raster import depth_map, nearest_faces, silhouette
from blender_scripts.labels.rasterise import rasterise, view_vertices
from rigging.hand.asset import load_asset

K = np.array([[40.0, 1.5, 15.0], [0.0, 42.0, 17.0], [0.0, 0.0, 1.0]])  # px, of 32 x 32
FACES = torch.from_numpy(load_asset().faces.astype(np.int64))
CHECK = {"eps": 1e-7, "atol": 1e-5, "rtol": 1e-3, "fast_mode": True}  # one random direction a case
few = settings(max_examples=15, deadline=None)


def cross(a, b) -> float:
    return a[0] * b[1] - a[1] * b[0]


def edges_at(corners: np.ndarray, x: float, y: float) -> list[float]:
    """Twice the areas that a pixel's centre makes with the edges opposite each corner."""
    p = [(u - x, v - y) for u, v, _ in corners]
    return [cross(p[1], p[2]), cross(p[2], p[0]), cross(p[0], p[1])]


def contains(edges: list[float]) -> bool:
    return any(edges) and (min(edges) >= 0 or max(edges) <= 0)


def drawn(corners: np.ndarray) -> bool:
    return bool(np.isfinite(corners).all() and (corners[:, 2] > 0).all())


def naive_depth(vertices: np.ndarray, faces: np.ndarray, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Depth and number of the nearest triangle (h, w) of one mesh: every pixel, every triangle, one after the other."""
    depth, nearest = np.zeros((height, width)), np.full((height, width), -1)
    for row, column in np.ndindex(height, width):
        best = np.float32(np.inf)
        for number, face in enumerate(faces):
            corners = vertices[face]
            edges = edges_at(corners, column + 0.5, row + 0.5)
            if not drawn(corners) or not contains(edges):
                continue
            z = sum(edges) / sum(edge / corner for edge, corner in zip(edges, corners[:, 2]))
            if np.float32(z) < best:
                best, depth[row, column], nearest[row, column] = np.float32(z), z, number
    return depth, nearest


def brute_depth(vertices: np.ndarray, faces: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The same for large meshes: every pixel against all triangles at once."""
    depth, nearest, corners = np.zeros((size, size)), np.full((size, size), -1), vertices[faces]
    for row, column in np.ndindex(size, size):
        (a, b, c), z = (corners[:, i, :2] - [column + 0.5, row + 0.5] for i in range(3)), corners[..., 2]
        edges = np.stack([cross(b.T, c.T), cross(c.T, a.T), cross(a.T, b.T)], -1)
        hit = ((edges >= 0).all(-1) | (edges <= 0).all(-1)) & edges.any(-1)
        if hit.any():
            found = edges[hit].sum(-1) / (edges[hit] / z[hit]).sum(-1)
            first = np.argmin(found.astype(np.float32))
            depth[row, column], nearest[row, column] = found[first], np.flatnonzero(hit)[first]
    return depth, nearest


def naive_silhouette(vertices: np.ndarray, faces: np.ndarray, size: int, softness: float) -> np.ndarray:
    """Soft Rasterizer's silhouette (size, size) of one mesh, pixel by pixel and triangle by triangle."""
    out = np.zeros((size, size))
    for row, column in np.ndindex(size, size):
        missed = 1.0
        for face in faces:
            if not drawn(corners := vertices[face]):
                continue
            point, inner = np.array([column + 0.5, row + 0.5]), contains(edges_at(corners, column + 0.5, row + 0.5))
            distance = min(to_segment(point, corners[i, :2], corners[(i + 1) % 3, :2]) for i in range(3))
            if inner or distance <= raster.REACH * softness:
                missed *= 1 - 1 / (1 + math.exp((-1 if inner else 1) * distance**2 / softness**2))
        out[row, column] = 1 - missed
    return out


def to_segment(point: np.ndarray, start: np.ndarray, end: np.ndarray) -> float:
    along = end - start
    share = np.clip((point - start) @ along / max(along @ along, 1e-300), 0, 1)
    return float(np.linalg.norm(point - start - share * along))


def soup(seed: int, count: int = 8, snapped: bool = False) -> tuple[Tensor, Tensor]:
    """Two meshes of 9 vertices (2, 9, 3), partly outside 6 x 7 px or behind the camera; one vertex is no number.

    Some of the triangles have no area. `snapped` puts vertices on centres of pixels, so that edges go through others.
    """
    rng = np.random.default_rng(seed)
    vertices = rng.uniform([-4, -4, -0.1], [11, 11, 0.9], (2, 9, 3))
    if snapped:
        vertices[..., :2] = np.round(vertices[..., :2]) + 0.5
        vertices[..., 2] = np.round(4 * vertices[..., 2]) / 4
    vertices[1, 3] = np.nan
    faces = rng.integers(0, 9, (count, 3))
    return torch.from_numpy(vertices), torch.from_numpy(faces)


@few
@given(st.integers(0, 10**6), st.booleans())
def test_every_pixel_of_any_triangles_is_that_of_the_loops(seed, snapped):
    vertices, faces = soup(seed, snapped=snapped)
    depth, inside = depth_map(vertices, faces, (6, 7))
    nearest = nearest_faces(vertices, faces, 6, 7)
    for item in range(2):
        wanted, number = naive_depth(vertices[item].numpy(), faces.numpy(), 6, 7)
        np.testing.assert_array_equal(nearest[item], number)
        np.testing.assert_array_equal(inside[item], number >= 0)
        np.testing.assert_allclose(depth[item], wanted, rtol=1e-12)


def seen_hand(seed: int) -> np.ndarray:
    """The hand (2651, 3) m in camera axes, turned at random; of some seeds partly outside the picture."""
    rng, asset = np.random.default_rng(seed), load_asset()
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    turn *= np.linalg.det(turn)
    return (asset.template - asset.joints.mean(0)) @ turn.T + [0.06 * (seed % 2), 0, 0.28]


def pixels_and_depth(points: np.ndarray) -> np.ndarray:
    """(N, 3): u, v, z of points (N, 3) in camera axes."""
    image = points @ K.T
    return np.concatenate([image[:, :2] / image[:, 2:], points[:, 2:]], 1)


@pytest.mark.parametrize("seed", range(4))
def test_every_pixel_of_the_hand_is_that_of_all_triangles(seed):
    vertices = pixels_and_depth(seen_hand(seed))
    wanted, number = brute_depth(vertices, FACES.numpy(), 32)
    depth, inside = depth_map(torch.from_numpy(vertices)[None], FACES, 32)
    np.testing.assert_array_equal(nearest_faces(torch.from_numpy(vertices)[None], FACES, 32, 32)[0], number)
    np.testing.assert_allclose(depth[0], wanted, rtol=1e-12)
    assert 0.1 < inside.double().mean() < 0.9
    single, _ = depth_map(torch.from_numpy(vertices)[None].float(), FACES, 32)
    assert (single[0] - depth[0]).abs().median() < 1e-7


@pytest.mark.parametrize("seed", range(3))
def test_depth_is_that_of_the_labels(seed):
    """The labels of a release come of rays in space, with no thought of pixels that a triangle's box holds."""
    points = seen_hand(seed)
    labels, triangle, _ = rasterise(view_vertices(points, K, np.eye(4)), load_asset().faces, 32, 32)
    depth, inside = depth_map(torch.from_numpy(pixels_and_depth(points))[None], FACES, 32)
    np.testing.assert_array_equal(inside[0], triangle >= 0)
    np.testing.assert_allclose(depth[0], np.where(triangle >= 0, labels, 0), atol=1e-9)


def test_a_depth_by_hand():
    """1/z is linear: at (0.5, 0.5) the weights are 3/4, 1/8, 1/8, so that z = 1 / (3/4 + 1/16 + 1/16) = 8/7 m."""
    depth, inside = depth_map(torch.tensor([[[0.0, 0, 1], [4, 0, 2], [0, 4, 2]]]), torch.tensor([[0, 1, 2]]), (2, 5))
    assert depth[0, 0, 0].item() == pytest.approx(8 / 7)
    assert inside[0].tolist() == [[True, True, True, True, False], [True, True, True, False, False]]


def test_blocks_change_nothing(monkeypatch):
    vertices = torch.from_numpy(pixels_and_depth(seen_hand(0)))[None].repeat(2, 1, 1).float()
    whole = depth_map(vertices, FACES, 32)[0], silhouette(vertices, FACES, 16)
    monkeypatch.setattr(raster, "MOST", 2000)
    assert torch.equal(depth_map(vertices, FACES, 32)[0], whole[0])
    torch.testing.assert_close(silhouette(vertices, FACES, 16), whole[1])


@few
@given(st.integers(0, 10**6))
def test_gradients_of_depth_are_finite_differences(seed):
    vertices, faces = soup(seed, count=4)
    vertices = vertices[:1].abs().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: depth_map(x, faces, (6, 7))[0], vertices, **CHECK)


def test_gradients_of_the_hand_s_depth_are_finite_differences():
    """In a direction in which, as far as this step goes, nothing is uncovered."""
    vertices = torch.from_numpy(pixels_and_depth(seen_hand(0)))[None].requires_grad_()
    _, inside = depth_map(vertices, FACES, 32)
    direction = 0.01 * torch.randn(vertices.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    def total(step: float) -> Tensor:
        depth, still = depth_map(vertices + step * direction, FACES, 32)
        assert torch.equal(still, inside)
        return (depth * torch.linspace(0, 1, depth.numel(), dtype=depth.dtype).view_as(depth)).sum()

    (gradient,) = torch.autograd.grad(total(0.0), vertices)
    numeric = (total(1e-6) - total(-1e-6)) / 2e-6
    assert (gradient * direction).sum().item() == pytest.approx(numeric.item(), rel=1e-4)


@few
@given(st.integers(0, 10**6), st.floats(0.3, 1.5), st.booleans())
def test_silhouettes_are_those_of_the_loops(seed, softness, snapped):
    vertices, faces = soup(seed, snapped=snapped)
    found = silhouette(vertices, faces, 7, softness)
    for item in range(2):
        wanted = naive_silhouette(vertices[item].numpy(), faces.numpy(), 7, softness)
        np.testing.assert_allclose(found[item], wanted, atol=1e-12)


@few
@given(st.integers(0, 10**6))
def test_gradients_of_silhouettes_are_finite_differences(seed):
    vertices, faces = soup(seed, count=4)
    vertices = vertices[:1].requires_grad_()
    with torch.no_grad():
        vertices[..., 2] = 1
    assert torch.autograd.gradcheck(lambda x: silhouette(x, faces, 7), vertices, **CHECK)


def test_the_soft_silhouette_of_the_hand_is_nearly_the_hard_one():
    vertices = torch.from_numpy(pixels_and_depth(seen_hand(0)))[None].float()
    _, inside = depth_map(vertices, FACES, 32)
    assert ((silhouette(vertices, FACES, 32, 0.05) > 0.5) == inside).float().mean() > 0.995


@pytest.mark.parametrize("shift", [(1e9, 0, 0), (0, 0, -9)])
def test_where_nothing_is_seen_all_is_zero_and_so_is_the_gradient(shift):
    vertices = torch.from_numpy(pixels_and_depth(seen_hand(0)))[None].float() + torch.tensor(shift)
    vertices.requires_grad_()
    depth, inside = depth_map(vertices, FACES, 32)
    cover = silhouette(vertices, FACES, 32)
    (depth.sum() + cover.sum()).backward()
    assert not depth.any() and not inside.any() and not cover.any() and not vertices.grad.any()
