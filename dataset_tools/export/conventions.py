"""The one table of what each format means by a joint, a metre and a pixel; everything that is exported goes by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from rigging.geometry.projection import to_camera
from rigging.poses.readers.permutations import from_canonical

OURS = 0.5  # px: where the centre of the top-left pixel is in our own labels


@dataclass(frozen=True)
class Convention:
    """Where a format says that things are. Axes are OpenCV's everywhere: x right, y down, z forward."""

    order: str  # of its joints: a name of rigging.poses.readers.permutations.JOINT_ORDERS
    frame: Literal["world", "camera"]  # of its points in 3D
    units: float  # in a metre
    centre: float  # px: where the centre of the top-left pixel is

    def joints(self, joints: np.ndarray) -> np.ndarray:
        """What belongs to our joints (..., 21, D), in the format's order: (..., 21, D)."""
        return from_canonical(self.order, joints)

    def points(self, points: np.ndarray, world_to_cam: np.ndarray) -> np.ndarray:
        """World points (N, 3) m in the format's frame and unit: (V, N, 3), for world_to_cam (V, 4, 4)."""
        if self.frame == "camera":
            return self.units * to_camera(points, world_to_cam)
        return np.broadcast_to(self.units * np.asarray(points, float), (len(world_to_cam), *np.shape(points)))

    def pixels(self, pixels: np.ndarray) -> np.ndarray:
        """Pixels (..., 2) of ours as the format counts them."""
        return np.asarray(pixels, float) + (self.centre - OURS)

    def intrinsics(self, K: np.ndarray) -> np.ndarray:
        """K (..., 3, 3) that projects to the format's pixels."""
        moved = np.array(K, float)
        moved[..., :2, 2] += self.centre - OURS
        return moved


# COCO says "0-indexed"; the others say nothing, and their own code draws and warps with (0, 0) as a pixel's centre.
CONVENTIONS = {
    "webdataset": Convention("canonical", "world", 1.0, OURS),
    "huggingface": Convention("canonical", "world", 1.0, OURS),
    "freihand": Convention("freihand", "camera", 1.0, 0.0),
    "interhand": Convention("interhand", "world", 1000.0, 0.0),
    "coco": Convention("canonical", "camera", 1.0, 0.0),
    "coco-wholebody": Convention("canonical", "camera", 1.0, 0.0),  # OpenPose's order, which is ours
    "hamer": Convention("canonical", "camera", 1.0, 0.0),  # OpenPose's order
    "obj": Convention("canonical", "world", 1.0, OURS),
    "ply": Convention("canonical", "world", 1.0, OURS),
    "glb": Convention("canonical", "world", 1.0, OURS),
}
