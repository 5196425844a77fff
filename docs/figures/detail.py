"""Draw docs/images/detail.jpg: parts of panoramas as they are, and with detail.

Run from the root of the repository: python -m docs.figures.detail
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from blender_scripts.looks.colour import LUMINANCE, linear_to_srgb8
from blender_scripts.looks.detail import Backdrop, detailed_view
from blender_scripts.looks.hdri import HdriLibrary, hdri_files, view

SIZE, FOCAL = 256, 2.2  # pixels, image widths: 80 mm, 35 mm equivalent
SCENES = (  # panorama, azimuth and elevation in radians
    ("forest", 2.5, 0.0), ("forest", 2.5, -1.2), ("sunrise", 6.5, 0.02),
    ("courtyard", 1.5, -0.15), ("interior", 3.5, -1.2), ("city", 0.5, -0.05),
)  # fmt: skip


def pinhole(azimuth: float, elevation: float, focal: float = FOCAL) -> tuple[np.ndarray, np.ndarray]:
    """K (3, 3) and world_to_cam (4, 4) of an upright camera at the origin; `focal` in image widths."""
    forward = np.array([np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation), np.sin(elevation)])
    right = np.array([np.sin(azimuth), -np.cos(azimuth), 0.0])
    world_to_cam = np.eye(4)
    world_to_cam[:3, :3] = right, np.cross(forward, right), forward
    return np.array([[focal * SIZE, 0, SIZE / 2], [0, focal * SIZE, SIZE / 2], [0, 0, 1]]), world_to_cam


def main() -> None:
    """Draw and write the picture: three scenes a row, each as it is and with detail below."""
    library, rows = HdriLibrary(hdri_files()), [[], []]
    for number, (name, azimuth, elevation) in enumerate(SCENES):
        panorama, camera = library.panorama(name), pinhole(azimuth, elevation)
        shown = float(np.median(view(panorama, 0.0, *camera, SIZE, SIZE) @ LUMINANCE))
        gains = np.full(3, 0.2 / shown, np.float32)
        scenes = [Backdrop(panorama, 0.0, gains, 1.5, detail, number) for detail in (0.0, 1.0)]
        views = [linear_to_srgb8(detailed_view(scene, *camera, (SIZE, SIZE))) for scene in scenes]
        rows[number // 3].append(np.concatenate(views))
    picture = np.concatenate([np.concatenate(row, axis=1) for row in rows])
    path = Path(__file__).parents[1] / "images" / "detail.jpg"
    cv2.imwrite(str(path), picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])


if __name__ == "__main__":
    main()
