"""Cameras anywhere, on a head and on a wrist: where they stand and what their pictures show."""

from __future__ import annotations

import numpy as np
import pytest
from free_cases import pixels_of, target
from hypothesis import given, settings
from hypothesis import strategies as st

from rigging.errors import InputError
from rigging.geometry.anywhere import KINDS, anywhere
from rigging.geometry.camera_bands import CameraBands
from rigging.geometry.cameras import CameraSettings
from rigging.geometry.rigs import azimuth_and_tilt, place_cameras
from rigging.geometry.stands import Target

seeds = st.integers(0, 2**32 - 1)
quick = settings(max_examples=5, deadline=None)
rigs = st.sampled_from(sorted(KINDS))
SIZE = 128


def placed(seed: int, rig: str, views: int = 4, **free):
    hand = target(seed, held=rig == "egocentric")
    asked = CameraSettings(views=views, image_size=SIZE, rig=rig, free=free)
    return hand, place_cameras(hand, asked, np.random.default_rng(seed)), asked.elsewhere


def shares(hand: Target, cameras) -> np.ndarray:
    """(V,) share of the hand's points inside each picture; every tenth point is asked."""
    pixels = pixels_of(hand.points[::10], cameras.K, cameras.world_to_cam)
    return ((pixels >= 0) & (pixels <= SIZE)).all(2).mean(1)


def outward(hand: Target, cameras) -> np.ndarray:
    offsets = cameras.centres - hand.palm[0]
    return offsets / np.linalg.norm(offsets, axis=1, keepdims=True)


@quick
@given(seeds, rigs, st.integers(1, 16))
def test_cameras_are_rigid_have_square_pixels_and_keep_away_from_the_body(seed, rig, views):
    hand, cameras, _ = placed(seed, rig, views)
    turn = cameras.world_to_cam[:, :3, :3]
    assert len(cameras) == views
    np.testing.assert_allclose(turn @ np.swapaxes(turn, 1, 2) - np.eye(3), 0, atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(turn), 1, atol=1e-12)
    assert (cameras.K[:, 0, 0] == cameras.K[:, 1, 1]).all()
    assert (cameras.K[:, 0, 1] == 0).all()
    near = np.linalg.norm(hand.body[::5, None] - cameras.centres, axis=2).min()
    assert near > 0.8 * KINDS[rig].clear


@quick
@given(seeds, st.sampled_from(["random", "egocentric"]))
def test_distances_and_sizes_are_those_asked_for_and_no_hand_is_cut_unless_asked(seed, rig):
    hand, cameras, _ = placed(seed, rig, distance=[0.4, 0.5], size=[0.5, 0.7], cut=0.0)
    away = np.linalg.norm(cameras.centres - hand.palm[0], axis=1)
    assert (away >= 0.4 - 1e-9).all()
    assert (away <= 0.5 + 1e-9).all()
    pixels = pixels_of(hand.points[::3], cameras.K, cameras.world_to_cam)
    box = np.ptp(pixels, axis=1).max(axis=1) / SIZE
    assert (box > 0.5 - 0.02).all()  # of every third point only
    assert (box < 0.7 + 1e-9).all()
    assert (shares(hand, cameras) == 1).all()


def test_hands_are_off_centre_and_cut_in_the_shares_of_views_that_are_asked_for():
    found = [placed(seed, "random", 16, cut=0.3, off_centre=0.5, cut_most=0.4) for seed in range(6)]
    inside = np.concatenate([shares(hand, cameras) for hand, cameras, _ in found])
    assert (inside < 0.999).mean() == pytest.approx(0.3, abs=0.12)
    assert inside.min() > 0.55
    boxes = [pixels_of(hand.points[::3], cameras.K, cameras.world_to_cam) for hand, cameras, _ in found]
    middles = np.concatenate([(box.min(1) + box.max(1)) / 2 for box in boxes])
    centred = (np.abs(middles - SIZE / 2) < 1).all(axis=1)
    assert centred.mean() == pytest.approx(0.7 * 0.5, abs=0.1)


def test_random_views_cover_the_sphere_but_for_where_the_arm_is():
    hand = target(0)
    asked = CameraSettings(views=16, rig="random")
    directions = np.concatenate([outward(hand, anywhere(hand, asked, np.random.default_rng(s))) for s in range(20)])
    probes = np.random.default_rng(1).normal(size=(400, 3))
    probes /= np.linalg.norm(probes, axis=1, keepdims=True)
    probes = probes[probes @ hand.forearm < np.cos(np.radians(45))]
    assert (probes @ directions.T).max(axis=1).min() > np.cos(np.radians(24))
    assert (directions @ hand.forearm > np.cos(np.radians(20))).mean() < 0.01
    across = directions @ hand.palm[1]
    np.testing.assert_allclose((across[:, [0, 2]] ** 2).mean(0), 1 / 3, atol=0.07)


