"""The camera ring: where it stands, what it sees, and that its pictures determine the points."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rigging.geometry.camera_bands import CameraBands, outside, tilt_angle, tilt_share
from rigging.geometry.cameras import CameraSettings, palm_frame, phase_and_tilt, ring
from rigging.geometry.projection import depth_to_distance, project, to_camera, triangulate
from rigging.geometry.rotations import axis_angle, random_rotation
from rigging.hand.asset import load_asset

ASSET = load_asset()
seeds = st.integers(0, 2**32 - 1)
quick = settings(max_examples=15, deadline=None)


def placed_hand(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Joints and vertices of the rest hand somewhere in the world."""
    rng = np.random.default_rng(seed)
    turn, shift = random_rotation(rng), rng.normal(size=3)
    return ASSET.joints @ turn.T + shift, ASSET.template @ turn.T + shift


def hand_ring(seed: int, **options):
    joints, vertices = placed_hand(seed)
    palm = palm_frame(joints)
    return ring(palm, vertices, CameraSettings(**options), np.random.default_rng(seed)), palm, vertices


ANY = {"tilt": np.pi, "roll": 0.5, "jitter": 0.2}


@quick
@given(seeds, st.sampled_from([{}, ANY]))
def test_every_camera_looks_at_the_palm_centre(seed, options):
    cameras, (centre, _), _ = hand_ring(seed, **options)
    np.testing.assert_allclose(project(centre[None], cameras.K, cameras.world_to_cam), 128, atol=1e-8)


@quick
@given(seeds, st.sampled_from([{}, ANY]))
def test_cameras_are_rigid_and_right_handed(seed, options):
    cameras, _, _ = hand_ring(seed, **options)
    rotations = cameras.world_to_cam[:, :3, :3]
    np.testing.assert_allclose(rotations @ np.swapaxes(rotations, 1, 2) - np.eye(3), 0, atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(rotations), 1, atol=1e-12)
    assert (cameras.world_to_cam[:, 3] == [0, 0, 0, 1]).all()


@quick
@given(seeds, st.integers(2, 12))
def test_cameras_stand_evenly_on_a_circle_perpendicular_to_the_fingers_which_are_upright(seed, views):
    cameras, (centre, axes), _ = hand_ring(seed, views=views)
    offsets = (cameras.centres - centre) @ axes  # across, along, normal
    np.testing.assert_allclose(offsets[:, 1], 0, atol=1e-9)
    radius = np.linalg.norm(offsets, axis=1)
    np.testing.assert_allclose(radius, radius[0], rtol=1e-9)
    angles = np.arctan2(offsets[:, 0], offsets[:, 2])
    np.testing.assert_allclose(np.diff(angles) % (2 * np.pi), 2 * np.pi / views, atol=1e-9)
    up = project((centre + 0.02 * axes[:, 1])[None], cameras.K, cameras.world_to_cam)[:, 0]
    np.testing.assert_allclose(up[:, 0], 128, atol=1e-8)
    assert (up[:, 1] < 128).all()


def test_without_a_phase_the_first_camera_sees_the_back_of_the_hand_thumb_to_the_left():
    palm = palm_frame(ASSET.joints)
    cameras = ring(palm, ASSET.template, CameraSettings(phase=False), np.random.default_rng(0))
    np.testing.assert_allclose(
        (cameras.centres[0] - palm[0]) @ palm[1][:, 2], np.linalg.norm(cameras.centres[0] - palm[0])
    )
    thumb, little = project(ASSET.joints[[4, 20]], cameras.K, cameras.world_to_cam)[0]
    assert thumb[0] < 128 < little[0]


@quick
@given(seeds, st.sampled_from(["palm", "box"]), st.sampled_from(["view", "ring"]), st.sampled_from([{}, ANY]))
def test_the_whole_hand_is_in_every_image_with_the_margin_asked_for(seed, aim, zoom, options):
    cameras, _, vertices = hand_ring(seed, aim=aim, zoom=zoom, fill=0.9, **options)
    pixels = project(vertices, cameras.K, cameras.world_to_cam)
    reach = np.abs(pixels - 128).max(axis=(1, 2))
    assert reach.max() == pytest.approx(0.9 * 128)
    if zoom == "view":
        np.testing.assert_allclose(reach, 0.9 * 128)


