"""Are the cameras where the release's settings put them, around the hand of the pair's first sample?"""

from __future__ import annotations

import json
import math
from functools import lru_cache
from typing import Any

import numpy as np

from rigging.geometry.cameras import CameraSettings, hand_frame
from rigging.settings import from_table

from ..format.optional import OPTIONAL_FIELDS
from .figures import Check, Figure, Figures, measured, worst_view
from .free_cameras import free_figures
from .stored import Stored

CHECKS = (
    Check("rigid", "difference of a camera's rotation from an orthonormal, right-handed one", 1e-9, ""),
    Check("intrinsics", "distance of the principal point from the middle, or of the pixels from squares", 1e-6, "px"),
    Check("focal", "distance of focal lengths from the range that the release allows", 1e-6, "image widths"),
    Check("aim", "distance of the optical axes from the point that all cameras look at", 0.05, "mm"),
    Check("ring", "distance of a camera from its place on the ring, beyond the release's jitter", 2e-4, "rad"),
    Check("distance", "differences of the cameras' distances from the hand, or from the release's", 0.05, "mm"),
    Check("tilt", "lean of the ring against the palm, beyond the release's tilt", 2e-4, "rad"),
    Check("roll", "roll of a camera beyond the release's", 2e-4, "rad"),
    Check("framing", "distance of the hand's outermost point, or box, from what the release frames", 0.2, "px"),
    Check("same_ring", "difference of the cameras from those of the rest of the pair", 0, ""),
)


@lru_cache(maxsize=8)
def _settings(text: str) -> CameraSettings:
    return from_table(CameraSettings, json.loads(text), "configuration", "cameras")


def camera_settings(configuration: dict[str, Any]) -> CameraSettings | None:
    """The release's cameras, by a shard's configuration; None if it does not say. Raises ValueError for nonsense."""
    table = configuration.get("release", {}).get("cameras")
    if table is None:
        return None
    return _settings(json.dumps({key: value for key, value in table.items() if value is not None}))


def camera_figures(sample: Stored) -> Figures:
    """Figures of all CHECKS of one sample; of some only where the pair's first sample is in the shard."""
    settings = camera_settings(sample.attrs["configuration"])
    turn = sample["world_to_cam"][:, :3, :3]
    figures = measured(rigid=worst_view(_rigid(sample["world_to_cam"])), same_ring=_same_ring(sample))
    if settings is None or figures["rigid"].value > CHECKS[0].limit:
        return figures
    if settings.rig != "ring":
        return figures | free_figures(sample, settings)
    figures |= measured(
        intrinsics=worst_view(_intrinsics(sample["K"], settings.image_size)),
        focal=worst_view(_focal(sample["K"], settings)),
        framing=_framing(sample, settings),
    )
    if sample.first is None:
        return figures
    centre, axes = hand_frame(sample.first["joints_world"].astype(float), _mirrored_ring(sample))
    places = -np.einsum("vji,vj->vi", turn, sample["world_to_cam"][:, :3, 3])
    if settings.aim == "box":
        centre = meeting_point(places, turn[:, 2])
    away = np.linalg.norm(places - centre, axis=1)
    outward = (places - centre) / away[:, None]
    missed = np.linalg.norm(np.cross(places - centre, turn[:, 2]), axis=1)
    return figures | measured(
        aim=worst_view(missed * 1000),
        distance=Figure(float(np.ptp(away) * 1000)),
        **_ring(outward, turn, axes, settings),
    )


def _mirrored_ring(sample: Stored) -> bool:
    """Whether the ring is the mirror image of a right hand's: left hands of releases of both have such rings."""
    release = sample.attrs["configuration"].get("release", {})
    return release.get("hand") == "both" and sample.meta["hand"] == "left"


def _rigid(world_to_cam: np.ndarray) -> np.ndarray:
    """(V,) how far rotations are from orthonormal and right-handed, and last rows from (0, 0, 0, 1)."""
    turn = world_to_cam[:, :3, :3]
    off = np.abs(np.einsum("vij,vkj->vik", turn, turn) - np.eye(3)).max((1, 2))
    mirrored = np.abs((np.cross(turn[:, 0], turn[:, 1]) * turn[:, 2]).sum(1) - 1)
    return np.max([off, mirrored, np.abs(world_to_cam[:, 3] - (0, 0, 0, 1)).max(1)], axis=0)


def _same_ring(sample: Stored) -> Figure | None:
    """1 if the cameras are not those of the pair's first sample."""
    if sample.first is None:
        return None
    names = {"K", "world_to_cam", *OPTIONAL_FIELDS} & sample.values.keys()
    same = all(np.array_equal(sample[name], sample.first[name]) for name in names)
    return Figure(float(not same))


def _intrinsics(K: np.ndarray, size: int) -> np.ndarray:
    """(V,) px."""
    wanted = np.array([[0, 0, size / 2], [0, 0, size / 2], [0, 0, 1]])
    rest = np.abs(np.where(np.eye(3) * (1, 1, 0) > 0, 0, K - wanted)).max((1, 2))
    return np.maximum(rest, np.abs(K[:, 0, 0] - K[:, 1, 1]))


