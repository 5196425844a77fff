"""Finger nails, painted by a smooth distance function in nail coordinates rather than by the mesh's triangles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..geometry.smooth import smoothstep
from ..hand.asset import HandAsset
from . import tone
from .anatomy import Anatomy, Finger, FingerShape
from .canvas import Canvas
from .noise import Noise
from .params import SkinParams

HALF_ANGLE = 0.80  # radians around the finger from the nail's middle to its side
LEAST_ASPECT = 0.86  # length over width of the plate
LUNULA = (0.30, 0.20, 0.20, 0.14, 0.06)  # share of the nail's length, thumb to little


@dataclass(frozen=True)
class NailFrame:
    """A nail's extent on its finger."""

    start: float  # metres along the distal bone where the plate leaves the skin
    end: float  # metres along the distal bone of the free edge
    middle: float  # radians around the finger
    half_angle: float  # radians


@dataclass(frozen=True)
class NailField:
    """Nail coordinates of the M texels of one finger's last bone."""

    index: np.ndarray  # (M,) into the texels
    u: np.ndarray  # (M,) across, -1..1 between the sides
    v: np.ndarray  # (M,) along, -1 at the cuticle .. 1 at the free edge
    level: np.ndarray  # (M,) superellipse level: 0 in the middle, 1 on the outline
    distance: np.ndarray  # (M,) metres outside (+) or inside (-) the outline


def nail_frame(shape: FingerShape, corners: np.ndarray) -> NailFrame:
    """Extent of a finger's nail from the corners (C, 3) of the faces that carry its label."""
    at = shape.coordinates(corners)
    start, end = np.percentile(at.along, [4.0, 98.0])
    middle = (at.angle.max() + at.angle.min()) / 2
    length = max(end - start, LEAST_ASPECT * 2.0 * HALF_ANGLE * float(at.radius.mean()))
    return NailFrame(float(end - length), float(end), float(np.clip(middle, -0.2, 0.2)), HALF_ANGLE)


def nail_frames(fingers: tuple[Finger, ...], vertices: np.ndarray, asset: HandAsset) -> tuple[NailFrame, ...]:
    """The frames of all five nails of the hand `vertices` (2651, 3)."""
    corners = [vertices[asset.faces[asset.face_nail == finger.number + 1]].reshape(-1, 3) for finger in fingers]
    return tuple(nail_frame(finger.shape, own) for finger, own in zip(fingers, corners))


def nail_field(finger: Finger, frame: NailFrame, extension: float) -> NailField:
    """Distance to a superellipse: round at the cuticle, squarer at the free edge, which `extension` moves outwards."""
    last = np.flatnonzero((finger.at.bone == 2) & (np.abs(finger.at.angle) < 2.0))
    end = frame.end + extension * (frame.end - frame.start)
    middle, half = (frame.start + end) / 2, (end - frame.start) / 2
    reach = finger.at.radius[last] * frame.half_angle
    u = (finger.at.angle[last] - frame.middle) / frame.half_angle
    v = (finger.at.along[last] - middle) / half
    power = np.where(v < 0.0, 2.7, 3.2)
    level = np.maximum((np.abs(u) ** power + np.abs(v) ** power) ** (1.0 / power), 1e-3)
    slope = np.hypot((np.abs(u) / level) ** (power - 1.0) / reach, (np.abs(v) / level) ** (power - 1.0) / half)
    return NailField(finger.index[last], u, v, level, (level - 1.0) / slope)


def nail_bed(ita: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """CIELAB of the nail bed, of the lunula and of the free edge: pink to pinkish brown, never white on dark skin."""
    back, palm = tone.ita_to_lab(ita), tone.palm_lab(ita)
    light = float(smoothstep(-40.0, 45.0, np.array(ita)))
    bed = 0.58 * back + 0.42 * palm + np.array([1.0, 2.4 + 3.4 * light, -2.0 - 2.0 * light])
    lunula = bed + np.array([5.0, -3.0 - 3.0 * light, 0.0])
    white = 0.48 + 0.24 * light
    edge = (1.0 - white) * bed + white * np.array([85.0, 0.5, 11.0])
    return bed, lunula, edge


def _plate_colour(field: NailField, finger: Finger, anatomy: Anatomy, params: SkinParams, noise: Noise) -> np.ndarray:
    """Linear sRGB (M, 3) of the nail plate."""
    points = anatomy.points[field.index]
    bed, lunula, edge = nail_bed(params.ita)
    blotch = noise(points, 0.004)[:, None] * np.array([0.6, 0.9, 0.2])
    lab = bed + blotch + smoothstep(-0.3, 0.7, field.v)[:, None] * np.array([-0.5, 1.8, 0.5])
    share = LUNULA[finger.number]
    moon = ((field.v + 1.0) / (2.0 * share + 1e-6)) ** 2 + (field.u / 0.68) ** 2
    moon = params.lunula * smoothstep(1.25, 0.75, moon)
    lab = lab + moon[:, None] * (lunula - lab)
    free = 1.0 - 2.0 * params.nail_length + 0.02 * noise(points, 0.003)
    tip = smoothstep(free - 0.05, free + 0.03, np.where(field.v > 0, field.level, 0.0)) * smoothstep(
        0.25, 0.62, field.v
    )
    lab = lab + 0.85 * tip[:, None] * (edge - lab)
    colour = tone.lab_to_linear(lab)
    if params.polish is not None:
        coat = smoothstep(0.98, 0.93, field.level)[:, None]
        colour = colour + coat * (np.array(params.polish) - colour)
    return colour


def paint_nails(
    canvas: Canvas, anatomy: Anatomy, frames: tuple[NailFrame, ...], params: SkinParams, noise: Noise
) -> None:
    """Plate, lunula, free edge, groove and fold of all five nails; replaces what lies under the plate."""
    for finger, frame in zip(anatomy.fingers, frames):
        field = nail_field(finger, frame, max(0.0, params.nail_length - 0.09) * 1.2)
        index, distance = field.index, field.distance
        plate = smoothstep(0.00018, -0.00018, distance)
        back = smoothstep(0.4, -0.5, field.v)  # the fold is fullest at the cuticle and ends before the free edge
        fold = np.exp(-(((distance - 0.0011) / 0.0008) ** 2)) * (0.35 + 0.65 * back) * smoothstep(1.05, 0.75, field.v)
        groove = np.exp(-((distance / 0.00030) ** 2)) * smoothstep(1.15, 0.7, field.v)
        ridges = 0.000008 * np.sin(field.u * 42.0 + 2.0 * noise(anatomy.points[index], 0.004))
        relief = 0.00012 + ridges - 0.00020 * np.abs(field.u) ** 3
        canvas.height[index] += plate * (relief - canvas.height[index]) + 0.00028 * fold - 0.00022 * groove
        canvas.crease[index] = np.maximum(canvas.crease[index] * (1.0 - plate), 0.55 * groove * (1.0 - plate))
        rim = np.exp(-(((distance - 0.00035) / 0.00035) ** 2)) * back
        canvas.blood[index] += 0.07 * fold * back
        canvas.melanin[index] -= 0.05 * rim
        shine = 0.13 if params.polish is not None else 0.27 + 0.02 * noise(anatomy.points[index], 0.002)
        canvas.roughness[index] += plate * (shine - canvas.roughness[index])
        canvas.colour_over[index] = _plate_colour(field, finger, anatomy, params, noise)
        canvas.cover[index] = plate