@quick
@given(seeds)
def test_the_hand_fills_the_frame_well_in_all_eight_views(seed):
    cameras, _, vertices = hand_ring(seed)
    pixels = project(vertices, cameras.K, cameras.world_to_cam)
    assert (np.ptp(pixels, axis=1).max(axis=1) > 0.8 * 256).all()


@quick
@given(seeds)
def test_radius_and_focal_length_stay_in_the_ranges_asked_for(seed):
    cameras, (centre, _), _ = hand_ring(seed, radius=(0.5, 0.6), focal=(1.0, 1.5), zoom="ring")
    radius = np.linalg.norm(cameras.centres - centre, axis=1)
    assert (radius >= 0.5).all()
    assert (radius <= 0.6).all()
    assert 256 <= cameras.K[0, 0, 0] <= 384
    assert len(np.unique(cameras.K[:, 0, 0])) == 1


def test_a_ring_that_tilts_freely_sees_the_hand_from_all_directions():
    palm = palm_frame(ASSET.joints)
    rng = np.random.default_rng(0)
    rings = [ring(palm, ASSET.template, CameraSettings(tilt=np.pi), rng) for _ in range(200)]
    directions = np.concatenate([cameras.centres - palm[0] for cameras in rings])
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    probes = np.random.default_rng(1).normal(size=(500, 3))
    probes /= np.linalg.norm(probes, axis=1, keepdims=True)
    assert (probes @ directions.T).max(axis=1).min() > np.cos(np.deg2rad(15))
    np.testing.assert_allclose(directions.T @ directions / len(directions), np.eye(3) / 3, atol=0.04)


@quick
@given(seeds, st.floats(0.01, 1.0))
def test_a_ring_tilts_by_no_more_than_asked(seed, tilt):
    cameras, (centre, axes), _ = hand_ring(seed, tilt=tilt)
    normal = np.linalg.svd(cameras.centres - centre)[2][2]
    assert abs(normal @ axes[:, 1]) >= np.cos(tilt) - 1e-9


@quick
@given(seeds)
def test_a_camera_that_jitters_leaves_its_place_by_no_more_than_asked(seed):
    calm, (centre, _), _ = hand_ring(seed)
    shaken, _, _ = hand_ring(seed, jitter=0.1)
    a, b = (
        (cameras.centres - centre) / np.linalg.norm(cameras.centres - centre, axis=1)[:, None]
        for cameras in (calm, shaken)
    )
    angles = np.arccos(np.clip((a * b).sum(axis=1), -1, 1))
    assert (angles <= 0.1 + 1e-9).all()
    assert angles.max() > 0.01


def test_the_same_seed_gives_the_same_ring_and_another_seed_another():
    first, second, other = (hand_ring_of(seed) for seed in (1, 1, 2))
    assert (first.world_to_cam == second.world_to_cam).all()
    assert (first.K == second.K).all()
    assert (first.world_to_cam != other.world_to_cam).any()


def hand_ring_of(seed: int):
    return ring(palm_frame(ASSET.joints), ASSET.template, CameraSettings(**ANY), np.random.default_rng(seed))


@quick
@given(seeds)
def test_the_palm_frame_moves_with_the_hand(seed):
    joints, _ = placed_hand(seed)
    centre, axes = palm_frame(joints)
    turn = axes @ palm_frame(ASSET.joints)[1].T
    np.testing.assert_allclose(joints - centre, (ASSET.joints - palm_frame(ASSET.joints)[0]) @ turn.T, atol=1e-12)
    assert np.linalg.det(axes) == pytest.approx(1)
    assert axes[:, 2] @ turn[:, 2] > 0.9  # out of the back of a right hand


def test_a_palm_on_one_line_has_no_frame():
    with pytest.raises(ValueError, match="on one line"):
        palm_frame(np.linspace(0, 1, 21)[:, None] * np.ones(3))