@quick
@given(seeds)
def test_eyes_are_above_the_hand_and_nearer_to_the_elbow_and_the_arm_comes_from_below(seed):
    hand, cameras, _ = placed(seed, "egocentric", 8)
    ways = outward(hand, cameras)
    good = (ways[:, 2] > 0) & (ways @ hand.forearm > 0)
    below = [pixels_of(np.stack([hand.wrist, hand.wrist + 0.1 * hand.forearm]), K[None], pose[None])[0, :, 1]
             for K, pose in zip(cameras.K, cameras.world_to_cam)]  # fmt: skip
    good &= np.array([elbow > wrist for wrist, elbow in below])
    assert good.mean() > 0.6  # seldom no try has all of it


@quick
@given(seeds)
def test_worn_cameras_are_beside_the_wrist_and_see_the_fingers_upwards(seed):
    hand, cameras, free = placed(seed, "wrist", 8)
    along = (cameras.centres - hand.wrist) @ hand.forearm
    assert (along > -0.03).all()
    assert (along < 0.06).all()
    away = np.linalg.norm(cameras.centres - hand.palm[0], axis=1)
    assert (away < free.distance[1] + 1e-9).all()
    assert (shares(hand, cameras) >= free.least - 0.1).all()
    assert np.isfinite(pixels_of(hand.wrist[None], cameras.K, cameras.world_to_cam)).all()  # no joint is behind one
    focal = cameras.K[:, 0, 0] / SIZE * 24  # mm on the middle square of a full-frame sensor
    assert (focal >= free.lens[0] - 1e-9).all()
    assert (focal <= free.lens[1] + 1e-9).all()


@quick
@given(seeds, st.floats(0, 0.7), st.floats(0.1, 0.3))
def test_random_views_keep_to_a_band_of_azimuths_and_the_first_is_known_without_the_hand(seed, low, width):
    hand, asked = target(seed), CameraSettings(views=5, rig="random")
    bands = CameraBands(((low, low + width),))
    cameras = anywhere(hand, asked, np.random.default_rng(seed), bands)
    offsets = (cameras.centres - hand.palm[0]) @ hand.palm[1]
    azimuth = np.arctan2(offsets[:, 0], offsets[:, 2]) / (2 * np.pi) % 1
    assert (azimuth >= low - 1e-9).all()
    assert (azimuth <= low + width + 1e-9).all()
    said, tilt = azimuth_and_tilt(asked, np.random.default_rng(seed), bands)
    assert said == pytest.approx(azimuth[0], abs=1e-9)
    assert tilt == 0


@quick
@given(seeds, rigs)
def test_the_same_seed_gives_the_same_cameras(seed, rig):
    first, second = (placed(seed, rig)[1] for _ in range(2))
    assert (first.K == second.K).all()
    assert (first.world_to_cam == second.world_to_cam).all()


@pytest.mark.parametrize(
    ("rig", "free", "message"),
    [
        ("rnadom", {}, "rig: got 'rnadom', allowed is one of ring, random, egocentric, wrist, calibration"),
        ("random", {"distanse": [1, 2]}, "unknown key 'distanse'; did you mean 'distance'"),
        ("random", {"distance": [2.0, 1.0]}, r"distance = \[2.0, 1.0\]: must be"),
        ("random", {"distance": [1.0, 1e9]}, r"distance = \[1.0, 1000000000.0\]: must be .* at most 100"),
        ("random", {"lens": [14, 1e9]}, "lens = .*: must be .* at most 2000"),
        ("random", {"size": [0.01, 0.9]}, r"size = \[0.01, 0.9\]: must be at least 24 pixels"),
        ("random", {"size": "all"}, "size"),
        ("random", {"cut": 0.1, "cut_most": 0.6}, "cut_most = 0.6: must be at most 1 - least = 0.5"),
        ("random", {"place": 0.3}, "free.place = 0.3: must be left out with rig = 'random'"),
        ("wrist", {"cut": 0.2}, "cut = 0.2: must be 0 with size = 'whole'"),
        ("ring", {"roll": 0.3}, "must be empty with rig = 'ring'"),
    ],
)
def test_settings_that_make_no_sense_are_named(rig, free, message):
    with pytest.raises(ValueError, match=message):
        CameraSettings(rig=rig, free=free)


def test_keys_of_the_ring_are_refused_with_another_rig():
    with pytest.raises(ValueError, match=r"tilt: got 0\.3, allowed is to leave it out with rig = 'random'"):
        CameraSettings(rig="random", tilt=0.3)


def test_ranges_that_leave_nothing_of_the_hand_in_the_picture_are_refused():
    asked = CameraSettings(views=1, rig="wrist", free={"lens": [900.0, 900.0]})
    with pytest.raises((ValueError, InputError), match="view 0 shows no hand in any of 24 tries"):
        anywhere(target(3), asked, np.random.default_rng(0))
