"""The ring of cameras around a hand.

Cameras are those of OpenCV: x right, y down, z forward; K (3, 3) in pixels, world_to_cam (4, 4) rigid, in metres. The
centre of the top-left pixel is (0.5, 0.5), so the middle of an image of width W is W / 2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .camera_bands import CameraBands, between, tilt_angle
from .distortion import DistortionSettings, require_sound, require_tame
from .free_settings import RIGS, FreeSettings, free_settings
from .projection import to_camera
from .rotations import axis_angle, normalise, perpendicular

_DRAWS = ("focal", "radius")
_MOST = 100.0  # of focal, image widths, and of radius, metres
_RING = ("focal", "zoom", "fill", "radius", "aim", "phase", "tilt", "roll", "jitter")  # what says how the ring stands
ANYWHERE = CameraBands()


@dataclass(frozen=True)
class CameraSettings:
    """How to place the ring; angles in radians. Raises ValueError for a value that makes no sense."""

    views: int = 8
    image_size: int = 256  # pixels, square images
    focal: tuple[float, float] = (1.8, 3.0)  # drawn evenly once per ring, in image widths
    zoom: str = "view"  # "view": a view with room to spare gets a longer focal length; "ring": one focal length
    fill: float = 0.94  # the outermost point of the hand reaches this part of the way from image centre to edge
    radius: tuple[float, float] | None = None  # metres, drawn evenly; None: what `fill` asks for
    aim: str = "palm"  # look at the "palm" centre, or at the middle of the hand's bounding "box"
    phase: bool = True  # draw the angle of the first camera; False: it looks at the back of the hand
    tilt: float = 0.0  # the ring's axis is drawn evenly from the cone of this half angle about the fingers; pi: any
    roll: float = 0.0  # each camera rolls by up to this much either way
    jitter: float = 0.0  # each camera leaves its place on the circle by up to this angle
    rig: str = "ring"  # one of RIGS; what is above but for the first two is the ring's
    free: dict[str, Any] = field(default_factory=dict)  # of the other rigs, see `elsewhere`
    distortion: DistortionSettings = field(default_factory=DistortionSettings)  # of the lenses of any rig

    def __post_init__(self) -> None:
        for name, low, high in (("views", 1, 64), ("image_size", 8, 8192)):
            value = getattr(self, name)
            _require(isinstance(value, int) and low <= value <= high, name, value, f"an integer, {low} to {high}")
        for name in _DRAWS:
            value = getattr(self, name)
            if name != "radius" or value is not None:
                good = len(value) == 2 and 0 < value[0] <= value[1] <= _MOST
                _require(good, name, value, f"(lowest, highest), both above 0 and at most {_MOST:g}")
        _require(0 < self.fill <= 1, "fill", self.fill, "above 0, at most 1")
        _require(self.aim in ("palm", "box"), "aim", self.aim, "'palm' or 'box'")
        _require(self.zoom in ("view", "ring"), "zoom", self.zoom, "'view' or 'ring'")
        _require(isinstance(self.phase, bool), "phase", self.phase, "true or false")
        for name, high in (("tilt", math.pi), ("roll", math.pi), ("jitter", math.pi / 4)):
            value = getattr(self, name)
            _require(0 <= value <= high, name, value, f"0 to {high:.4g} radians")
        _require(self.rig in RIGS, "rig", self.rig, f"one of {', '.join(RIGS)}")
        if free_settings(self.rig, self.free, self.image_size) is not None:
            for name in _RING:
                value, usual = getattr(self, name), getattr(CameraSettings, name)
                _require(value == usual, name, value, f"to leave it out with rig = {self.rig!r}")
        if self.rig == "ring":
            widest = _intrinsics(np.array([self.focal[0] * self.image_size]), self.image_size)[0]
            require_sound(self.distortion.worst, widest, (self.image_size, self.image_size))
            require_tame(self.distortion.strongest, widest, (self.image_size, self.image_size))

    @property
    def elsewhere(self) -> FreeSettings | None:
        """What `free` says, with the rig's preset; None for the ring."""
        return free_settings(self.rig, self.free, self.image_size)


def _require(good: bool, name: str, value: object, allowed: str) -> None:
    if not good:
        raise ValueError(f"camera setting {name}: got {value!r}, allowed is {allowed}")