def test_projection_is_the_textbook_formula_and_points_behind_a_camera_have_no_pixel():
    K = np.array([[[100.0, 0, 64], [0, 110, 50], [0, 0, 1]]])
    pixels = project(np.array([[0.1, -0.2, 2.0], [0, 0, -1]]), K, np.eye(4)[None])
    np.testing.assert_allclose(pixels[0, 0], [100 * 0.05 + 64, 110 * -0.1 + 50])
    assert np.isnan(pixels[0, 1]).all()


@quick
@given(seeds)
def test_triangulating_the_projections_gives_the_points_back(seed):
    cameras, _, vertices = hand_ring(seed, **ANY)
    points = vertices[::100]
    pixels = project(points, cameras.K, cameras.world_to_cam)
    np.testing.assert_allclose(triangulate(pixels, cameras.K, cameras.world_to_cam), points, atol=1e-9)


@quick
@given(seeds)
def test_triangulation_uses_only_valid_pixels_and_wants_two(seed):
    cameras, _, vertices = hand_ring(seed)
    points, rng = vertices[::200], np.random.default_rng(seed)
    pixels = project(points, cameras.K, cameras.world_to_cam)
    valid = rng.random(pixels.shape[:2]) < 0.5
    valid[:2] = True
    spoilt = np.where(valid[..., None], pixels, np.nan)
    np.testing.assert_allclose(triangulate(spoilt, cameras.K, cameras.world_to_cam, valid), points, atol=1e-9)
    valid[1:, 3] = False
    with pytest.raises(ValueError, match="point 3 is seen by fewer than two"):
        triangulate(spoilt, cameras.K, cameras.world_to_cam, valid)


def test_triangulation_with_noise_minimises_the_reprojection_error():
    cameras, _, vertices = hand_ring(0)
    noisy = project(vertices[::100], cameras.K, cameras.world_to_cam) + np.random.default_rng(0).normal(size=(8, 27, 2))

    def errors(points):
        return ((project(points, cameras.K, cameras.world_to_cam) - noisy) ** 2).sum(axis=(0, 2))

    best = triangulate(noisy, cameras.K, cameras.world_to_cam)
    for step in np.concatenate([np.eye(3), -np.eye(3)]) * 1e-5:
        assert (errors(best + step) > errors(best)).all()


def test_distance_along_the_ray_is_that_of_the_point_seen_at_the_pixel_centre():
    K = np.array([[50.0, 0, 4], [0, 60, 3], [0, 0, 1]])
    depth = np.full((6, 8), 2.0)
    distance = depth_to_distance(depth, K)
    expected = np.linalg.norm([(0.5 - 4) / 50 * 2, (5.5 - 3) / 60 * 2, 2])
    assert distance[5, 0] == pytest.approx(expected)
    assert depth_to_distance(np.stack([depth, depth]), np.stack([K, K])).shape == (2, 6, 8)


@pytest.mark.parametrize(
    ("name", "value"),
    [("views", 0), ("views", 2.5), ("image_size", 4), ("focal", (2.0, 1.0)), ("radius", (-1.0, 1.0)), ("fill", 1.5),
     ("aim", "wrist"), ("zoom", "all"), ("tilt", -0.1), ("roll", 9.0), ("jitter", float("nan")), ("phase", 1)],
)  # fmt: skip
def test_a_setting_out_of_range_is_named_with_what_is_allowed(name, value):
    with pytest.raises(ValueError, match=f"camera setting {name}: got .* allowed is"):
        CameraSettings(**{name: value})


def test_a_radius_inside_the_hand_is_refused():
    with pytest.raises(ValueError, match="inside the hand"):
        hand_ring(0, radius=(0.01, 0.02))


@pytest.mark.parametrize("points", [np.zeros((0, 3)), np.zeros((3, 2)), np.full((2, 3), np.nan)])
def test_points_to_frame_must_be_finite(points):
    with pytest.raises(ValueError, match="points to frame"):
        ring(palm_frame(ASSET.joints), points, CameraSettings(), np.random.default_rng(0))