def _focal(K: np.ndarray, settings: CameraSettings) -> np.ndarray:
    """(V,) image widths outside the range; a view that zooms may have a longer one, the ring's shortest may not."""
    focal = K[:, 0, 0] / settings.image_size
    low, high = settings.focal
    if settings.zoom == "view" and settings.radius is None:
        return np.maximum(low - focal, focal.min() - high)
    return np.maximum.reduce([low - focal, focal - high, np.full(len(focal), np.ptp(focal))])


def meeting_point(places: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """(3,) m: the point nearest to all lines through `places` (V, 3) along unit `axes` (V, 3), by least squares."""
    across = np.eye(3) - axes[:, :, None] * axes[:, None, :]
    return np.linalg.lstsq(across.sum(0), np.einsum("vij,vj->i", across, places), rcond=None)[0]


def _ring(outward: np.ndarray, turn: np.ndarray, axes: np.ndarray, settings: CameraSettings) -> Figures:
    """Places of the cameras on the circle, its lean, and how they roll; from directions (V, 3) from the aim.

    Without jitter the places are exact; with it, circle and phase are fitted, which may cost as much again.
    """
    up, phase = _circle(outward, axes, settings)
    first = _first(up, axes)
    right = _side(axes) * np.cross(up, first)
    angles = phase + 2 * np.pi * np.arange(len(outward)) / len(outward)
    wanted = np.cos(angles)[:, None] * first + np.sin(angles)[:, None] * right
    off = _angle(outward, wanted) - settings.jitter * (2.0 if settings.jitter else 1.0)
    lean = _angle(up, axes[:, 1]) - settings.tilt - (settings.jitter if len(outward) > 2 else math.pi)
    forward = turn[:, 2]
    level = np.cross(forward, up)
    level /= np.linalg.norm(level, axis=1, keepdims=True)
    rolled = _angle(turn[:, 0], level) - settings.roll - 2 * settings.jitter
    return measured(
        ring=worst_view(np.maximum(off, 0)) if len(outward) > 2 else None,
        tilt=Figure(max(0.0, float(lean))) if len(outward) > 2 else None,
        roll=worst_view(np.maximum(rolled, 0)) if len(outward) > 2 else None,
    )


def _circle(outward: np.ndarray, axes: np.ndarray, settings: CameraSettings) -> tuple[np.ndarray, float]:
    """The axis (3,) of the circle that cameras stand on, on the side of the fingers, and the angle of the first."""
    _, _, directions = np.linalg.svd(outward - (outward.mean(0) if not settings.jitter else 0))
    up = directions[-1] * (1 if directions[-1] @ axes[:, 1] >= 0 else -1)
    if settings.tilt > 1.2:  # the fingers may point down: the order of the cameras says which side is up
        order = _side(axes) * np.cross(outward, np.roll(outward, -1, axis=0)).sum(0)
        up = directions[-1] * (1 if directions[-1] @ order >= 0 else -1)
    first = _first(up, axes)
    turned = np.arctan2(outward @ (_side(axes) * np.cross(up, first)), outward @ first)
    apart = turned - 2 * np.pi * np.arange(len(outward)) / len(outward)
    return up, float(np.angle(np.exp(1j * apart).mean()))


def _side(axes: np.ndarray) -> float:
    """1 for right-handed axes (3, 3), -1 for left-handed ones, round which the cameras follow each other backwards."""
    return float(np.sign(np.linalg.det(axes)))


def _first(up: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """The palm's normal made perpendicular to `up` (or another direction of the palm, if that is up)."""
    normal = axes[:, 2] if abs(up @ axes[:, 2]) < 0.9 else axes[:, 0]
    flat = normal - (normal @ up) * up
    return flat / np.linalg.norm(flat)


def _angle(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Radians between unit vectors (..., 3)."""
    return np.arctan2(np.linalg.norm(np.cross(a, b), axis=-1), (a * b).sum(-1))


def _framing(sample: Stored, settings: CameraSettings) -> Figure | None:
    """px: how far the outermost point of the pair's or clip's hands is from the share of the image that `fill` says."""
    if settings.radius is not None or sample.cut:
        return None
    hands = sample.hands or [sample["vertices_world"]]
    points = np.concatenate([hand[sample.topology.from_wrist] for hand in hands]).astype(float)
    pose = sample["world_to_cam"]
    local = points @ pose[:, :3, :3].transpose(0, 2, 1) + pose[:, None, :3, 3]
    if local[..., 2].min() <= 0:
        return Figure(float("inf"), "a point behind a camera")
    reach = (np.abs(local[..., :2]) / local[..., 2:]).max((1, 2)) * sample["K"][:, 0, 0]
    off = reach - settings.fill * settings.image_size / 2
    whole = settings.zoom == "view" and settings.radius is None
    return worst_view(np.abs(off)) if whole else Figure(abs(float(off.max())), f"view {int(off.argmax())}")
