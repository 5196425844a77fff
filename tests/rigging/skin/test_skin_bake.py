"""The baked maps: deterministic, of the requested tone, with light palms, clean nails and no unpainted texel."""

import functools
from dataclasses import replace

import numpy as np
import pytest

from rigging.hand.arm import arm_topology, build_arm
from rigging.hand.asset import load_asset
from rigging.hand.shape import Subject, rest_hand
from rigging.skin import tone
from rigging.skin.appearance import SKIN_ROUGHNESS
from rigging.skin.bake import bake, dorsum, locate, make_surface
from rigging.skin.nails import nail_field, nail_frames
from rigging.skin.noise import Noise
from rigging.skin.srgb import srgb_to_linear
from rigging.skin.texels import make_texels, rasterise_uv

SIZE = 256
ASSET = load_asset()
SUBJECT = Subject(np.zeros(len(ASSET.shape_names)), 0.185, 30.0, 0.2, 20.0, 7)
REST = rest_hand(ASSET, SUBJECT)
ARM = build_arm(ASSET, REST, "bare", np.random.default_rng(0))


@functools.cache
def maps_of(ita: float = 20.0, seed: int = 7, age: float = 30.0):
    return bake(ASSET, REST, ARM, replace(SUBJECT, ita=ita, skin_seed=seed, age=age), SIZE)


@functools.cache
def located(size: int = SIZE):
    return locate(ASSET, REST, ARM, size, Noise(np.random.default_rng(0)))


def lab_at(maps, mask):
    """Mean CIELAB of the albedo over the texels of a mask (N,) of `located()`."""
    index = located()[1].index[mask]
    linear = srgb_to_linear(maps.albedo.reshape(-1, 3)[index] / 255.0)
    return tone.linear_to_lab(linear.mean(0))


def test_maps_have_the_documented_shapes_and_types():
    maps = maps_of()
    assert (maps.albedo.shape, maps.albedo.dtype) == ((SIZE, SIZE, 3), np.uint8)
    assert (maps.height.shape, maps.height.dtype) == ((SIZE, SIZE), np.uint16)
    assert (maps.roughness.shape, maps.roughness.dtype) == ((SIZE, SIZE), np.uint8)


def test_same_subject_same_bytes_and_another_seed_other_bytes():
    again = bake(ASSET, REST, ARM, SUBJECT, SIZE)
    for name in ("albedo", "height", "roughness"):
        assert getattr(again, name).tobytes() == getattr(maps_of(), name).tobytes()
        assert getattr(maps_of(seed=8), name).tobytes() != getattr(again, name).tobytes()


@pytest.mark.parametrize("ita", [-50.0, -10.0, 28.0, 55.0])
def test_back_of_the_hand_has_the_requested_tone(ita):
    measured = lab_at(maps_of(ita), dorsum(located()[2]))
    assert tone.lab_to_ita(measured) == pytest.approx(ita, abs=3.0)


def test_back_of_the_hand_darkens_as_ita_falls():
    lightness = [lab_at(maps_of(ita), dorsum(located()[2]))[0] for ita in (55.0, 28.0, -10.0, -50.0)]
    assert (np.diff(lightness) < -4.0).all()


def test_palm_of_dark_skin_is_lighter_than_its_back_and_the_border_is_soft():
    anatomy = located()[2]
    maps = maps_of(-50.0)
    hand = anatomy.arm < 0.1
    steps = [
        lab_at(maps, hand & (anatomy.palmar >= low) & (anatomy.palmar <= low + 0.2))
        for low in (0.0, 0.2, 0.4, 0.6, 0.8)
    ]
    lightness = np.array(steps)[:, 0]
    assert lightness[-1] - lightness[0] > 8.0
    assert (np.diff(lightness) > 0).all()  # no step is skipped: a gradient, not an edge
    share = np.histogram(anatomy.palmar[hand], [0.0, 0.05, 0.95, 1.01])[0] / hand.sum()
    assert share[1] > 0.1  # of the skin lies in the transition


def test_palm_tone_fades_into_the_forearm():
    anatomy = located()[2]
    below = anatomy.dorsal < -0.6
    palm = lab_at(maps_of(-50.0), below & (anatomy.points[:, 1] > 0.03))
    forearm = lab_at(maps_of(-50.0), below & (anatomy.points[:, 1] < -0.05))
    assert palm[0] - forearm[0] > 8.0


def nails(size):
    surface, texels, anatomy = located(size)
    for finger, frame in zip(anatomy.fingers, nail_frames(anatomy.fingers, REST.vertices, ASSET)):
        yield finger, texels, surface, nail_field(finger, frame, 0.0)


def test_nails_lie_on_the_faces_labelled_so_or_next_to_them():
    skin = np.flatnonzero(make_surface(ASSET, REST.vertices, None).skin_faces)
    for finger, texels, _, field in nails(512):
        label = ASSET.face_nail == finger.number + 1
        near = np.isin(ASSET.faces, ASSET.faces[label]).any(1)
        near = np.isin(ASSET.faces, ASSET.faces[near]).any(1)  # a plate is a little wider than its few labelled faces
        face = texels.face[field.index[field.level < 1.0]]
        assert (face < len(skin)).all()
        assert near[skin[face]].mean() > 0.93
        assert label[skin[face]].mean() > 0.6
        covered = np.isin(np.flatnonzero(label), skin[face])
        assert covered.mean() > 0.8


