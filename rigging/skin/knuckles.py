"""Finger joints: flexion creases on the palm side, wrinkles and redness on the back."""

from __future__ import annotations

import numpy as np

from ..geometry.smooth import smoothstep
from .anatomy import Anatomy, Finger
from .canvas import Canvas
from .noise import Noise
from .params import SkinParams

# Chain joint -> (offset in metres, strength) of its palmar creases, for the fingers and for the thumb.
FLEXION = {1: ((-0.0013, 1.0), (0.0015, 0.85)), 2: ((0.0, 0.95), (0.0016, 0.25))}
FLEXION_THUMB = {1: ((0.0, 0.7), (0.0022, 0.3)), 2: ((-0.0009, 0.9), (0.0012, 0.6))}
# Chain joint -> (reach of the wrinkles along the finger in metres, strength).
WRINKLES = {1: (0.0082, 1.25), 2: (0.0048, 0.75)}
WRINKLES_THUMB = {1: (0.0070, 0.45), 2: (0.0058, 0.85)}


def _add_groove(canvas: Canvas, index: np.ndarray, value: np.ndarray, depth: float) -> None:
    canvas.height[index] -= depth * value
    canvas.crease[index] = np.maximum(canvas.crease[index], np.clip(value, 0.0, 1.0))


def _palmar_creases(canvas: Canvas, finger: Finger, along: np.ndarray, near: np.ndarray, lines, strength: float,
                    scale: float, noise: Noise, rng: np.random.Generator) -> None:  # fmt: skip
    """Grooves across the palm side that thin out towards the sides of the finger."""
    index, points = finger.index[near], finger.points[near]
    around = np.pi - np.abs(finger.at.angle[near])  # 0 in the middle of the palm side
    extent = smoothstep(2.0, 1.05, around) * smoothstep(0.3, 0.7, finger.weight[near])
    sway = 0.00055 * scale * noise(points, 0.011) + 0.00018 * scale * noise(points, 0.004)
    total = np.zeros(len(index), np.float32)
    for offset, share in lines:
        bow = rng.normal(0.0, 0.00035) * scale
        centre = offset * scale + rng.normal(0, 0.0002) + bow * around**2 + sway
        share = share * rng.uniform(0.7, 1.1) * strength * np.clip(0.9 + 0.4 * noise(points, 0.006), 0.2, 1.4)
        width = 0.00040 * scale * rng.uniform(0.8, 1.2)
        total = np.maximum(total, share * extent * np.exp(-(((along[near] - centre) / width) ** 2)))
    _add_groove(canvas, index, 0.8 * total, 0.00034)
    pinch = extent * np.exp(-(((along[near] - sway) / (0.0026 * scale)) ** 2))
    canvas.height[index] -= 0.00024 * strength * pinch
    canvas.blood[index] += 0.03 * pinch


def _base_creases(
    canvas: Canvas, finger: Finger, params: SkinParams, scale: float, noise: Noise, rng: np.random.Generator
) -> None:
    """The creases where a finger meets the palm, at the level of the webs."""
    web = 0.38 * finger.shape.lengths()[0]
    along = np.where(finger.at.bone == 0, finger.at.along - web, 1.0)
    near = np.abs(along) < 0.008
    second = 0.55 if finger.number in (2, 3) else 0.28
    lines = ((-0.0008, 0.9), (0.0014, second))
    _palmar_creases(canvas, finger, along, near, lines, params.palm_lines, scale, noise, rng)


def _dorsal_wrinkles(canvas: Canvas, finger: Finger, along: np.ndarray, near: np.ndarray, reach: float, strength: float,
                     scale: float, noise: Noise, rng: np.random.Generator) -> None:  # fmt: skip
    """Transverse folds that converge towards the joint's sides, unevenly spaced and deep."""
    index, points = finger.index[near], finger.points[near]
    side = np.sin(np.clip(finger.at.angle[near], -1.5, 1.5))
    level = along[near] / (1.0 - 0.38 * side**2) + 0.00045 * noise(points, 0.005) + 0.00022 * noise(points, 0.0022)
    level = level / scale
    envelope = np.exp(-((level / reach) ** 2)) * smoothstep(0.0, 0.6, np.cos(finger.at.angle[near]))
    total = np.zeros(len(index), np.float32)
    centre = -1.5 * reach
    while centre < 1.5 * reach:
        breaks = np.clip(0.75 + 0.6 * noise(points, 0.007), 0.0, 1.3)
        width = rng.uniform(0.00028, 0.00046)
        total = np.maximum(total, rng.uniform(0.4, 1.0) * breaks * np.exp(-(((level - centre) / width) ** 2)))
        centre += rng.uniform(0.0009, 0.0019)
    total *= envelope * strength
    canvas.height[index] -= 0.00036 * total
    canvas.crease[index] = np.maximum(canvas.crease[index], 0.6 * np.clip(total, 0.0, 1.0))


def paint_joints(canvas: Canvas, anatomy: Anatomy, params: SkinParams, noise: Noise, rng: np.random.Generator) -> None:
    """Creases and wrinkles of all interphalangeal joints, and of the thumb's MCP."""
    for finger in anatomy.fingers:
        flexion, wrinkles = (FLEXION_THUMB, WRINKLES_THUMB) if finger.number == 0 else (FLEXION, WRINKLES)
        for joint in (1, 2):
            along, near = finger.near_joint(joint)
            _palmar_creases(canvas, finger, along, near, flexion[joint], params.palm_lines, anatomy.scale, noise, rng)
            reach, strength = wrinkles[joint]
            _dorsal_wrinkles(canvas, finger, along, near, reach, strength * params.wrinkles, anatomy.scale, noise, rng)
        if finger.number > 0:
            _base_creases(canvas, finger, params, anatomy.scale, noise, rng)


def knuckle_mask(anatomy: Anatomy) -> np.ndarray:
    """Soft bumps (N,) in 0..1 on the back of the MCP, PIP and DIP joints."""
    mask = np.zeros(len(anatomy.points), np.float32)
    for joint, radius in ((2, 0.010), (3, 0.0075), *((j, r) for f in range(4)
                          for j, r in zip(range(5 + 4 * f, 8 + 4 * f), (0.0115, 0.0075, 0.0055)))):  # fmt: skip
        offset = (anatomy.points - anatomy.joints[joint].astype(np.float32)) / (radius * anatomy.scale)
        # flesh over the MCP is thick: measure distance mostly along the surface
        offset[:, 2] *= 0.55
        mask = np.maximum(mask, np.exp(-0.5 * (offset**2).sum(1)))
    return mask * smoothstep(-0.1, 0.6, anatomy.dorsal)
