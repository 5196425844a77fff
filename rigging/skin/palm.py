"""Lines of the palm: the major creases, their branches, fine secondary lines, and the wrist's bracelets."""

from __future__ import annotations

import numpy as np

from ..geometry.smooth import smoothstep
from .anatomy import Anatomy
from .canvas import Canvas
from .lines import Lifter, Strokes, join, profile, smooth_walk, spline
from .noise import Noise
from .params import SkinParams

# Control points in palm coordinates (0 little .. 1 index MCP; 0 wrist .. 1 middle MCP), depth, half width in metres.
MAJOR = {
    "life": ([(1.26, 0.86), (1.02, 0.81), (0.83, 0.69), (0.70, 0.51), (0.645, 0.33), (0.66, 0.17), (0.70, 0.07)],
             1.0, 0.00062),
    "head": ([(1.27, 0.87), (1.02, 0.835), (0.77, 0.74), (0.47, 0.62), (0.18, 0.51), (0.02, 0.45)], 0.9, 0.00055),
    "heart": ([(-0.22, 0.79), (-0.02, 0.82), (0.27, 0.85), (0.52, 0.905), (0.69, 0.99), (0.75, 1.09)], 1.0, 0.00060),
    "fate": ([(0.56, 0.13), (0.53, 0.36), (0.54, 0.60), (0.55, 0.80), (0.53, 0.95)], 0.42, 0.00045),
}  # fmt: skip
WRIST = (
    [(-0.16, 0.035), (0.15, 0.012), (0.50, 0.005), (0.86, 0.03)],
    [(-0.10, -0.045), (0.2, -0.07), (0.5, -0.075), (0.8, -0.05)],
)


def _stroke(
    lift: Lifter, plane: np.ndarray, at: np.ndarray, depth: float, width: float, rng: np.random.Generator
) -> Strokes:
    """A curve with natural ends: depth and width swell and fade along it."""
    swell = np.exp(0.22 * smooth_walk(len(at), 22, rng))
    taper = smoothstep(0.0, 0.16, at) * smoothstep(0.0, 0.30, 1.0 - at)
    points, inside = lift(plane)
    strokes = (points, width * swell * (0.5 + 0.5 * taper), depth * swell * taper)
    return Strokes(*(array[inside] for array in strokes))


