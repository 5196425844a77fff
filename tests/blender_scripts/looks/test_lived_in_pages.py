"""What lived-in rooms are painted with: spectra, pages, mip levels, and surfaces that carry them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blender_scripts.looks.colour import srgb_to_linear
from blender_scripts.looks.lived_in import room as lived_in
from blender_scripts.looks.lived_in.pages import CEILINGS, FLOORS, NAMES, PAGES, SHARP, WALLS, mip_maps, paint_pages
from blender_scripts.looks.lived_in.prints import words
from blender_scripts.looks.lived_in.scene import BOX, CAPSULE, CYLINDER, ELLIPSOID, SIDES, SIZE, SOLID, Hits, Scene
from blender_scripts.looks.lived_in.shading import shade
from blender_scripts.looks.lived_in.spectra import Fields, fractals
from blender_scripts.looks.lived_in.surfaces import surfaces

PAINTERS = {painter.__name__: painter for painter, _ in (*WALLS, *FLOORS, *CEILINGS)}
FIELDS = Fields.draw(np.random.default_rng(0))


@pytest.mark.parametrize("slope", [0.5, 1.0, 1.6])
def test_fields_fall_with_frequency(slope):
    (field,) = fractals(np.random.default_rng(1), (slope, 1.0))
    size = np.abs(np.fft.rfft2(field))
    radius = np.hypot(np.fft.fftfreq(SIZE, 1 / SIZE)[:, None], np.arange(SIZE // 2 + 1))
    rings = [(low, size[(radius >= low) & (radius < 2 * low)].mean()) for low in (4, 8, 16, 32, 64)]
    fitted = np.polyfit(*np.log(np.array(rings)).T, 1)[0]
    assert np.isclose(fitted, -slope, atol=0.05)


@pytest.mark.parametrize("name", sorted({**PAGES, **PAINTERS}))
def test_pages_are_albedos(name):
    painter = PAGES.get(name) or PAINTERS[name]
    fields = FIELDS if name in SHARP or name in PAINTERS else FIELDS.smaller
    picture = painter(np.random.default_rng(3), fields)
    assert picture.shape == (fields.size, fields.size, 3)
    assert np.isfinite(picture).all()
    assert 0.01 < picture.mean() < 1
    assert picture.std() > 0
    assert np.array_equal(picture, painter(np.random.default_rng(3), fields))


def test_a_page_is_the_same_whatever_else_is_painted():
    few, _ = paint_pages(5, ("paint", "page"))
    more, _ = paint_pages(5, ("wall", "paint", "metal", "page"))
    assert np.array_equal(few, more[[1, 3]])
    assert set(SHARP) <= set(NAMES)


def test_mip_levels_are_means_of_the_one_before():
    picture = np.random.default_rng(0).random((SIZE, SIZE, 3)).astype(np.float32)
    page = np.zeros((SIZE, 3 * SIZE // 2, 3), np.uint8)
    mip_maps(picture, page)
    before, top = page[:, :SIZE].astype(float), 0
    for level in range(1, 5):
        size = SIZE >> level
        after = page[top : top + size, SIZE : SIZE + size]
        assert np.abs(before.reshape(size, 2, size, 2, 3).mean((1, 3)) - after).max() <= 0.76  # rounded twice
        before, top = after.astype(float), top + size


def test_words_can_be_read():
    made = words(np.random.default_rng(0), 200)
    assert len(set(made)) > 100
    assert all(word.isalpha() and set(word) & set("aeiou") for word in made)


def test_a_face_shows_its_page_upright(workshop):
    """A square metre seen straight on: every pixel is the page's texel there, by bilinear look-up in plain Python."""
    solids, page = np.zeros(SIDES + 1, SOLID), np.zeros((1, SIZE, 3 * SIZE // 2, 3), np.uint8)
    mip_maps(np.random.default_rng(2).random((SIZE, SIZE, 3)).astype(np.float32), page[0])
    item = solids[SIDES]
    item["kind"], item["half"], item["axes"], item["tint"] = BOX, (0.5, 0.01, 0.5), np.eye(3), 1.0
    item["patch"] = (0.25, 0.25, 0.5, 0.5)
    places = np.random.default_rng(4).uniform(-0.45, 0.45, (40, 2))
    points = np.stack([places[:, 0], np.full(40, -0.01), places[:, 1]], 1)
    position = np.array([0.0, -2.0, 0.0])
    hits = Hits((points - position) / 1.99, np.full(40, 1.99), np.full(40, SIDES, np.int32), np.ones(40, np.float32))
    grain = np.full((SIZE, 3 * SIZE // 2), 128, np.uint8)
    scene = Scene(solids, page, grain, np.eye(3, 9)[[0, 0, 0]], np.zeros((0, 7)))
    colours = shade(scene, hits, surfaces(solids, hits, position), position, 10_000.0)
    linear = srgb_to_linear(page[0])
    for (x, z), colour in zip(places, colours):
        column, row = (0.25 + 0.5 * (x + 0.5)) * SIZE - 0.5, (0.25 + 0.5 * (0.5 - z)) * SIZE - 0.5
        total = np.zeros(3)
        for r in (int(row), int(row) + 1):
            for c in (int(column), int(column) + 1):
                total += (1 - abs(row - r)) * (1 - abs(column - c)) * linear[r, c]
        assert np.allclose(colour, 0.72 * total, atol=1e-5)


def implicit(kind, half, radius, point):
    """A function that is 0 on the surface of a solid and grows outwards."""
    x, y, z = point
    if kind == BOX:
        q = np.abs(point) - (half - radius)
        return np.linalg.norm(np.maximum(q, 0)) + min(q.max(), 0) - radius
    if kind == ELLIPSOID:
        return np.linalg.norm(point / half) - 1
    if kind == CAPSULE:
        return np.linalg.norm([x, y, z - np.clip(z, half[0] - half[2], half[2] - half[0])]) - half[0]
    return np.hypot(x, y) - half[0]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([BOX, ELLIPSOID, CYLINDER, CAPSULE]))
def test_normals_are_the_gradient_of_the_surface(seed, kind):
    rng = np.random.default_rng(seed)
    half = rng.uniform(0.05, 0.3, 3)
    if kind in (CYLINDER, CAPSULE):
        half = np.array([half[0], half[0], half[0] + half[2]])
    radius, axes = 0.5 * half.min(), np.linalg.qr(rng.normal(size=(3, 3)))[0]
    direction = rng.normal(size=3)
    direction *= (1, 1, 0.1) if kind == CYLINDER else (1, 1, 1)
    low, high = 0.0, 5.0  # along the direction, inside and outside
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if implicit(kind, half, radius, middle * direction) < 0 else (low, middle)
    point = low * direction
    if kind == CYLINDER and abs(point[2]) > half[2]:
        return
    steps = 1e-6 * np.eye(3)
    gradient = np.array(
        [implicit(kind, half, radius, point + s) - implicit(kind, half, radius, point - s) for s in steps]
    )
    solids, centre = np.zeros(SIDES + 1, SOLID), rng.normal(size=3)
    item = solids[SIDES]
    item["kind"], item["half"], item["radius"], item["axes"], item["centre"] = kind, half, radius, axes, centre
    world = centre + axes.T @ point
    hits = Hits(world[None], np.ones(1), np.array([SIDES], np.int32), np.ones(1, np.float32))
    found = surfaces(solids, hits, np.zeros(3))
    assert np.allclose(found.points[0], world)
    assert np.allclose(found.normals[0], axes.T @ (gradient / np.linalg.norm(gradient)), atol=2e-3)


def test_light_is_the_hands_own(workshop):
    """Twice the light makes a room twice as bright."""
    cameras = workshop.cameras(1)
    room = lived_in.build_room(8)
    light = np.ones((64, 128, 3), np.float32)
    once, twice = (
        lived_in.view_room(lived_in.light_room(room, k * light, ()), cameras.K[0], cameras.world_to_cam[0], 48, 48)
        for k in (1, 2)
    )
    assert np.allclose(twice, 2 * once, rtol=1e-4)
