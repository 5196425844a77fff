"""Cameras of somebody's rig: what is refused, where the hand comes to lie, and that pictures are cut out truly."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from free_cases import pixels_of, target
from hypothesis import given, settings
from hypothesis import strategies as st

from rigging.geometry.calibration import Calibration, sound_calibration
from rigging.geometry.cameras import CameraSettings
from rigging.geometry.free_settings import FreeSettings
from rigging.geometry.picture_crop import DRAWS, Window, cut_out, intrinsics
from rigging.geometry.rigs import place_cameras
from rigging.geometry.rotations import axis_angle, random_rotation

seeds = st.integers(0, 2**32 - 1)
quick = settings(max_examples=5, deadline=None)
IMAGE = np.array([640.0, 480.0])


def dome(seed: int, views: int = 4) -> Calibration:
    """Cameras about a metre from a place in a world that is turned any way, with pixels that are not quite square."""
    rng = np.random.default_rng(seed)
    world, K, poses = random_rotation(rng), [], []
    for view in range(views):
        angle = 2 * np.pi * view / views
        place = np.array([0.9 * np.cos(angle), 0.9 * np.sin(angle), rng.uniform(-0.2, 0.6)])
        forward = -place / np.linalg.norm(place)
        right = np.cross(forward, [0, 0, 1])
        right /= np.linalg.norm(right)
        pose = np.eye(4)
        pose[:3, :3] = np.stack([right, np.cross(forward, right), forward]) @ world
        pose[:3, 3] = -pose[:3, :3] @ (world.T @ place + (1.0, 2.0, 3.0))
        K.append([[600, 0, 320 + rng.normal(0, 5)], [0, 612, 240 + rng.normal(0, 5)], [0, 0, 1]])
        poses.append(pose)
    return sound_calibration(np.array(K), np.array(poses), np.tile(IMAGE, (views, 1)), tuple("abcdefgh"[:views]))


def placed(seed: int, calibration: Calibration, **free):
    hand = target(seed)
    asked = CameraSettings(views=len(calibration), image_size=128, rig="calibration", free=free)
    return hand, place_cameras(hand, asked, np.random.default_rng(seed), calibration=calibration)


def in_their_world(calibration: Calibration, cameras) -> tuple[np.ndarray, np.ndarray]:
    """The rigid motion from our world into the calibration's, by its first camera."""
    motion = np.linalg.inv(calibration.world_to_cam[0]) @ cameras.world_to_cam[0]
    return motion[:3, :3], motion[:3, 3]


@quick
@given(seeds)
def test_the_hand_lies_where_all_cameras_look_and_the_cameras_stand_as_they_did(seed):
    calibration = dome(seed)
    hand, cameras = placed(seed, calibration, place=0.1)
    turn, shift = in_their_world(calibration, cameras)
    for ours, theirs in zip(cameras.world_to_cam, calibration.world_to_cam):
        np.testing.assert_allclose(theirs[:3, :3] @ turn, ours[:3, :3], atol=1e-9)
        np.testing.assert_allclose(theirs[:3, :3] @ shift + theirs[:3, 3], ours[:3, 3], atol=1e-9)
    palm = turn @ hand.palm[0] + shift
    assert np.linalg.norm(palm - calibration.meeting_point()) < 0.1 + 1e-9
    np.testing.assert_allclose(calibration.meeting_point(), (1.0, 2.0, 3.0), atol=0.05)
    assert (turn @ (0, 0, 1)) @ calibration.up() == pytest.approx(1)


@quick
@given(seeds)
def test_a_picture_is_a_rectangle_of_the_original_scaled_to_a_square(seed):
    """So K is moved exactly: original pixels of points, cut out and scaled, are those of the new camera."""
    calibration = dome(seed)
    hand, cameras = placed(seed, calibration)
    turn, shift = in_their_world(calibration, cameras)
    points = hand.points[::50]
    old = pixels_of(points @ turn.T + shift, calibration.K, calibration.world_to_cam)
    new = pixels_of(points, cameras.K, cameras.world_to_cam)
    for view in range(len(calibration)):
        for axis in range(2):
            slope, start = np.polyfit(old[view, :, axis], new[view, :, axis], 1)
            np.testing.assert_allclose(slope * old[view, :, axis] + start, new[view, :, axis], atol=1e-6)
            first, last = -start / slope, (128 - start) / slope  # what of the original is in the picture
            assert first > -1e-6
            assert last < IMAGE[axis] + 1e-6


