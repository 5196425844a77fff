"""Cameras of somebody's rig, and a hand placed where they look together.

Cameras are those of `cameras`, in a world of their own; what a file's pictures are cut to and scaled by moves K alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

import numpy as np

from .anywhere import NOTHING
from .cameras import Cameras, CameraSettings, rigid
from .free_settings import FreeSettings
from .picture_crop import DRAWS, Window, cut_out, hand_share, intrinsics, on_plane, shown
from .rotations import axis_angle, normalise, swing
from .stands import UP, Target

TRIES = 24  # places of the hand
CLEAR = 0.05  # m, from a camera to the nearest skin or sleeve
_RIGID = 1e-4  # of a rotation written with a few digits, which is then made exact
_SKEW = 1e-4  # of the focal length
_PARALLEL = 0.01  # least eigenvalue of the axes' spread below which they do not meet anywhere
_REACH = 0.6  # m before cameras whose axes do not meet
_THIN = 5


@dataclass(frozen=True)
class Calibration:
    """V cameras, in metres; see `sound_calibration`, which makes them."""

    K: np.ndarray  # (V, 3, 3) px
    world_to_cam: np.ndarray  # (V, 4, 4) rigid
    image: np.ndarray  # (V, 2) px, width and height
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.K)

    @property
    def digest(self) -> str:
        """sha256 of all of it: the same cameras are the same, whatever file told them."""
        arrays = (np.ascontiguousarray(array, np.float64) for array in (self.K, self.world_to_cam, self.image))
        return sha256(b"".join([*(array.tobytes() for array in arrays), repr(self.names).encode()])).hexdigest()

    @property
    def turns(self) -> np.ndarray:
        """(V, 3, 3) world to camera."""
        return self.world_to_cam[:, :3, :3]

    @property
    def places(self) -> np.ndarray:
        """(V, 3) m, world."""
        return -np.einsum("vji,vj->vi", self.turns, self.world_to_cam[:, :3, 3])

    def windows(self) -> list[Window]:
        """What each camera's sensor covers of its image plane."""
        scale, middle = self.K[:, [0, 1], [0, 1]], self.K[:, :2, 2]
        return [Window(*pair) for pair in zip(-middle / scale, (self.image - middle) / scale)]

    def up(self) -> np.ndarray:
        """(3,) unit: upwards on average in the pictures, as cameras are mounted; that of the world if it is none."""
        mean = -self.turns[:, 1].mean(axis=0)
        return normalise(mean) if np.linalg.norm(mean) > 0.2 else UP

    def meeting_point(self) -> np.ndarray:
        """(3,) m: nearest to what is in the middle of all pictures, by least squares; before cameras that are parallel.

        Raises ValueError if it is behind a camera.
        """
        middles = np.stack([window.square[0] for window in self.windows()])
        rays = normalise(np.concatenate([middles, np.ones((len(self), 1))], axis=1))
        rays = np.einsum("vji,vj->vi", self.turns, rays)
        across = np.eye(3) - rays[:, :, None] * rays[:, None, :]
        if np.linalg.eigvalsh(across.mean(axis=0))[0] < _PARALLEL:
            point = (self.places + _REACH * rays).mean(axis=0)
        else:
            point = np.linalg.solve(across.sum(axis=0), np.einsum("vij,vj->i", across, self.places))
        depth = ((point - self.places) * self.turns[:, 2]).sum(axis=1)
        if depth.min() <= 0:
            raise ValueError(f"the cameras look at no common place: the point nearest to the middle of all pictures is "
                             f"behind camera {self.names[int(depth.argmin())]!r}")  # fmt: skip
        return point


def sound_calibration(
    K: np.ndarray, world_to_cam: np.ndarray, image: np.ndarray, names: tuple[str, ...]
) -> Calibration:
    """A calibration of K (V, 3, 3), world_to_cam (V, 4, 4) and image sizes (V, 2), with its rotations made exact.

    Raises ValueError for a camera that is none: not rigid, mirrored, a K that is not upper triangular, without focal
    length or with skew, or whose principal point is far outside its picture.
    """
    for name, k, pose, size in zip(names, K, world_to_cam, image):
        fault = _fault(k, pose, size)
        if fault:
            raise ValueError(f"camera {name!r}: {fault}")
    u, _, vt = np.linalg.svd(world_to_cam[:, :3, :3])
    exact = np.array(world_to_cam, float)
    exact[:, :3, :3] = u @ vt
    exact[:, 3] = (0, 0, 0, 1)
    return Calibration(np.array(K, float), exact, np.array(image, float), names)


