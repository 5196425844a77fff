"""Cameras anywhere around a hand, on a head or on a wrist, each view drawn by itself.

Each view has several candidates; it is the first that keeps away from the body, does not look along the arm or at where
its mesh ends, and shows enough of the hand, or else the best. Cameras are those of `cameras`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .camera_bands import CameraBands
from .cameras import ANYWHERE, Cameras, CameraSettings, look_inward, rigid
from .free_settings import FULL_FRAME, FreeSettings
from .picture_crop import DRAWS, box_of, cut_out, hand_share, intrinsics, on_plane, shown
from .rotations import normalise, swing
from .stands import ODD, Stand, Target, around, from_head, odd_around, odd_from_head, odd_on_wrist, on_wrist

TRIES = 24  # candidates of a view
NOTHING = 0.1  # share of the hand's points that a picture shows at least
JOINT_DEPTH = 0.01  # m before a camera that the wrist is, the nearest joint to it
AHEAD = np.array([0.0, 0.0, 1.0])  # of a camera
_STAND, _LENS = 3, 4  # draws of a candidate for these
_THIN = 5  # of every so many vertices one is asked how near it is


class Kind(NamedTuple):
    """How a rig draws candidates, what it says against them, and how near to the body they may be."""

    stand: Callable[[Target, FreeSettings, float, np.ndarray], Stand]
    odd: Callable[[Target, Stand], float]
    clear: float  # m


KINDS = {
    "random": Kind(around, odd_around, 0.10),
    "egocentric": Kind(from_head, odd_from_head, 0.10),
    "wrist": Kind(on_wrist, odd_on_wrist, 0.015),
}


class View(NamedTuple):
    """One camera, and what speaks against it: 0 for nothing, 1 or more if it shows no hand."""

    K: np.ndarray  # (3, 3) px
    rotation: np.ndarray  # (3, 3) world to camera
    place: np.ndarray  # (3,) m
    fault: float


def anywhere(
    target: Target, settings: CameraSettings, rng: np.random.Generator, bands: CameraBands = ANYWHERE
) -> Cameras:
    """The cameras of rig "random", "egocentric" or "wrist" around `target`.

    Of "random", azimuths are drawn within the `bands` of phase, in turns about the fingers. Raises ValueError if a view
    shows no hand.
    """
    azimuths = [bands.phase_draw(draw) for draw in azimuth_draws(settings.views, rng)]
    views = [_best(target, settings, azimuth, rng.random((TRIES, _STAND + _LENS + DRAWS))) for azimuth in azimuths]
    for number, view in enumerate(views):
        if view.fault >= 1:
            raise ValueError(f"rig {settings.rig!r}: view {number} shows no hand in any of {TRIES} tries: give "
                             "[cameras.free] other ranges")  # fmt: skip
    rotations, places = np.stack([view.rotation for view in views]), np.stack([view.place for view in views])
    return Cameras(np.stack([view.K for view in views]), rigid(rotations, places), settings.image_size)


def azimuth_draws(views: int, rng: np.random.Generator) -> np.ndarray:
    """(V,) draws in 0..1 of the views' azimuths: the first that `anywhere` takes from an equal `rng`."""
    return rng.random(views)


def _best(target: Target, settings: CameraSettings, azimuth: float, draws: np.ndarray) -> View:
    """The first of the candidates of draws (TRIES, ...) without a fault, or that with the least."""
    kind, free = KINDS[settings.rig], settings.elsewhere
    best, thin = None, target.body[::_THIN]
    for row in draws:
        stand = kind.stand(target, free, azimuth, row[:_STAND])
        near = kind.clear - float(np.linalg.norm(thin - stand.place, axis=1).min())
        view = _view(target, free, settings.image_size, stand, row[_STAND:])
        fault = view.fault + max(near, 0.0) + kind.odd(target, stand) + _arm_end(target, view, settings.image_size)
        if best is None or fault < best.fault:
            best = view._replace(fault=fault)
        if best.fault == 0:
            break
    return best


def _view(target: Target, free: FreeSettings, size: int, stand: Stand, draws: np.ndarray) -> View:
    """The camera at a stand, with a lens, a roll and a picture of draws (_LENS + DRAWS,)."""
    outward = normalise(stand.place - stand.aim)
    roll = np.array([free.roll * (2 * draws[0] - 1)])
    rotation = look_inward(outward[None], stand.up, roll)[0]
    plane, narrow = on_plane(target.points, rotation, stand.place), 0.0
    if free.size == "whole":
        middle, side = np.zeros(2), FULL_FRAME[1] / _log_between(free.lens, draws[1])
    elif np.isfinite(plane).all():
        turn, share, narrow = _on_sensor(plane, free, draws[1:])
        rotation = turn @ rotation
        plane = on_plane(target.points, rotation, stand.place)
        middle, side = cut_out(plane, share, free, draws[_LENS:])
    if not np.isfinite(plane).all() and free.size != "whole":  # a part of the hand is behind the camera
        return View(np.eye(3), rotation, stand.place, 2.0)
    seen, behind = shown(plane, middle, side), (target.wrist - stand.place) @ rotation[2] < JOINT_DEPTH
    fault = narrow + ODD * behind + (1.0 if seen < NOTHING else max(free.least - seen, 0.0))
    return View(intrinsics(middle, side, size), rotation, stand.place, fault)


def _on_sensor(plane: np.ndarray, free: FreeSettings, draws: np.ndarray) -> tuple[np.ndarray, float, float]:
    """The turn (3, 3) that brings the hand somewhere else on the sensor, its share of the picture, and a fault.

    `plane` (N, 2): the hand seen straight on. The picture fits onto a full-frame sensor: a lens too long for that is
    not drawn, and of a hand too near for the widest lens the picture has a larger share. The fault is by how much the
    hand is larger than what that lens sees, 1 for twice as large.
    """
    low, high = box_of(plane)
    extent, (shortest, longest) = float((high - low).max()), free.lens
    needed = shortest * extent / FULL_FRAME[1]
    share = min(max(hand_share(free, draws[3:]), needed), free.size[1])
    focal = _log_between((shortest, max(shortest, min(longest, FULL_FRAME[1] * share / extent))), draws[0])
    room = np.maximum(np.array(FULL_FRAME) - focal * extent / share, 0) / 2
    x, y = room * (2 * draws[1:3] - 1) / focal
    return swing(AHEAD, normalise(np.array([x, y, 1.0]))), share, max(needed / free.size[1] - 1, 0.0)


def _arm_end(target: Target, view: View, size: int) -> float:
    """ODD where the picture shows, beside the hand, that the arm ends beyond the elbow: nobody's does."""
    elbow, hand = (
        on_plane(points, view.rotation, view.place) * view.K[0, 0] + view.K[:2, 2]
        for points in (target.elbow, target.points)
    )
    before = (view.place - target.palm[0]) @ target.forearm < 0
    low, high = box_of(hand)
    hidden = ((elbow > low) & (elbow < high)).all(axis=1) & before
    return ODD * float((((elbow > 0) & (elbow < size)).all(axis=1) & ~hidden).any())


def _log_between(bounds: tuple[float, float], draw: float) -> float:
    return math.exp(math.log(bounds[0]) + (math.log(bounds[1]) - math.log(bounds[0])) * float(draw))
