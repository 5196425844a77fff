"""Veins and tendons of the back of the hand: trees and cords, not noise."""

from __future__ import annotations

import numpy as np

from ..geometry.smooth import smoothstep
from .anatomy import Anatomy
from .canvas import Canvas
from .lines import Lifter, Strokes, join, profile, smooth_walk, spline
from .noise import Noise
from .params import SkinParams

_STEP = 0.0015  # metres the growing veins advance at a time


def _feeders(anatomy: Anatomy, rng: np.random.Generator) -> list[np.ndarray]:
    """Where the veins of the fingers reach the back of the hand: between the knuckles and at both borders."""
    heads = anatomy.joints[[5, 9, 13, 17], :2]
    between = [(heads[k] + heads[k + 1]) / 2 for k in range(3)]
    borders = [heads[0] + [-0.008, -0.012], heads[3] + [0.007, -0.010]]
    return [np.array(p) + rng.normal(0, 0.0018, 2) + [0, -0.008] for p in between + borders]


def grow_veins(anatomy: Anatomy, rng: np.random.Generator) -> list[tuple[np.ndarray, float]]:
    """Polylines (S, 2) in the hand frame with their calibre: feeders run towards the wrist, drift together and merge.

    Two trunks leave the hand, the cephalic at the thumb's side and the basilic at the little finger's.
    """
    scale = anatomy.scale
    trunks = np.array([anatomy.joints[5, 0] * 0.9, anatomy.joints[17, 0] * 0.72]) + rng.normal(0, 0.004, 2)
    live = [[np.array(p), -np.pi / 2 + rng.normal(0, 0.2), 1.0, [np.array(p)]] for p in _feeders(anatomy, rng)]
    done: list[tuple[np.ndarray, float]] = []
    for _ in range(400):
        if not live:
            break
        for vein in live:
            goal = trunks[int(np.argmin(np.abs(trunks - vein[0][0])))]
            toward = np.arctan2(-0.05 * scale, goal - vein[0][0])
            vein[1] += 0.05 * (toward - vein[1]) + rng.normal(0, 0.16)
            vein[1] = np.clip(vein[1], -np.pi / 2 - 0.9, -np.pi / 2 + 0.9)
            vein[0] = vein[0] + _STEP * np.array([np.cos(vein[1]), np.sin(vein[1])])
            vein[3].append(vein[0])
        live = _merge(live, done, 0.0032 * scale)
        for vein in [v for v in live if v[0][1] < -0.30]:
            done.append((np.array(vein[3]), vein[2]))
        live = [v for v in live if v[0][1] >= -0.30]
    long = [(path, calibre) for path, calibre in done if len(path) > 8]  # stubs would look like scars
    return long + _arches(long, rng)


def _merge(live: list, done: list, distance: float) -> list:
    """Join veins that have come close: the thinner ends in the other, which grows."""
    kept: list = []
    for vein in sorted(live, key=lambda v: -v[2]):
        other = next((k for k in kept if np.linalg.norm(k[0] - vein[0]) < distance), None)
        if other is None:
            kept.append(vein)
            continue
        vein[3].append(other[0])
        done.append((np.array(vein[3]), vein[2]))
        other[2] = float(np.hypot(other[2], 0.75 * vein[2]))
    return kept


def _arches(veins: list[tuple[np.ndarray, float]], rng: np.random.Generator) -> list[tuple[np.ndarray, float]]:
    """A few thin cross connections between neighbouring veins."""
    arches = []
    for k in range(len(veins) - 1):
        first, second = veins[k][0], veins[k + 1][0]
        if rng.random() < 0.6 or min(len(first), len(second)) < 14:
            continue
        a, b = first[int(rng.integers(5, min(len(first), 26)))], second[int(rng.integers(8, min(len(second), 30)))]
        if 0.008 < np.linalg.norm(a - b) < 0.034:
            sag = (a + b) / 2 + rng.normal(0, 0.004, 2)
            t = np.linspace(0.0, 1.0, 9)[:, None]
            arches.append(((1 - t) ** 2 * a + 2 * t * (1 - t) * sag + t**2 * b, 0.3))
    return arches