def _fault(k: np.ndarray, pose: np.ndarray, size: np.ndarray) -> str:
    """What is wrong with a camera of K (3, 3), world_to_cam (4, 4) and image size (2,); "" for nothing."""
    if not (np.isfinite(k).all() and np.isfinite(pose).all()):
        return "K and world_to_cam must be finite"
    if np.abs(k[[1, 2, 2], [0, 0, 1]]).max() > 0 or abs(k[2, 2] - 1) > 1e-9:
        return f"K is {k.tolist()}; allowed is [[fx, 0, cx], [0, fy, cy], [0, 0, 1]]"
    if min(k[0, 0], k[1, 1]) <= 0:
        return f"focal lengths are {k[0, 0]:g} and {k[1, 1]:g}; allowed is above 0"
    if abs(k[0, 1]) > _SKEW * k[0, 0]:
        return f"K has a skew of {k[0, 1]:g} px; allowed is none"
    turn = pose[:3, :3]
    if np.abs(turn @ turn.T - np.eye(3)).max() > _RIGID or np.linalg.det(turn) < 0:
        return f"world_to_cam turns by {np.round(turn, 4).tolist()}, which is no rotation"
    if np.abs(pose[3] - (0, 0, 0, 1)).max() > 0:
        return f"the last row of world_to_cam is {pose[3].tolist()}; allowed is [0, 0, 0, 1]"
    if (k[:2, 2] < -size).any() or (k[:2, 2] > 2 * size).any():
        return f"the principal point {k[:2, 2].tolist()} is far outside of a picture of {size.tolist()} px"
    return ""


def calibrated(target: Target, settings: CameraSettings, calibration: Calibration, rng: np.random.Generator) -> Cameras:
    """The cameras of `calibration` around `target`, whose palm comes to lie where they look together.

    The hand's place is drawn from a ball of radius `place` about the meeting point, and how it is turned about the
    calibration's up; the first of TRIES that every camera sees is taken, or that which the worst sees best. Each
    picture is cut out as `picture_crop` says. Raises ValueError if a camera sees no hand.
    """
    free, point, best = settings.elsewhere, calibration.meeting_point(), None
    upright = swing(UP, calibration.up())
    for _ in range(TRIES):
        draws = rng.random(6)
        place = point + free.place * draws[0] ** (1 / 3) * _direction(draws[1:3])
        turn = upright @ axis_angle(UP, 2 * np.pi * draws[3])  # of our world into the calibration's
        found = _seen(target, settings, calibration, (turn, place), rng.random((len(calibration), DRAWS)))
        best = found if best is None or found[1] > best[1] else best
        if best[1] >= free.least:
            break
    if best[1] < NOTHING:
        raise ValueError(f"a camera of the calibration shows no hand in any of {TRIES} places: give [cameras.free] "
                         "another size, or choose other cameras")  # fmt: skip
    return best[0]


def _seen(
    target: Target, settings: CameraSettings, calibration: Calibration, at: tuple[np.ndarray, np.ndarray],
    draws: np.ndarray,
) -> tuple[Cameras, float]:  # fmt: skip
    """Cameras of a hand whose palm is `at` a turn (3, 3) and place (3,), and the least share of it in a picture."""
    turn, place = at
    rotations = calibration.turns @ turn
    places = target.palm[0] + (calibration.places - place) @ turn
    least, K = 1.0, []
    for view, window in enumerate(calibration.windows()):
        plane = on_plane(target.points, rotations[view], places[view])
        middle, side = _picture(plane, settings.elsewhere, window, draws[view])
        near = np.linalg.norm(target.body[::_THIN] - places[view], axis=1).min()
        sound = np.isfinite(plane).all() and near > CLEAR
        least = min(least, shown(plane, middle, side) if sound else 0.0)
        K.append(intrinsics(middle, side, settings.image_size))
    return Cameras(np.stack(K), rigid(rotations, places), settings.image_size), least


def _picture(plane: np.ndarray, free: FreeSettings, window: Window, draws: np.ndarray) -> tuple[np.ndarray, float]:
    """Middle (2,) and side of the picture; the whole window's where a part of points (N, 2) is behind the camera."""
    if free.size == "whole" or not np.isfinite(plane).all():
        return window.square
    return cut_out(plane, hand_share(free, draws), free, draws, window)


def _direction(draws: np.ndarray) -> np.ndarray:
    """(3,) unit, evenly over the sphere for even draws (2,)."""
    height, turn = 2 * draws[0] - 1, 2 * np.pi * draws[1]
    level = np.sqrt(1 - height**2)
    return np.array([level * np.cos(turn), level * np.sin(turn), height])
