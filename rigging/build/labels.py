"""Labels of faces (part, nail, cap) and the frame of each nail."""

from __future__ import annotations

import numpy as np

from ..geometry.rotations import unit_vector
from ..hand.nails import nail_normals
from ..joints import BONE_PARTS, TIP_JOINTS

# Quads of the nail plates among the body's quads, as painted in MakeHuman's fingernail mask.
_PLATE = ((1741, 186), (1742, 186), (1743, 186), (1744, 186), (1745, 186), (1746, 186))
_SIDES = ((2465, 38), (2466, 38), (2617, 38), (2618, 38))
NAIL_QUADS = (
    (2415, 2416, 2417, 2418, 2419, 2420),
    *(tuple(first + finger * step for first, step in _PLATE + _SIDES) for finger in range(4)),
)


def nail_labels(quad: np.ndarray, body_quads: np.ndarray) -> np.ndarray:
    """(F,) uint8: 0 none, 1..5 thumb..little, from the quad (F,) that each triangle lies on."""
    labels = np.zeros(len(quad), dtype=np.uint8)
    for finger, nail in enumerate(NAIL_QUADS, start=1):
        labels[np.isin(quad, np.flatnonzero(np.isin(body_quads, nail)))] = finger
    return labels


def part_labels(faces: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(F,) uint8 index into PART_NAMES: the part of the bone that moves the face (V, 21 weights) most."""
    share = np.zeros((len(faces), max(BONE_PARTS) + 1))
    for bone, part in enumerate(BONE_PARTS):
        share[:, part] += weights[faces, bone].mean(1)
    return share.argmax(1).astype(np.uint8)


def nail_frames(vertices: np.ndarray, faces: np.ndarray, nail: np.ndarray, joints: np.ndarray) -> dict[str, np.ndarray]:
    """Centre (5, 3), long axis towards the tip, width axis, outward normal and half sizes (5, 2) of the nails.

    The axes are orthonormal with width x long = normal; half sizes are (length, width) in metres. A point p has the
    nail coordinates ((p - centre) . long / half length, (p - centre) . width / half width); the plate fills |.| <= 1.
    """
    frames: dict[str, list] = {name: [] for name in ("nail_centre", "nail_axes", "nail_half_size")}
    for finger, (tip, normal) in enumerate(zip(TIP_JOINTS, nail_normals(vertices, faces, nail)), start=1):
        chosen = faces[nail == finger]
        long = joints[tip] - joints[tip - 1]
        long = unit_vector(long - long @ normal * normal)
        width = np.cross(long, normal)
        inside = vertices[np.unique(chosen)] @ np.stack([long, width, normal], axis=1)
        low, high = inside.min(0), inside.max(0)
        middle = np.array([*(low + high)[:2] / 2, inside[:, 2].mean()])
        frames["nail_centre"].append(middle @ np.stack([long, width, normal]))
        frames["nail_axes"].append(np.stack([long, width, normal]))
        frames["nail_half_size"].append((high - low)[:2] / 2)
    return {name: np.array(rows) for name, rows in frames.items()}
