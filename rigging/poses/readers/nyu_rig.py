"""The rig behind NYU Hand Pose: its 36 sphere centres become 21 joints.

The 36 points are centres of collision spheres glued to the bones of a skinned hand (`hand_model_coeff` of the data
set's own generator), not joint centres, so each is moved back to the head of its bone. Offsets along the bones are
measured on that rig; those across were chosen so that the phalanges keep their length over real frames.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

SUBSET_14 = (0, 3, 6, 9, 12, 15, 18, 21, 24, 25, 27, 30, 31, 32)  # the points that evaluations use
REFERENCE_SCALE = 58.0  # millimetres per rig unit at which the tables below hold
PALM_SIDES_MM = (35.33, 81.32, 81.32)  # PALM_1 to PALM_2, PALM_1 to PALM_3, PALM_2 to PALM_3 at that scale

# Millimetres at REFERENCE_SCALE, index finger first; fingers of the data set count from the little one.
FINGER_STARTS = (18, 12, 6, 0)  # row of F4, F3, F2, F1 KNU3_A
TIP_RADIUS = (5.5, 6.0, 6.0, 5.0)
DIP_ALONG = (13.7, -0.1, 10.5, 6.4)  # KNU3_B past the head of the distal phalanx
DIP_PALMAR = (3.0, -2.4, -4.5, 3.0)  # ... and off the line to KNU3_A: makes the phalanges rigid, see docs/poses.md
PIP_ALONG = (0.2, 1.0, -4.2, 1.1)  # KNU2_B past the head of the middle phalanx
PIP_PALMAR = (1.0, 3.0, 1.0, 4.0)
MCP_ALONG = (2.0, 0.5, 6.5, 2.3)  # KNU1_B past the head of the proximal phalanx
MCP_PALMAR = (2.2, 0.6, 9.9, 7.2)  # ... and off its axis
THUMB_RADIUS, IP_ALONG, THUMB_MCP_ALONG = 6.0, 4.6, 1.5


def unit(vectors: np.ndarray) -> np.ndarray:
    """Unit vectors (..., 3); a zero vector stays zero."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(length > 0, length, 1)


def palm_sides(palm: np.ndarray) -> np.ndarray:
    """Sides (..., 3) of the triangle PALM_1..3 (..., 3, 3), in the order of PALM_SIDES_MM."""
    return np.linalg.norm(palm[..., [0, 0, 1], :] - palm[..., [1, 2, 2], :], axis=-1)


def rig_scale(palm: np.ndarray) -> np.ndarray:
    """Millimetres per rig unit (...) from PALM_1..3 (..., 3, 3)."""
    return REFERENCE_SCALE * palm_sides(palm).sum(-1) / sum(PALM_SIDES_MM)


def palmar(line: np.ndarray, radial: np.ndarray) -> np.ndarray:
    """Unit vectors (..., 3) towards the palm, perpendicular to the unit `line` and to the palm's radial direction."""
    return unit(np.cross(radial, line))


def thumb_joints(points: np.ndarray, size: np.ndarray, tip: str) -> np.ndarray:
    """MCP, IP and tip (..., 3, 3) of TH_KNU3_A, KNU3_B, KNU2_B (..., 3, 3); `size` (..., 1) is scale / 58."""
    pulp, ip, mcp = np.moveaxis(points, -2, 0)
    distal = unit(pulp - ip)
    ip = ip - IP_ALONG * size * distal
    mcp = mcp - THUMB_MCP_ALONG * size * unit(ip - mcp)
    return np.stack([mcp, ip, pulp + (tip == "skin") * THUMB_RADIUS * size * distal], axis=-2)


def _mcp(base: np.ndarray, pip: np.ndarray, radial: np.ndarray, along: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Head of the proximal phalanx (..., 3), from KNU1_B and the PIP at its other end.

    The bone's axis runs through the PIP and passes `offset` above KNU1_B, in the plane that finger bends in
    (perpendicular to the palm's radial direction): turn the line from KNU1_B to PIP by the angle that asks for.
    """
    line = pip - base
    length = np.linalg.norm(line, axis=-1, keepdims=True)
    sine = np.clip(offset / np.where(length > 0, length, 1), -1, 1)
    cosine = np.sqrt(1 - sine**2)
    line = unit(line)
    normal = palmar(line, radial)
    axis, normal = cosine * line + sine * normal, cosine * normal - sine * line
    return base - along * axis - offset * normal


def anatomical_joints(points: np.ndarray, tip: Literal["skin", "centre"] = "skin") -> np.ndarray:
    """Joints (..., 21, 3) of the 36 sphere centres (..., 36, 3), both in millimetres, right-handed.

    tip="skin" moves the tips from the sphere's centre by its radius along the distal phalanx.
    """
    points = np.asarray(points, float)
    size = rig_scale(points[..., 30:33, :])[..., None] / REFERENCE_SCALE
    radial = unit(points[..., 31, :] - points[..., 30, :])
    result = np.empty((*points.shape[:-2], 21, 3))
    result[..., 0, :], result[..., 1, :] = points[..., 35, :], points[..., 29, :]
    result[..., 2:5, :] = thumb_joints(points[..., [24, 25, 27], :], size, tip)
    for finger, start in enumerate(FINGER_STARTS):
        pulp, dip, middle, pip, _, mcp = np.moveaxis(points[..., start : start + 6, :], -2, 0)
        distal = unit(pulp - dip)
        pip = pip - PIP_PALMAR[finger] * size * palmar(unit(middle - pip), radial)
        dip = dip - DIP_ALONG[finger] * size * distal - DIP_PALMAR[finger] * size * palmar(distal, radial)
        pip = pip - PIP_ALONG[finger] * size * unit(dip - pip)
        mcp = _mcp(mcp, pip, radial, MCP_ALONG[finger] * size, MCP_PALMAR[finger] * size)
        pulp = pulp + (tip == "skin") * TIP_RADIUS[finger] * size * unit(pulp - dip)
        result[..., 4 * finger + 5 : 4 * finger + 9, :] = np.stack([mcp, pip, dip, pulp], axis=-2)
    return result