def _branches(
    lift: Lifter, plane: np.ndarray, depth: float, width: float, rng: np.random.Generator, scale: float
) -> list[Strokes]:
    """Short twigs leaving a line at a small angle, and shallow companions running beside it."""
    strokes = []
    for _ in range(int(rng.integers(3, 8))):
        start = int(rng.integers(len(plane) // 8, len(plane) - 8))
        heading = plane[start + 6] - plane[start]
        angle = np.arctan2(heading[1], heading[0]) + rng.choice([-1.0, 1.0]) * rng.uniform(0.15, 0.75)
        length = rng.uniform(0.004, 0.014) * scale
        bend = angle + rng.normal(0, 0.3)
        middle = plane[start] + length * 0.5 * np.array([np.cos(angle), np.sin(angle)])
        end = middle + length * 0.5 * np.array([np.cos(bend), np.sin(bend)])
        points, at = spline(np.stack([plane[start], middle, end]))
        strokes.append(_stroke(lift, points, 0.2 + 0.8 * at, depth * rng.uniform(0.15, 0.45), width * 0.6, rng))
    return strokes


def _major(lift: Lifter, anatomy: Anatomy, params: SkinParams, rng: np.random.Generator) -> list[Strokes]:
    strokes = []
    for name, (control, depth, width) in MAJOR.items():
        control = np.asarray(control) + rng.normal(0, 0.014, (len(control), 2)) + rng.normal(0, 0.016, 2)
        control = control[: len(control) - int(rng.integers(0, 2))]
        plane, at = spline(anatomy.palm_to_hand(control))
        wobble = np.stack([smooth_walk(len(at), 25, rng), smooth_walk(len(at), 25, rng)], 1)
        plane = plane + 0.00022 * anatomy.scale * wobble
        depth = depth * params.palm_lines * rng.uniform(0.75, 1.1) * (rng.random() > 0.3 if name == "fate" else 1.0)
        strokes.append(_stroke(lift, plane, at, depth, width * anatomy.scale, rng))
        strokes += _branches(lift, plane, depth, width * anatomy.scale, rng, anatomy.scale)
    return strokes


def _secondary(lift: Lifter, anatomy: Anatomy, params: SkinParams, rng: np.random.Generator) -> list[Strokes]:
    """Fine lines: oblique on the thenar and hypothenar, along the hand below the fingers, a loose lattice elsewhere."""
    strokes, drift = [], rng.normal(0, 0.2, 3)
    for _ in range(params.secondary_lines):
        at_palm = np.array([rng.uniform(-0.2, 1.25), rng.uniform(0.05, 1.12)])
        if at_palm[1] > 0.85:
            angle = np.pi / 2 + drift[0] * (at_palm[0] - 0.5)
        elif at_palm[0] > 0.68:
            angle = rng.choice([0.5, 2.1], p=[0.35, 0.65]) + drift[1] + 1.2 * (at_palm[1] - 0.45)
        else:
            angle = rng.choice([-0.35, 1.1], p=[0.6, 0.4]) + drift[2] + 0.7 * (at_palm[1] - 0.45)
        angle = angle + rng.normal(0, 0.2)
        length = rng.lognormal(np.log(0.012), 0.45) * anatomy.scale
        turn = rng.normal(0, 0.35)
        step = length / 2 * np.array([[np.cos(angle), np.sin(angle)], [np.cos(angle + turn), np.sin(angle + turn)]])
        start = anatomy.palm_to_hand(at_palm)
        plane, at = spline(np.stack([start, start + step[0], start + step[0] + step[1]]))
        depth = rng.uniform(0.09, 0.40) * params.palm_lines
        strokes.append(_stroke(lift, plane, at, depth, 0.00033 * anatomy.scale * rng.uniform(0.7, 1.2), rng))
    return strokes


def _wrist(lift: Lifter, anatomy: Anatomy, params: SkinParams, rng: np.random.Generator) -> list[Strokes]:
    strokes = []
    for level, control in enumerate(WRIST):
        control = np.asarray(control) + rng.normal(0, 0.008, (4, 2))
        plane, at = spline(anatomy.palm_to_hand(control))
        plane[:, 1] += 0.0004 * smooth_walk(len(at), 25, rng)
        depth = params.palm_lines * (0.62 if level == 0 else 0.34) * rng.uniform(0.6, 1.1)
        strokes.append(_stroke(lift, plane, at, depth, 0.0006 * anatomy.scale, rng))
        echo = plane + np.array([0.0, rng.uniform(0.0012, 0.0025)])
        part = slice(int(len(at) * rng.uniform(0.1, 0.4)), int(len(at) * rng.uniform(0.6, 0.95)))
        strokes.append(_stroke(lift, echo[part], np.linspace(0, 1, len(at[part])), depth * 0.4, 0.0004, rng))
    return strokes


def paint_palm_lines(
    canvas: Canvas, anatomy: Anatomy, params: SkinParams, noise: Noise, rng: np.random.Generator
) -> None:
    """Grooves with a darker bottom; depth in relief about half a millimetre at the deepest."""
    side = np.flatnonzero(
        (anatomy.dorsal < 0.35) & (anatomy.points[:, 1] > -0.03 * anatomy.scale) & (anatomy.finger_weight < 0.6)
    )
    points = anatomy.points[side]
    lift = Lifter(points[anatomy.normals[side, 2] < 0.1])
    major = join(_major(lift, anatomy, params, rng) + _wrist(lift, anatomy, params, rng))
    minor = join(_secondary(lift, anatomy, params, rng))
    for strokes, groove in ((major, 0.00050), (minor, 0.00022)):
        hit, value = profile(points, strokes)
        value = value * (1.0 + 0.25 * noise(points[hit], 0.006))
        canvas.height[side[hit]] -= groove * value
        canvas.crease[side[hit]] = np.maximum(canvas.crease[side[hit]], np.clip(value, 0, 1))
    soft = Strokes(major.points, np.full(len(major.points), 0.0028 * anatomy.scale), major.depth)
    hit, value = profile(points, soft, neighbours=1)
    canvas.height[side[hit]] -= 0.00030 * value
    canvas.blood[side[hit]] += 0.035 * value
