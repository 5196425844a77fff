"""Lived-in rooms: the same from the same seed, one room in all views, cast and painted as naive loops do it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from blender_scripts.looks import clutter
from blender_scripts.looks.backgrounds import make_backgrounds
from blender_scripts.looks.lived_in import room as lived_in
from blender_scripts.looks.lived_in.casting import first_solids, rays_through
from blender_scripts.looks.lived_in.living import person
from blender_scripts.looks.lived_in.scene import BOX, CAPSULE, CYLINDER, ELLIPSOID, SIDES, SOLID
from blender_scripts.looks.lived_in.windows import pixel_windows
from blender_scripts.looks.look import LookSettings, draw_look
from blender_scripts.looks.room import Camera

LIGHT, GAINS = np.ones((64, 128, 3), np.float32), np.ones(3, np.float32)
SIZE = 96


def camera_of(cameras, view, wider=1.0):
    rotation = np.ascontiguousarray(cameras.world_to_cam[view][:3, :3])
    K = cameras.K[view] * [[1 / wider, 1, 1], [1, 1 / wider, 1], [1, 1, 1]]
    return Camera(K, rotation, -rotation.T @ cameras.world_to_cam[view][:3, 3], SIZE, SIZE)


def cast(solids, camera):
    """Rays (H, W, 3), depth (H, W) and owner (H, W)."""
    rays = rays_through(camera, *np.meshgrid(np.arange(SIZE) + 0.5, np.arange(SIZE) + 0.5))
    return rays, *first_solids(solids, pixel_windows(solids, 0.0, camera), camera, rays)


def test_the_same_seed_makes_the_same_room(workshop):
    cameras = workshop.cameras(1)
    rooms = []
    for seed in (3, 3, 4):
        lived_in.build_room.cache_clear()
        rooms.append(lived_in.build_room(seed))
    views = [lived_in.view_room(room, cameras.K[0], cameras.world_to_cam[0], SIZE, SIZE) for room in rooms]
    assert views[0].dtype == np.float32
    assert np.isfinite(views[0]).all()
    assert views[0].min() >= 0
    assert np.array_equal(rooms[0].textures, rooms[1].textures)
    assert np.array_equal(views[0], views[1])
    assert not np.array_equal(views[0], views[2])


@pytest.mark.parametrize(("kind", "module"), [("plain", clutter), ("lived-in", lived_in)])
def test_a_background_is_the_room_that_the_look_names(workshop, kind, module):
    look = draw_look(np.random.default_rng(2), LookSettings(rooms=kind), ("city",))
    look = dataclasses.replace(look, background="clutter", background_blur=0.0, lamps=())
    cameras = workshop.cameras(2)
    made = make_backgrounds(look, LIGHT, GAINS, LIGHT, cameras.K, cameras.world_to_cam, (SIZE, SIZE))
    reach = float(np.linalg.norm(np.linalg.inv(cameras.world_to_cam)[:, :3, 3], axis=1).max())
    room = module.light_room(module.build_room(look.background_seed, round(reach, 1)), LIGHT, ())
    for view, K, matrix in zip(made, cameras.K, cameras.world_to_cam):
        assert np.array_equal(view, np.minimum(module.view_room(room, K, matrix, SIZE, SIZE), 1.5))
    assert ('"rooms"' in look.background_json()) == (kind == "lived-in")


def test_plain_rooms_are_drawn_as_ever():
    """Neither the key's default nor the other room changes what else a look is."""
    plain, lived = (
        draw_look(np.random.default_rng(7), LookSettings(rooms=kind), ("city",)) for kind in ("plain", "lived-in")
    )
    assert plain.rooms == "plain"
    assert dataclasses.replace(lived, rooms="plain") == plain
    with pytest.raises(ValueError, match="rooms is 'tidy', allowed are plain, lived-in"):
        LookSettings(rooms="tidy")


def rounded_box(point, half, radius):
    """Signed distance (metres) to a box of rounded edges (Quilez)."""
    q = np.abs(point) - (half - radius)
    return np.linalg.norm(np.maximum(q, 0)) + min(q.max(), 0) - radius


def naive_enter(item, origin, step):
    """Where a ray in the solid's own frame enters it; None if it misses."""
    half = item["half"]
    if item["kind"] == BOX:
        spans = np.sort([(-half - origin) / step, (half - origin) / step], axis=0)
        enter, leave = spans[0].max(), spans[1].min()
        for t in np.linspace(enter, leave, 4000) if enter <= leave else ():
            if rounded_box(origin + t * step, half, item["radius"]) < 2e-4:
                return t
        return None
    if item["kind"] == ELLIPSOID:
        return first_root(origin / half, step / half, np.ones(3), 1.0)
    flat, r, z = np.array([1, 1, 0.0]), half[0], half[2]
    sides, found = first_root(origin, step, flat, r), []
    if item["kind"] == CAPSULE:
        z = half[2] - r
        for end in (-z, z):
            found.append(first_root(origin - [0, 0, end], step, np.ones(3), r))
    else:
        for end in (-z, z):
            t = (end - origin[2]) / step[2]
            if np.hypot(*(origin + t * step)[:2]) <= r:
                found.append(t)
    if sides is not None and abs((origin + sides * step)[2]) <= z:
        found.append(sides)
    return min((t for t in found if t is not None), default=None)


