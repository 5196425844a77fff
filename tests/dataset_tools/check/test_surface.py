"""Rays against a naive twin: every triangle is tried for every ray, in double precision."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset_tools.check.stored import choose_pixels, scattered
from dataset_tools.check.surface import Surface, Topology, Views


def naive_hit(origin, direction, vertices, faces) -> tuple[int, np.ndarray, float]:
    """First triangle on a ray, weights (3,) of its corners and distance (Moeller and Trumbore 1997); -1 for none."""
    a, b, c = np.moveaxis(vertices[faces], 1, 0)
    p = np.cross(direction, c - a)
    det = ((b - a) * p).sum(1)
    det[np.abs(det) < 1e-14] = np.nan
    u = ((origin - a) * p).sum(1) / det
    q = np.cross(origin - a, b - a)
    v, t = q @ direction / det, ((c - a) * q).sum(1) / det
    met = np.flatnonzero((u >= 0) & (v >= 0) & (u + v <= 1) & (t > 0))
    if not len(met):
        return -1, np.zeros(3), np.inf
    first = met[t[met].argmin()]
    return int(first), np.array([1 - u[first] - v[first], u[first], v[first]]), float(t[first])


def naive_flow(sample, other, pixel, view) -> np.ndarray | None:
    """Flow (2,) px of one pixel by hand: its ray's triangle, the same point of the neighbour's, projected."""
    K, pose = sample["K"][view], sample["world_to_cam"][view]
    direction = pose[:3, :3].T @ np.linalg.inv(K) @ [*pixel, 1.0]
    centre = -pose[:3, :3].T @ pose[:3, 3]
    faces = sample.topology.faces
    triangle, weights, _ = naive_hit(centre, direction, sample.surface.vertices, faces)
    if triangle < 0:
        return None
    local = pose[:3, :3] @ (weights @ other.surface.vertices[faces[triangle]]) + pose[:3, 3]
    return (K @ (local / local[2]))[:2] - pixel


def soup(seed: int, count: int = 12) -> Surface:
    vertices = np.random.default_rng(seed).normal(size=(3 * count, 3)).astype(np.float32)
    faces = np.arange(3 * count).reshape(-1, 3)
    topology = Topology(faces[:-2], faces[-2:] - 3 * (count - 2), np.ones(count - 2, np.uint8), 3 * (count - 2))
    return Surface(topology, vertices[: 3 * (count - 2)], vertices[3 * (count - 2) :])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_rays_meet_what_a_naive_search_finds(seed):
    surface, rng = soup(seed), np.random.default_rng(seed + 1)
    origins, directions = 5 * rng.normal(size=(2, 20, 3))
    directions -= origins
    hits = surface.cast(origins, directions)
    for ray in range(20):
        triangle, weights, depth = naive_hit(origins[ray], directions[ray], surface.vertices, surface.topology.faces)
        if triangle >= 0 and weights.min() < 1e-4:
            continue  # on an edge: either answer is right
        assert hits.triangle[ray] == triangle
        if triangle >= 0:
            np.testing.assert_allclose(hits.weights[ray], weights, atol=2e-4)
            assert np.isclose(hits.depth[ray], depth, atol=1e-4)
            np.testing.assert_allclose(surface.points(hits)[ray], origins[ray] + depth * directions[ray], atol=2e-3)


def test_a_ray_that_meets_nothing_says_so():
    hits = soup(0).cast(np.array([[50.0, 0, 0]]), np.array([[1.0, 0, 0]]))
    assert hits.triangle[0] == -1 and np.isinf(hits.depth[0])
    assert soup(0).topology.part[hits.triangle[0]] == 0


def test_no_rays_are_no_hits():
    assert len(soup(0).cast(np.zeros((0, 3)), np.zeros((0, 3))).depth) == 0


def test_seen_points_lie_on_their_rays(pairs, as_samples):
    sample = as_samples(pairs[0])[0]
    view = np.array([0, 3, 3, 7])
    xy = np.array([[1.5, 2.5], [40.0, 50.0], [90.5, 3.0], [48.0, 48.0]])
    origins, directions = sample.views.rays(view, xy)
    pixels, depth = sample.views.see(view, origins + 0.7 * directions)
    np.testing.assert_allclose(pixels, xy, atol=1e-9)
    np.testing.assert_allclose(depth, 0.7)


def test_behind_a_camera_there_is_no_pixel():
    views = Views(np.eye(3)[None], np.eye(4)[None])
    pixels, depth = views.see(np.array([0]), np.array([[0.0, 0, -1]]))
    assert np.isnan(pixels).all() and depth[0] == -1


def test_flow_is_that_of_a_naive_search(pairs, as_samples):
    sample, other = as_samples(pairs[0])
    flat = np.flatnonzero(sample["parts"])[:: max(1, int((sample["parts"] > 0).sum() / 25))]
    for index in flat:
        view, row, column = np.unravel_index(index, sample["parts"].shape)
        flow = naive_flow(sample, other, np.array([column + 0.5, row + 0.5]), view)
        assert flow is not None
        np.testing.assert_allclose(sample["flow_forward"][view, row, column], flow, atol=1e-3)


def test_the_pixels_that_are_looked_at_lie_on_both_sides_of_edges(pairs):
    parts = pairs[0][0]["parts"]
    flat, edge = choose_pixels(parts, 5)
    assert (np.diff(flat) > 0).all()
    beside = parts.ravel()[flat[edge]]
    assert 0.3 < (beside > 0).mean() < 0.9
    assert len(flat) < parts.size / 2


def test_another_sample_looks_at_other_pixels(pairs):
    parts = np.zeros_like(pairs[0][0]["parts"])
    seen = [set(choose_pixels(parts, phase)[0]) for phase in range(4)]
    assert len(set.union(*seen)) == parts.size
    assert sum(map(len, seen)) == parts.size


def test_scattered_indices_are_even_and_have_no_period():
    for count in (501, 987, 1000, 1597, 3948, 4791, 5168):  # by a golden ratio two of these had one side alone
        chosen = scattered(count, 500)
        assert len(chosen) == 500 and chosen.max() < count
        assert np.diff(chosen).max() <= 2 * count / 500 + 1
        for period in (2, 3, 4, 8):
            share = np.bincount(chosen % period, minlength=period) / 500 * period
            assert np.abs(share - 1).max() < 0.5, (count, period)
    assert (scattered(5, 9) == np.arange(5)).all()
