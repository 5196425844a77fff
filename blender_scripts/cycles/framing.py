"""Where the camera looks, and which part of its image is rendered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import bpy

SENSOR = 36.0  # millimetres, any value will do
CLIP_START, NEAREST = 0.1, 1e-3  # metres, Blender's default and what a camera at the skin needs
_OPENCV_TO_BLENDER = np.diag([1.0, -1.0, -1.0, 1.0])


@dataclass(frozen=True)
class Box:
    """Part of an image, in whole pixels: columns left..right, rows top..bottom, ends excluded."""

    left: int
    top: int
    right: int
    bottom: int


def camera_matrix(world_to_cam: np.ndarray) -> np.ndarray:
    """Blender's matrix_world (4, 4) of an OpenCV camera: Blender's looks along -z with y up."""
    return np.linalg.inv(world_to_cam) @ _OPENCV_TO_BLENDER


def covering_box(
    points: np.ndarray, K: np.ndarray, world_to_cam: np.ndarray, width: int, height: int, crop: bool = True
) -> Box:
    """Smallest box, to multiples of 16 pixels, that holds the projection of points (N, 3); else the whole image."""
    camera = points @ world_to_cam[:3, :3].T + world_to_cam[:3, 3]
    if not crop or camera[:, 2].min() < 1e-3:
        return Box(0, 0, width, height)
    image = camera[:, :2] / camera[:, 2:] * (K[0, 0], K[1, 1]) + K[:2, 2]
    low = np.clip(np.floor((image.min(0) - 2) / 16) * 16, 0, (width - 16, height - 16)).astype(int)
    high = np.clip(np.ceil((image.max(0) + 2) / 16) * 16, low + 16, (width, height)).astype(int)
    return Box(int(low[0]), int(low[1]), int(high[0]), int(high[1]))


def clip_start(points: np.ndarray, K: np.ndarray, world_to_cam: np.ndarray, width: int, height: int) -> float:
    """Metres from the camera at which Cycles may begin to see points (N, 3): Blender's own, where that hides nothing.

    The picture changes with it in the last digits, so it stays what it always was unless something in view is nearer.
    """
    camera = points @ world_to_cam[:3, :3].T + world_to_cam[:3, 3]
    near = camera[camera[:, 2] < 1.5 * CLIP_START]
    depth = np.maximum(near[:, 2:], 1e-9)
    image = near[:, :2] / depth * (K[0, 0], K[1, 1]) + K[:2, 2]
    beside = 0.5 * np.array([width, height])  # triangles reach into the picture whose corners do not
    seen = ((image > -beside) & (image < (width, height) + beside)).all(1) & (near[:, 2] > 0)
    return NEAREST if seen.any() else CLIP_START


def set_border(render: bpy.types.RenderSettings, box: Box, width: int, height: int) -> None:
    """Render only `box` of an image of this size."""
    render.use_border = render.use_crop_to_border = True
    render.border_min_x, render.border_max_x = (_share(side / width, side, width) for side in (box.left, box.right))
    low, high = ((1 - side / height, height - side) for side in (box.bottom, box.top))
    render.border_min_y, render.border_max_y = (_share(share, side, height) for share, side in (low, high))


def _share(share: float, side: int, whole: int) -> float:
    """`share` = side / whole, or a little more where Blender, in single precision and cut off, would miss the pixel."""
    return share if int(np.float32(share) * np.float32(whole)) == side else (side + 0.25) / whole