def first_root(origin, step, flat, radius):
    roots = np.roots([(step * flat) @ step, 2 * (origin * flat) @ step, (origin * flat) @ origin - radius**2])
    return min(roots.real) if np.isreal(roots).all() else None


def random_solids(rng, count):
    """A room of 4 m with solids of all kinds in it, turned anyhow."""
    solids = np.zeros(SIDES + count, SOLID)
    solids["kind"], solids["half"], solids["axes"] = 4, 2.0, np.eye(3)
    for item in solids[SIDES:]:
        item["kind"] = rng.integers(4)
        item["half"] = rng.uniform(0.05, 0.4, 3)
        if item["kind"] in (CYLINDER, CAPSULE):
            item["half"][1] = item["half"][0]
            item["half"][2] += item["half"][0]
        item["radius"] = 0.6 * item["half"].min()
        item["centre"] = rng.uniform(-1.5, 1.5, 3)
        item["axes"] = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    return solids


@pytest.mark.parametrize("view", [0, 1])
def test_a_room_is_cast_as_a_naive_caster_casts_it(workshop, view):
    rng = np.random.default_rng(view)
    solids, camera = random_solids(rng, 40), camera_of(workshop.cameras(), view, wider=3)
    rays, depth, owner = cast(solids, camera)
    assert len(np.unique(owner)) > 8
    hand = (camera.rotation @ -camera.position)[2]
    for row, column in rng.integers(0, SIZE, (60, 2)):
        found = []
        for index, item in enumerate(solids[SIDES:], SIDES):
            nearest = (camera.rotation @ (item["centre"] - camera.position))[2] - np.linalg.norm(item["half"])
            if nearest < hand and np.linalg.norm(item["half"]) < 0.4:
                continue  # small things that reach before the hand are left out
            t = naive_enter(item, item["axes"] @ (camera.position - item["centre"]), item["axes"] @ rays[row, column])
            if t is not None and t > hand:
                found.append((t, index))
        nearest, index = min(found, default=(np.inf, 0))
        if np.isfinite(nearest):
            assert owner[row, column] == index
            assert np.isclose(depth[row, column], nearest, atol=1e-3), solids[index]["kind"]
        else:
            assert owner[row, column] < SIDES
            met = camera.position + depth[row, column] * rays[row, column]
            assert np.isclose(np.abs(met).max(), 2.0, atol=1e-9)


def test_all_views_see_one_room(workshop):
    """Where a view sees a point, no other sees what lies behind it."""
    room, cameras = lived_in.build_room(5), workshop.cameras(4)
    views = [camera_of(cameras, view) for view in range(4)]
    casts = [cast(room.solids, camera) for camera in views]
    compared = 0
    for camera, (rays, depth, owner) in zip(views, casts):
        points = (camera.position + depth[..., None] * rays)[owner >= SIDES]
        for other, (_, its_depth, _) in zip(views, casts):
            seen = (points - other.position) @ other.rotation.T
            hand = (other.rotation @ -other.position)[2]
            pixel = np.floor(seen @ other.K.T / seen[:, 2:]).astype(int)[:, :2]
            inside = (seen[:, 2] > hand + 0.5) & (pixel >= 0).all(1) & (pixel < SIZE).all(1)
            through = (
                its_depth[pixel[inside, 1], pixel[inside, 0]] > seen[inside, 2] + 0.05
            )  # a pixel is 1 cm wide there
            compared += inside.sum()
            assert through.mean() < 0.03 if len(through) else True
    assert compared > 3000


def test_nothing_of_the_room_is_before_the_hand(workshop):
    room, cameras = lived_in.build_room(6), workshop.cameras(3)
    for view in range(3):
        camera = camera_of(cameras, view)
        _, depth, owner = cast(room.solids, camera)
        assert depth[owner >= SIDES].min() > (camera.rotation @ -camera.position)[2]


def test_outlines_are_where_neighbours_differ():
    owner = np.random.default_rng(0).integers(6, 8, (9, 12)).astype(np.int32)
    expected = np.zeros((9, 12), bool)
    for row in range(9):
        for column in range(12):
            for y, x in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)):
                if 0 <= y < 9 and 0 <= x < 12 and owner[y, x] != owner[row, column]:
                    expected[row, column] = True
    assert np.array_equal(lived_in.outlines(owner), expected)


@pytest.mark.parametrize("seed", range(6))
def test_people_show_skin_at_neck_and_head_alone(seed):
    """The hand in front is the only one."""
    solids = person(np.random.default_rng(seed), seated=seed % 2 == 0)
    bare = [solid.centre[2] for solid in solids if solid.texture == "face"]
    sleeves = [solid.centre[2] + solid.half[2] for solid in solids if solid.kind == BOX]
    assert len(bare) == 5  # nose and ears, too
    assert min(bare) > 0.9 * max(sleeves)