def _vein_strokes(anatomy: Anatomy, lift: Lifter, rng: np.random.Generator) -> Strokes:
    strokes = []
    for path, calibre in grow_veins(anatomy, rng):
        plane, at = spline(path[:: max(1, min(3, len(path) // 4))])
        plane = plane + 0.0006 * np.stack([smooth_walk(len(at), 26, rng), smooth_walk(len(at), 26, rng)], 1)
        points, inside = lift(plane)
        visible = np.clip(0.75 + 0.4 * smooth_walk(len(at), 50, rng), 0.1, 1.3)
        width = 0.00165 * anatomy.scale * np.sqrt(calibre) * np.exp(0.1 * smooth_walk(len(at), 40, rng))
        depth = visible * min(1.0, 0.3 + 0.5 * calibre) * smoothstep(0.0, 0.05, at)
        strokes.append(Strokes(points[inside], width[inside], depth[inside]))
    return join(strokes)


def paint_veins(canvas: Canvas, anatomy: Anatomy, params: SkinParams, rng: np.random.Generator) -> None:
    """Bluish-green bands in light skin (less blood and red than around them), ridges in the relief on all skin."""
    side = np.flatnonzero((anatomy.dorsal > 0.05) & (anatomy.finger_weight < 0.7))
    points = anatomy.points[side]
    strokes = _vein_strokes(anatomy, Lifter(points[anatomy.normals[side, 2] > 0.25]), rng)
    translucent = smoothstep(-15.0, 45.0, params.ita)
    fade = smoothstep(0.05, 0.35, anatomy.dorsal[side])
    broad = Strokes(strokes.points, strokes.width * 1.25, strokes.depth)
    hit, value = profile(points, broad, neighbours=3, reach=2.5)
    value = value * fade[hit]
    canvas.blood[side[hit]] -= 0.070 * params.veins * translucent * value
    canvas.melanin[side[hit]] += 0.065 * params.veins * (0.35 + 0.65 * translucent) * value
    hit, value = profile(points, strokes, neighbours=3, reach=2.8)
    canvas.height[side[hit]] += 0.00050 * params.veins * fade[hit] * value


def paint_wrist_veins(canvas: Canvas, anatomy: Anatomy, params: SkinParams, rng: np.random.Generator) -> None:
    """Two or three flat blue veins on the palm side of the wrist, seen through light skin only."""
    side = np.flatnonzero((anatomy.dorsal < -0.1) & (anatomy.points[:, 1] < 0.02 * anatomy.scale))
    points = anatomy.points[side]
    lift, strokes = Lifter(points[anatomy.normals[side, 2] < -0.2]), []
    for start in rng.uniform(-0.016, 0.020, 3):
        at = np.linspace(0.012, -0.32, 24)
        path = np.stack([start * (1.0 - 0.8 * at) + 0.0035 * smooth_walk(24, 5, rng), at], 1) * anatomy.scale
        plane, along = spline(path)
        on_surface, inside = lift(plane)
        shade = np.clip(0.5 + 0.5 * smooth_walk(len(along), 70, rng), 0, 1) * smoothstep(0.0, 0.06, along)
        strokes.append(Strokes(on_surface[inside], np.full(inside.sum(), 0.0016), shade[inside]))
    hit, value = profile(points, join(strokes), neighbours=2, reach=2.5)
    strength = 0.7 * smoothstep(5.0, 50.0, params.ita) * value * smoothstep(-0.1, -0.5, anatomy.dorsal[side[hit]])
    canvas.blood[side[hit]] -= 0.05 * strength
    canvas.melanin[side[hit]] += 0.05 * strength


def paint_tendons(canvas: Canvas, anatomy: Anatomy, params: SkinParams, noise: Noise) -> None:
    """Extensor tendons as low cords from the wrist to the knuckles, relief only, sunken skin between them."""
    y = anatomy.points[:, 1]
    back = np.flatnonzero(
        (anatomy.dorsal > 0.3) & (y > -0.01) & (y < 1.02 * anatomy.joints[9, 1]) & (anatomy.finger_weight < 0.6)
    )
    points = anatomy.points[back]
    fade = smoothstep(0.3, 0.7, anatomy.dorsal[back])
    for joint in (5, 9, 13, 17):
        head, root = anatomy.joints[joint, :2], np.array([0.12 * anatomy.joints[joint, 0] + 0.001, 0.0])
        t = np.clip((points[:, 1] - root[1]) / (head[1] - root[1]), 0.0, 1.0)
        off = points[:, 0] - (root[0] + t * (head[0] - root[0])) + 0.0008 * noise(points, 0.03)
        along = smoothstep(0.1, 0.5, t) * smoothstep(1.0, 0.9, t)
        canvas.height[back] += (
            0.00026 * params.tendons * fade * along * np.exp(-((off / (0.0029 * anatomy.scale)) ** 2))
        )