@dataclass(frozen=True)
class Cameras:
    """V cameras that share one image size."""

    K: np.ndarray  # (V, 3, 3) float64, pixels
    world_to_cam: np.ndarray  # (V, 4, 4) float64, rigid, metres
    image_size: int  # pixels, square
    distortion: np.ndarray | None = None  # (V, 5) k1, k2, p1, p2, k3 of the lenses, as OpenCV has them; None: none

    def __len__(self) -> int:
        return len(self.K)

    @property
    def centres(self) -> np.ndarray:
        """(V, 3) camera positions in the world, metres."""
        rotation, shift = self.world_to_cam[:, :3, :3], self.world_to_cam[:, :3, 3]
        return -np.einsum("vji,vj->vi", rotation, shift)


def palm_frame(joints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Palm centre (3,) and axes (3, 3), whose columns are across, along and normal, for joints (21, 3).

    The centre is half way from the wrist to the mean of the four MCP joints; `along` points that way, `across` from
    the index to the little finger, perpendicular to it, and across x along = normal, which leaves the back of a right
    hand (the palm of a left hand). Raises ValueError for a palm that is a line.
    """
    wrist, knuckles = joints[0], joints[[5, 9, 13, 17]].mean(axis=0)
    along, across = knuckles - wrist, joints[17] - joints[5]
    normal = np.cross(across, along)
    if not np.linalg.norm(normal) > 1e-9:
        raise ValueError("wrist and MCP joints are on one line or not finite: the palm has no frame")
    along, normal = normalise(along), normalise(normal)
    return (wrist + knuckles) / 2, np.stack([np.cross(along, normal), along, normal], axis=1)


def hand_frame(joints: np.ndarray, left: bool) -> tuple[np.ndarray, np.ndarray]:
    """`palm_frame` of joints (21, 3) m with a normal that leaves the back of either hand.

    So the axes of a `left` hand are the mirror image of a right one's, and left-handed.
    """
    centre, axes = palm_frame(joints)
    return centre, axes * (1, 1, -1 if left else 1)


def ring(
    palm: tuple[np.ndarray, np.ndarray],
    points: np.ndarray,
    settings: CameraSettings,
    rng: np.random.Generator,
    bands: CameraBands = ANYWHERE,
) -> Cameras:
    """Cameras evenly on a circle round the hand, fingers up in the images (MVHM, Figure 4).

    `palm` is that of `palm_frame` or `hand_frame`: the circle lies in the plane of its normal and across directions,
    before the tilt. `points` (N, 3) m, world: what has to be in all images, such as the vertices of both poses of a
    pair. Every setting that is drawn takes numbers from `rng`, used or not, so that settings do not disturb each other.
    Phase and tilt are drawn within `bands`.
    Raises ValueError for points that are not finite or a given radius that puts points behind a camera.
    """
    points = np.asarray(points, float)
    if points.ndim != 2 or points.shape[1] != 3 or not len(points) or not np.isfinite(points).all():
        raise ValueError(f"points to frame: got shape {points.shape}, allowed are finite (N, 3)")
    centre, axes = palm
    draws = rng.random(5)
    phase, tilt = _phase_and_tilt(settings, draws, bands)
    focal = between(settings.focal, draws[0]) * settings.image_size
    axes = _tilted(axes, tilt, draws[2])
    angles = 2 * np.pi * (np.arange(settings.views) + phase) / settings.views
    outward = np.cos(angles)[:, None] * axes[:, 2] + np.sin(angles)[:, None] * axes[:, 0]
    outward = _jittered(outward, settings.jitter, rng.random((settings.views, 2)))
    roll = settings.roll * (2 * rng.random(settings.views) - 1)
    rotations = look_inward(outward, axes[:, 1], roll)
    if settings.aim == "box":
        centre = _box_centre(points, axes)
    reach = settings.fill * settings.image_size / 2
    radius = _framing_radius(points - centre, rotations, focal / reach)
    if settings.radius is not None:
        radius = between(settings.radius, draws[4])
    world_to_cam = rigid(rotations, centre + radius * outward)
    _check_in_front(points, world_to_cam)
    focals = np.full(settings.views, focal)
    if settings.zoom == "view" and settings.radius is None:
        focals = np.maximum(focals, _framing_focals(points, world_to_cam, reach))
    return Cameras(_intrinsics(focals, settings.image_size), world_to_cam, settings.image_size)


def phase_and_tilt(
    settings: CameraSettings, rng: np.random.Generator, bands: CameraBands = ANYWHERE
) -> tuple[float, float]:
    """Phase, in steps between cameras, and tilt, in radians, of the ring that `ring` makes from an equal `rng`."""
    return _phase_and_tilt(settings, rng.random(5), bands)


def _phase_and_tilt(settings: CameraSettings, draws: np.ndarray, bands: CameraBands) -> tuple[float, float]:
    phase = bands.phase_draw(draws[3]) if settings.phase else 0.0
    return phase, tilt_angle(bands.tilt_draw(draws[1], settings.tilt), settings.tilt)


def _tilted(axes: np.ndarray, angle: float, draw_side: float) -> np.ndarray:
    """Palm axes turned so that `along` leaves its place by `angle` radians, to an evenly drawn side."""
    side = 2 * np.pi * draw_side
    return axis_angle(np.cos(side) * axes[:, 0] + np.sin(side) * axes[:, 2], angle) @ axes


def _jittered(directions: np.ndarray, jitter: float, draws: np.ndarray) -> np.ndarray:
    """Unit vectors (V, 3) each turned by up to `jitter` radians in a direction drawn evenly; draws (V, 2)."""
    first = perpendicular(directions)
    second = np.cross(directions, first)
    side = 2 * np.pi * draws[:, :1]
    axis = np.cos(side) * first + np.sin(side) * second
    return np.einsum("vij,vj->vi", axis_angle(axis, jitter * np.sqrt(draws[:, 1])), directions)


def look_inward(outward: np.ndarray, up: np.ndarray, roll: np.ndarray) -> np.ndarray:
    """World-to-camera rotations (V, 3, 3) of cameras at `outward` (V, 3) that look at the centre, `up` (3,) upwards.

    They then roll by `roll` (V,) radians.
    """
    forward = -outward
    right = normalise(np.cross(forward, up))
    upright = np.stack([right, np.cross(forward, right), forward], axis=1)
    return axis_angle(np.array([0.0, 0.0, 1.0]), roll) @ upright


def _box_centre(points: np.ndarray, axes: np.ndarray) -> np.ndarray:
    local = points @ axes
    return axes @ ((local.min(axis=0) + local.max(axis=0)) / 2)


def _framing_radius(points: np.ndarray, rotations: np.ndarray, zoom: float) -> float:
    """Smallest radius at which |x| and |y| of all points (N, 3), relative to the centre, stay below z / zoom.

    A point at (x, y, z) in the axes of a camera placed at the centre is at depth z + radius from the ring.
    """
    local = np.einsum("vij,nj->vni", rotations, points)
    sideways = np.abs(local[..., :2]).max(axis=-1)
    return float((zoom * sideways - local[..., 2]).max())


def _check_in_front(points: np.ndarray, world_to_cam: np.ndarray) -> None:
    nearest = to_camera(points, world_to_cam)[..., 2].min()
    if nearest <= 0:
        raise ValueError(f"a camera is inside the hand (nearest depth {nearest:.3f} m): allowed is a larger radius")


def _framing_focals(points: np.ndarray, world_to_cam: np.ndarray, reach: float) -> np.ndarray:
    """(V,) focal lengths in pixels with which all points come within `reach` pixels of the image centre."""
    local = to_camera(points, world_to_cam)
    return reach / (np.abs(local[..., :2]).max(axis=-1) / local[..., 2]).max(axis=-1)


def rigid(rotations: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """world_to_cam (V, 4, 4) of cameras with these world-to-camera rotations (V, 3, 3) and positions (V, 3)."""
    matrices = np.zeros((len(centres), 4, 4))
    matrices[:, :3, :3] = rotations
    matrices[:, :3, 3] = -np.einsum("vij,vj->vi", rotations, centres)
    matrices[:, 3, 3] = 1
    return matrices


def _intrinsics(focals: np.ndarray, size: int) -> np.ndarray:
    matrices = np.zeros((len(focals), 3, 3))
    matrices[:, 0, 0] = matrices[:, 1, 1] = focals
    matrices[:, :2, 2] = size / 2
    matrices[:, 2, 2] = 1
    return matrices