def test_nail_outline_is_smooth():
    """Curvature of the outline is bounded: in nail coordinates its radius turns slowly around the nail."""
    for _, _, _, field in nails(1024):
        rim = np.abs(field.level - 1.0) < 0.06
        angle, radius = np.arctan2(field.v[rim], field.u[rim]), np.hypot(field.u[rim], field.v[rim])
        order = np.argsort(angle)
        radius = radius[order] / field.level[rim][order]
        bins = np.array([chunk.mean() for chunk in np.array_split(radius, 24)])
        assert np.abs(np.diff(bins, 2)).max() < 0.15
        assert radius.min() >= 1.0 - 1e-3
        assert radius.max() < np.sqrt(2.0)  # rounder than the rectangle


def test_nails_are_smoother_to_the_light_than_skin_and_not_white_on_dark_skin():
    maps, back = maps_of(-50.0), lab_at(maps_of(-50.0), dorsum(located()[2]))
    for _, texels, _, field in nails(SIZE):
        index = texels.index[field.index[(field.level < 0.7) & (np.abs(field.v) < 0.5)]]
        assert maps.roughness.ravel()[index].mean() < 0.35 * 255
        lab = tone.linear_to_lab(srgb_to_linear(maps.albedo.reshape(-1, 3)[index] / 255.0).mean(0))
        assert 0.0 < lab[0] - back[0] < 25.0


def test_rougher_skin_differs_in_roughness_alone_and_its_nails_not_at_all():
    usual, rough = maps_of(), bake(ASSET, REST, ARM, SUBJECT, SIZE, SKIN_ROUGHNESS + 0.1)
    assert rough.albedo.tobytes() == usual.albedo.tobytes()
    assert rough.height.tobytes() == usual.height.tobytes()
    apart = (rough.roughness.astype(int) - usual.roughness).ravel()
    assert np.median(apart[located()[1].index]) == pytest.approx(0.1 * 255, abs=1)
    for _, texels, _, field in nails(SIZE):
        assert apart[texels.index[field.index[field.level < 0.7]]].max() <= 1


def test_every_texel_that_a_triangle_can_look_up_is_painted_by_its_own_island():
    """Bilinear look-ups anywhere inside a triangle only meet texels that were painted, not copied from elsewhere."""
    surface, texels, _ = located()
    painted = np.zeros((SIZE, SIZE), bool)
    painted.reshape(-1)[texels.index] = True
    rng = np.random.default_rng(3)
    weights = rng.dirichlet(np.ones(3), (surface.skin_faces.sum(), 12))
    uv = np.einsum("fsk,fkc->fsc", weights, surface.uv[surface.skin_faces]).reshape(-1, 2)
    corner = np.floor(np.stack([uv[:, 0], 1.0 - uv[:, 1]], -1) * SIZE - 0.5).astype(int)
    for dx in (0, 1):
        for dy in (0, 1):
            x, y = np.clip(corner + [dx, dy], 0, SIZE - 1).T
            assert painted[y, x].all()


def test_rasterised_texels_agree_with_a_naive_loop():
    rng = np.random.default_rng(5)
    centre = rng.uniform(0.2, 0.8, (6, 1, 2))
    uv = centre + rng.normal(0, 0.1, (6, 3, 2))
    index, face, weights = rasterise_uv(uv, 40)
    where = {int(i): k for k, i in enumerate(index)}
    for k, triangle in enumerate(uv):
        edges = np.array([triangle[1] - triangle[0], triangle[2] - triangle[0]]).T
        for row in range(40):
            for column in range(40):
                point = np.array([(column + 0.5) / 40, 1.0 - (row + 0.5) / 40])
                b, c = np.linalg.solve(edges, point - triangle[0])
                if min(b, c, 1 - b - c) > 1e-9:
                    at = where[row * 40 + column]
                    found = (weights[at, :, None] * uv[face[at]]).sum(0)
                    np.testing.assert_allclose(found, point, atol=1e-5)  # its own or an overlapping triangle
                    if face[at] == k:
                        np.testing.assert_allclose(weights[at], [1 - b - c, b, c], atol=1e-5)


def test_interpolation_reproduces_a_linear_field():
    faces, uv = np.array([[0, 1, 2]]), np.array([[[0.1, 0.1], [0.9, 0.1], [0.1, 0.9]]])
    texels = make_texels(uv, faces, 32)
    inside = texels.weights.min(1) > 0
    value = texels.interpolate(uv[0])[inside]
    row, column = np.divmod(texels.index[inside], 32)
    np.testing.assert_allclose(value, np.stack([(column + 0.5) / 32, 1 - (row + 0.5) / 32], -1), atol=1e-5)


def test_hand_and_arm_do_not_differ_in_colour_at_the_cut():
    surface, texels, _ = located()
    faces = np.flatnonzero(surface.skin_faces)
    arm = faces[texels.face] >= len(ASSET.faces)
    _, uv = arm_topology(ASSET)
    assert arm.sum() > 100
    assert len(uv) == (faces >= len(ASSET.faces)).sum()
    points = texels.interpolate(surface.vertices)
    cut = REST.vertices[ASSET.cut_loop, 1].mean()
    close = np.abs(points[:, 1] - cut) < 0.008
    both = [lab_at(maps_of(), close & side) for side in (arm, ~arm)]
    assert np.linalg.norm(both[0] - both[1]) < 3.0


def test_relief_is_centred_on_the_mesh_and_spares_the_range():
    height = maps_of().height.reshape(-1)[located()[1].index].astype(float)
    assert abs(np.median(height) - 32768) < 0.05 * 65535
    assert height.min() > 0
    assert height.max() < 65535


def test_age_spots_and_wrinkles_come_with_age():
    young, old = (maps_of(40.0, 11, age).height.astype(float) for age in (25.0, 80.0))
    assert old.std() > 1.1 * young.std()
