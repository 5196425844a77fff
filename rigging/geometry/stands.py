"""Where a camera may stand that belongs to no ring: candidates from even draws, and what speaks against each.

World and metres, +z up. A target's forearm points from the wrist to the elbow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .camera_bands import between
from .free_settings import FreeSettings
from .rotations import axis_angle, normalise, perpendicular, swing

UP = np.array([0.0, 0.0, 1.0])
ALONG_ARM = math.radians(20)  # nearer to the arm's axis than this, the arm hides the hand
LOOK = math.radians(25), math.radians(80)  # between the arm and the way from the hand to the eyes
RISE = math.radians(5), math.radians(70)  # of the eyes above the hand, seen from it
HELD = math.radians(-60), math.radians(10)  # slope of the way from the wrist to the elbow of a hand before the eyes
BEHIND_WRIST = 0.025  # m, farthest place of a worn camera along the arm
ODD = 0.2  # weight of what speaks against a stand


@dataclass(frozen=True)
class Target:
    """A hand that cameras are placed around."""

    palm: tuple[np.ndarray, np.ndarray]  # centre (3,) and axes (3, 3) of `cameras.palm_frame`
    points: np.ndarray  # (N, 3) what pictures are to show: the hand from the wrist on, in all its poses
    body: np.ndarray  # (M, 3) hand and arm, in all their poses
    wrist: np.ndarray  # (3,) of the first pose
    forearm: np.ndarray  # (3,) unit
    elbow: np.ndarray  # (E, 3) where the arm's mesh ends


class Stand(NamedTuple):
    """A camera's place, what it looks at and which way is up in its picture."""

    place: np.ndarray  # (3,) m
    aim: np.ndarray  # (3,) m
    up: np.ndarray  # (3,)


def make_target(
    palm: tuple[np.ndarray, np.ndarray], points: np.ndarray, body: np.ndarray, arm: np.ndarray, wrist: np.ndarray
) -> Target:
    """The target of a palm frame, points (N, 3), body (M, 3), the arm's vertices (A, 3) and wrist (3,) of one pose."""
    forearm = forearm_of(arm, wrist)
    along = (arm - wrist) @ forearm
    return Target(palm, points, body, wrist, forearm, arm[along > 0.95 * along.max()])


def forearm_of(arm: np.ndarray, wrist: np.ndarray) -> np.ndarray:
    """(3,) unit, from the wrist (3,) to the elbow, of the arm's vertices (A, 3)."""
    return normalise(arm.mean(axis=0) - wrist)


def around(target: Target, settings: FreeSettings, azimuth: float, draws: np.ndarray) -> Stand:
    """Rig "random": a direction of this azimuth (turns about the palm's `along`, from its normal) and any height.

    Evenly over the sphere for even `azimuth` and draws (3,).
    """
    centre, axes = target.palm
    turn, height = 2 * np.pi * azimuth, 2 * draws[0] - 1
    level = np.cos(turn) * axes[:, 2] + np.sin(turn) * axes[:, 0]
    outward = height * axes[:, 1] + math.sqrt(1 - height**2) * level
    return Stand(centre + between(settings.distance, draws[1]) * outward, centre, UP)


def from_head(target: Target, settings: FreeSettings, azimuth: float, draws: np.ndarray) -> Stand:
    """Rig "egocentric": on the elbow's side of the hand, at an angle in LOOK to the arm; from `azimuth`, draws (3,)."""
    angle, centre = between(LOOK, draws[0]), target.palm[0]
    side = axis_angle(target.forearm, 2 * np.pi * draws[2]) @ perpendicular(target.forearm)
    outward = math.cos(angle) * target.forearm + math.sin(angle) * side
    return Stand(centre + between(settings.distance, draws[1]) * outward, centre, UP)


def on_wrist(target: Target, settings: FreeSettings, azimuth: float, draws: np.ndarray) -> Stand:
    """Rig "wrist": `distance` from the palm's centre, beside the arm just behind the wrist, fingers up; draws (3,)."""
    centre, axes = target.palm
    side = axis_angle(target.forearm, 2 * np.pi * draws[2]) @ perpendicular(target.forearm)
    foot = target.wrist + BEHIND_WRIST * draws[0] * target.forearm
    # foot + height * side is at the distance: a quadratic in height; the palm itself may be farther away than that
    apart, distance = foot - centre, between(settings.distance, draws[1])
    half = float(apart @ side)
    height = -half + math.sqrt(max(half**2 + distance**2 - apart @ apart, 0.0))
    return Stand(foot + height * side, target.points.mean(axis=0), axes[:, 1])


def odd_around(target: Target, stand: Stand) -> float:
    """ODD for a direction along the arm from behind, where it hides the hand; else 0."""
    outward = normalise(stand.place - target.palm[0])
    return ODD * float(outward @ target.forearm > math.cos(ALONG_ARM))


def odd_from_head(target: Target, stand: Stand) -> float:
    """Up to ODD, for eyes that are not above the hand by an angle in RISE, or would see the arm come from above."""
    outward = normalise(stand.place - stand.aim)
    rise = math.asin(float(np.clip(outward @ UP, -1, 1)))
    image_up = UP - (UP @ outward) * outward
    from_above = float(target.forearm @ image_up) / (np.linalg.norm(image_up) + 1e-9)
    off = max(RISE[0] - rise, rise - RISE[1], 0.0) + max(from_above, 0.0)
    return ODD * min(off, 1.0)


def odd_on_wrist(target: Target, stand: Stand) -> float:
    """0: every place around the wrist will do."""
    return 0.0


def held_up(forearm: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A rotation (3, 3) into the world after which a unit `forearm` (3,) slopes as that of a hand before one's eyes.

    The slope of wrist to elbow is drawn evenly from HELD, the rest from all rotations that give it.
    """
    slope, azimuth, twist = between(HELD, rng.random()), *(2 * np.pi * rng.random(2))
    wanted = np.array([math.cos(slope) * math.cos(azimuth), math.cos(slope) * math.sin(azimuth), math.sin(slope)])
    return axis_angle(wanted, twist) @ swing(forearm, wanted)
