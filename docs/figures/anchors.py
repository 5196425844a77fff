"""Draw docs/images/anchors.png: every built-in anchor, skinned, from the palm and from the thumb's side.

Run from the root of the repository: python -m docs.figures.anchors
"""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from rigging.fingers.kinematics import bone_frames, bone_rotations, place_joints, skeleton
from rigging.hand.asset import load_asset
from rigging.hand.shape import RestHand
from rigging.hand.skinning import dual_quaternion
from rigging.poses.sampling.anchors import load_anchors

from .shading import hand_colours, shade

OUT = Path(__file__).parents[1] / "images" / "anchors.png"
SIZE, COLUMNS = 110, 10
FOCAL, DISTANCE = 1.9 * SIZE, 0.5
AIM = np.array([0.0, 0.055, -0.01])  # metres, hand frame
# rows are the camera's axes in the hand frame: x right, y down, z into the picture
FROM_PALM = np.array([[-1.0, 0, 0], [0, -1, 0], [0, 0, 1]])
FROM_THUMB = np.array([[0.0, 0, -1], [0, -1, 0], [1, 0, 0]])


def camera(axes: np.ndarray) -> np.ndarray:
    """world_to_cam (4, 4) of a camera that looks at AIM along `axes`."""
    matrix = np.eye(4)
    matrix[:3, :3] = axes
    matrix[:3, 3] = np.array([0, 0, DISTANCE]) - axes @ AIM
    return matrix


def draw(angles: np.ndarray) -> np.ndarray:
    """Two views of a pose beside each other, (SIZE, 2 SIZE, 4)."""
    asset = load_asset()
    model = skeleton(asset)
    frames = bone_frames(model, angles)
    rest = RestHand(asset.template, asset.joints)
    vertices = dual_quaternion(rest, asset, bone_rotations(model, frames), place_joints(model, frames))
    K = np.array([[FOCAL, 0, SIZE / 2], [0, FOCAL, SIZE / 2], [0, 0, 1]])
    views = (FROM_PALM, FROM_THUMB)
    pictures = [shade(vertices, asset.faces, hand_colours(asset), K, camera(view), SIZE) for view in views]
    return np.concatenate(pictures, axis=1)


def main() -> None:
    """Draw the page's picture."""
    anchors = load_anchors()
    rows = -(-len(anchors) // COLUMNS)
    figure, axes = plt.subplots(rows, COLUMNS, figsize=(COLUMNS * 2 * SIZE / 100, rows * 1.25 * SIZE / 100), dpi=100)
    for axis in axes.ravel():
        axis.axis("off")
    for axis, anchor in zip(axes.ravel(), anchors):
        axis.imshow(draw(anchor.angles))
        axis.set_title(anchor.name.replace("_", " "), fontsize=8, pad=1)
    figure.subplots_adjust(0.002, 0.002, 0.998, 0.98, 0.02, 0.2)
    figure.savefig(OUT, metadata={"Software": None})


if __name__ == "__main__":
    main()