def test_to_camera_of_the_camera_centre_is_the_origin():
    cameras, _, _ = hand_ring(4, **ANY)
    own = to_camera(cameras.centres, cameras.world_to_cam)
    np.testing.assert_allclose(own[range(8), range(8)], 0, atol=1e-12)


# Bands: where a ring may stand

shares = st.floats(0, 0.999)


def placed_within(seed: int, bands: CameraBands, **options):
    """Phase (steps between cameras) and tilt (radians) measured off a ring of eight cameras."""
    joints, vertices = placed_hand(seed)
    centre, axes = palm_frame(joints)
    cameras = ring((centre, axes), vertices, CameraSettings(**options), np.random.default_rng(seed), bands)
    offsets = cameras.centres - centre
    normal = np.cross(offsets[0], offsets[2])  # a quarter of the ring apart
    tilt = np.arccos(np.clip(normal @ axes[:, 1] / np.linalg.norm(normal), -1, 1))
    back = axes[:, 2]
    if tilt > 1e-9:  # where the back of the hand went as the ring's axis did
        back = axis_angle(np.cross(axes[:, 1], normal / np.linalg.norm(normal)) / np.sin(tilt), tilt) @ back
    across = np.cross(normal / np.linalg.norm(normal), back)
    return np.arctan2(offsets[0] @ across, offsets[0] @ back) / (2 * np.pi) * 8 % 8, tilt


@quick
@given(seeds, st.floats(0, 0.7), st.floats(0.05, 0.3), st.floats(0.2, 1.2), st.floats(0, 0.7), st.floats(0.05, 0.3))
def test_rings_stand_in_the_bands_asked_for_and_where_is_said_without_points(seed, start, width, tilt, low, wide):
    phase, band = (start, start + width), (low * tilt, (low + wide) * tilt)
    inside = CameraBands((phase,), (band,))
    elsewhere = CameraBands(outside(phase, 0.0, 1.0), outside(band, 0.0, tilt))
    for bands, within_band in ((inside, True), (elsewhere, False)):
        found = placed_within(seed, bands, tilt=tilt)
        said = phase_and_tilt(CameraSettings(tilt=tilt), np.random.default_rng(seed), bands)
        np.testing.assert_allclose(found, said, atol=1e-6)
        assert bool(phase[0] <= said[0] < phase[1]) == within_band
        assert bool(band[0] - 1e-9 <= said[1] <= band[1] + 1e-9) == within_band
        assert 0 <= said[1] <= tilt + 1e-9


@given(seeds, st.sampled_from([{}, ANY, {"phase": False}]))
@quick
def test_without_bands_a_ring_is_the_same_to_the_bit(seed, options):
    plain, _, vertices = hand_ring(seed, **options)
    palm = palm_frame(placed_hand(seed)[0])
    anywhere = CameraBands(((0.0, 1.0),), None)
    same = ring(palm, vertices, CameraSettings(**options), np.random.default_rng(seed), anywhere)
    assert (plain.world_to_cam == same.world_to_cam).all()
    assert (plain.K == same.K).all()


def test_tilts_are_drawn_evenly_from_what_a_band_leaves_of_the_cone():
    """As when rings with a tilt in the band were drawn again."""
    bands = CameraBands(tilt=outside((0.2, 0.4), 0.0, 0.6))
    rng, settings = np.random.default_rng(0), CameraSettings(tilt=0.6)
    banded = np.array([phase_and_tilt(settings, rng, bands)[1] for _ in range(4000)])
    free = np.array([phase_and_tilt(settings, rng)[1] for _ in range(8000)])
    kept = free[(free < 0.2) | (free >= 0.4)]
    for angle in np.linspace(0.05, 0.6, 12):
        assert (banded < angle).mean() == pytest.approx((kept < angle).mean(), abs=0.03)


@given(shares, shares)
def test_the_way_from_a_draw_to_a_tilt_and_back(draw, tilt):
    assert tilt_share(tilt_angle(draw, 0.1 + tilt), 0.1 + tilt) == pytest.approx(draw, abs=1e-9)