@quick
@given(seeds)
def test_the_hand_takes_the_share_of_the_picture_asked_for(seed):
    hand, cameras = placed(seed, dome(seed), size=[0.6, 0.8])
    pixels = pixels_of(hand.points, cameras.K, cameras.world_to_cam)
    box = np.ptp(pixels, axis=1).max(1) / 128
    assert (box > 0.6 - 1e-9).all()
    assert (box < 0.8 + 1e-9).all()
    assert ((pixels >= 0) & (pixels <= 128)).all()


def test_a_whole_picture_is_the_largest_square_in_the_middle_of_the_original():
    calibration = dome(1)
    _, cameras = placed(1, calibration, size="whole")
    middle = (IMAGE / 2 - calibration.K[:, :2, 2]) / calibration.K[:, [0, 1], [0, 1]]
    np.testing.assert_allclose(cameras.K[:, 0, 0], 128 / (480 / 612))
    np.testing.assert_allclose(cameras.K[:, :2, 2], 64 - cameras.K[:, :1, 0] * middle)


def test_one_camera_alone_has_the_hand_before_it():
    calibration = dome(2, views=1)
    hand, cameras = placed(2, calibration)
    assert ((hand.points @ cameras.world_to_cam[0, :3, :3].T + cameras.world_to_cam[0, :3, 3])[:, 2] > 0.2).all()


@quick
@given(seeds, st.floats(0.3, 1.0), st.booleans())
def test_a_square_shows_what_its_draws_say(seed, share, bounded):
    """Against a count point by point; a window is never left."""
    rng = np.random.default_rng(seed)
    plane, draws = rng.normal(size=(200, 2)) * (0.2, 0.1) + rng.normal(size=2) * 0.1, rng.random(DRAWS)
    asked = FreeSettings(cut=0.5, cut_most=0.4, off_centre=0.5)
    window = Window(np.array([-1.0, -0.8]), np.array([1.2, 0.8])) if bounded else None
    middle, side = cut_out(plane, share, asked, draws, window)
    K = intrinsics(middle, side, 100)
    inside = sum(all(0 <= K[a, a] * point[a] + K[a, 2] <= 100 for a in (0, 1)) for point in plane)
    if bounded:
        assert (middle - side / 2 >= window.low - 1e-9).all()
        assert (middle + side / 2 <= window.high + 1e-9).all()
    elif draws[4] < 0.5:
        assert 0.58 <= inside / 200 < 1
    else:
        assert inside >= 200 - 4  # but for those on the border


def spoilt(**changes) -> tuple:
    calibration = dome(3)
    values = {"K": calibration.K.copy(), "world_to_cam": calibration.world_to_cam.copy()}
    for name, (place, value) in changes.items():
        values[name][place] = value
    return values["K"], values["world_to_cam"], calibration.image, calibration.names


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"world_to_cam": ((1, slice(0, 3), slice(0, 3)), np.diag([1.0, 1, -1]))}, "camera 'b': .* no rotation"),
        ({"world_to_cam": ((1, 0, 0), 3.0)}, "camera 'b': .* no rotation"),
        ({"world_to_cam": ((2, 3), (0, 0, 1, 1))}, "camera 'c': the last row"),
        ({"world_to_cam": ((0, 0, 3), np.nan)}, "camera 'a': K and world_to_cam must be finite"),
        ({"K": ((0, 1, 0), 5.0)}, "camera 'a': K is .* allowed is"),
        ({"K": ((0, 0, 0), -600.0)}, "camera 'a': focal lengths are -600 and 612; allowed is above 0"),
        ({"K": ((0, 0, 1), 3.0)}, "camera 'a': K has a skew of 3 px; allowed is none"),
        ({"K": ((3, 0, 2), 5000.0)}, "camera 'd': the principal point .* far outside"),
    ],
)
def test_an_impossible_camera_is_named(changes, message):
    with pytest.raises(ValueError, match=message):
        sound_calibration(*spoilt(**changes))


def test_a_camera_that_looks_away_is_named():
    calibration = dome(4)
    away = calibration.world_to_cam.copy()
    away[0] = np.block([[axis_angle(np.array([0, 1.0, 0]), np.pi), np.zeros((3, 1))], [np.zeros(3), 1]]) @ away[0]
    with pytest.raises(ValueError, match=r"look at no common place: .* is behind camera 'a'"):
        dataclasses.replace(calibration, world_to_cam=away).meeting_point()


def test_cameras_that_see_no_hand_are_refused():
    calibration = dome(5)
    with pytest.raises(ValueError, match="a camera of the calibration shows no hand in any of 24 places"):
        placed(5, dataclasses.replace(calibration, K=calibration.K * ((60,), (60,), (1,))), size="whole")
