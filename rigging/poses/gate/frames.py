"""The reasons of single frames: each check of the gate in the order in which a reason wins."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from ...fingers.penetration import penetration_depth
from ...joints import BONE_NAMES
from . import checks
from .palm import palm_residual
from .settings import GateSettings

SHORTEST_BONE = 0.005  # of the middle finger's ray; below it a bone has no direction
PALM_SINE = 0.05  # at the wrist, between index and little MCP; below it the palm has no plane

LITTLE_DEGREES = 15.0  # that the little finger's MCP bends further back than the others'


class Check(NamedTuple):
    """What one check found on the frames it was given."""

    reason: str
    bad: np.ndarray  # (N,) bool
    detail: Callable[[int], str]  # the figure that decided, of a bad frame


def frame_reasons(
    joints: np.ndarray,
    valid: np.ndarray,
    clip: np.ndarray,
    subject: np.ndarray,
    settings: GateSettings,
    modelled: np.ndarray,
) -> list[str]:
    """ "reason: detail" of each frame, "" where there is none; whatever the numbers are, nothing is raised.

    joints (N, 21, 3) metres, valid (N, 21), clip and subject (N,) numbers, subject < 0 where unknown. Of a
    `modelled` (N,) hand, posed by joint angles, the palm is not checked: it moves as its model lets it.
    """
    reasons = [""] * len(joints)
    missing = ~valid.all(1) | ~np.isfinite(joints).all((1, 2))
    _mark(reasons, np.arange(len(joints)), Check("missing", missing, lambda i: f"{valid[i].sum()} of 21 joints valid"))
    rows = np.flatnonzero(~missing)
    for check in _size_checks(joints[rows], settings):
        _mark(reasons, rows, check)
    rows = np.array([row for row in rows if not reasons[row]], dtype=int)
    if len(rows):  # medians of a subject or clip are those of frames that hold a hand
        groups = clip[rows], np.where(modelled, -1, subject)[rows], subject[rows]
        for check in _shape_checks(joints[rows], *groups, settings):
            _mark(reasons, rows, check)
    return reasons


def _size_checks(joints: np.ndarray, settings: GateSettings) -> Iterator[Check]:
    """The checks after which a frame can be measured like a hand."""
    shortest, sine = checks.collapse(joints)
    heap = ~(shortest >= SHORTEST_BONE)
    yield Check(
        "collapsed",
        heap | ~(sine >= PALM_SINE),
        lambda i: "joints lie on one point" if heap[i] else "wrist and MCPs lie on a line",
    )
    extent = np.linalg.norm(joints - joints[:, :1], axis=-1).max(1)
    far = ~(extent <= settings.limit("extent"))
    yield Check("extent", far, lambda i: f"a joint is {extent[i]:.4g} m from the wrist")
    if settings.size != "off":
        ray, (least, most) = checks.middle_ray(joints), settings.size
        odd = ~((least <= ray) & (ray <= most))
        yield Check("size", odd, lambda i: f"middle finger and palm measure {ray[i]:.4g} m")


def _shape_checks(
    joints: np.ndarray, clip: np.ndarray, rigid: np.ndarray, subject: np.ndarray, settings: GateSettings
) -> Iterator[Check]:
    """The checks of frames that hold a hand; `rigid` (N,) is the subject where its palm is checked, else -1."""
    if settings.wrong_hand != "off":
        evidence = clip_chirality(joints, clip, settings.wrong_hand)
        yield Check(
            "wrong hand", evidence < 0, lambda i: f"bends {-evidence[i] * 1e3:.0f} mm to the back of a right hand"
        )
    if settings.proportions != "off":
        factor = checks.proportion_factor(joints)
        yield Check("proportions", ~(factor <= settings.proportions), lambda i: f"a bone is {factor[i]:.2f} times off")
    if settings.bone_length != "off":
        deviation, bone = checks.length_deviation(joints, subject)
        yield Check(
            "bone length",
            ~(deviation <= settings.bone_length),
            lambda i: f"{BONE_NAMES[bone[i]]} is {100 * deviation[i]:.0f} % off the subject's median",
        )
    if settings.palm != "off":
        palm = palm_residual(joints, rigid)
        yield Check("palm", ~(palm <= settings.palm), lambda i: f"a palm joint is {palm[i] * 1e3:.1f} mm off")
    if settings.angle != "off":
        beyond = degrees_beyond(joints, settings)
        yield Check("angle", ~(beyond <= settings.angle), lambda i: f"{beyond[i]:.0f} degrees beyond the range")
    if settings.penetration != "off":
        depth = penetration_depth(joints)
        yield Check("penetration", ~(depth <= settings.penetration), lambda i: f"{depth[i] * 1e3:.1f} mm deep")


def _mark(reasons: list[str], rows: np.ndarray, check: Check) -> None:
    for i in np.flatnonzero(check.bad):
        if not reasons[rows[i]]:
            reasons[rows[i]] = f"{check.reason}: {check.detail(i)}"


def degrees_beyond(joints: np.ndarray, settings: GateSettings) -> np.ndarray:
    """How far (N,) degrees the worst MCP or PIP of joints (N, 21, 3) is bent beyond its range."""
    flexion = np.degrees(checks.finger_flexion(joints)[..., :2])
    flexion[:, 3, 0] += np.clip(-flexion[:, 3, 0] + settings.mcp_degrees[0], 0, LITTLE_DEGREES)
    return checks.beyond_limits(flexion, np.array([settings.mcp_degrees, settings.pip_degrees])).max(1)


def clip_chirality(joints: np.ndarray, clip: np.ndarray, noise: float) -> np.ndarray:
    """Median evidence (N,) in metres, per clip, of being a right hand; 0 where all frames are below the noise.

    A hand does not change sides within a clip, and single frames bend backwards, so the clip is judged as one.
    """
    evidence = checks.chirality(joints)
    telling = np.abs(evidence) > noise
    result = np.zeros(len(joints))
    order = np.lexsort((evidence, clip))
    order = order[telling[order]]
    values, first, count = np.unique(clip[order], return_index=True, return_counts=True)
    middle = evidence[order[first + count // 2]] if len(values) else np.zeros(0)
    position = np.searchsorted(values, clip)
    known = position < len(values)
    known[known] = values[position[known]] == clip[known]
    result[known] = middle[position[known]]
    return result
